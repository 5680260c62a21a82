/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet helpers: each case is a packet and some calls, made by a program in the running kernel
 * and by our bodies. Results, bytes and the context's fields must be equal.
 */
#include "catalog/ctx.h"
#include "tests/helper/linux_call.h"

#include <asm/byteorder.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>

#define STEPS	     6
#define RESULTS_AT   1024 /* in the memory: what the calls returned */
#define FIELDS_AT    1280 /* then fields of the context */
#define PACKET_MAX   3520
#define XDP_ROOM     (4096 - 320)
#define SKB_HEADROOM 2048
#define SKB_CAPACITY 20000

enum packet_kind {
	TCP4, /* all of 60 bytes and more */
	TCP6,
	VLAN,	/* one tag, TCP4 behind */
	VLAN2,	/* two tags */
	SHORT,	/* 14 bytes */
	NOT_IP, /* ARP */
	FULL,	/* as long as the kernel takes */
};

struct step {
	u32 helper;
	struct call_arg args[4]; /* r2 to r5 */
};

struct packet_case {
	const char *name;
	u32 type;
	enum packet_kind kind;
	struct step steps[STEPS];
};

#define N(value)                     \
	{                            \
		ARG_IS_NUMBER, value \
	}
#define M(offset)                     \
	{                             \
		ARG_IS_MEMORY, offset \
	}
#define DECAP4	  (1ull << 7)
#define DECAP6	  (1ull << 8)
#define ENCAP4	  BPF_F_ADJ_ROOM_ENCAP_L3_IPV4
#define ENCAP6	  BPF_F_ADJ_ROOM_ENCAP_L3_IPV6
#define ENCAP_UDP BPF_F_ADJ_ROOM_ENCAP_L4_UDP
#define ENCAP_GRE BPF_F_ADJ_ROOM_ENCAP_L4_GRE
#define ENCAP_ETH BPF_F_ADJ_ROOM_ENCAP_L2_ETH

#define XDP_CASE(name, kind, ...)              \
	{                                      \
		name, BPF_PROG_TYPE_XDP, kind, \
		{                              \
			__VA_ARGS__            \
		}                              \
	}
#define TC_CASE(name, kind, ...)                     \
	{                                            \
		name, BPF_PROG_TYPE_SCHED_CLS, kind, \
		{                                    \
			__VA_ARGS__                  \
		}                                    \
	}
#define HEAD(by)                          \
	{                                 \
		BPF_FUNC_xdp_adjust_head, \
		{                         \
			N(by)             \
		}                         \
	}
#define TAIL(by)                          \
	{                                 \
		BPF_FUNC_xdp_adjust_tail, \
		{                         \
			N(by)             \
		}                         \
	}
#define META(by)                          \
	{                                 \
		BPF_FUNC_xdp_adjust_meta, \
		{                         \
			N(by)             \
		}                         \
	}
#define LENGTH                            \
	{                                 \
		BPF_FUNC_xdp_get_buff_len \
	}
#define XLOAD(at, size)                      \
	{                                    \
		BPF_FUNC_xdp_load_bytes,     \
		{                            \
			N(at), M(0), N(size) \
		}                            \
	}
#define XSTORE(at, size)                     \
	{                                    \
		BPF_FUNC_xdp_store_bytes,    \
		{                            \
			N(at), M(0), N(size) \
		}                            \
	}
#define LOAD(at, size)                       \
	{                                    \
		BPF_FUNC_skb_load_bytes,     \
		{                            \
			N(at), M(0), N(size) \
		}                            \
	}
#define LOAD_FROM(at, size, base)                     \
	{                                             \
		BPF_FUNC_skb_load_bytes_relative,     \
		{                                     \
			N(at), M(0), N(size), N(base) \
		}                                     \
	}
#define STORE(at, size, flags)                         \
	{                                              \
		BPF_FUNC_skb_store_bytes,              \
		{                                      \
			N(at), M(0), N(size), N(flags) \
		}                                      \
	}
#define L3(at, from, to, flags)                         \
	{                                               \
		BPF_FUNC_l3_csum_replace,               \
		{                                       \
			N(at), N(from), N(to), N(flags) \
		}                                       \
	}
