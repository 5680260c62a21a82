/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TAP or TUN interface as a port: what the host's stack sends into the interface comes in
 * here, what leaves here the host receives. Makes the interface unless it exists; it goes away
 * with the port. The packets of a TUN have no Ethernet header: one with addresses of zero is
 * put in front of what comes, and taken off what leaves.
 */
#include "base/error.h"
#include "base/os.h"
#include "net/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int tun_usable(struct skep_error *err)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, SKEP_STAGE_PORT, -errno, "/dev/net/tun: %s",
				 strerror(errno));
	close(fd);
	return 0;
}

static int attach(int fd, const char *name, bool is_tap)
{
	struct ifreq request = {.ifr_flags = (is_tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI};

	memcpy(request.ifr_name, name, strlen(name));
	return ioctl(fd, TUNSETIFF, &request) ? -errno : 0;
}

static int open_either(struct port *port, const char *args, bool is_tap, struct skep_error *err)
{
	const char *kind = port->ops->name;
	int fd, code;

	if (!*args || strlen(args) >= IFNAMSIZ)
		return error_set(err, SKEP_STAGE_PORT, -EINVAL,
				 "%s:%s: expected an interface name of 1 to %d bytes", kind,
				 args, IFNAMSIZ - 1);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	code = fd < 0 ? -errno : attach(fd, args, is_tap);
	if (!code) {
		port->queues[0].wait_fd = fd;
		return 0;
	}
	error_set(err, SKEP_STAGE_PORT, code, "%s:%s: %s", kind, args, strerror(-code));
	if (code == -EPERM || code == -EACCES)
		error_hint(err,
			   "needs CAP_NET_ADMIN, or an interface made for you with "
			   "`ip tuntap add %s mode %s user NAME`",
			   args, kind);
	if (fd >= 0)
		close(fd);
	return code;
}

static int tap_open(struct port *port, const char *args, struct skep_error *err)
{
	return open_either(port, args, true, err);
}

static int tun_open(struct port *port, const char *args, struct skep_error *err)
{
	return open_either(port, args, false, err);
}

/* In front of an IP packet of a TUN. */
static void put_header(u8 *header, const u8 *packet)
{
	const u16 protocol = htons(packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);

	memset(header, 0, 2 * ETH_ALEN);
	memcpy(header + 2 * ETH_ALEN, &protocol, sizeof(protocol));
}

static void fill(struct frame *frame, u32 header, ssize_t length, u64 now)
{
	frame->data = frame->memory + PACKET_HEADROOM;
	if (header)
		put_header(frame->data, frame->data + header);
	frame->length = frame->original_length = header + length;
	frame->metadata = 0;
	frame->time_ns = now;
	frame->known = FRAME_TIME;
}

/* `header`: so many bytes of an Ethernet header the packets lack. */
static int receive(struct port_queue *queue, struct frame *frames, int count, u32 header,
		   struct skep_error *err)
{
	const u64 now = os_time_ns(CLOCK_REALTIME);
	int filled = 0;
	ssize_t got = 0;

	while (filled < count) {
		got = read(queue->wait_fd, frames[filled].memory + PACKET_HEADROOM + header,
			   FRAME_DATA_MAX - header);
		if (got <= 0)
			break;
		fill(&frames[filled++], header, got, now);
	}
	/* EIO: the interface is not up yet. */
	if (!filled && got < 0 && errno != EAGAIN && errno != EINTR && errno != EIO)
		return error_set(err, SKEP_STAGE_PORT, -errno, "%s: %s", queue->port->spec,
				 errno == EBADFD
					 ? "the interface is gone (what was counted stays)"
					 : strerror(errno));
	return filled;
}

static int send_all(struct port_queue *queue, struct frame *const *frames, int count,
		    u32 header)
{
	int sent = 0;

	while (sent < count && frames[sent]->length > header &&
	       write(queue->wait_fd, frames[sent]->data + header,
		     frames[sent]->length - header) >= 0)
		sent++;
	return sent;
}

static int tap_receive(struct port_queue *queue, struct frame *frames, int count,
		       struct skep_error *err)
{
	return receive(queue, frames, count, 0, err);
}

static int tun_receive(struct port_queue *queue, struct frame *frames, int count,
		       struct skep_error *err)
{
	return receive(queue, frames, count, ETH_HLEN, err);
}

static int tap_send(struct port_queue *queue, struct frame *const *frames, int count)
{
	return send_all(queue, frames, count, 0);
}

static int tun_send(struct port_queue *queue, struct frame *const *frames, int count)
{
	return send_all(queue, frames, count, ETH_HLEN);
}

static void tun_close(struct port *port)
{
	close(port->queues[0].wait_fd);
}

const struct port_ops port_tap = {
	.name = "tap",
	.is_interface = true,
	.abilities = PORT_RECEIVES | PORT_SENDS | PORT_KNOWS_TIME,
	.usable = tun_usable,
	.open = tap_open,
	.receive = tap_receive,
	.send = tap_send,
	.close = tun_close,
};

const struct port_ops port_tun = {
	.name = "tun",
	.is_interface = true,
	.abilities = PORT_RECEIVES | PORT_SENDS | PORT_KNOWS_TIME,
	.usable = tun_usable,
	.open = tun_open,
	.receive = tun_receive,
	.send = tun_send,
	.close = tun_close,
};
