/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF_PROG_TEST_RUN: every variation of the arguments with every program type, in skep and in
 * the running kernel; results and errors must be the same. */
#include "unit.h"

#include "base/os.h"
#include "isa/isa.h"
#include "run/run.h"
#include <skep/skep.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BUFFER 8192

/* r7 becomes a number that depends on every field that the program reads. */
#define MIX(field)                         \
	"r0 = *(u32 *)(r6 + " #field ")\n" \
	"r7 *= 31\n"                       \
	"r7 += r0\n"
#define MIX_SKB                                                                         \
	"r6 = r1\n"                                                                     \
	"r7 = 0\n" MIX(0) MIX(4) MIX(8) MIX(12) MIX(16) MIX(20) MIX(24) MIX(28) MIX(32) \
		MIX(36) MIX(40) MIX(44) MIX(48) MIX(52) MIX(56) MIX(60) MIX(64) MIX(68)
#define WRITE_CB "*(u32 *)(r6 + 48) = 77\n*(u32 *)(r6 + 64) = 99\n"
#define END	 "r0 = r7\nexit\n"
#define END_BIT	 "r0 = r7\nr0 &= 1\nexit\n"
#define END_TWO	 "w0 = w7\nw0 &= 1\nw0 += 2\nexit\n"
/* The length of the packet that the program sees directly, and its first byte. */
#define PACKET(data, end)                 \
	"r2 = *(u32 *)(r6 + " #data ")\n" \
	"r3 = *(u32 *)(r6 + " #end ")\n"  \
	"r4 = r3\n"                       \
	"r4 -= r2\n"                      \
	"r7 *= 31\n"                      \
	"r7 += r4\n"                      \
	"r5 = r2\n"                       \
	"r5 += 1\n"                       \
	"if r5 > r3 goto +3\n"            \
	"r0 = *(u8 *)(r2 + 0)\n"          \
	"r7 *= 31\n"                      \
	"r7 += r0\n"

static const struct program {
	const char *name;
	u32 type, attach_type;
	const char *text;
	u32 flags;
} programs[] = {
	{"socket_filter", BPF_PROG_TYPE_SOCKET_FILTER, 0, MIX_SKB WRITE_CB END},
	{"sched_cls", BPF_PROG_TYPE_SCHED_CLS, 0,
	 MIX_SKB WRITE_CB MIX(72) PACKET(76, 80) MIX(160) MIX(164)
		 MIX(176) "*(u32 *)(r6 + 8) = 5\n*(u32 *)(r6 + 32) = 6\n" END},
	{"sched_act", BPF_PROG_TYPE_SCHED_ACT, 0, MIX_SKB PACKET(76, 80) END},
	{"cgroup_skb", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS,
	 MIX_SKB WRITE_CB PACKET(76, 80) MIX(88) MIX(92) MIX(96) MIX(100) MIX(112) END_BIT},
	{"lwt_in", BPF_PROG_TYPE_LWT_IN, 0, MIX_SKB WRITE_CB PACKET(76, 80) END},
	{"lwt_out", BPF_PROG_TYPE_LWT_OUT, 0, MIX_SKB PACKET(76, 80) END},
	{"lwt_xmit", BPF_PROG_TYPE_LWT_XMIT, 0, MIX_SKB PACKET(76, 80) END},
	{"lwt_seg6local", BPF_PROG_TYPE_LWT_SEG6LOCAL, 0, MIX_SKB PACKET(76, 80) END},
	{"xdp", BPF_PROG_TYPE_XDP, 0,
	 "r6 = r1\nr7 = 0\n" PACKET(0, 4) MIX(12) MIX(
		 16) "r2 = *(u32 *)(r6 + 0)\nr3 = *(u32 *)(r6 + 8)\nr2 -= r3\nr7 *= 31\nr7 += r2\n" END},
	{"xdp devmap", BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, "r0 = 2\nexit\n"},
	{"xdp cpumap", BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, "r0 = 2\nexit\n"},
	{"flow_dissector", BPF_PROG_TYPE_FLOW_DISSECTOR, 0,
	 "r6 = r1\nr7 = *(u64 *)(r6 + 144)\n"
	 "*(u16 *)(r7 + 0) = 5000\n*(u16 *)(r7 + 2) = 3\n*(u8 *)(r7 + 9) = 17\n"
	 "r0 = 0\nexit\n"},
	{"sk_lookup", BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP,
	 "r6 = r1\nr7 = 0\n" MIX(8) MIX(12) MIX(16) MIX(36) MIX(40) MIX(60) END_BIT},
	{"raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT, 0,
	 "r0 = *(u64 *)(r1 + 0)\nr2 = *(u64 *)(r1 + 8)\nr0 += r2\nexit\n"},
	{"syscall", BPF_PROG_TYPE_SYSCALL, 0,
	 "r0 = *(u32 *)(r1 + 4)\n*(u32 *)(r1 + 0) = 7\nexit\n", BPF_F_SLEEPABLE},
	{"netfilter", BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER, "r0 = 1\nexit\n"},
	{"kprobe", BPF_PROG_TYPE_KPROBE, 0, "r0 = 0\nexit\n"},
	{"tracepoint", BPF_PROG_TYPE_TRACEPOINT, 0, "r0 = 0\nexit\n"},
	{"perf_event", BPF_PROG_TYPE_PERF_EVENT, 0, "r0 = 0\nexit\n"},
	{"cgroup_sock", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE,
	 "r0 = 1\nexit\n"},
	{"sock_ops", BPF_PROG_TYPE_SOCK_OPS, 0, "r0 = 0\nexit\n"},
	{"sk_skb", BPF_PROG_TYPE_SK_SKB, 0, "r0 = 0\nexit\n"},
	{"sk_msg", BPF_PROG_TYPE_SK_MSG, 0, "r0 = 0\nexit\n"},
	{"sk_reuseport", BPF_PROG_TYPE_SK_REUSEPORT, 0, "r0 = 0\nexit\n"},
	{"cgroup_device", BPF_PROG_TYPE_CGROUP_DEVICE, 0, "r0 = 0\nexit\n"},
};

