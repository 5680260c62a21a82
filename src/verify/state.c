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

void reg_set_scalar(struct reg_state *reg, struct scalar number)
{
	memset(reg, 0, offsetof(struct reg_state, number));
	reg->kind = REG_SCALAR;
	reg->number = number;
}

void reg_set_const(struct reg_state *reg, u64 value)
{
	reg_set_scalar(reg, scalar_const(value));
}

void reg_set_unknown(struct reg_state *reg)
{
	reg_set_scalar(reg, scalar_unknown());
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

/* --- frames --- */

void frame_init(struct frame *frame, u32 call_site, u32 subprog, u32 frame_index)
{
	memset(frame->regs, 0, sizeof(frame->regs));
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

/* --- packed states --- */

const struct live_set all_alive = {
	.regs = {[0 ... MAX_FRAMES - 1] = 0x3ff},
	.slots = {[0 ... MAX_FRAMES - 1] = ~0ull},
};

void state_pool_init(struct state_pool *pool)
{
	memset(pool, 0, sizeof(*pool));
	arena_init(&pool->arena);
}

void state_pool_done(struct state_pool *pool)
{
	arena_done(&pool->arena);
}

static void *pool_take(struct state_pool *pool, u32 size_class)
{
	void *block = pool->free[size_class];

	pool->bytes_used += (u64)size_class * PACKED_STEP;
	if (block) {
		memcpy(&pool->free[size_class], block, sizeof(void *));
		return block;
	}
	return arena_alloc(&pool->arena, (size_t)size_class * PACKED_STEP);
}

void state_free(struct state_pool *pool, struct packed_state *packed)
{
	u32 size_class = packed->size_class;

	pool->bytes_used -= (u64)size_class * PACKED_STEP;
	memcpy(packed, &pool->free[size_class], sizeof(void *));
	pool->free[size_class] = packed;
}

/* Which of the frame's slots hold something that is alive. */
static u64 frame_used_slots(const struct frame *frame, u64 live, u64 *spills)
{
	u64 used = 0;

	*spills = 0;
	for (u32 i = 0; i < min(frame->slot_cnt, (u32)STACK_SLOTS); i++) {
		u64 kinds;

		memcpy(&kinds, frame->slots[i].bytes, sizeof(kinds));
		if (!kinds || !(live >> i & 1)) /* all BYTE_INVALID */
			continue;
		used |= 1ull << i;
		if (slot_is_described(&frame->slots[i]))
			*spills |= 1ull << i;
	}
	return used;
}

static u16 frame_used_regs(const struct frame *frame, u16 live)
{
	u16 used = 0;

	for (u32 i = 0; i < FRAME_REG; i++)
		if (live >> i & 1 && frame->regs[i].kind != REG_NOT_INIT)
			used |= 1u << i;
	return used;
}

/* Fills in the frames' outlines; the sizes of the two variable parts are returned. */
static void outline_frames(const struct state *state, const struct live_set *live,
			   struct packed_frame *out, u32 *reg_cnt, u32 *slot_cnt)
{
	*reg_cnt = *slot_cnt = 0;
	for (u32 i = 0; i < state->frame_cnt; i++) {
		const struct frame *frame = &state->frames[i];
		struct packed_frame *packed = &out[i];

		packed->call_site = frame->call_site;
		packed->subprog = frame->subprog;
		packed->callback = frame->callback;
		packed->slot_cnt = (u8)frame->slot_cnt;
		packed->rounds = frame->rounds;
		packed->regs = frame_used_regs(frame, live->regs[i]);
		packed->slots = frame_used_slots(frame, live->slots[i], &packed->spills);
		packed->at = *reg_cnt;
		packed->bytes_at = *slot_cnt;
		*reg_cnt +=
			__builtin_popcount(packed->regs) + __builtin_popcountll(packed->spills);
		*slot_cnt += __builtin_popcountll(packed->slots);
	}
}

static void pack_frame(const struct frame *frame, const struct packed_frame *outline,
		       struct packed_state *out)
{
	struct reg_state *reg = &out->regs[outline->at];
	u8(*bytes)[SLOT_BYTES] = &out->bytes[outline->bytes_at];

	for (u32 set = outline->regs; set; set &= set - 1)
		*reg++ = frame->regs[__builtin_ctz(set)];
	for (u64 set = outline->spills; set; set &= set - 1)
		*reg++ = frame->slots[__builtin_ctzll(set)].spilled;
	for (u64 set = outline->slots; set; set &= set - 1)
		memcpy(bytes++, frame->slots[__builtin_ctzll(set)].bytes, SLOT_BYTES);
}

struct packed_state *state_pack(struct state_pool *pool, const struct state *state,
				const struct live_set *live)
{
	struct packed_frame outline[MAX_FRAMES];
	size_t frames_size = state->frame_cnt * sizeof(struct packed_frame), size;
	const struct resources *resources = &state->resources;
	struct packed_state *out;
	u32 reg_cnt, slot_cnt;

	outline_frames(state, live, outline, &reg_cnt, &slot_cnt);
	size = sizeof(*out) + frames_size + reg_cnt * sizeof(struct reg_state) +
	       slot_cnt * SLOT_BYTES + resources->count * sizeof(struct resource);
	size = (size + PACKED_STEP - 1) / PACKED_STEP;
	out = pool_take(pool, size);
	if (!out)
		return NULL;
	out->size_class = size;
	out->frame_cnt = state->frame_cnt;
	out->resource_cnt = resources->count;
	out->reg_cnt = reg_cnt;
	out->is_speculative = state->is_speculative;
	out->sections = resources->sections;
	out->frames = (void *)(out + 1);
	out->regs = (void *)((u8 *)out->frames + frames_size);
	out->bytes = (void *)(out->regs + reg_cnt);
	out->resources = (void *)(out->bytes + slot_cnt);
	memcpy(out->frames, outline, frames_size);
	memcpy(out->resources, resources->all, resources->count * sizeof(struct resource));
	for (u32 i = 0; i < state->frame_cnt; i++)
		pack_frame(&state->frames[i], &outline[i], out);
	return out;
}

static void unpack_frame(const struct packed_state *packed, u32 index, struct frame *out)
{
	const struct packed_frame *outline = &packed->frames[index];
	const struct reg_state *reg = &packed->regs[outline->at];
	u8(*bytes)[SLOT_BYTES] = &packed->bytes[outline->bytes_at];

	frame_init(out, outline->call_site, outline->subprog, index);
	out->callback = outline->callback;
	out->slot_cnt = outline->slot_cnt;
	out->rounds = outline->rounds;
	for (u32 i = 0; i < out->slot_cnt; i++)
		memset(out->slots[i].bytes, BYTE_INVALID, SLOT_BYTES);
	for (u32 set = outline->regs; set; set &= set - 1)
		out->regs[__builtin_ctz(set)] = *reg++;
	for (u64 set = outline->spills; set; set &= set - 1)
		out->slots[__builtin_ctzll(set)].spilled = *reg++;
	for (u64 set = outline->slots; set; set &= set - 1)
		memcpy(out->slots[__builtin_ctzll(set)].bytes, bytes++, SLOT_BYTES);
}

void state_unpack(const struct packed_state *packed, struct state *out)
{
	out->frame_cnt = packed->frame_cnt;
	out->is_speculative = packed->is_speculative;
	out->resources.sections = packed->sections;
	out->resources.count = packed->resource_cnt;
	memcpy(out->resources.all, packed->resources,
	       packed->resource_cnt * sizeof(struct resource));
	for (u32 i = 0; i < packed->frame_cnt; i++)
		unpack_frame(packed, i, &out->frames[i]);
}
