/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/port.h"
#include "base/error.h"
#include "net/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PORT(name, usage, text) extern const struct port_ops port_##name;
#include "net/ports.def"
#undef PORT

static const struct {
	const char *name, *usage;
	const struct port_ops *ops;
} kinds[] = {
#define PORT(name, usage, text) {#name, usage, &port_##name},
#include "net/ports.def"
#undef PORT
};

/* The operations for the spec, and in *args what follows the colon. */
static const struct port_ops *find_kind(const char *spec, const char **args)
{
	size_t length = strcspn(spec, ":");

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].name) != length || strncmp(spec, kinds[i].name, length))
			continue;
		*args = spec[length] ? spec + length + 1 : spec + length;
		return kinds[i].ops;
	}
	return NULL;
}

static int unknown_kind(const char *spec, struct skep_error *err)
{
	char usages[160] = "";

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		strcat(usages, i ? ", " : "");
		strcat(usages, kinds[i].usage);
	}
	error_set(err, SKEP_STAGE_PORT, -EINVAL, "port '%s': expected one of %s", spec, usages);
	return -EINVAL;
}

int port_open(const char *spec, u32 ifindex, struct port **out, struct skep_error *err)
{
	const struct port_ops *ops;
	const char *args;
	struct port *port;
	int code;

	ops = find_kind(spec, &args);
	if (!ops)
		return unknown_kind(spec, err);
	port = aligned_alloc(CACHE_LINE, round_up(sizeof(*port), CACHE_LINE));
	if (!port)
		return error_set(err, SKEP_STAGE_PORT, -ENOMEM, "out of memory");
	memset(port, 0, sizeof(*port));
	/* A long spec is cut: it is only shown. */
	strncat(port->spec, spec, sizeof(port->spec) - 1);
	port->ifindex = ifindex;
	port->ops = ops;
	port->wait_fd = -1;
	hook_init(&port->xdp, BPF_XDP, ifindex);
	code = ops->open(port, args, err);
	if (code) {
		free(port);
		return code;
	}
	*out = port;
	return 0;
}

void port_close(struct port *port)
{
	hook_done(&port->xdp);
	synchronize_rcu();
	port->ops->close(port);
	free(port);
}

int port_send(struct port *port, const struct frame *frame)
{
	int code = port->ops->send(port, frame);

	if (code) {
		counter_add(&port->counters.out_failed, 1);
		return code;
	}
	counter_add(&port->counters.out_packets, 1);
	counter_add(&port->counters.out_bytes, frame->length);
	return 0;
}

void port_pass(struct port *port, const struct frame *frame)
{
	if (!port->ops->pass)
		return;
	if (port->ops->pass(port, frame)) {
		counter_add(&port->counters.out_failed, 1);
		return;
	}
	counter_add(&port->counters.out_packets, 1);
	counter_add(&port->counters.out_bytes, frame->length);
}

void frame_fill(struct frame *frame, const u8 *data, u32 length, u32 original_length,
		u64 time_ns)
{
	frame->data = frame->memory + PACKET_HEADROOM;
	frame->length = length;
	frame->original_length = original_length;
	frame->time_ns = time_ns;
	memcpy(frame->data, data, length);
}

static u64 counter_read(const atomic_ullong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void port_read_stats(const struct port *port, struct skep_port_stats *out)
{
	const struct port_counters *from = &port->counters;
	struct skep_port_stats stats = {
		.sz = out->sz,
		.in_packets = counter_read(&from->in_packets),
		.in_bytes = counter_read(&from->in_bytes),
		.out_packets = counter_read(&from->out_packets),
		.out_bytes = counter_read(&from->out_bytes),
		.redirect_failed = counter_read(&from->redirect_failed),
		.out_failed = counter_read(&from->out_failed),
		.truncated = counter_read(&from->truncated),
		.run_ns = counter_read(&from->run_ns),
		.at_end = atomic_load_explicit(&from->at_end, memory_order_relaxed),
	};

	for (int i = 0; i < SKEP_VERDICTS; i++) {
		stats.verdict_packets[i] = counter_read(&from->verdict_packets[i]);
		stats.verdict_bytes[i] = counter_read(&from->verdict_bytes[i]);
	}
	strcpy(stats.spec, port->spec);
	memcpy(out, &stats, min(out->sz, sizeof(stats)));
}