/* The first bytes of the data; the rest counts up. */
enum data_kind {
	DATA_IPV4,
	DATA_IPV6,
	DATA_BROADCAST,
	DATA_MULTICAST,
	DATA_LOCAL,
	DATA_802_3,
	DATA_802_2
};

static const u8 data_heads[][16] = {
	[DATA_IPV4] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0},
	[DATA_IPV6] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0},
	[DATA_BROADCAST] = {255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 2, 8, 6, 0, 1},
	[DATA_MULTICAST] = {1, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0},
	[DATA_LOCAL] = {0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0},
	[DATA_802_3] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 40, 255, 255},
	[DATA_802_2] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 40, 1, 2},
};

/* One 32-bit field of the context. */
struct poke {
	u16 offset;
	u32 value;
};

#define NO_ADDRESS 0xffffffff

struct variation {
	const char *name;
	u32 data_in, data_out; /* sizes; NO_ADDRESS for data_out: a size of 0, but an address */
	enum data_kind kind;
	u32 ctx_in, ctx_out;
	struct poke poke[3];
	u32 repeat, flags, cpu, batch_size;
	bool bad_data_in, bad_data_out, bad_ctx_in, bad_ctx_out;
	bool ctx_in_no_size, ctx_out_no_size;
};

/* Offsets in struct __sk_buff, struct xdp_md, struct bpf_sk_lookup. */
enum {
	SKB_MARK = 8,
	SKB_PRIORITY = 32,
	SKB_INGRESS = 36,
	SKB_IFINDEX = 40,
	SKB_CB = 48,
	SKB_TSTAMP = 152,
	SKB_WIRE_LEN = 160,
	SKB_GSO_SEGS = 164,
	SKB_GSO_SIZE = 176,
	SKB_HWTSTAMP = 184,
	SKB_SIZE = 192
};
enum {
	XDP_DATA = 0,
	XDP_DATA_END = 4,
	XDP_DATA_META = 8,
	XDP_INGRESS = 12,
	XDP_QUEUE = 16,
	XDP_EGRESS = 20,
	XDP_SIZE = 24
};
enum { LOOKUP_FAMILY = 8, LOOKUP_PORT = 60, LOOKUP_IFINDEX = 64, LOOKUP_SIZE = 72 };

