/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface of the host through AF_XDP sockets, one a queue: what the interface receives is
 * turned to them by a program in the kernel, before the host's stack sees it. Programs work on
 * the packets where the kernel put them; what leaves is copied into the socket's other half.
 *
 * A socket's memory is CHUNKS chunks: the first half circles through the fill and receive
 * rings, the second through the transmit and completion rings.
 */
#include "base/error.h"
#include "net/port.h"
#include "net/words.h"
#include "net/xsk_library.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RING		 2048
#define CHUNKS		 (2 * RING)
#define CHUNK_SMALL	 2048 /* holds what an MTU of 1500 needs */
#define CHUNK_LARGE	 4096 /* the most that AF_XDP has, one page */
#define BUSY_POLL_US	 20
#define KICKS_MAX	 64 /* of one batch: each makes the kernel send some frames */
#define BUSY_PAUSE_NS	 10000000
#define BUSY_PAUSES	 100
#define BPF_REDIRECT_MAP 51

struct xsk_queue {
	_Alignas(CACHE_LINE) struct xsk_ring_cons rx;
	struct xsk_ring_prod fill;
	u8 *memory; /* CHUNKS of them; owned */
	u32 chunk;
	u32 taken; /* by the last receive */
	u64 addresses[FRAME_BATCH];
	int fd;
	bool is_busy_polled;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	_Alignas(CACHE_LINE) struct xsk_ring_prod tx;
	struct xsk_ring_cons completed;
	u32 free_count;
	u32 free[RING]; /* chunks that can be sent from */
};

struct xdp_port {
	const struct xsk_library *library;
	char interface[IF_NAMESIZE];
	u32 ifindex;
	int map, prog, link; /* -1: none */
	u32 attach_flags, bind_flags;
	u64 zero_copy, copy, generic, busy_poll, queues; /* as the spec says; 0: not said */
	struct xsk_queue *queue[QUEUES_MAX];
};

/* --- what there is --- */

static int xdp_usable(struct skep_error *err)
{
	int fd;

	if (!xsk_library(err))
		return -ENOENT;
	fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	fd = error_set(err, SKEP_STAGE_PORT, -errno, "no AF_XDP socket: %s%s", strerror(errno),
		       errno == EPERM ? " (needs CAP_NET_RAW)" : "");
	return fd;
}

/* Asks the interface by an ioctl; false: it does not say. */
static bool ask(const struct xdp_port *xdp, unsigned long request, struct ifreq *about)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool answered;

	memcpy(about->ifr_name, xdp->interface, IF_NAMESIZE);
	answered = fd >= 0 && !ioctl(fd, request, about);
	if (fd >= 0)
		close(fd);
	return answered;
}

static u32 interface_queues(const struct xdp_port *xdp)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq about = {.ifr_data = (void *)&channels};
	u32 count;

	if (!ask(xdp, SIOCETHTOOL, &about))
		return 1;
	count = channels.rx_count + channels.combined_count;
	return min(max(count, 1u), (u32)QUEUES_MAX);
}

static u32 chunk_bytes(const struct xdp_port *xdp)
{
	struct ifreq about = {};

	return ask(xdp, SIOCGIFMTU, &about) && about.ifr_mtu > 1500 ? CHUNK_LARGE : CHUNK_SMALL;
}

/* --- the program in the kernel --- */

/* Every packet to the socket of its queue, or on to the host's stack where there is none. */
static int load_program(struct xdp_port *xdp)
{
	const struct bpf_insn program[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = BPF_REG_2,
		 .src_reg = BPF_REG_1,
		 .off = offsetof(struct xdp_md, rx_queue_index)},
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = xdp->map},
		{},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_REDIRECT_MAP},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return xdp->library->bpf_prog_load(BPF_PROG_TYPE_XDP, "skep_to_xsk", "Dual BSD/GPL",
					   program, ARRAY_SIZE(program), NULL);
}

static int attach_program(const struct xdp_port *xdp, u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int fd = xdp->library->bpf_link_create(xdp->prog, (int)xdp->ifindex, BPF_XDP, &opts);

	return fd < 0 ? -errno : fd;
}

