/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/flow.h"

#include <string.h>

#define PLACES_PER_FRAME (MAX_BPF_REG + STACK_SLOTS)

/* --- sets of places --- */

static struct value_place reg_place(u32 frame, u32 reg)
{
	return (struct value_place){.frame = (u8)frame, .index = (u8)reg};
}

static struct value_place slot_place(u32 frame, u64 slots)
{
	return (struct value_place){
		.frame = (u8)frame, .is_slot = true, .index = (u8)__builtin_ctzll(slots)};
}

void flow_add_place(struct live_set *set, struct value_place place)
{
	if (place.is_slot)
		set->slots[place.frame] |= 1ull << place.index;
	else if (place.index != FRAME_REG)
		set->regs[place.frame] |= 1u << place.index;
}

bool flow_has_place(const struct live_set *set, struct value_place place)
{
	return place.is_slot ? set->slots[place.frame] >> place.index & 1
			     : set->regs[place.frame] >> place.index & 1;
}

/* The next register at or behind `index`, else the next slot; PLACES_PER_FRAME: none. */
static u32 next_index(const struct live_set *set, u32 frame, u32 index)
{
	u32 regs = index < MAX_BPF_REG ? (u32)set->regs[frame] >> index : 0;
	u32 slot = index > MAX_BPF_REG ? index - MAX_BPF_REG : 0;
	u64 slots = set->slots[frame] >> slot;

	if (regs)
		return index + (u32)__builtin_ctz(regs);
	return slots ? MAX_BPF_REG + slot + (u32)__builtin_ctzll(slots) : PLACES_PER_FRAME;
}

bool flow_next_place(const struct live_set *set, struct place_cursor *cursor,
		     struct value_place *out)
{
	for (u32 frame = cursor->frame; frame < MAX_FRAMES; frame++) {
		u32 index = cursor->index < PLACES_PER_FRAME
				    ? next_index(set, frame, cursor->index)
				    : PLACES_PER_FRAME;

		if (index < PLACES_PER_FRAME) {
			*cursor = (struct place_cursor){frame, index + 1};
			*out = (struct value_place){
				.frame = (u8)frame,
				.is_slot = index >= MAX_BPF_REG,
				.index = (u8)(index < MAX_BPF_REG ? index
								  : index - MAX_BPF_REG)};
			return true;
		}
		*cursor = (struct place_cursor){frame + 1, 0};
	}
	return false;
}

/* --- one step --- */

static const struct origin same = {.kind = ORIGIN_SAME};
static const struct origin born = {.kind = ORIGIN_BORN};
static const struct origin destroyed = {.kind = ORIGIN_DESTROYED};

static struct origin copy_of(struct value_place from)
{
	return (struct origin){.kind = ORIGIN_COPY, .has_from = true, .from = from};
}

static bool is_one(u64 slots)
{
	return slots && !(slots & (slots - 1));
}

static struct origin alu_origin(const struct path_step *step, const struct bpf_insn *insn)
{
	u8 op = BPF_OP(insn->code);
	bool has_src = op != BPF_NEG && op != BPF_END && BPF_SRC(insn->code) == BPF_X;
	struct value_place src = reg_place(step->depth - 1, insn->src_reg);

	if (op == BPF_MOV)
		return has_src ? copy_of(src) : born;
	return (struct origin){.kind = ORIGIN_CHANGED, .has_from = has_src, .from = src};
}

static struct origin load_origin(const struct path_step *step)
{
	return is_one(step->slots) ? copy_of(slot_place(step->frame, step->slots)) : born;
}

static struct origin store_origin(const struct path_step *step, const struct bpf_insn *insn)
{
	if (BPF_CLASS(insn->code) == BPF_ST)
		return born;
	return copy_of(reg_place(step->depth - 1, insn->src_reg));
}

static struct origin atomic_origin(const struct path_step *step, const struct bpf_insn *insn,
				   struct value_place place)
{
	u8 fetched = insn->imm == BPF_CMPXCHG ? BPF_REG_0 : insn->src_reg;

	if (insn->imm == BPF_STORE_REL)
		return place.is_slot ? store_origin(step, insn) : same;
	if (place.is_slot)
		return insn->imm == BPF_LOAD_ACQ ? same : born;
	if (insn->imm == BPF_LOAD_ACQ)
		return place.index == insn->dst_reg ? load_origin(step) : same;
	return insn->imm & BPF_FETCH && place.index == fetched ? load_origin(step) : same;
}

static bool is_helper_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg != BPF_PSEUDO_CALL;
}

