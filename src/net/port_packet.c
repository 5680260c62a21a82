/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface of the host through AF_PACKET: frames come from a TPACKET_V3 ring that the
 * kernel fills, and leave through another (packet(7)). With several queues there are several
 * sockets, among which the kernel spreads the flows by their hash. The host's stack sees
 * incoming frames too: what a program drops here is not dropped there.
 */
#include "base/error.h"
#include "net/port.h"
#include "net/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK_SIZE	(1 << 18)
#define BLOCKS		32
#define RX_BYTES	(BLOCKS * BLOCK_SIZE)
#define FRAME_SIZE	2048
#define TX_BYTES	(8 * BLOCK_SIZE)
#define TX_DATA		TPACKET_ALIGN(sizeof(struct tpacket3_hdr))
#define BLOCK_RETIRE_MS 1
#define VLAN_TAG	4

struct packet_queue {
	int fd;	  /* -1: none */
	u8 *ring; /* both rings, shared with the kernel; NULL: none */
	u32 block;
	struct tpacket3_hdr *next; /* in the block being read; NULL: none */
	u32 left;		   /* packets left in it */
	u32 tx_next, tx_slot;	   /* the next slot, and the bytes of one */
	atomic_ullong lost;	   /* the kernel forgets it when it was asked */
};

/* --- open and close --- */

