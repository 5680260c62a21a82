/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TAP interface as a port: what the host's stack sends into the interface comes in here, what
 * leaves here the host receives. Makes the interface unless it exists; it goes away with the
 * port.
 */
#include "base/error.h"
#include "base/os.h"
#include "net/port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int tap_attach(int fd, const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	memcpy(request.ifr_name, name, strlen(name));
	return ioctl(fd, TUNSETIFF, &request) ? -errno : 0;
}

static int tap_open(struct port *port, const char *args, struct skep_error *err)
{
	int fd, code;

	if (!*args || strlen(args) >= IFNAMSIZ)
		return error_set(err, SKEP_STAGE_PORT, -EINVAL,
				 "tap:%s: expected an interface name of 1 to %d bytes", args,
				 IFNAMSIZ - 1);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	code = fd < 0 ? -errno : tap_attach(fd, args);
	if (!code) {
		port->queues[0].wait_fd = fd;
		return 0;
	}
	error_set(err, SKEP_STAGE_PORT, code, "tap:%s: %s", args, strerror(-code));
	if (code == -EPERM || code == -EACCES)
		error_hint(err,
			   "needs CAP_NET_ADMIN, or an interface made for you with "
			   "`ip tuntap add %s mode tap user NAME`",
			   args);
	if (fd >= 0)
		close(fd);
	return code;
}

static int tap_receive(struct port_queue *queue, struct frame *frames, int count,
		       struct skep_error *err)
{
	const u64 now = os_time_ns(CLOCK_REALTIME);
	int filled = 0;
	ssize_t got = 0;

	while (filled < count) {
		struct frame *frame = &frames[filled];

		got = read(queue->wait_fd, frame->memory + PACKET_HEADROOM, FRAME_DATA_MAX);
		if (got <= 0)
			break;
		frame->data = frame->memory + PACKET_HEADROOM;
		frame->length = frame->original_length = got;
		frame->metadata = 0;
		frame->time_ns = now;
		frame->known = FRAME_TIME;
		filled++;
	}
	if (!filled && got < 0 && errno != EAGAIN && errno != EINTR)
		return error_set(err, SKEP_STAGE_PORT, -errno, "%s: %s", queue->port->spec,
				 strerror(errno));
	return filled;
}

static int tap_send(struct port_queue *queue, struct frame *const *frames, int count)
{
	int sent = 0;

	while (sent < count &&
	       write(queue->wait_fd, frames[sent]->data, frames[sent]->length) >= 0)
		sent++;
	return sent;
}

static void tap_close(struct port *port)
{
	close(port->queues[0].wait_fd);
}

const struct port_ops port_tap = {
	.name = "tap",
	.abilities = PORT_RECEIVES | PORT_SENDS | PORT_KNOWS_TIME,
	.open = tap_open,
	.receive = tap_receive,
	.send = tap_send,
	.close = tap_close,
};