static struct origin call_origin(const struct path_step *step, const struct bpf_insn *insn,
				 u32 depth_after, struct value_place place)
{
	bool is_callee = place.frame == step->depth;

	if (depth_after > step->depth && is_callee) {
		bool is_argument =
			!place.is_slot && place.index >= BPF_REG_1 && place.index <= BPF_REG_5;

		return is_argument && !is_helper_call(insn)
			       ? copy_of(reg_place(step->depth - 1, place.index))
			       : born;
	}
	if (place.is_slot || place.frame != step->depth - 1 || place.index > BPF_REG_5)
		return same;
	return depth_after == step->depth && place.index == BPF_REG_0 ? born : destroyed;
}

/* A callback returns to the helper's call; its caller's registers are those of before. */
static struct origin exit_origin(const struct path_step *step, u32 depth_after,
				 struct value_place place)
{
	if (depth_after >= step->depth || step->is_callback || place.is_slot ||
	    place.frame != step->depth - 2 || place.index != BPF_REG_0)
		return same;
	return copy_of(reg_place(step->depth - 1, BPF_REG_0));
}

static bool writes_reg(const struct path_step *step, struct value_place place, u8 reg)
{
	return !place.is_slot && place.frame == step->depth - 1 && place.index == reg;
}

static bool writes_slot(const struct path_step *step, struct value_place place)
{
	return place.is_slot && place.frame == step->frame && step->slots >> place.index & 1;
}

struct origin flow_origin(const struct walk *walk, const struct path_step *step,
			  u32 depth_after, struct value_place place)
{
	const struct bpf_insn *insn = &walk->insns[step->insn];

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return writes_reg(step, place, insn->dst_reg) ? alu_origin(step, insn) : same;
	case BPF_LD:
		if (BPF_MODE(insn->code) == BPF_IMM)
			return writes_reg(step, place, insn->dst_reg) ? born : same;
		return call_origin(step, insn, depth_after, place);
	case BPF_LDX: return writes_reg(step, place, insn->dst_reg) ? load_origin(step) : same;
	case BPF_ST:
	case BPF_STX:
		if (BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC &&
		    (writes_slot(step, place) || !place.is_slot) &&
		    place.frame == (place.is_slot ? step->frame : step->depth - 1))
			return atomic_origin(step, insn, place);
		return writes_slot(step, place) ? store_origin(step, insn) : same;
	default: break;
	}
	if (insn->code == (BPF_JMP | BPF_CALL))
		return call_origin(step, insn, depth_after, place);
	return insn->code == (BPF_JMP | BPF_EXIT) ? exit_origin(step, depth_after, place)
						  : same;
}

/* --- the path --- */

void flow_back(const struct walk *walk, const struct path_step *step, u32 depth_after,
	       const struct live_set *after, struct live_set *before)
{
	struct place_cursor cursor = {0};
	struct value_place place;

	memset(before, 0, sizeof(*before));
	while (flow_next_place(after, &cursor, &place)) {
		struct origin origin = flow_origin(walk, step, depth_after, place);

		if (place.frame < step->depth &&
		    (origin.kind == ORIGIN_SAME || origin.kind == ORIGIN_CHANGED))
			flow_add_place(before, place);
		if (origin.has_from)
			flow_add_place(before, origin.from);
	}
}

int flow_slice(struct walk *walk, u32 steps_max, struct slice *out)
{
	u32 length = path_length(walk), count = min(length, steps_max);

	out->first = length - count;
	out->count = count;
	out->before = arena_array(&walk->scratch, count + 1, sizeof(*out->before));
	out->listed_at = arena_array(&walk->scratch, count + 1, sizeof(*out->listed_at));
	if (!out->before || !out->listed_at)
		return -ENOMEM;
	for (u32 i = 0; i < count; i++)
		out->listed_at[i] = path_listed_at(walk, out->first + i);
	return 0;
}

static void join(struct live_set *set, const struct live_set *more)
{
	for (u32 i = 0; i < MAX_FRAMES; i++) {
		set->regs[i] |= more->regs[i];
		set->slots[i] |= more->slots[i];
	}
}

void flow_follow(const struct walk *walk, struct slice *slice)
{
	for (u32 i = slice->count; i-- > 1;) {
		struct path_step step = path_step_at(walk, slice->first + i - 1);
		u32 depth_after = path_step_at(walk, slice->first + i).depth;
		struct live_set before;

		flow_back(walk, &step, depth_after, &slice->before[i], &before);
		join(&slice->before[i - 1], &before);
	}
}