static int attach(struct xdp_port *xdp, struct skep_error *err)
{
	xdp->map = xdp->library->bpf_map_create(BPF_MAP_TYPE_XSKMAP, "skep_xsks", sizeof(u32),
						sizeof(u32), QUEUES_MAX, NULL);
	xdp->prog = xdp->map < 0 ? -1 : load_program(xdp);
	if (xdp->prog < 0)
		return error_set(err, SKEP_STAGE_PORT, -errno,
				 "xdp:%s: the program in the kernel cannot be loaded: %s%s",
				 xdp->interface, strerror(errno),
				 errno == EPERM ? " (needs CAP_BPF and CAP_NET_ADMIN)" : "");
	xdp->attach_flags = XDP_FLAGS_DRV_MODE;
	xdp->link = xdp->generic ? -EOPNOTSUPP : attach_program(xdp, XDP_FLAGS_DRV_MODE);
	if (xdp->link == -EOPNOTSUPP && !xdp->zero_copy) {
		xdp->attach_flags = XDP_FLAGS_SKB_MODE;
		xdp->link = attach_program(xdp, XDP_FLAGS_SKB_MODE);
	}
	if (xdp->link >= 0)
		return 0;
	return error_set(err, SKEP_STAGE_PORT, xdp->link,
			 "xdp:%s: the program in the kernel cannot be attached: %s",
			 xdp->interface,
			 xdp->link == -EBUSY || xdp->link == -EEXIST
				 ? "the interface has an XDP program already"
				 : strerror(-xdp->link));
}

/* --- sockets --- */

static int make_memory(struct xdp_port *xdp, struct xsk_queue *queue)
{
	const struct xsk_umem_config config = {
		.fill_size = RING,
		.comp_size = RING,
		.frame_size = queue->chunk,
	};
	const size_t bytes = (size_t)CHUNKS * queue->chunk;

	if (!queue->memory) {
		queue->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (queue->memory == MAP_FAILED) {
			queue->memory = NULL;
			return -ENOMEM;
		}
	}
	return xdp->library->xsk_umem__create(&queue->umem, queue->memory, bytes, &queue->fill,
					      &queue->completed, &config);
}

static int bind_socket(struct xdp_port *xdp, struct xsk_queue *queue, u32 index, u32 bind_flags)
{
	const struct xsk_socket_config config = {
		.rx_size = RING,
		.tx_size = RING,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.xdp_flags = xdp->attach_flags,
		.bind_flags = bind_flags | XDP_USE_NEED_WAKEUP,
	};
	int code = make_memory(xdp, queue);

	if (code)
		return code;
	code = xdp->library->xsk_socket__create(&queue->socket, xdp->interface, index,
						queue->umem, &queue->rx, &queue->tx, &config);
	if (!code) {
		xdp->bind_flags = bind_flags;
		return 0;
	}
	/* A umem belongs to one try. */
	xdp->library->xsk_umem__delete(queue->umem);
	queue->umem = NULL;
	return code;
}

/* A queue is let go some time after its socket was closed. */
static int bind_patiently(struct xdp_port *xdp, struct xsk_queue *queue, u32 index,
			  u32 bind_flags)
{
	const struct timespec pause = {.tv_nsec = BUSY_PAUSE_NS};
	int code = bind_socket(xdp, queue, index, bind_flags);

	for (u32 i = 0; i < BUSY_PAUSES && code == -EBUSY; i++) {
		nanosleep(&pause, NULL);
		code = bind_socket(xdp, queue, index, bind_flags);
	}
	return code;
}

/* Zero-copy where the driver has it, unless one of the two was asked for. */
static int bind_best(struct xdp_port *xdp, struct xsk_queue *queue, u32 index,
		     struct skep_error *err)
{
	int code = -EOPNOTSUPP;

	if (!xdp->copy && xdp->attach_flags == XDP_FLAGS_DRV_MODE)
		code = bind_patiently(xdp, queue, index, XDP_ZEROCOPY);
	if (code && !xdp->zero_copy)
		code = bind_patiently(xdp, queue, index, XDP_COPY);
	if (!code)
		return 0;
	return error_set(err, SKEP_STAGE_PORT, code, "xdp:%s: queue %u: %s", xdp->interface,
			 index,
			 code == -EOPNOTSUPP && xdp->zero_copy ? "the driver has no zero-copy"
			 : code == -EBUSY		       ? "another socket has it"
							       : strerror(-code));
}

static int busy_poll(const struct xdp_port *xdp, int fd, struct skep_error *err)
{
	const int one = 1, time = BUSY_POLL_US, budget = FRAME_BATCH;

	if (!setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &one, sizeof(one)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &time, sizeof(time)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof(budget)))
		return 0;
	return error_set(err, SKEP_STAGE_PORT, -errno, "xdp:%s: busy polling: %s",
			 xdp->interface, strerror(errno));
}