static int packet_bind(int fd, u32 ifindex)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)ifindex,
	};
	const int one = 1;

	/* Older than Linux 4.20: the copies of sent frames come in too. */
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	return bind(fd, (const struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

/* A slot for sending holds what the interface can send. */
static u32 slot_bytes(int fd, const char *interface)
{
	struct ifreq about = {};
	u32 bytes = FRAME_SIZE;

	strncpy(about.ifr_name, interface, sizeof(about.ifr_name) - 1);
	if (!ioctl(fd, SIOCGIFMTU, &about))
		while (bytes < TX_DATA + ETH_HLEN + 2 * VLAN_TAG + (u32)about.ifr_mtu &&
		       bytes < BLOCK_SIZE)
			bytes *= 2;
	return bytes;
}

static int make_rings(struct packet_queue *queue)
{
	const struct tpacket_req3 rx = {
		.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = BLOCKS,
		.tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = BLOCK_SIZE / FRAME_SIZE * BLOCKS,
		.tp_retire_blk_tov = BLOCK_RETIRE_MS,
		.tp_feature_req_word = TP_FT_REQ_FILL_RXHASH,
	};
	const struct tpacket_req3 tx = {
		.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = TX_BYTES / BLOCK_SIZE,
		.tp_frame_size = queue->tx_slot,
		.tp_frame_nr = TX_BYTES / queue->tx_slot,
	};
	const int version = TPACKET_V3, one = 1;
	void *ring;

	/* A frame that the kernel does not take is skipped; queueing disciplines are, too, as
	 * for XDP_TX. */
	if (setsockopt(queue->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(queue->fd, SOL_PACKET, PACKET_LOSS, &one, sizeof(one)) ||
	    setsockopt(queue->fd, SOL_PACKET, PACKET_RX_RING, &rx, sizeof(rx)) ||
	    setsockopt(queue->fd, SOL_PACKET, PACKET_TX_RING, &tx, sizeof(tx)))
		return -errno;
	setsockopt(queue->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	ring = mmap(NULL, RX_BYTES + TX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, queue->fd,
		    0);
	if (ring == MAP_FAILED)
		return -errno;
	queue->ring = ring;
	return 0;
}

/* The first socket makes the group, the others join it; *group is 0 at first. */
static int join_group(int fd, u32 *group)
{
	const u32 kind = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG |
			 (*group ? 0 : PACKET_FANOUT_FLAG_UNIQUEID);
	const u32 request = *group | kind << 16;
	socklen_t size = sizeof(*group);

	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &request, sizeof(request)) ||
	    getsockopt(fd, SOL_PACKET, PACKET_FANOUT, group, &size))
		return -errno;
	*group &= 0xffff;
	return 0;
}

/* The rings exist before the socket is bound: no frame is lost in between. */
static int open_queue(struct port_queue *of, const char *interface)
{
	struct packet_queue *queue = calloc(1, sizeof(*queue));
	int code;

	if (!queue)
		return -ENOMEM;
	of->state = queue;
	queue->fd = of->wait_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (queue->fd < 0)
		return -errno;
	queue->tx_slot = slot_bytes(queue->fd, interface);
	code = make_rings(queue);
	return code ? code : packet_bind(queue->fd, if_nametoindex(interface));
}

static void packet_close(struct port *port)
{
	for (u32 i = 0; i < port->queue_count; i++) {
		struct packet_queue *queue = port->queues[i].state;

		if (!queue)
			continue;
		if (queue->ring)
			munmap(queue->ring, RX_BYTES + TX_BYTES);
		if (queue->fd >= 0)
			close(queue->fd);
		free(queue);
	}
}

static int open_queues(struct port *port, const char *interface, u32 count)
{
	u32 group = 0;
	int code = 0;

	port->queue_count = port->send_queue_count = count;
	for (u32 i = 0; i < count && !code; i++) {
		code = open_queue(&port->queues[i], interface);
		if (!code && count > 1)
			code = join_group(port->queues[i].wait_fd, &group);
	}
	if (code)
		packet_close(port);
	return code;
}

static int packet_usable(struct skep_error *err)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	return error_set(err, SKEP_STAGE_PORT, -errno, "no AF_PACKET socket: %s%s",
			 strerror(errno), errno == EPERM ? " (needs CAP_NET_RAW)" : "");
}

static int open_parsed(struct port *port, char *args, struct skep_error *err)
{
	u64 queues = 1;
	const struct port_word words[] = {{"queues", 1, QUEUES_MAX, &queues}};
	int code = words_parse("packet", args, words, ARRAY_SIZE(words), err);

	if (code)
		return code;
	code = if_nametoindex(args) ? open_queues(port, args, queues) : -ENODEV;
	if (!code)
		return 0;
	error_set(err, SKEP_STAGE_PORT, code, "packet:%s: %s", args,
		  code == -ENODEV ? "no such interface" : strerror(-code));
	if (code == -EPERM)
		error_hint(err, "needs CAP_NET_RAW in this network namespace");
	return code;
}

static int packet_open(struct port *port, const char *args, struct skep_error *err)
{
	char *text = strdup(args);
	int code = text ? open_parsed(port, text, err)
			: error_set(err, SKEP_STAGE_PORT, -ENOMEM, "out of memory");

	free(text);
	return code;
}

/* --- receiving --- */

static struct tpacket_block_desc *current_block(const struct packet_queue *queue)
{
	return (struct tpacket_block_desc *)(queue->ring + queue->block * BLOCK_SIZE);
}

/* Acquire pairs with the kernel's release of the block; release gives it back. */
static bool block_begin(struct packet_queue *queue)
{
	struct tpacket_block_desc *block = current_block(queue);

	if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	queue->left = block->hdr.bh1.num_pkts;
	queue->next = (struct tpacket3_hdr *)((u8 *)block + block->hdr.bh1.offset_to_first_pkt);
	return true;
}

static void block_end(struct packet_queue *queue)
{
	__atomic_store_n(&current_block(queue)->hdr.bh1.block_status, TP_STATUS_KERNEL,
			 __ATOMIC_RELEASE);
	queue->block = (queue->block + 1) % BLOCKS;
	queue->next = NULL;
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

static void packet_take(struct port_queue *of, struct frame *frame)
{
	struct packet_queue *queue = of->state;
	const struct tpacket3_hdr *header = queue->next;

	if (header->tp_snaplen < header->tp_len)
		counter_add(&of->rx.truncated, 1);
	frame_fill(frame, (const u8 *)header + header->tp_mac,
		   min(header->tp_snaplen, (u32)FRAME_DATA_MAX));
	frame->original_length = header->tp_len;
	frame->time_ns = header->tp_sec * 1000000000ull + header->tp_nsec;
	frame->hash = header->hv1.tp_rxhash;
	frame->known = FRAME_TIME | FRAME_HASH;
	restore_vlan(frame, header);
	queue->next = (struct tpacket3_hdr *)((u8 *)header + header->tp_next_offset);
	queue->left--;
}

static int packet_receive(struct port_queue *of, struct frame *frames, int count,
			  struct skep_error *err)
{
	struct packet_queue *queue = of->state;
	int filled = 0;

	while (filled < count) {
		if (!queue->next && !block_begin(queue))
			break;
		if (queue->left)
			packet_take(of, &frames[filled++]);
		else
			block_end(queue);
	}
	return filled ? filled : port_check_socket(of, queue->fd, err);
}

static u64 packet_lost(const struct port_queue *of)
{
	struct packet_queue *queue = of->state;
	struct tpacket_stats_v3 statistics = {};
	socklen_t size = sizeof(statistics);

	if (!getsockopt(queue->fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size))
		atomic_fetch_add(&queue->lost, statistics.tp_drops);
	return atomic_load(&queue->lost);
}

/* --- sending --- */

static struct tpacket3_hdr *tx_slot(const struct packet_queue *queue)
{
	return (struct tpacket3_hdr *)(queue->ring + RX_BYTES +
				       queue->tx_next * queue->tx_slot);
}

/* What waits in the ring leaves. */
static void kick(const struct packet_queue *queue)
{
	while (send(queue->fd, NULL, 0, MSG_DONTWAIT) < 0 && errno == EINTR)
		;
}

/* Release pairs with the kernel's look at the status. */
static void put(struct packet_queue *queue, struct tpacket3_hdr *slot,
		const struct frame *frame)
{
	memcpy((u8 *)slot + TX_DATA, frame->data, frame->length);
	slot->tp_len = slot->tp_snaplen = frame->length;
	slot->tp_next_offset = 0;
	__atomic_store_n(&slot->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
	queue->tx_next = (queue->tx_next + 1) % (TX_BYTES / queue->tx_slot);
}

/* Of what the ring has room for, with the kernel asked once when it is full. */
static bool put_in_ring(struct packet_queue *queue, const struct frame *frame)
{
	struct tpacket3_hdr *slot = tx_slot(queue);

	if (__atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE)
		kick(queue);
	if (__atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE)
		return false;
	put(queue, slot, frame);
	return true;
}

static int packet_send(struct port_queue *of, struct frame *const *frames, int count)
{
	struct packet_queue *queue = of->state;
	int sent = 0;

	while (sent < count && frames[sent]->length <= queue->tx_slot - TX_DATA &&
	       put_in_ring(queue, frames[sent]))
		sent++;
	if (sent)
		kick(queue);
	return sent;
}

const struct port_ops port_packet = {
	.name = "packet",
	.is_interface = true,
	.abilities =
		PORT_RECEIVES | PORT_SENDS | PORT_QUEUES | PORT_KNOWS_TIME | PORT_KNOWS_HASH,
	.usable = packet_usable,
	.open = packet_open,
	.receive = packet_receive,
	.send = packet_send,
	.lost = packet_lost,
	.close = packet_close,
};