static const struct variation variations[] = {
	{"nothing"},
	{"one byte", .data_in = 1},
	{"13 bytes", .data_in = 13},
	{"14 bytes", .data_in = 14, .data_out = BUFFER},
	{"15 bytes", .data_in = 15, .data_out = BUFFER},
	{"20 bytes", .data_in = 20, .data_out = BUFFER},
	{"33 bytes", .data_in = 33, .data_out = BUFFER},
	{"34 bytes", .data_in = 34, .data_out = BUFFER},
	{"14 bytes of 802.3", .data_in = 14, .data_out = BUFFER, .kind = DATA_802_3},
	{"15 bytes of 802.3", .data_in = 15, .data_out = BUFFER, .kind = DATA_802_3},
	{"16 bytes of 802.3", .data_in = 16, .data_out = BUFFER, .kind = DATA_802_3},
	{"14 bytes of ARP", .data_in = 14, .data_out = BUFFER, .kind = DATA_BROADCAST},
	{"53 bytes of IPv6", .data_in = 53, .data_out = BUFFER, .kind = DATA_IPV6},
	{"54 bytes of IPv6", .data_in = 54, .data_out = BUFFER, .kind = DATA_IPV6},
	{"64 bytes", .data_in = 64, .data_out = BUFFER},
	{"64 bytes, nothing back", .data_in = 64},
	{"64 bytes, size 0 back", .data_in = 64, .data_out = NO_ADDRESS},
	{"64 bytes, 10 back", .data_in = 64, .data_out = 10},
	{"IPv6", .data_in = 80, .data_out = BUFFER, .kind = DATA_IPV6},
	{"short IPv6", .data_in = 50, .data_out = BUFFER, .kind = DATA_IPV6},
	{"broadcast", .data_in = 64, .kind = DATA_BROADCAST},
	{"multicast", .data_in = 64, .kind = DATA_MULTICAST},
	{"to the loopback's address", .data_in = 64, .kind = DATA_LOCAL},
	{"802.3", .data_in = 64, .kind = DATA_802_3},
	{"802.2", .data_in = 64, .kind = DATA_802_2},
	{"1500 bytes", .data_in = 1500, .data_out = BUFFER},
	{"3520 bytes", .data_in = 3520, .data_out = BUFFER},
	{"3521 bytes", .data_in = 3521, .data_out = BUFFER},
	{"3712 bytes", .data_in = 3712, .data_out = BUFFER},
	{"3713 bytes", .data_in = 3713, .data_out = BUFFER},
	{"4096 bytes", .data_in = 4096, .data_out = BUFFER},
	{"4097 bytes", .data_in = 4097, .data_out = BUFFER},
	{"8000 bytes", .data_in = 8000, .data_out = BUFFER},
	{"bad data_in", .data_in = 64, .bad_data_in = true},
	{"bad data_out", .data_in = 64, .data_out = 64, .bad_data_out = true},
	{"three times", .data_in = 64, .data_out = BUFFER, .repeat = 3},
	{"flag 1", .data_in = 64, .flags = 1},
	{"flag 4", .data_in = 64, .flags = 4},
	{"flag 8", .data_in = 64, .flags = 8},
	{"cpu 1", .data_in = 64, .cpu = 1},
	{"batch 8", .data_in = 64, .batch_size = 8},
	/* contexts in general */
	{"ctx of 8", .ctx_in = 8},
	{"ctx of 16", .ctx_in = 16},
	{"ctx of 16 on cpu 0", .ctx_in = 16, .flags = 1},
	{"ctx of 16 on cpu 1", .ctx_in = 16, .flags = 1, .cpu = 1},
	{"ctx of 16 on cpu 4000", .ctx_in = 16, .flags = 1, .cpu = 4000},
	{"ctx of 16, cpu 1 without flag", .ctx_in = 16, .cpu = 1},
	{"ctx of 16, flag 2", .ctx_in = 16, .flags = 2},
	{"ctx of 16, flag 128", .ctx_in = 16, .flags = 128},
	{"ctx of 16, repeat", .ctx_in = 16, .repeat = 2},
	{"ctx of 16, batch", .ctx_in = 16, .batch_size = 2},
	{"ctx of 16 in and out", .ctx_in = 16, .ctx_out = 16},
	{"ctx of 16, data", .data_in = 64, .ctx_in = 16},
	{"ctx of 16, data_out", .data_out = 64, .ctx_in = 16},
	{"ctx of 96", .ctx_in = 96},
	{"ctx of 97", .ctx_in = 97},
	{"ctx of 5000", .ctx_in = 5000},
	{"bad ctx_in", .data_in = 64, .ctx_in = 16, .bad_ctx_in = true},
	{"ctx_in without size", .data_in = 64, .ctx_in_no_size = true},
	{"ctx_out without size", .data_in = 64, .ctx_out_no_size = true},
	{"only ctx_out", .data_in = 64, .ctx_out = 256},
	{"only ctx_out, data_out", .data_in = 64, .data_out = BUFFER, .ctx_out = 256},
	{"ctx_out too small", .data_in = 64, .ctx_out = 9},
	{"both out too small", .data_in = 64, .data_out = 10, .ctx_out = 9},
	{"bad ctx_out", .data_in = 64, .ctx_out = 256, .bad_ctx_out = true},
	{"ctx of 192 zeros", .data_in = 64, .ctx_in = 192, .ctx_out = 192},
	{"ctx of 200 zeros", .data_in = 64, .ctx_in = 200, .ctx_out = 256},
	{"ctx of 200, tail", .data_in = 64, .ctx_in = 200, .ctx_out = 256, .poke = {{196, 1}}},
	/* struct __sk_buff */
	{"skb mark", .data_in = 64, .ctx_in = SKB_SIZE, .ctx_out = 256,
	 .poke = {{SKB_MARK, 42}}},
	{"skb short ctx", .data_in = 64, .ctx_in = 12, .ctx_out = 256,
	 .poke = {{SKB_MARK, 42}}},
	{"skb priority", .data_in = 64, .ctx_in = SKB_SIZE, .ctx_out = 256,
	 .poke = {{SKB_PRIORITY, 3}}},
	{"skb ingress_ifindex", .data_in = 64, .ctx_in = SKB_SIZE, .ctx_out = 256,
	 .poke = {{SKB_INGRESS, 11}}},
	{"skb ifindex 1", .data_in = 64, .ctx_in = SKB_SIZE, .ctx_out = 256,
	 .poke = {{SKB_IFINDEX, 1}}},
	{"skb ifindex 9999", .data_in = 64, .ctx_in = SKB_SIZE, .poke = {{SKB_IFINDEX, 9999}}},
	{"skb cb", .data_in = 64, .ctx_in = SKB_SIZE, .ctx_out = 256,
	 .poke = {{SKB_CB, 1}, {SKB_CB + 4, 2}, {SKB_CB + 16, 5}}},
	{"skb tstamp", .data_in = 64, .ctx_in = SKB_SIZE, .ctx_out = 256,
	 .poke = {{SKB_TSTAMP, 7}, {SKB_TSTAMP + 4, 1}}},
	{"skb wire_len 100", .data_in = 64, .ctx_in = SKB_SIZE, .ctx_out = 256,
	 .poke = {{SKB_WIRE_LEN, 100}}},
	{"skb wire_len 10", .data_in = 64, .ctx_in = SKB_SIZE, .poke = {{SKB_WIRE_LEN, 10}}},
	{"skb wire_len 50", .data_in = 64, .ctx_in = SKB_SIZE, .poke = {{SKB_WIRE_LEN, 50}}},
	{"skb wire_len 65536", .data_in = 64, .ctx_in = SKB_SIZE,
	 .poke = {{SKB_WIRE_LEN, 65536}}},
	{"skb wire_len 65537", .data_in = 64, .ctx_in = SKB_SIZE,
	 .poke = {{SKB_WIRE_LEN, 65537}}},
	{"skb gso_segs 8", .data_in = 64, .ctx_in = SKB_SIZE, .ctx_out = 256,
	 .poke = {{SKB_GSO_SEGS, 8}}},
	{"skb gso_segs 65535", .data_in = 64, .ctx_in = SKB_SIZE, .ctx_out = 256,
	 .poke = {{SKB_GSO_SEGS, 65535}}},
	{"skb gso_segs 65536", .data_in = 64, .ctx_in = SKB_SIZE,
	 .poke = {{SKB_GSO_SEGS, 65536}}},
	{"skb gso_size", .data_in = 64, .ctx_in = SKB_SIZE, .ctx_out = 256,
	 .poke = {{SKB_GSO_SIZE, 0x12345}}},
	{"skb hwtstamp", .data_in = 64, .ctx_in = SKB_SIZE, .ctx_out = 256,
	 .poke = {{SKB_HWTSTAMP, 9}}},
	/* struct xdp_md */
	{"xdp ctx", .data_in = 64, .data_out = BUFFER, .ctx_in = XDP_SIZE, .ctx_out = 256,
	 .poke = {{XDP_DATA_END, 64}}},
	{"xdp data_end short", .data_in = 64, .ctx_in = XDP_SIZE, .poke = {{XDP_DATA_END, 63}}},
	{"xdp data_end long", .data_in = 64, .ctx_in = XDP_SIZE, .poke = {{XDP_DATA_END, 65}}},
	{"xdp metadata 8", .data_in = 64, .data_out = BUFFER, .ctx_in = XDP_SIZE,
	 .ctx_out = 256, .poke = {{XDP_DATA, 8}, {XDP_DATA_END, 64}}},
	{"xdp metadata 6", .data_in = 64, .ctx_in = XDP_SIZE,
	 .poke = {{XDP_DATA, 6}, {XDP_DATA_END, 64}}},
	{"xdp metadata 32", .data_in = 64, .ctx_in = XDP_SIZE,
	 .poke = {{XDP_DATA, 32}, {XDP_DATA_END, 64}}},
	{"xdp metadata 36", .data_in = 64, .ctx_in = XDP_SIZE,
	 .poke = {{XDP_DATA, 36}, {XDP_DATA_END, 64}}},
	{"xdp metadata 60", .data_in = 64, .ctx_in = XDP_SIZE, .data_out = BUFFER,
	 .poke = {{XDP_DATA, 60}, {XDP_DATA_END, 64}}},
	{"xdp metadata 64", .data_in = 64, .ctx_in = XDP_SIZE, .data_out = BUFFER,
	 .poke = {{XDP_DATA, 64}, {XDP_DATA_END, 64}}},
	{"xdp metadata 68", .data_in = 64, .ctx_in = XDP_SIZE,
	 .poke = {{XDP_DATA, 68}, {XDP_DATA_END, 64}}},
	{"xdp metadata 216", .data_in = 300, .ctx_in = XDP_SIZE, .data_out = BUFFER,
	 .poke = {{XDP_DATA, 216}, {XDP_DATA_END, 300}}},
	{"xdp metadata 220", .data_in = 300, .ctx_in = XDP_SIZE, .data_out = BUFFER,
	 .poke = {{XDP_DATA, 220}, {XDP_DATA_END, 300}}},
	{"xdp live, 3408 bytes", .data_in = 3408, .flags = 2},
	{"xdp live, 3409 bytes", .data_in = 3409, .flags = 2},
	{"xdp metadata 252", .data_in = 300, .ctx_in = XDP_SIZE, .data_out = BUFFER,
	 .poke = {{XDP_DATA, 252}, {XDP_DATA_END, 300}}},
	{"xdp metadata 256", .data_in = 300, .ctx_in = XDP_SIZE,
	 .poke = {{XDP_DATA, 256}, {XDP_DATA_END, 300}}},
	{"xdp data_meta", .data_in = 64, .ctx_in = XDP_SIZE,
	 .poke = {{XDP_DATA_META, 4}, {XDP_DATA_END, 64}}},
	{"xdp ingress 1", .data_in = 64, .ctx_in = XDP_SIZE,
	 .poke = {{XDP_INGRESS, 1}, {XDP_DATA_END, 64}}},
	{"xdp ingress 9999", .data_in = 64, .ctx_in = XDP_SIZE,
	 .poke = {{XDP_INGRESS, 9999}, {XDP_DATA_END, 64}}},
	{"xdp queue", .data_in = 64, .ctx_in = XDP_SIZE,
	 .poke = {{XDP_QUEUE, 1}, {XDP_DATA_END, 64}}},
	{"xdp egress", .data_in = 64, .ctx_in = XDP_SIZE,
	 .poke = {{XDP_EGRESS, 1}, {XDP_DATA_END, 64}}},
	{"xdp large with ctx", .data_in = 4000, .data_out = BUFFER, .ctx_in = XDP_SIZE,
	 .ctx_out = 256, .poke = {{XDP_DATA_END, 4000}}},
	{"xdp large with metadata", .data_in = 4000, .data_out = BUFFER, .ctx_in = XDP_SIZE,
	 .ctx_out = 256, .poke = {{XDP_DATA, 16}, {XDP_DATA_END, 4000}}},
	{"xdp large, small out", .data_in = 4000, .data_out = 3800, .ctx_in = XDP_SIZE,
	 .ctx_out = 256, .poke = {{XDP_DATA_END, 4000}}},
	{"xdp live, out", .data_in = 64, .flags = 2, .data_out = BUFFER, .ctx_in = XDP_SIZE,
	 .poke = {{XDP_DATA_END, 64}}},
	{"xdp live, batch 257", .data_in = 64, .flags = 2, .batch_size = 257},
	{"xdp live, 3400 bytes", .data_in = 3400, .flags = 2},
	/* flow keys: flags at 52 */
	{"keys' flags", .data_in = 64, .data_out = BUFFER, .ctx_in = 56, .ctx_out = 56,
	 .poke = {{48, 1}}},
	{"keys' flags at 52", .data_in = 64, .data_out = BUFFER, .ctx_in = 56, .ctx_out = 56,
	 .poke = {{52, 1}}},
	{"keys", .data_in = 64, .data_out = BUFFER, .ctx_in = 56, .poke = {{0, 1}}},
	/* struct nf_hook_state: hook, protocol family */
	{"hook of IPv4", .data_in = 64, .ctx_in = 48, .poke = {{0, 0x0201}}},
	{"hook of IPv4, ctx_out", .data_in = 64, .ctx_in = 48, .ctx_out = 64,
	 .poke = {{0, 0x0201}}},
	{"hook of IPv6", .data_in = 64, .ctx_in = 48, .poke = {{0, 0x0a01}}},
	{"hook of IPv6, IPv6", .data_in = 54, .kind = DATA_IPV6, .ctx_in = 48,
	 .poke = {{0, 0x0a01}}},
	{"hook of IPv6, short", .data_in = 53, .kind = DATA_IPV6, .ctx_in = 48,
	 .poke = {{0, 0x0a01}}},
	{"hook of IPv4, IPv6", .data_in = 54, .kind = DATA_IPV6, .ctx_in = 48,
	 .poke = {{0, 0x0201}}},
	{"hook of IPv4, short", .data_in = 33, .ctx_in = 48, .poke = {{0, 0x0201}}},
	{"hook of IPv4, 802.3", .data_in = 34, .kind = DATA_802_3, .ctx_in = 48,
	 .poke = {{0, 0x0201}}},
	{"hook 0 of IPv4", .data_in = 64, .ctx_in = 48, .poke = {{0, 0x0200}}},
	{"hook 4 of IPv4", .data_in = 64, .ctx_in = 48, .poke = {{0, 0x0204}}},
	{"hook 5 of IPv4", .data_in = 64, .ctx_in = 48, .poke = {{0, 0x0205}}},
	{"hook 6 of IPv4", .data_in = 64, .ctx_in = 48, .poke = {{0, 0x0206}}},
	{"hook of ARP", .data_in = 64, .ctx_in = 48, .poke = {{0, 0x0301}}},
	{"hook padding", .data_in = 64, .ctx_in = 48, .poke = {{0, 0x10201}}},
	{"hook of a device", .data_in = 64, .ctx_in = 48, .poke = {{0, 0x0201}, {8, 1}}},
	{"hook with a socket", .data_in = 64, .ctx_in = 48, .poke = {{0, 0x0201}, {24, 1}}},
	{"hook with a function", .data_in = 64, .ctx_in = 48, .poke = {{0, 0x0201}, {40, 1}}},
	{"hook, 56 bytes", .data_in = 64, .ctx_in = 56, .poke = {{0, 0x0201}, {48, 1}}},
	/* struct bpf_sk_lookup */
	{"lookup IPv4", .ctx_in = LOOKUP_SIZE, .ctx_out = LOOKUP_SIZE,
	 .poke = {{LOOKUP_FAMILY, 2}, {LOOKUP_PORT, 80}}},
	{"lookup IPv6", .ctx_in = LOOKUP_SIZE, .ctx_out = LOOKUP_SIZE, .repeat = 2,
	 .poke = {{LOOKUP_FAMILY, 10}, {LOOKUP_PORT, 80}}},
	{"lookup no family", .ctx_in = LOOKUP_SIZE, .poke = {{LOOKUP_PORT, 80}}},
	{"lookup port", .ctx_in = LOOKUP_SIZE,
	 .poke = {{LOOKUP_FAMILY, 2}, {LOOKUP_PORT, 65536}}},
	{"lookup ifindex", .ctx_in = LOOKUP_SIZE,
	 .poke = {{LOOKUP_FAMILY, 2}, {LOOKUP_IFINDEX, 1}}},
	{"lookup cookie", .ctx_in = LOOKUP_SIZE, .poke = {{0, 1}, {LOOKUP_FAMILY, 2}}},
	{"lookup data", .data_in = 64, .ctx_in = LOOKUP_SIZE, .poke = {{LOOKUP_FAMILY, 2}}},
	{"lookup flags", .flags = 1, .ctx_in = LOOKUP_SIZE, .poke = {{LOOKUP_FAMILY, 2}}},
	{"lookup no ctx", .ctx_out = LOOKUP_SIZE},
};

