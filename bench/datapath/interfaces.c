/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receivers on one end of a veth pair, in a network namespace of its own, while another process
 * sends into the other end as fast as it can. What counts is how much arrives in the time.
 */
#include "datapath.h"

#include "net/xsk_library.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <skep/port.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH	     64
#define BLOCK	     (1 << 18)
#define BLOCKS	     32
#define RING	     2048
#define CHUNK	     2048
#define SKIPPED	     77
#define REDIRECT_MAP 51

/* Until it is ended. */
static void send_all(void)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_ifindex = (int)if_nametoindex("a0")};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
	struct mmsghdr messages[BATCH] = {};
	struct iovec part = {(void *)bench_packet, PACKET_BYTES};

	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		_exit(1);
	for (u32 i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
	for (;;)
		sendmmsg(fd, messages, BATCH, 0);
}

typedef int receiver(double seconds, struct rate *out, char why[256]);

/* What the child, which has the namespace, tells its parent. */
struct told {
	struct rate rate;
	char why[256];
	int code;
};

static int in_namespace(receiver *receive, double seconds, struct told *told)
{
	pid_t sender;
	int code;

	if (unshare(CLONE_NEWNET) ||
	    system("sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip link add a0 type veth peer name "
		   "b0 && ip link set a0 up && ip link set b0 up")) {
		strcpy(told->why, "no network namespace with a veth pair");
		return SKIPPED;
	}
	sender = fork();
	if (!sender)
		send_all();
	code = receive(seconds, &told->rate, told->why);
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	return code;
}

static int measure_in_child(receiver *receive, double seconds, struct rate *out, char why[256])
{
	struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();
	int code;

	if (!child) {
		told->code = in_namespace(receive, seconds, told);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	code = told->code;
	*out = told->rate;
	strcpy(why, told->why);
	munmap(told, sizeof(*told));
	return code;
}

/* --- AF_PACKET in bare C --- */

static int ring_socket(u8 **ring)
{
	const struct tpacket_req3 request = {.tp_block_size = BLOCK,
					     .tp_block_nr = BLOCKS,
					     .tp_frame_size = CHUNK,
					     .tp_frame_nr = BLOCK / CHUNK * BLOCKS,
					     .tp_retire_blk_tov = 1};
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_ALL),
				      .sll_ifindex = (int)if_nametoindex("b0")};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), version = TPACKET_V3;

	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)))
		return -1;
	*ring = mmap(NULL, BLOCKS * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return *ring == MAP_FAILED || bind(fd, (struct sockaddr *)&address, sizeof(address))
		       ? -1
		       : fd;
}

static u64 take_block(struct tpacket_block_desc *block)
{
	const struct tpacket3_hdr *packet =
		(void *)((u8 *)block + block->hdr.bh1.offset_to_first_pkt);
	const u32 count = block->hdr.bh1.num_pkts;

	for (u32 i = 0; i < count; i++) {
		use(bare_parse((const u8 *)packet + packet->tp_mac, packet->tp_snaplen));
		packet = (const void *)((const u8 *)packet + packet->tp_next_offset);
	}
	return count;
}

static int bare_packet(double seconds, struct rate *out, char why[256])
{
	u8 *ring;
	int fd = ring_socket(&ring);
	const double start = now_seconds();

	if (fd < 0) {
		snprintf(why, 256, "no AF_PACKET ring: %s", strerror(errno));
		return SKIPPED;
	}
	for (u32 at = 0; now_seconds() - start < seconds;) {
		struct tpacket_block_desc *block = (void *)(ring + at * BLOCK);

		if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) &
		      TP_STATUS_USER)) {
			poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 10);
			continue;
		}
		out->packets += take_block(block);
		__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL,
				 __ATOMIC_RELEASE);
		at = (at + 1) % BLOCKS;
	}
	out->seconds = now_seconds() - start;
	return 0;
}

int measure_bare_packet(double seconds, struct rate *out, char why[256])
{
	return measure_in_child(bare_packet, seconds, out, why);
}

/* --- AF_XDP in bare C --- */

struct socket_of_xdp {
	const struct xsk_library *library;
	u8 *memory;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons completed, rx;
};

