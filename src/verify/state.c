/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/state.h"

#include "btf/btf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- registers --- */

void reg_set_not_init(struct reg_state *reg)
{
	memset(reg, 0, sizeof(*reg));
}

void reg_set_pointer(struct reg_state *reg, enum reg_kind kind)
{
	memset(reg, 0, offsetof(struct reg_state, number));
	reg->kind = kind;
	reg->number = scalar_const(0);
}

static const char *const kind_text[REG_KINDS] = {
	[REG_NOT_INIT] = "?",
	[REG_SCALAR] = "scalar",
	[REG_CTX] = "ctx",
	[REG_MAP] = "map_ptr",
	[REG_MAP_VALUE] = "map_value",
	[REG_MAP_KEY] = "map_key",
	[REG_STACK] = "fp",
	[REG_PACKET] = "pkt",
	[REG_PACKET_META] = "pkt_meta",
	[REG_PACKET_END] = "pkt_end",
	[REG_FLOW_KEYS] = "flow_keys",
	[REG_SOCKET] = "sock",
	[REG_SOCK_COMMON] = "sock_common",
	[REG_TCP_SOCK] = "tcp_sock",
	[REG_XDP_SOCK] = "xdp_sock",
	[REG_MEM] = "mem",
	[REG_BUFFER] = "buf",
	[REG_TP_BUFFER] = "tp_buffer",
	[REG_BTF] = "ptr_",
	[REG_FUNC] = "func",
	[REG_ARENA] = "arena",
	[REG_DYNPTR] = "dynptr_ptr",
	[REG_ITERATOR] = "iter",
	[REG_IRQ_FLAG] = "irq_flag",
};

const char *reg_type_name(const struct reg_state *reg)
{
	return reg->kind == REG_BTF && reg->btf ? btf_type_name(reg->btf, reg->type_id) : "";
}

const char *reg_kind_text(const struct reg_state *reg, char *out)
{
	u16 flags = reg->kind == REG_SCALAR ? 0 : reg->flags;
	const char *or_null = reg->kind == REG_BTF ? "or_null_" : "_or_null";

	/* Prefixes in the order in which Linux puts them. */
	snprintf(out, REG_KIND_TEXT, "%s%s%s%s%s%s%s%s%s",
		 flags & REG_READ_ONLY ? "rdonly_" : "", flags & REG_RINGBUF ? "ringbuf_" : "",
		 flags & REG_USER ? "user_" : "", flags & REG_PERCPU ? "percpu_" : "",
		 flags & REG_RCU ? "rcu_" : "", flags & REG_UNTRUSTED ? "untrusted_" : "",
		 flags & REG_TRUSTED ? "trusted_" : "", kind_text[reg->kind],
		 flags & REG_MAY_BE_NULL ? or_null : "");
	return out;
}

bool reg_is_trusted(const struct reg_state *reg)
{
	bool is_kept = reg->kind == REG_SOCKET || reg->kind == REG_SOCK_COMMON ||
		       reg->kind == REG_TCP_SOCK || reg->kind == REG_MAP;

	if (reg->ref_id)
		return true;
	if (reg->flags & ~REG_TRUST_FLAGS)
		return false;
	return is_kept || reg->flags & REG_TRUST_FLAGS;
}

bool reg_is_never_null(const struct reg_state *reg)
{
	if (reg->kind == REG_SCALAR || reg->flags & (REG_MAY_BE_NULL | REG_UNTRUSTED))
		return false;
	switch ((enum reg_kind)reg->kind) {
	case REG_MAP:
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK: return true;
	case REG_MEM: return !(reg->flags & REG_UNTRUSTED);
	case REG_BTF: return reg_is_trusted(reg);
	case REG_NOT_INIT:
	case REG_SCALAR:
	case REG_CTX:
	case REG_STACK:
	case REG_PACKET:
	case REG_PACKET_META:
	case REG_PACKET_END:
	case REG_FLOW_KEYS:
	case REG_XDP_SOCK:
	case REG_BUFFER:
	case REG_TP_BUFFER:
	case REG_FUNC:
	case REG_ARENA:
	case REG_DYNPTR:
	case REG_ITERATOR:
	case REG_IRQ_FLAG:
	case REG_KINDS: break;
	}
	return false;
}

static bool is_packet_start(const struct reg_state *reg)
{
	return reg->kind == REG_PACKET && !reg->off && scalar_is_const(&reg->number) &&
	       !reg->number.bits.value;
}

bool reg_bounds_packet(const struct reg_state *pointer, const struct reg_state *end)
{
	return (pointer->kind == REG_PACKET && end->kind == REG_PACKET_END) ||
	       (pointer->kind == REG_PACKET_META && is_packet_start(end));
}

/* --- frames --- */

void frame_init(struct frame *frame, u32 call_site, u32 subprog, u32 frame_index)
{
	memset(frame->regs, 0, sizeof(frame->regs));
	frame_start(frame, call_site, subprog, frame_index);
}

void frame_start(struct frame *frame, u32 call_site, u32 subprog, u32 frame_index)
{
	reg_set_pointer(&frame->regs[FRAME_REG], REG_STACK);
	frame->regs[FRAME_REG].frame = frame_index;
	frame->call_site = call_site;
	frame->subprog = subprog;
	frame->slot_cnt = 0;
	frame->rounds = 0;
	frame->callback = CALLBACK_NONE;
}

struct reg_state *state_next_reg(struct state *state, struct reg_cursor *cursor)
{
	while (cursor->frame < state->frame_cnt) {
		struct frame *frame = &state->frames[cursor->frame];
		u32 at = cursor->at++;

		if (at < MAX_BPF_REG)
			return &frame->regs[at];
		at -= MAX_BPF_REG;
		if (at < frame->slot_cnt) {
			if (slot_is_spill(&frame->slots[at]))
				return &frame->slots[at].spilled;
			continue;
		}
		cursor->frame++;
		cursor->at = 0;
	}
	return NULL;
}
