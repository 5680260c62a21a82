/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers for values. Instructions are numbered through the blocks in order; the gap before
 * number p is the place where a value is alive. A word for each gap has the registers that are
 * taken there, so that a value's free registers are what no gap of it has. Values come in the
 * order in which they are made, as in a linear scan (in SSA form that needs no more registers
 * than are alive at once). When none is free, what is used least often goes to memory.
 */
#include "jit/allocate.h"

#include <string.h>

/* --- registers --- */

static u32 clobbered(const struct allocation *allocation, struct segment segment)
{
	u32 low = 0, high = allocation->clobber_cnt, mask = 0;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (allocation->clobbers[middle].position < segment.from)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < allocation->clobber_cnt && allocation->clobbers[low].position < segment.to;
	     low++)
		mask |= allocation->clobbers[low].mask;
	return mask;
}

static u32 taken_by_clobbers(const struct allocation *allocation, ir_ref value)
{
	const struct interval *interval = &allocation->intervals[value];
	u32 mask = 0;

	for (u32 i = 0; i < interval->count; i++)
		mask |= clobbered(allocation, allocation->segments[interval->first + i]);
	return mask;
}

static u32 taken_by_values(const struct allocation *allocation, ir_ref value)
{
	const struct interval *interval = &allocation->intervals[value];
	u32 mask = 0;

	for (u32 i = 0; i < interval->count; i++) {
		const struct segment segment = allocation->segments[interval->first + i];

		for (u32 gap = segment.from; gap <= segment.to; gap++)
			mask |= allocation->taken[gap];
	}
	return mask;
}

static void mark(struct allocation *allocation, ir_ref value, u8 reg, bool is_taken)
{
	const struct interval *interval = &allocation->intervals[value];
	const u32 bit = 1u << reg;

	for (u32 i = 0; i < interval->count; i++) {
		const struct segment segment = allocation->segments[interval->first + i];

		for (u32 gap = segment.from; gap <= segment.to; gap++)
			allocation->taken[gap] = is_taken ? allocation->taken[gap] | bit
							  : allocation->taken[gap] & ~bit;
	}
}

static bool overlap(const struct allocation *allocation, ir_ref a, ir_ref b)
{
	const struct interval *x = &allocation->intervals[a], *y = &allocation->intervals[b];

	for (u32 i = 0; i < x->count; i++)
		for (u32 k = 0; k < y->count; k++) {
			const struct segment s = allocation->segments[x->first + i],
					     t = allocation->segments[y->first + k];

			if (s.from <= t.to && t.from <= s.to)
				return true;
		}
	return false;
}

static bool is_number(const struct allocation *allocation, ir_ref value)
{
	return ir_at(allocation->fn, value)->op == IR_wide;
}

/* What is lost by a number that is made where it is used, of what a value in memory loses. */
#define NUMBER_LOSS 0.25f

/* How much is lost when the value is in memory, for the room that it takes. */
static float density(const struct allocation *allocation, ir_ref value)
{
	const struct interval *interval = &allocation->intervals[value];
	u32 length = 8;

	for (u32 i = 0; i < interval->count; i++)
		length += allocation->segments[interval->first + i].to -
			  allocation->segments[interval->first + i].from + 1;
	return interval->weight * (is_number(allocation, value) ? NUMBER_LOSS : 1) /
	       (float)length;
}

/* Numbers are made again where they are used. */
static void to_memory(struct allocation *allocation, ir_ref value)
{
	allocation->full->place[value] =
		is_number(allocation, value) ? NOWHERE : SLOT(allocation->full->slots++);
}