static void fill_rings(struct xsk_queue *queue)
{
	u32 at, room = xsk_ring_prod__reserve(&queue->fill, RING, &at);

	for (u32 i = 0; i < room; i++)
		*xsk_ring_prod__fill_addr(&queue->fill, at + i) = (u64)i * queue->chunk;
	xsk_ring_prod__submit(&queue->fill, room);
	for (u32 i = 0; i < RING; i++)
		queue->free[queue->free_count++] = RING + i;
}

static int open_queue(struct xdp_port *xdp, struct port_queue *of, struct skep_error *err)
{
	struct xsk_queue *queue = aligned_alloc(CACHE_LINE, sizeof(*queue));
	int code;

	if (!queue)
		return error_set(err, SKEP_STAGE_PORT, -ENOMEM, "out of memory");
	memset(queue, 0, sizeof(*queue));
	xdp->queue[of->index] = of->state = queue;
	queue->chunk = chunk_bytes(xdp);
	code = bind_best(xdp, queue, of->index, err);
	if (code)
		return code;
	queue->fd = of->wait_fd = xdp->library->xsk_socket__fd(queue->socket);
	queue->is_busy_polled = of->is_polled = xdp->busy_poll;
	fill_rings(queue);
	if (xdp->busy_poll)
		code = busy_poll(xdp, queue->fd, err);
	if (!code &&
	    xdp->library->bpf_map_update_elem(xdp->map, &of->index, &queue->fd, BPF_ANY))
		code = error_set(err, SKEP_STAGE_PORT, -errno, "xdp:%s: queue %u: %s",
				 xdp->interface, of->index, strerror(errno));
	return code;
}

static void close_queue(struct xdp_port *xdp, struct xsk_queue *queue)
{
	if (!queue)
		return;
	if (queue->socket)
		xdp->library->xsk_socket__delete(queue->socket);
	if (queue->umem)
		xdp->library->xsk_umem__delete(queue->umem);
	if (queue->memory)
		munmap(queue->memory, (size_t)CHUNKS * queue->chunk);
	free(queue);
}

/* The program goes first: nothing is turned to a socket that is closed. */
static void xdp_free(struct xdp_port *xdp)
{
	if (xdp->link >= 0)
		close(xdp->link);
	for (u32 i = 0; i < QUEUES_MAX; i++)
		close_queue(xdp, xdp->queue[i]);
	if (xdp->prog >= 0)
		close(xdp->prog);
	if (xdp->map >= 0)
		close(xdp->map);
	free(xdp);
}

/* --- open and close --- */

static int parse(struct xdp_port *xdp, char *args, struct skep_error *err)
{
	const struct port_word words[] = {
		{"zerocopy", 1, 1, &xdp->zero_copy},	 {"copy", 1, 1, &xdp->copy},
		{"generic", 1, 1, &xdp->generic},	 {"busypoll", 1, 1, &xdp->busy_poll},
		{"queues", 1, QUEUES_MAX, &xdp->queues},
	};
	int code = words_parse("xdp", args, words, ARRAY_SIZE(words), err);

	if (code)
		return code;
	if (xdp->zero_copy && (xdp->copy || xdp->generic))
		return error_set(err, SKEP_STAGE_PORT, -EINVAL,
				 "xdp:%s: zerocopy goes with neither copy nor generic", args);
	if (!*args || strlen(args) >= IF_NAMESIZE)
		return error_set(err, SKEP_STAGE_PORT, -EINVAL,
				 "xdp:%s: expected the name of an interface", args);
	strcpy(xdp->interface, args);
	xdp->ifindex = if_nametoindex(args);
	if (!xdp->ifindex)
		return error_set(err, SKEP_STAGE_PORT, -ENODEV, "xdp:%s: no such interface",
				 args);
	return 0;
}

static int open_all(struct xdp_port *xdp, struct port *port, char *args, struct skep_error *err)
{
	int code = parse(xdp, args, err);

	xdp->library = code ? NULL : xsk_library(err);
	if (!code && !xdp->library)
		code = -ENOENT;
	if (!code)
		code = attach(xdp, err);
	if (code)
		return code;
	port->queue_count = port->send_queue_count = xdp->queues ?: interface_queues(xdp);
	for (u32 i = 0; i < port->queue_count && !code; i++)
		code = open_queue(xdp, &port->queues[i], err);
	return code;
}