#define L4(at, from, to, flags)                         \
	{                                               \
		BPF_FUNC_l4_csum_replace,               \
		{                                       \
			N(at), N(from), N(to), N(flags) \
		}                                       \
	}
#define CHANGE_HEAD(by, flags)            \
	{                                 \
		BPF_FUNC_skb_change_head, \
		{                         \
			N(by), N(flags)   \
		}                         \
	}
#define CHANGE_TAIL(to, flags)            \
	{                                 \
		BPF_FUNC_skb_change_tail, \
		{                         \
			N(to), N(flags)   \
		}                         \
	}
#define CHANGE_PROTO(to, flags)                           \
	{                                                 \
		BPF_FUNC_skb_change_proto,                \
		{                                         \
			N(__constant_htons(to)), N(flags) \
		}                                         \
	}
#define ROOM(by, mode, flags)                    \
	{                                        \
		BPF_FUNC_skb_adjust_room,        \
		{                                \
			N(by), N(mode), N(flags) \
		}                                \
	}
#define PUSH(proto, tci)                                   \
	{                                                  \
		BPF_FUNC_skb_vlan_push,                    \
		{                                          \
			N(__constant_htons(proto)), N(tci) \
		}                                          \
	}
#define POP                           \
	{                             \
		BPF_FUNC_skb_vlan_pop \
	}
#define PULL(size)                      \
	{                               \
		BPF_FUNC_skb_pull_data, \
		{                       \
			N(size)         \
		}                       \
	}
#define TYPE(type)                        \
	{                                 \
		BPF_FUNC_skb_change_type, \
		{                         \
			N(type)           \
		}                         \
	}
#define LEVEL(level)                 \
	{                            \
		BPF_FUNC_csum_level, \
		{                    \
			N(level)     \
		}                    \
	}
#define SET_HASH(value)            \
	{                          \
		BPF_FUNC_set_hash, \
		{                  \
			N(value)   \
		}                  \
	}
#define NO_HASH                           \
	{                                 \
		BPF_FUNC_set_hash_invalid \
	}
#define HASH                             \
	{                                \
		BPF_FUNC_get_hash_recalc \
	}
#define SET_CE                          \
	{                               \
		BPF_FUNC_skb_ecn_set_ce \
	}
#define TOS(value, at)                                                \
	{                                                             \
		BPF_FUNC_skb_store_bytes,                             \
		{                                                     \
			N(at), M(((value) + 0x80) & 0xff), N(1), N(0) \
		}                                                     \
	}
#define UPDATE(sum)                   \
	{                             \
		BPF_FUNC_csum_update, \
		{                     \
			N(sum)        \
		}                     \
	}