/* --- one call --- */
struct outcome {
	int ret; /* negative errno */
	u32 retval, data_size, ctx_size;
	u8 data[BUFFER], ctx[256];
};

static u8 data_in[BUFFER], ctx_in[BUFFER];

#define BAD_ADDRESS 0x10ull

static void fill_input(const struct variation *variation)
{
	for (u32 i = 0; i < BUFFER; i++)
		data_in[i] = i * 7;
	memcpy(data_in, data_heads[variation->kind], sizeof(data_heads[0]));
	memset(ctx_in, 0, sizeof(ctx_in));
	for (u32 i = 0; i < ARRAY_SIZE(variation->poke); i++)
		if (variation->poke[i].value)
			memcpy(ctx_in + variation->poke[i].offset, &variation->poke[i].value,
			       4);
}

static void fill_attr(const struct variation *v, struct outcome *out, union bpf_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	memset(out, 0, sizeof(*out));
	fill_input(v);
	attr->test.data_size_in = v->data_in;
	attr->test.data_in = v->bad_data_in ? BAD_ADDRESS
			     : v->data_in   ? ptr_to_u64(data_in)
					    : 0;
	attr->test.data_size_out = v->data_out == NO_ADDRESS ? 0 : v->data_out;
	attr->test.data_out = v->bad_data_out ? BAD_ADDRESS
			      : v->data_out   ? ptr_to_u64(out->data)
					      : 0;
	attr->test.ctx_size_in = v->ctx_in;
	attr->test.ctx_in = v->bad_ctx_in		     ? BAD_ADDRESS
			    : v->ctx_in || v->ctx_in_no_size ? ptr_to_u64(ctx_in)
							     : 0;
	attr->test.ctx_size_out = v->ctx_out;
	attr->test.ctx_out = v->bad_ctx_out			? BAD_ADDRESS
			     : v->ctx_out || v->ctx_out_no_size ? ptr_to_u64(out->ctx)
								: 0;
	attr->test.repeat = v->repeat;
	attr->test.flags = v->flags;
	attr->test.cpu = v->cpu;
	attr->test.batch_size = v->batch_size;
}