static int xdp_open(struct port *port, const char *args, struct skep_error *err)
{
	struct xdp_port *xdp = calloc(1, sizeof(*xdp));
	char *text = strdup(args);
	int code = -ENOMEM;

	if (xdp && text) {
		xdp->map = xdp->prog = xdp->link = -1;
		code = open_all(xdp, port, text, err);
	} else {
		error_set(err, SKEP_STAGE_PORT, code, "out of memory");
	}
	free(text);
	if (code && xdp)
		xdp_free(xdp);
	port->state = xdp;
	return code;
}

static void xdp_close(struct port *port)
{
	xdp_free(port->state);
}

/* --- receiving --- */

static int xsk_receive(struct port_queue *of, struct frame *frames, int count,
		       struct skep_error *err)
{
	struct xsk_queue *queue = of->state;
	u32 at, got = xsk_ring_cons__peek(&queue->rx, count, &at);

	if (!got && queue->is_busy_polled)
		recvfrom(queue->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	if (!got)
		return port_check_socket(of, queue->fd, err);
	for (u32 i = 0; i < got; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&queue->rx, at + i);
		struct frame *frame = &frames[i];

		queue->addresses[i] = desc->addr;
		frame->data = queue->memory + desc->addr;
		frame->memory = queue->memory + (desc->addr & ~(u64)(queue->chunk - 1));
		frame->end = frame->memory + queue->chunk;
		frame->length = frame->original_length = desc->len;
		frame->metadata = 0;
		frame->known = 0;
		__builtin_prefetch(frame->data);
	}
	xsk_ring_cons__release(&queue->rx, got);
	queue->taken = got;
	return (int)got;
}

/* As many chunks circle as the fill ring has room for. */
static void xsk_release(struct port_queue *of)
{
	struct xsk_queue *queue = of->state;
	u32 at, room = xsk_ring_prod__reserve(&queue->fill, queue->taken, &at);

	for (u32 i = 0; i < room; i++)
		*xsk_ring_prod__fill_addr(&queue->fill, at + i) =
			queue->addresses[i] & ~(u64)(queue->chunk - 1);
	xsk_ring_prod__submit(&queue->fill, room);
	queue->taken = 0;
}

/* --- sending --- */

static void take_back(struct xsk_queue *queue)
{
	u32 at, done = xsk_ring_cons__peek(&queue->completed, RING, &at);

	for (u32 i = 0; i < done; i++)
		queue->free[queue->free_count++] =
			*xsk_ring_cons__comp_addr(&queue->completed, at + i) / queue->chunk;
	if (done)
		xsk_ring_cons__release(&queue->completed, done);
}

/* In copy mode each call sends a part of what waits, and says whether there is more. */
static void kick(struct xsk_queue *queue)
{
	for (u32 i = 0; i < KICKS_MAX && xsk_ring_prod__needs_wakeup(&queue->tx); i++)
		if (sendto(queue->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 || errno != EAGAIN)
			return;
}

static int send_some(struct xsk_queue *queue, struct frame *const *frames, int count)
{
	u32 at;
	int sent = 0;

	count = min(count, (int)queue->free_count);
	while (sent < count && frames[sent]->length <= queue->chunk &&
	       xsk_ring_prod__reserve(&queue->tx, 1, &at)) {
		const u64 address = (u64)queue->free[--queue->free_count] * queue->chunk;

		memcpy(queue->memory + address, frames[sent]->data, frames[sent]->length);
		*xsk_ring_prod__tx_desc(&queue->tx, at) =
			(struct xdp_desc){.addr = address, .len = frames[sent]->length};
		xsk_ring_prod__submit(&queue->tx, 1);
		sent++;
	}
	return sent;
}

static int xsk_send(struct port_queue *of, struct frame *const *frames, int count)
{
	struct xsk_queue *queue = of->state;
	int sent;

	take_back(queue);
	sent = send_some(queue, frames, count);
	if (sent)
		kick(queue);
	return sent;
}

static u64 xsk_lost(const struct port_queue *of)
{
	const struct xsk_queue *queue = of->state;
	struct xdp_statistics statistics = {};
	socklen_t size = sizeof(statistics);

	if (getsockopt(queue->fd, SOL_XDP, XDP_STATISTICS, &statistics, &size))
		return 0;
	return statistics.rx_dropped + statistics.rx_ring_full;
}

const struct port_ops port_xdp = {
	.name = "xdp",
	.is_interface = true,
	.abilities = PORT_RECEIVES | PORT_SENDS | PORT_QUEUES | PORT_OWN_MEMORY,
	.usable = xdp_usable,
	.open = xdp_open,
	.receive = xsk_receive,
	.release = xsk_release,
	.send = xsk_send,
	.lost = xsk_lost,
	.close = xdp_close,
};