static const struct packet_case cases[] = {
	XDP_CASE("head", TCP4, HEAD(-8), LENGTH, HEAD(14), HEAD(-216), LENGTH),
	XDP_CASE("head to the limit", TCP4, HEAD(-216), HEAD(-1), LENGTH),
	XDP_CASE("head past the limit", TCP4, HEAD(-217), HEAD(1000), HEAD(-1000), LENGTH),
	XDP_CASE("head to the last bytes", SHORT, HEAD(1), HEAD(0), LENGTH),
	XDP_CASE("head extremes", TCP4, HEAD(INT32_MIN), HEAD(INT32_MAX), HEAD(1ll << 32)),
	XDP_CASE("meta", TCP4, META(-4), META(-8), META(4), HEAD(-8), HEAD(4), META(8)),
	XDP_CASE("meta odd", TCP4, META(-3), META(-252), META(-4), META(256), META(4)),
	XDP_CASE("meta and head", TCP4, META(-32), HEAD(-184), HEAD(-185), META(32), HEAD(-32)),
	XDP_CASE("meta at the limit", TCP4, META(-216), META(-220), META(0)),
	XDP_CASE("meta past the limit", TCP4, META(-220), HEAD(-200), META(-16), META(-20)),
	XDP_CASE("tail", TCP4, TAIL(16), TAIL(-32), LENGTH, TAIL(-1000), LENGTH),
	XDP_CASE("tail to the limit", TCP4, TAIL(3426), TAIL(3427), TAIL(5000), LENGTH),
	XDP_CASE("tail short", SHORT, TAIL(-1), TAIL(1), TAIL(-1), LENGTH),
	XDP_CASE("tail full", FULL, TAIL(1), TAIL(-1), TAIL(1), TAIL(1), LENGTH),
	XDP_CASE("tail extremes", TCP4, TAIL(INT32_MIN), TAIL(INT32_MAX)),
	XDP_CASE("load", TCP4, XLOAD(0, 14), XLOAD(20, 64), XLOAD(90, 4), XLOAD(91, 4),
		 XLOAD(65536, 4), XLOAD(65535, 4)),
	XDP_CASE("store", TCP4, XSTORE(3, 17), XSTORE(90, 4), XSTORE(91, 4), XSTORE(65536, 4)),

	TC_CASE("load", TCP4, LOAD(0, 14), LOAD(20, 64), LOAD(90, 4), LOAD(91, 4),
		LOAD(0x7fffffff, 4), LOAD(0xffffffff, 4)),
	TC_CASE("load relative", TCP4, LOAD_FROM(0, 14, 0), LOAD_FROM(0, 20, 1),
		LOAD_FROM(76, 4, 1), LOAD_FROM(77, 4, 1), LOAD_FROM(0, 4, 2),
		LOAD_FROM(0x10000, 4, 1)),
	TC_CASE("store", TCP4, STORE(3, 17, 0), STORE(90, 4, 1), STORE(91, 4, 0),
		STORE(0, 4, 4), STORE(-1, 4, 0), STORE(30, 4, 3)),
	TC_CASE("store and hash", TCP4, SET_HASH(77), STORE(0, 4, 0), HASH, STORE(0, 4, 2)),
	TC_CASE("l3", TCP4, L3(24, 0x1234, 0x4321, 2), L3(24, 0x12345678, 0x87654321, 4),
		L3(24, 0, 0xffff1234, 0), L3(24, 1, 2, 0), L3(24, 1, 2, 3), L3(25, 1, 2, 2)),
	TC_CASE("l3 ends", TCP4, L3(92, 1, 2, 2), L3(94, 1, 2, 2), L3(0x10000, 1, 2, 2),
		L3(24, 0xffff, 0, 2), L3(24, 0, 0xffff, 2), L3(24, 1, 2, 16)),
	TC_CASE("l4", TCP4, L4(50, 0x1234, 0x4321, 2), L4(50, 0x12345678, 0x87654321, 4),
		L4(50, 0, 0xffff1234, 0), L4(50, 1, 2, 0), L4(50, 1, 2, 3), L4(51, 1, 2, 2)),
	TC_CASE("l4 flags", TCP4, L4(50, 1, 2, 2 | 16), L4(50, 1, 2, 4 | 32),
		L4(50, 1, 2, 4 | 64), L4(50, 1, 2, 4 | 128), L4(50, 1, 2, 256 | 4),
		L4(50, 1, 2, 8)),
	TC_CASE("l4 zero", TCP4, {BPF_FUNC_skb_store_bytes, {N(50), M(512), N(2), N(0)}},
		L4(50, 1, 2, 2 | 32), L4(50, 1, 2, 2 | 32 | 64),
		L4(50, 0xffff, 0, 2 | 32 | 64)),
	TC_CASE("l4 to zero", TCP4, {BPF_FUNC_skb_store_bytes, {N(50), M(512), N(2), N(0)}},
		L4(50, 0, 0xffff, 2), L4(50, 0xffff, 0, 4), L4(50, 0, 0xffffffff, 0 | 32 | 64)),
	TC_CASE("head", TCP4, CHANGE_HEAD(14, 0), CHANGE_HEAD(0, 0), CHANGE_HEAD(14, 1),
		CHANGE_HEAD(16064, 0), CHANGE_HEAD(-1, 0), CHANGE_HEAD(100, 0)),
	TC_CASE("head and network", TCP4, CHANGE_HEAD(14, 0), LOAD_FROM(0, 20, 1),
		LOAD_FROM(0, 28, 0), CHANGE_TAIL(27, 0), CHANGE_TAIL(28, 0)),
	TC_CASE("tail", TCP4, CHANGE_TAIL(200, 0), CHANGE_TAIL(60, 0), CHANGE_TAIL(14, 0),
		CHANGE_TAIL(13, 0), CHANGE_TAIL(60, 1), CHANGE_TAIL(100, 0)),
	TC_CASE("tail limit", TCP4, CHANGE_TAIL(16065, 0), CHANGE_TAIL(16064, 0),
		CHANGE_TAIL(3000, 0), CHANGE_HEAD(300, 0)),
	TC_CASE("proto 4 to 6", TCP4, CHANGE_PROTO(ETH_P_IP, 0), CHANGE_PROTO(ETH_P_IPV6, 1),
		CHANGE_PROTO(ETH_P_IPV6, 0), LOAD_FROM(0, 20, 1), CHANGE_PROTO(ETH_P_IP, 0)),
	TC_CASE("proto 6 to 4", TCP6, CHANGE_PROTO(ETH_P_IPV6, 0), CHANGE_PROTO(ETH_P_IP, 0),
		LOAD_FROM(0, 20, 1), CHANGE_PROTO(ETH_P_ARP, 0)),
	TC_CASE("proto of neither", NOT_IP, CHANGE_PROTO(ETH_P_IPV6, 0),
		CHANGE_PROTO(ETH_P_IP, 0)),
	TC_CASE("room grows", TCP4, ROOM(20, 0, 0), ROOM(8, 1, 0), LOAD_FROM(0, 20, 1),
		ROOM(0, 0, 0)),
	TC_CASE("room grows, IPv6", TCP6, ROOM(20, 0, 0), ROOM(8, 1, 0), LOAD_FROM(0, 20, 1)),
	TC_CASE("room shrinks", TCP4, ROOM(-8, 0, 0), ROOM(-8, 1, 0), LOAD_FROM(0, 20, 1),
		ROOM(-60, 0, 0), ROOM(-44, 1, 0), ROOM(-64, 1, 0)),
	TC_CASE("room shrinks, IPv6", TCP6, ROOM(-8, 0, 0), ROOM(-8, 1, 0), ROOM(-60, 0, 0)),
	TC_CASE("room of no IP", NOT_IP, ROOM(8, 0, 0), ROOM(8, 1, 0), ROOM(-8, 1, 0)),
	TC_CASE("room flags", TCP4, ROOM(8, 2, 0), ROOM(8, 0, 1 << 9), ROOM(0x1000, 0, 0),
		ROOM(-0x1000, 0, 0), ROOM(8, 0, 1), ROOM(-8, 0, ENCAP4)),
	TC_CASE("encapsulation", TCP4, ROOM(20, 1, ENCAP4), ROOM(20, 1, ENCAP4),
		CHANGE_TAIL(60, 0), ROOM(-20, 1, 0)),
	TC_CASE("encapsulation in IPv6", TCP4, ROOM(48, 1, ENCAP6 | ENCAP_UDP),
		LOAD_FROM(0, 20, 1), ROOM(-48, 1, DECAP4)),
	TC_CASE("encapsulation in IPv4", TCP6, ROOM(24, 1, ENCAP4 | ENCAP_GRE),
		LOAD_FROM(0, 20, 1), ROOM(-24, 1, DECAP6)),
	TC_CASE("encapsulation refused", TCP4, ROOM(20, 1, ENCAP4 | ENCAP6),
		ROOM(20, 1, ENCAP4 | ENCAP_UDP | ENCAP_GRE), ROOM(40, 1, ENCAP4 | ENCAP_ETH),
		ROOM(40, 1, ENCAP4 | BPF_F_ADJ_ROOM_ENCAP_L2(50)),
		ROOM(40, 1, ENCAP4 | ENCAP_ETH | BPF_F_ADJ_ROOM_ENCAP_L2(14))),
	TC_CASE("decapsulation refused", TCP4, ROOM(8, 1, DECAP4), ROOM(-8, 1, DECAP4 | DECAP6),
		ROOM(-50, 1, DECAP6), ROOM(-8, 1, DECAP6), ROOM(-8, 1, DECAP4)),
	TC_CASE("vlan push", TCP4, PUSH(ETH_P_8021Q, 100), PUSH(ETH_P_8021AD, 200),
		LOAD_FROM(0, 20, 1), PUSH(0x1234, 300), PUSH(ETH_P_8021Q, 0xf123)),
	TC_CASE("vlan push and pop", TCP4, PUSH(ETH_P_8021Q, 100), PUSH(ETH_P_8021AD, 200), POP,
		POP, POP),
	TC_CASE("vlan pop", VLAN, POP, POP, LOAD_FROM(0, 20, 1)),
	TC_CASE("vlan pop of two", VLAN2, POP, LOAD_FROM(0, 20, 1), POP, POP),
	TC_CASE("vlan pop, three", VLAN2, PUSH(ETH_P_8021Q, 7), POP, POP, POP, POP),
	TC_CASE("vlan push on a tag", VLAN, PUSH(ETH_P_8021Q, 5), PUSH(ETH_P_8021Q, 6), POP),
	TC_CASE("vlan pop of none", NOT_IP, POP, PUSH(ETH_P_8021Q, 0), POP),
	TC_CASE("vlan after head", TCP4, CHANGE_HEAD(4, 0), PUSH(ETH_P_8021Q, 1),
		PUSH(ETH_P_8021Q, 2), POP),
	TC_CASE("pull", TCP4, PULL(0), PULL(94), PULL(95), PULL(-1)),
	TC_CASE("type", TCP4, TYPE(3), TYPE(4), TYPE(0), TYPE(-1)),
	TC_CASE("level", TCP4, LEVEL(0), LEVEL(1), LEVEL(0), LEVEL(1), LEVEL(0), LEVEL(3)),
	TC_CASE("level down", TCP4, LEVEL(1), LEVEL(1), LEVEL(2), LEVEL(0), LEVEL(2), LEVEL(0)),
	TC_CASE("level up to its end", TCP4, LEVEL(1), LEVEL(1), LEVEL(1), LEVEL(1), LEVEL(1),
		LEVEL(0)),
	TC_CASE("level and room", TCP4, LEVEL(1), ROOM(8, 1, 1 << 5), LEVEL(0), ROOM(8, 1, 0),
		LEVEL(0), LEVEL(4)),
	TC_CASE("congestion", TCP4, TOS(0, 15), SET_CE, TOS(1, 15), SET_CE, SET_CE),
	TC_CASE("congestion, other code", TCP4, TOS(6, 15), SET_CE, STORE(24, 2, 0), TOS(2, 15),
		SET_CE),
	TC_CASE("congestion, IPv6", TCP6, TOS(0, 15), SET_CE, TOS(0x21, 15), SET_CE, SET_CE),
	TC_CASE("congestion of no IP", NOT_IP, SET_CE),
	TC_CASE("hash", TCP4, SET_HASH(0x12345678), HASH, NO_HASH, UPDATE(5)),
};