static bool turn_to_socket(const struct socket_of_xdp *xdp)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	const int map =
		xdp->library->bpf_map_create(BPF_MAP_TYPE_XSKMAP, "xsks", 4, 4, 1, NULL);
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2},
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = map},
		{},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_CALL, .imm = REDIRECT_MAP},
		{.code = BPF_JMP | BPF_EXIT},
	};
	const int prog =
		xdp->library->bpf_prog_load(BPF_PROG_TYPE_XDP, "to_xsk", "Dual BSD/GPL",
					    program, ARRAY_SIZE(program), NULL);
	const int fd = xdp->library->xsk_socket__fd(xdp->socket), key = 0;

	return xdp->library->bpf_link_create(prog, (int)if_nametoindex("b0"), BPF_XDP, &opts) >=
		       0 &&
	       !xdp->library->bpf_map_update_elem(map, &key, &fd, 0);
}

static bool open_xdp(struct socket_of_xdp *xdp, struct skep_error *err)
{
	const struct xsk_umem_config umem = {
		.fill_size = RING, .comp_size = RING, .frame_size = CHUNK};
	const struct xsk_socket_config config = {.rx_size = RING,
						 .tx_size = RING,
						 .libxdp_flags =
							 XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
						 .bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP};
	u32 at = 0;

	xdp->library = xsk_library(err);
	xdp->memory = mmap(NULL, RING * CHUNK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (!xdp->library ||
	    xdp->library->xsk_umem__create(&xdp->umem, xdp->memory, RING * CHUNK, &xdp->fill,
					   &xdp->completed, &umem) ||
	    xdp->library->xsk_socket__create(&xdp->socket, "b0", 0, xdp->umem, &xdp->rx,
					     &xdp->tx, &config))
		return false;
	xsk_ring_prod__reserve(&xdp->fill, RING, &at);
	for (u32 i = 0; i < RING; i++)
		*xsk_ring_prod__fill_addr(&xdp->fill, at + i) = (u64)i * CHUNK;
	xsk_ring_prod__submit(&xdp->fill, RING);
	return turn_to_socket(xdp);
}

static u32 take_batch(struct socket_of_xdp *xdp)
{
	u32 at = 0, to = 0, count = xsk_ring_cons__peek(&xdp->rx, BATCH, &at);

	if (!count)
		return 0;
	xsk_ring_prod__reserve(&xdp->fill, count, &to);
	for (u32 i = 0; i < count; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&xdp->rx, at + i);

		use(bare_parse(xdp->memory + desc->addr, desc->len));
		*xsk_ring_prod__fill_addr(&xdp->fill, to + i) = desc->addr & ~(CHUNK - 1ull);
	}
	xsk_ring_cons__release(&xdp->rx, count);
	xsk_ring_prod__submit(&xdp->fill, count);
	return count;
}

static int bare_xdp(double seconds, struct rate *out, char why[256])
{
	struct socket_of_xdp xdp = {};
	struct skep_error err = {.text = "no AF_XDP socket"};
	struct pollfd readable = {.events = POLLIN};
	double start;

	if (!open_xdp(&xdp, &err)) {
		strcpy(why, err.text);
		return SKIPPED;
	}
	readable.fd = xdp.library->xsk_socket__fd(xdp.socket);
	start = now_seconds();
	while (now_seconds() - start < seconds) {
		const u32 count = take_batch(&xdp);

		out->packets += count;
		if (!count)
			poll(&readable, 1, 10);
	}
	out->seconds = now_seconds() - start;
	return 0;
}

int measure_bare_xdp(double seconds, struct rate *out, char why[256])
{
	return measure_in_child(bare_xdp, seconds, out, why);
}

/* --- skep --- */

static int ours(const char *spec, double seconds, struct rate *out, char why[256])
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	struct skep_ports_run_opts opts = {.sz = sizeof(opts), .max_ns = seconds * 1e9};
	struct skep_engine *engine;
	const double start = now_seconds();
	int port;

	engine = bench_engine("drop", spec, &port, why);
	if (!engine)
		return SKIPPED;
	skep_ports_run(engine, &opts, NULL);
	skep_port_stats(engine, port, &stats);
	out->packets = stats.in_packets;
	out->seconds = min(now_seconds() - start, seconds);
	return 0;
}

static int our_packet(double seconds, struct rate *out, char why[256])
{
	return ours("packet:b0", seconds, out, why);
}

static int our_xdp(double seconds, struct rate *out, char why[256])
{
	return ours("xdp:b0,copy", seconds, out, why);
}

int measure_packet(double seconds, struct rate *out, char why[256])
{
	return measure_in_child(our_packet, seconds, out, why);
}

int measure_xdp(double seconds, struct rate *out, char why[256])
{
	return measure_in_child(our_xdp, seconds, out, why);
}
