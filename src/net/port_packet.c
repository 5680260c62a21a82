/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface of the host through AF_PACKET: frames come from a TPACKET_V3 ring that the
 * kernel fills (packet(7)), and leave through the same socket. The host's stack sees incoming
 * frames too: what a program drops here is not dropped there.
 */
#include "base/error.h"
#include "net/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK_SIZE	(1 << 18)
#define BLOCKS		32
#define FRAME_SIZE	2048
#define BLOCK_RETIRE_MS 1
#define VLAN_TAG	4

struct packet_port {
	u8 *ring; /* BLOCKS * BLOCK_SIZE, shared with the kernel */
	u32 block;
	struct tpacket3_hdr *next; /* in the block being read; NULL: none */
	u32 left;		   /* packets left in it */
};

static int packet_bind(int fd, const char *interface)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(interface),
	};
	int one = 1;

	if (!address.sll_ifindex)
		return -ENODEV;
	/* Older than Linux 4.20: the copies of sent frames come in too. */
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

static int packet_ring(int fd, u8 **ring)
{
	const struct tpacket_req3 request = {
		.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = BLOCKS,
		.tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = BLOCK_SIZE / FRAME_SIZE * BLOCKS,
		.tp_retire_blk_tov = BLOCK_RETIRE_MS,
	};
	int version = TPACKET_V3;

	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)))
		return -errno;
	*ring = mmap(NULL, BLOCKS * BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return *ring == MAP_FAILED ? -errno : 0;
}

/* The ring exists before the socket is bound: no frame is lost in between. */
static int packet_setup(struct packet_port *packet, const char *interface, int *out)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), code;

	if (fd < 0)
		return -errno;
	code = packet_ring(fd, &packet->ring) ?: packet_bind(fd, interface);
	if (code)
		close(fd);
	else
		*out = fd;
	return code;
}

static int packet_open(struct port *port, const char *args, struct skep_error *err)
{
	struct packet_port *packet = calloc(1, sizeof(*packet));
	int code = packet ? packet_setup(packet, args, &port->queues[0].wait_fd) : -ENOMEM;

	if (!code) {
		port->state = packet;
		return 0;
	}
	free(packet);
	error_set(err, SKEP_STAGE_PORT, code, "packet:%s: %s", args, strerror(-code));
	if (code == -EPERM)
		error_hint(err, "needs CAP_NET_RAW in this network namespace");
	return code;
}

static struct tpacket_block_desc *current_block(const struct packet_port *packet)
{
	return (struct tpacket_block_desc *)(packet->ring + packet->block * BLOCK_SIZE);
}

/* Acquire pairs with the kernel's release of the block; release gives it back. */
static bool block_begin(struct packet_port *packet)
{
	struct tpacket_block_desc *block = current_block(packet);

	if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	packet->left = block->hdr.bh1.num_pkts;
	packet->next =
		(struct tpacket3_hdr *)((u8 *)block + block->hdr.bh1.offset_to_first_pkt);
	return true;
}

static void block_end(struct packet_port *packet)
{
	__atomic_store_n(&current_block(packet)->hdr.bh1.block_status, TP_STATUS_KERNEL,
			 __ATOMIC_RELEASE);
	packet->block = (packet->block + 1) % BLOCKS;
	packet->next = NULL;
}

/* The kernel took an outer VLAN tag out of the frame: put it back where it was. */
static void restore_vlan(struct frame *frame, const struct tpacket3_hdr *header)
{
	u16 tag[2] = {htons(header->tp_status & TP_STATUS_VLAN_TPID_VALID
				    ? header->hv1.tp_vlan_tpid
				    : ETH_P_8021Q),
		      htons(header->hv1.tp_vlan_tci)};

	if (!(header->tp_status & TP_STATUS_VLAN_VALID) || frame->length < 2 * ETH_ALEN)
		return;
	frame->data -= VLAN_TAG;
	memmove(frame->data, frame->data + VLAN_TAG, 2 * ETH_ALEN);
	memcpy(frame->data + 2 * ETH_ALEN, tag, sizeof(tag));
	frame->length += VLAN_TAG;
	frame->original_length += VLAN_TAG;
}

static void packet_take(struct port_queue *queue, struct frame *frame)
{
	struct packet_port *packet = queue->port->state;
	const struct tpacket3_hdr *header = packet->next;

	if (header->tp_snaplen < header->tp_len)
		counter_add(&queue->rx.truncated, 1);
	frame_fill(frame, (const u8 *)header + header->tp_mac,
		   min(header->tp_snaplen, (u32)FRAME_DATA_MAX));
	frame->original_length = header->tp_len;
	frame->time_ns = header->tp_sec * 1000000000ull + header->tp_nsec;
	frame->known = FRAME_TIME;
	restore_vlan(frame, header);
	packet->next = (struct tpacket3_hdr *)((u8 *)header + header->tp_next_offset);
	packet->left--;
}

static int packet_receive(struct port_queue *queue, struct frame *frames, int count,
			  struct skep_error *err)
{
	struct packet_port *packet = queue->port->state;
	int filled = 0;

	while (filled < count) {
		if (!packet->next && !block_begin(packet))
			break;
		if (packet->left)
			packet_take(queue, &frames[filled++]);
		else
			block_end(packet);
	}
	return filled;
}

static int packet_send(struct port_queue *queue, struct frame *const *frames, int count)
{
	int sent = 0;

	while (sent < count &&
	       send(queue->wait_fd, frames[sent]->data, frames[sent]->length, 0) >= 0)
		sent++;
	return sent;
}

static void packet_close(struct port *port)
{
	struct packet_port *packet = port->state;

	munmap(packet->ring, BLOCKS * BLOCK_SIZE);
	close(port->queues[0].wait_fd);
	free(packet);
}

const struct port_ops port_packet = {
	.name = "packet",
	.abilities = PORT_RECEIVES | PORT_SENDS | PORT_KNOWS_TIME,
	.open = packet_open,
	.receive = packet_receive,
	.send = packet_send,
	.close = packet_close,
};