/* --- packets --- */
static const u8 eth_addresses[12] = {0, 0, 0, 0, 0, 0, 2, 1, 2, 3, 4, 5};

static u32 put16(u8 *packet, u32 at, u16 value)
{
	packet[at] = value >> 8;
	packet[at + 1] = value;
	return at + 2;
}

static u32 build_packet(enum packet_kind kind, u8 *packet)
{
	const u32 tags = kind == VLAN ? 1 : kind == VLAN2 ? 2 : 0;
	u32 at = sizeof(eth_addresses);

	for (u32 i = 0; i < PACKET_MAX; i++)
		packet[i] = i * 7 + 3;
	memcpy(packet, eth_addresses, sizeof(eth_addresses));
	for (u32 i = 0; i < tags; i++) {
		at = put16(packet, at, i == 0 && tags == 2 ? ETH_P_8021AD : ETH_P_8021Q);
		at = put16(packet, at, 0x2064 + i);
	}
	at = put16(packet, at,
		   kind == TCP6	    ? ETH_P_IPV6
		   : kind == NOT_IP ? ETH_P_ARP
				    : ETH_P_IP);
	packet[at] = kind == TCP6 ? 0x60 : 0x45;
	packet[at + 6] = packet[at + 7] = 0; /* no fragment */
	packet[at + 9] = 6;
	return kind == SHORT ? 14 : kind == FULL ? PACKET_MAX : 94;
}