/* Frees a register of `usable` for the value, unless what is in all of them counts for more. */
static s32 evict(struct allocation *allocation, ir_ref value, u32 usable)
{
	float cost[32] = {0}, least = density(allocation, value);
	s32 best = -1;

	for (u32 i = 0; i < allocation->active_cnt; i++) {
		const ir_ref other = allocation->active[i];

		if (allocation->full->place[other] >= 0 && overlap(allocation, other, value))
			cost[allocation->full->place[other]] += density(allocation, other);
	}
	for (u8 reg = 0; reg < ARRAY_SIZE(cost); reg++)
		if (usable & 1u << reg && cost[reg] > 0 && cost[reg] < least) {
			least = cost[reg];
			best = reg;
		}
	for (u32 i = 0; best >= 0 && i < allocation->active_cnt; i++) {
		const ir_ref other = allocation->active[i];

		if (allocation->full->place[other] != best ||
		    !overlap(allocation, other, value))
			continue;
		mark(allocation, other, (u8)best, false);
		to_memory(allocation, other);
	}
	return best;
}

/* --- which of the free ones --- */

static s32 place_of(const struct allocation *allocation, ir_ref value)
{
	value = ir_value(allocation->fn, value);
	return live_needs_place(allocation->fn, value) ? allocation->full->place[value] : NOWHERE;
}

/* A register of the phi or its other arguments. */
static s32 phi_register(const struct allocation *allocation, ir_ref phi, u32 free)
{
	const struct ir_function *fn = allocation->fn;
	const struct ir_insn *insn = ir_at(fn, phi);
	s32 place = place_of(allocation, phi);

	if (place >= 0 && free & 1u << place)
		return place;
	for (u32 i = 0; i < insn->arg_cnt; i++) {
		place = place_of(allocation, fn->args[insn->args + i]);
		if (place >= 0 && free & 1u << place)
			return place;
	}
	return NOWHERE;
}

static s32 wish(const struct allocation *allocation, ir_ref value, u32 free)
{
	const struct ir_insn *insn = ir_at(allocation->fn, value);
	s32 place = NOWHERE;

	if (allocation->phi_of[value])
		place = phi_register(allocation, allocation->phi_of[value], free);
	if (place < 0 && insn->op == IR_phi)
		place = phi_register(allocation, value, free);
	if (place < 0 && allocation->wanted[value] >= 0 &&
	    free & 1u << allocation->wanted[value])
		place = allocation->wanted[value];
	if (place < 0 &&
	    ((insn->op >= IR_add && insn->op <= IR_bswap64) || insn->op == IR_burn)) {
		place = place_of(allocation, insn->a);
		if (place < 0 || !(free & 1u << place))
			place = insn->b ? place_of(allocation, insn->b) : NOWHERE;
	}
	return place >= 0 && free & 1u << place ? place : NOWHERE;
}

static void allocate(struct allocation *allocation, ir_ref value)
{
	struct full *full = allocation->full;
	const u32 usable = allocation->usable & ~taken_by_clobbers(allocation, value);
	const u32 free = usable & ~taken_by_values(allocation, value);
	s32 reg = free ? wish(allocation, value, free) : evict(allocation, value, usable);

	/* What was freed may be forbidden to everybody at one of the gaps. */
	if (!free && reg >= 0 && taken_by_values(allocation, value) & 1u << reg)
		reg = NOWHERE;

	for (u32 i = 0; free && reg < 0; i++)
		if (free & 1u << full_preferred[i])
			reg = full_preferred[i];
	if (reg < 0) {
		to_memory(allocation, value);
		return;
	}
	full->place[value] = reg;
	full->saved |= 1u << reg;
	mark(allocation, value, (u8)reg, true);
	allocation->active[allocation->active_cnt++] = value;
}

/* Values that end before the gap count no more. */
static void expire(struct allocation *allocation, u32 gap)
{
	u32 kept = 0;

	for (u32 i = 0; i < allocation->active_cnt; i++) {
		const ir_ref value = allocation->active[i];

		if (allocation->intervals[value].end >= gap)
			allocation->active[kept++] = value;
	}
	allocation->active_cnt = kept;
	allocation->expire_at = 2 * kept + 64;
}

static u8 argument_register(u8 op, u32 index)
{
	return op == IR_reduce ? full_kernel_argument[index]
	       : op == IR_find ? full_find_argument[index]
			       : full_argument[index];
}

