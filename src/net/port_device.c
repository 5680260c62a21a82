/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device that runs programs itself: here is the channel to it. Packets stay there; what its
 * port counts is asked for every so often while the engine moves packets.
 */
#include "base/error.h"
#include "base/os.h"
#include "device/device.h"
#include "net/port.h"

#include <errno.h>
#include <time.h>

#define ASK_NS 50000000ull

static int device_port_open(struct port *port, const char *args, struct skep_error *err)
{
	struct device *device;
	int code = device_open(args, &device, err);

	port->state = code ? NULL : device;
	return code;
}

static int device_port_receive(struct port_queue *queue, struct frame *frames, int count,
			       struct skep_error *err)
{
	struct device *device = queue->port->state;
	const u64 now = os_time_ns(CLOCK_MONOTONIC);
	struct device_port_counts counts;
	int code;

	if (now < queue->due_ns)
		return 0;
	queue->due_ns = now + ASK_NS;
	code = device_refresh(device, err);
	if (code)
		return code;
	device_counts(device, &counts);
	return counts.at_end ? -ENODATA : 0;
}

static int device_port_send(struct port_queue *queue, struct frame *const *frames, int count)
{
	return 0;
}

static int device_port_finish(struct port *port)
{
	/* One that is gone has been told of. */
	device_refresh(port->state, NULL);
	return 0;
}

static void device_port_add_stats(const struct port *port, struct skep_port_stats *stats)
{
	struct device_port_counts counts;

	device_counts(port->state, &counts);
	stats->in_packets += counts.in_packets;
	stats->in_bytes += counts.in_bytes;
	stats->out_packets += counts.out_packets;
	stats->out_bytes += counts.out_bytes;
	for (u32 i = 0; i < SKEP_VERDICTS; i++) {
		stats->verdict_packets[i] += counts.verdict_packets[i];
		stats->verdict_bytes[i] += counts.verdict_bytes[i];
	}
	stats->redirect_failed += counts.redirect_failed;
	stats->out_failed += counts.out_failed;
	stats->truncated += counts.truncated;
	stats->run_ns += counts.run_ns;
	stats->lost += counts.lost;
	stats->at_end |= counts.at_end;
}

static struct device *device_of_port(const struct port *port)
{
	return port->state;
}

static void device_port_close(struct port *port)
{
	device_close(port->state);
	device_put(port->state);
}

const struct port_ops port_device = {
	.name = "device",
	.abilities = PORT_OFFLOADS,
	.open = device_port_open,
	.receive = device_port_receive,
	.send = device_port_send,
	.finish = device_port_finish,
	.add_stats = device_port_add_stats,
	.device = device_of_port,
	.close = device_port_close,
};

_Static_assert(DEVICE_VERDICTS == SKEP_VERDICTS, "one is copied to the other");