static void take_results(const union bpf_attr *attr, struct outcome *out)
{
	out->retval = attr->test.retval;
	out->data_size = attr->test.data_size_out;
	out->ctx_size = attr->test.ctx_size_out;
	/* Programs of system calls write their context in place. */
	if (!attr->test.ctx_out)
		memcpy(out->ctx, ctx_in, sizeof(out->ctx));
}

static void run_linux(int fd, const struct variation *variation, struct outcome *out)
{
	union bpf_attr attr;

	fill_attr(variation, out, &attr);
	attr.test.prog_fd = fd;
	out->ret = syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr.test)) ? -errno : 0;
	take_results(&attr, out);
}

static void run_own(struct prog *prog, const struct run_env *env,
		    const struct variation *variation, struct outcome *out)
{
	struct skep_error err = {0};
	union bpf_attr attr;

	fill_attr(variation, out, &attr);
	out->ret = prog_test_run(prog, env, &attr, &err);
	if (out->ret)
		assert_int_equal(err.code, out->ret);
	take_results(&attr, out);
}

/* --- programs --- */
static int load_linux(const struct program *program, const struct bpf_insn *insns, u32 count)
{
	static char log[1 << 20];
	union bpf_attr attr = {
		.prog_type = program->type,
		.expected_attach_type = program->attach_type,
		.insns = ptr_to_u64(insns),
		.insn_cnt = count,
		.prog_flags = program->flags,
		.license = ptr_to_u64("GPL"),
		.log_buf = ptr_to_u64(log),
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd < 0 && errno != EPERM)
		fail_msg("%s: Linux refuses it: %s\n%s", program->name, strerror(errno), log);
	return fd;
}