/* --- the kernel's side --- */
static const struct field {
	u16 offset;
	u8 size_code;
} skb_fields[] = {
	{offsetof(struct __sk_buff, len), BPF_W},
	{offsetof(struct __sk_buff, pkt_type), BPF_W},
	{offsetof(struct __sk_buff, protocol), BPF_W},
	{offsetof(struct __sk_buff, vlan_present), BPF_W},
	{offsetof(struct __sk_buff, vlan_tci), BPF_W},
	{offsetof(struct __sk_buff, vlan_proto), BPF_W},
	{offsetof(struct __sk_buff, hash), BPF_W},
};

static u32 put_step(const struct step *step, int memory, struct bpf_insn *out)
{
	u32 count = 0;

	for (u32 i = 0; i < ARRAY_SIZE(step->args); i++) {
		const struct call_arg *arg = &step->args[i];

		if (arg->kind == ARG_IS_MEMORY)
			count += linux_put_load64(out + count, i + 2, BPF_PSEUDO_MAP_VALUE,
						  memory, arg->value);
		else
			count += linux_put_load64(out + count, i + 2, 0, (u64)arg->value,
						  (u64)arg->value >> 32);
	}
	out[count++] = (struct bpf_insn){
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 6};
	out[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = step->helper};
	return count;
}