static void note_wishes(struct allocation *allocation)
{
	struct ir_function *fn = allocation->fn;

	memset(allocation->wanted, -1, fn->insn_cnt);
	for (u32 i = 0; i < fn->order_cnt; i++)
		for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = ir_at(fn, at)->next) {
			const struct ir_insn *insn = ir_at(fn, at);

			for (u32 k = 0; k < insn->arg_cnt; k++) {
				const ir_ref value = ir_value(fn, fn->args[insn->args + k]);

				if (insn->op == IR_phi)
					allocation->phi_of[value] = at;
				else if (insn->op != IR_select && k < 5)
					allocation->wanted[value] =
						(s8)argument_register(insn->op, k);
			}
			if (insn->op == IR_arg)
				allocation->wanted[at] = (s8)full_argument[insn->imm];
			else if (insn->op == IR_ret)
				allocation->wanted[ir_value(fn, insn->a)] = MACHINE_RESULT;
			else if (insn->op == IR_call || insn->op == IR_call_map || insn->op == IR_find ||
				 insn->op == IR_reduce || insn->op == IR_call_local || insn->op == IR_call_global || insn->op == IR_call_site)
				allocation->wanted[at] = MACHINE_RESULT;
		}
}

static bool prepare(struct allocation *allocation)
{
	struct arena *arena = &allocation->arena;
	const u32 values = allocation->fn->insn_cnt, blocks = allocation->fn->block_cnt;

	live_number(allocation);
	allocation->taken = arena_array(arena, allocation->gaps + 1, sizeof(*allocation->taken));
	allocation->clobbers =
		arena_array(arena, allocation->gaps, sizeof(*allocation->clobbers));
	allocation->use_first = arena_array(arena, values + 2, sizeof(u32));
	allocation->intervals = arena_array(arena, values, sizeof(*allocation->intervals));
	allocation->stamp = arena_array(arena, blocks, sizeof(u32));
	allocation->segment_of = arena_array(arena, blocks, sizeof(u32));
	allocation->stack = arena_array(arena, blocks + 1, sizeof(u32));
	allocation->active = arena_array(arena, values, sizeof(ir_ref));
	allocation->phi_of = arena_array(arena, values, sizeof(ir_ref));
	allocation->wanted = arena_array(arena, values, 1);
	return allocation->taken && allocation->clobbers && allocation->use_first &&
	       allocation->intervals && allocation->stamp && allocation->segment_of &&
	       allocation->stack && allocation->active && allocation->phi_of &&
	       allocation->wanted && live_collect_uses(allocation);
}

static void allocate_all(struct allocation *allocation)
{
	struct ir_function *fn = allocation->fn;

	live_note_clobbers(allocation);
	note_wishes(allocation);
	for (u32 i = 0; i < fn->order_cnt; i++) {
		expire(allocation, allocation->full->start[fn->order[i]]);
		for (ir_ref at = fn->blocks[fn->order[i]].first; at && !allocation->full->failed;
		     at = ir_at(fn, at)->next) {
			if (!live_needs_place(fn, at))
				continue;
			if (allocation->active_cnt >= allocation->expire_at)
				expire(allocation, allocation->full->position[at]);
			live_find(allocation, at);
			allocate(allocation, at);
		}
	}
	for (u32 i = 0; i < fn->order_cnt; i++) {
		const u32 block = fn->order[i];

		allocation->full->alive[block] =
			allocation->taken[allocation->full->start[block]];
	}
}

static u32 usable_registers(const struct full *full)
{
	u32 usable = 0;

	for (u32 i = 0; i < full_preferred_cnt; i++)
		usable |= 1u << full_preferred[i];
	if (full->has_second)
		usable &= ~(1u << MACHINE_SECOND);
	return usable & ~(1u << REG_EXEC);
}

void full_allocate(struct full *full)
{
	struct allocation allocation = {
		.full = full, .fn = full->fn, .usable = usable_registers(full)};

	arena_init(&allocation.arena);
	full->slots = 0;
	full->saved = 0;
	for (u32 i = 0; i < full->fn->insn_cnt; i++)
		full->place[i] = NOWHERE;
	if (prepare(&allocation))
		allocate_all(&allocation);
	else
		full->failed = true;
	full->saved &= ~CALLER_SAVED;
	free(allocation.segments);
	arena_done(&allocation.arena);
}