static struct prog *load_own(const struct program *program, const struct bpf_insn *insns,
			     u32 count)
{
	struct verify_input input = {
		.insns = insns,
		.insn_cnt = count,
		.type = program->type,
		.attach_type = program->attach_type,
		.flags = program->flags & BPF_F_SLEEPABLE ? VERIFY_SLEEPABLE : 0,
		.rights = SKEP_RIGHTS_ALL,
		.gpl = true,
	};
	struct verified *verified;
	struct skep_error err = {0};
	struct prog *prog = NULL;

	if (verify_program(&input, &verified, &err) || prog_new(verified, NULL, NULL, &prog, &err))
		fail_msg("%s: %s (instruction %d)", program->name, err.text, err.insn);
	return prog;
}

static u32 compare(const struct program *program, const struct variation *variation,
		   const struct outcome *own, const struct outcome *linux_)
{
	const char *name = program->name, *what = variation->name;

	if (own->ret != linux_->ret)
		print_error("%s, %s: returns %d, Linux %d\n", name, what, own->ret,
			    linux_->ret);
	else if (own->retval != linux_->retval)
		print_error("%s, %s: retval 0x%x, Linux 0x%x\n", name, what, own->retval,
			    linux_->retval);
	else if (own->data_size != linux_->data_size || own->ctx_size != linux_->ctx_size)
		print_error("%s, %s: sizes %u and %u, Linux %u and %u\n", name, what,
			    own->data_size, own->ctx_size, linux_->data_size, linux_->ctx_size);
	else if (memcmp(own->data, linux_->data, BUFFER))
		print_error("%s, %s: other data\n", name, what);
	else if (memcmp(own->ctx, linux_->ctx, sizeof(own->ctx)))
		print_error("%s, %s: other context\n", name, what);
	else
		return 0;
	return 1;
}

static void test_against_linux(void **state)
{
	static struct outcome own, linux_;
	struct run_env env = {.slots = slots_new(os_possible_cpus())};
	u32 different = 0;

	for (u32 p = 0; p < ARRAY_SIZE(programs); p++) {
		struct bpf_insn *insns;
		struct skep_error err = {0};
		struct prog *prog;
		u32 count;
		int fd;

		if (insns_assemble(programs[p].text, &insns, &count, &err))
			fail_msg("%s: %s %s", programs[p].name, err.where, err.text);
		fd = load_linux(&programs[p], insns, count);
		if (fd < 0) {
			print_message("no right to load programs into Linux\n");
			skip();
		}
		prog = load_own(&programs[p], insns, count);
		for (u32 v = 0; v < ARRAY_SIZE(variations); v++) {
			run_own(prog, &env, &variations[v], &own);
			run_linux(fd, &variations[v], &linux_);
			different += compare(&programs[p], &variations[v], &own, &linux_);
		}
		close(fd);
		object_put(&prog->object);
		free(insns);
	}
	slots_free(env.slots);
	assert_int_equal(different, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_linux)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