static u32 build_program(const struct packet_case *row, int memory, struct bpf_insn *out)
{
	u32 count = 0;

	out[count++] = (struct bpf_insn){
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 1};
	count += linux_put_load64(out + count, 7, BPF_PSEUDO_MAP_VALUE, memory, 0);
	for (u32 i = 0; i < STEPS && row->steps[i].helper; i++) {
		count += put_step(&row->steps[i], memory, out + count);
		out[count++] = (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW,
						 .dst_reg = 7,
						 .off = RESULTS_AT + 8 * i};
	}
	for (u32 i = 0; row->type != BPF_PROG_TYPE_XDP && i < ARRAY_SIZE(skb_fields); i++) {
		out[count++] = (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W,
						 .dst_reg = 0,
						 .src_reg = 6,
						 .off = skb_fields[i].offset};
		out[count++] = (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW,
						 .dst_reg = 7,
						 .off = FIELDS_AT + 8 * i};
	}
	out[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K};
	out[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	return count;
}

struct outcome {
	_Alignas(8) u8 memory[MEMORY_BYTES];
	u8 packet[SKB_CAPACITY];
	u32 size;
};

static int linux_outcome(const struct packet_case *row, struct outcome *out)
{
	static char log[65536];
	static u8 packet[PACKET_MAX];
	struct bpf_insn insns[256];
	int memory = linux_make_memory(out->memory, false), prog, err;
	union bpf_attr attr = {
		.prog_type = row->type,
		.insns = (uintptr_t)insns,
		.insn_cnt = build_program(row, memory, insns),
		.license = (uintptr_t) "GPL",
		.log_level = 1,
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
	};

	prog = linux_bpf(BPF_PROG_LOAD, &attr);
	if (prog < 0) {
		print_message("# %s: %s\n", row->name, log + max(strlen(log), 300ul) - 300);
		close(memory);
		return prog;
	}
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = prog;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = build_packet(row->kind, packet);
	attr.test.data_out = (uintptr_t)out->packet;
	attr.test.data_size_out = sizeof(out->packet);
	err = linux_bpf(BPF_PROG_TEST_RUN, &attr);
	out->size = attr.test.data_size_out;
	linux_read_memory(memory, out->memory);
	close(prog);
	close(memory);
	return err;
}

/* --- our side --- */
static void call_steps(const struct packet_case *row, void *ctx, u8 *memory)
{
	const struct run_env env = {};
	struct run_context run = {.env = &env, .ctx = ctx, .type = row->type};

	for (u32 i = 0; i < STEPS && row->steps[i].helper; i++) {
		const struct step *step = &row->steps[i];
		u64 args[4], result;

		for (u32 a = 0; a < 4; a++)
			args[a] = step->args[a].kind == ARG_IS_MEMORY
					  ? ptr_to_u64(memory + step->args[a].value)
					  : (u64)step->args[a].value;
		result = helper_body(step->helper)(ptr_to_u64(ctx), args[0], args[1], args[2],
						   args[3], &run);
		memcpy(memory + RESULTS_AT + 8 * i, &result, sizeof(result));
	}
}

static void own_xdp_outcome(const struct packet_case *row, struct outcome *out)
{
	u8 *frame = calloc(1, 4096);
	struct xdp_ctx xdp = {
		.data = frame + PACKET_HEADROOM,
		.data_meta = frame + PACKET_HEADROOM,
		.hard_start = frame,
		.frame_end = frame + XDP_ROOM,
	};
	static u8 packet[PACKET_MAX];
	u32 size = build_packet(row->kind, packet);

	memcpy(xdp.data, packet, size);
	xdp.data_end = xdp.data + size;
	call_steps(row, &xdp, out->memory);
	/* with metadata in front, as the kernel gives it back */
	out->size = xdp.data_end - xdp.data_meta;
	memcpy(out->packet, xdp.data_meta, out->size);
	free(frame);
}

static void skb_init(struct skb_ctx *skb, u8 *memory, u32 size)
{
	u16 protocol;

	*skb = (struct skb_ctx){
		.hard_start = memory,
		.data = memory + SKB_HEADROOM,
		.data_meta = memory + SKB_HEADROOM,
		.data_end = memory + SKB_HEADROOM + size,
		.frame_end = memory + SKB_HEADROOM + SKB_CAPACITY,
		.mac_header = memory + SKB_HEADROOM,
		.network_header = memory + SKB_HEADROOM + ETH_HLEN,
		.len = size,
	};
	memcpy(&protocol, skb->data + 12, sizeof(protocol));
	skb->protocol = protocol;
}

static void own_skb_outcome(const struct packet_case *row, struct outcome *out)
{
	u8 *memory = calloc(1, SKB_HEADROOM + SKB_CAPACITY);
	static u8 packet[PACKET_MAX];
	u32 size = build_packet(row->kind, packet);
	struct skb_ctx skb;

	memcpy(memory + SKB_HEADROOM, packet, size);
	skb_init(&skb, memory, size);
	call_steps(row, &skb, out->memory);
	{
		const u64 fields[] = {skb.len,		skb.pkt_type, skb.protocol,
				      skb.vlan_present, skb.vlan_tci, skb.vlan_proto,
				      skb.hash};

		memcpy(out->memory + FIELDS_AT, fields, sizeof(fields));
	}
	assert_int_equal(skb.len, skb.data_end - skb.data);
	out->size = skb.len;
	memcpy(out->packet, skb.data, out->size);
	free(memory);
}

static u32 compare(const struct packet_case *row, const struct outcome *own,
		   const struct outcome *kernel)
{
	const s64 *mine = (const void *)own->memory, *theirs = (const void *)kernel->memory;

	for (u32 i = 0; i < MEMORY_BYTES / 8; i++)
		if (mine[i] != theirs[i]) {
			print_message("# %s: %s %u: %lld, Linux %lld\n", row->name,
				      i * 8 >= FIELDS_AT    ? "field"
				      : i * 8 >= RESULTS_AT ? "step"
							    : "memory",
				      i * 8 >= FIELDS_AT    ? i - FIELDS_AT / 8
				      : i * 8 >= RESULTS_AT ? i - RESULTS_AT / 8
							    : i,
				      mine[i], theirs[i]);
			return 1;
		}
	if (own->size != kernel->size) {
		print_message("# %s: %u bytes, Linux %u\n", row->name, own->size, kernel->size);
		return 1;
	}
	for (u32 i = 0; i < own->size; i++)
		if (own->packet[i] != kernel->packet[i]) {
			print_message("# %s: byte %u of %u: %#x, Linux %#x\n", row->name, i,
				      own->size, own->packet[i], kernel->packet[i]);
			return 1;
		}
	return 0;
}

static void packets_change_as_on_linux(void **state)
{
	static struct outcome own, kernel;
	u32 differences = 0;

	if (!linux_can_call())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&own, 0, sizeof(own));
		memset(&kernel, 0, sizeof(kernel));
		for (u32 b = 0; b < 256; b++)
			own.memory[b] = kernel.memory[b] = 0x80 + b;
		if (linux_outcome(&cases[i], &kernel)) {
			fail_msg("%s: does not run on Linux", cases[i].name);
			continue;
		}
		if (cases[i].type == BPF_PROG_TYPE_XDP)
			own_xdp_outcome(&cases[i], &own);
		else
			own_skb_outcome(&cases[i], &own);
		differences += compare(&cases[i], &own, &kernel);
	}
	assert_int_equal(differences, 0);
}

static void differences_sum_as_on_linux(void **state)
{
	static const struct {
		u32 from, to; /* sizes */
		u32 seed;
		u8 fill;
	} rows[] = {
		{0, 0, 0},
		{4, 0, 0},
		{0, 4, 0},
		{4, 4, 0},
		{20, 20, 0},
		{64, 32, 77},
		{32, 64, 0xffffffff},
		{512, 512, 1},
		{0, 0, 0x12345678},
		{8, 0, 0x12345678},
		{0, 8, 0xffffffff},
		{4, 4, 0, 0xff},
		{3, 4, 0},
		{4, 3, 0},
		{5, 0, 0},
		{0, 7, 0},
		{0, 4, 0, 0xff},
		{4, 0, 0, 0xff},
		{64, 0, 0xffff, 0xff},
		{0, 64, 0xffff0000, 0xff},
		{4, 0, 0xffffffff},
		{0, 0, 0xffffffff},
		{0, 0, 0xffff0000},
	};

	if (!linux_can_call())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct linux_call call = {
			.type = BPF_PROG_TYPE_SCHED_CLS,
			.helper = BPF_FUNC_csum_diff,
			.args = {MEMORY(0), NUMBER(rows[i].from), MEMORY(600),
				 NUMBER(rows[i].to), NUMBER(rows[i].seed)},
		};
		struct linux_call own;

		srand(i);
		for (u32 b = 0; b < 1200; b++)
			call.memory[b] = rows[i].fill ?: rand();
		own = call;
		assert_int_equal(linux_call(&call), 0);
		own_call(&own);
		if (own.result != call.result)
			fail_msg("row %u: %lld, Linux %lld", i, own.result, call.result);
	}
}

/* What no comparison can show: Linux's hash has a secret. */
static void flows_hash_alike(void **state)
{
	static u8 memory[SKB_HEADROOM + SKB_CAPACITY];
	helper_fn *hash = helper_body(BPF_FUNC_get_hash_recalc);
	struct skb_ctx skb;
	u64 first;

	build_packet(TCP4, memory + SKB_HEADROOM);
	skb_init(&skb, memory, 94);
	first = hash(ptr_to_u64(&skb), 0, 0, 0, 0, NULL);
	assert_int_not_equal(first, 0);
	assert_int_equal(skb.hash, first);
	skb.data[70]++; /* payload */
	skb.hash = 0;
	assert_int_equal(hash(ptr_to_u64(&skb), 0, 0, 0, 0, NULL), first);
	skb.data[36]++; /* destination port */
	skb.hash = 0;
	assert_int_not_equal(hash(ptr_to_u64(&skb), 0, 0, 0, 0, NULL), first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_change_as_on_linux),
		cmocka_unit_test(differences_sum_as_on_linux),
		cmocka_unit_test(flows_hash_alike),
	};

	return cmocka_run_group_tests_name("helper.packet", tests, NULL, NULL);
}
