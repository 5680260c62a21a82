/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers for values. Instructions are numbered through the blocks in order; the gap before
 * number p is the place where a value is alive. A word for each gap has the registers that are
 * taken there, so that a value's free registers are what no gap of it has. Values come in the
 * order in which they are made, as in a linear scan (in SSA form that needs no more registers
 * than are alive at once). When none is free, what is used least often goes to memory.
 */
#include "jit/full.h"

#include <string.h>

struct segment {
	u32 from, to; /* gaps, both included */
};

struct use {
	u32 block, position;
};

struct clobber {
	u32 position, mask;
};

struct interval {
	u32 first, count; /* segments */
	u32 end;	  /* the last gap */
	float weight;
};

struct allocation {
	struct full *full;
	struct ir_function *fn;
	struct arena arena;
	u32 usable; /* registers */
	u16 *taken; /* of each gap */
	u32 gaps;
	struct clobber *clobbers;
	u32 clobber_cnt;
	u32 *use_first; /* of each value, in `uses`; one more than there are values */
	struct use *uses;
	struct segment *segments;
	u32 segment_cnt, segment_room;
	struct interval *intervals; /* of each value */
	u32 *stamp, *segment_of;    /* of each block, for the value at hand */
	u32 *stack;
	ir_ref *active; /* values whose end is not passed yet */
	u32 active_cnt, expire_at;
	ir_ref *phi_of; /* a phi that the value is an argument of */
	s8 *wanted;	/* the register that a use would like; -1 */
};

/* --- numbers, what is changed in passing --- */

static u32 block_position(struct allocation *allocation, u32 block, u32 position)
{
	struct full *full = allocation->full;
	struct ir_function *fn = allocation->fn;

	full->start[block] = position;
	for (ir_ref at = fn->blocks[block].first; at; at = ir_at(fn, at)->next) {
		const struct ir_insn *insn = ir_at(fn, at);

		if (insn->op == IR_phi || insn->op == IR_arg) {
			full->position[at] = full->start[block];
			continue;
		}
		full->position[at] = ++position;
	}
	full->end[block] = position;
	return position + 1;
}

static void number(struct allocation *allocation)
{
	struct ir_function *fn = allocation->fn;
	u32 position = 0;

	for (u32 i = 0; i < fn->order_cnt; i++)
		position = block_position(allocation, fn->order[i], position);
	allocation->gaps = position + 1;
}

static void note_clobbers(struct allocation *allocation)
{
	struct ir_function *fn = allocation->fn;

	for (u32 i = 0; i < fn->order_cnt; i++)
		for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = ir_at(fn, at)->next) {
			const struct ir_insn *insn = ir_at(fn, at);
			const u32 position = allocation->full->position[at];
			const u32 mask = full_clobbers(allocation->full, insn);

			if (mask)
				allocation->clobbers[allocation->clobber_cnt++] =
					(struct clobber){position, mask};
			allocation->taken[position] |=
				(u16)full_forbids(allocation->full, insn);
		}
}

/* --- uses --- */

static bool needs_place(const struct ir_function *fn, ir_ref value)
{
	const struct ir_insn *insn = ir_at(fn, value);

	return value && ir_traits[insn->op] & IR_RESULT && insn->op != IR_const &&
	       insn->op != IR_frame && !insn->is_fused;
}

/* Calls `note` for each use; a phi uses its arguments where the predecessors end. */
static void for_each_use(struct allocation *allocation,
			 void (*note)(struct allocation *allocation, ir_ref value, u32 block,
				      u32 position))
{
	struct ir_function *fn = allocation->fn;
	const struct full *full = allocation->full;

	for (u32 i = 0; i < fn->order_cnt; i++) {
		const u32 block = fn->order[i];

		for (ir_ref at = fn->blocks[block].first; at; at = ir_at(fn, at)->next) {
			struct ir_insn *insn = ir_at(fn, at);
			u32 argument = 0;

			IR_FOR_EACH_OPERAND(fn, insn, place) {
				u32 where = insn->op == IR_phi
						    ? fn->blocks[block].pred[argument++]
						    : block;

				*place = ir_value(fn, *place);
				if (needs_place(fn, *place))
					note(allocation, *place, where,
					     insn->op == IR_phi ? full->end[where]
								: full->position[at]);
			}
		}
	}
}

static void count_use(struct allocation *allocation, ir_ref value, u32 block, u32 position)
{
	allocation->use_first[value + 1]++;
}

static float weight_of(const struct allocation *allocation, u32 block)
{
	static const float by_depth[] = {1, 8, 64, 512, 4096};
	const u32 depth = allocation->fn->blocks[block].depth;

	return by_depth[min(depth, (u32)ARRAY_SIZE(by_depth) - 1)];
}

/* use_first is shifted by one place until all are added. */
static void add_use(struct allocation *allocation, ir_ref value, u32 block, u32 position)
{
	allocation->uses[allocation->use_first[value]++] = (struct use){block, position};
	allocation->intervals[value].weight += weight_of(allocation, block);
}

static bool collect_uses(struct allocation *allocation)
{
	const u32 values = allocation->fn->insn_cnt;
	u32 total = 0;

	for_each_use(allocation, count_use);
	for (u32 value = 0; value <= values; value++) {
		total += allocation->use_first[value];
		allocation->use_first[value] = total;
	}
	allocation->uses = arena_array(&allocation->arena, total + 1, sizeof(struct use));
	if (!allocation->uses)
		return false;
	for_each_use(allocation, add_use);
	memmove(allocation->use_first + 1, allocation->use_first,
		values * sizeof(*allocation->use_first));
	allocation->use_first[0] = 0;
	return true;
}

/* --- where a value is alive --- */

static bool add_segment(struct allocation *allocation, u32 from, u32 to)
{
	if (allocation->segment_cnt == allocation->segment_room) {
		const u32 room = 2 * allocation->segment_room + 1024;
		struct segment *grown =
			realloc(allocation->segments, room * sizeof(*grown));

		if (!grown) {
			allocation->full->failed = true;
			return false;
		}
		allocation->segments = grown;
		allocation->segment_room = room;
	}
	allocation->segments[allocation->segment_cnt++] = (struct segment){from, to};
	return true;
}

/* Alive in the block up to the gap; from where it begins or the value is made. True: it comes
 * from the predecessors. */
static bool extend(struct allocation *allocation, ir_ref value, u32 block, u32 position)
{
	const struct full *full = allocation->full;
	const bool is_own = ir_at(allocation->fn, value)->block == block;
	struct segment *segment;

	if (allocation->stamp[block] == value) {
		segment = &allocation->segments[allocation->segment_of[block]];
		segment->to = max(segment->to, position);
		return false;
	}
	allocation->stamp[block] = value;
	allocation->segment_of[block] = allocation->segment_cnt;
	return add_segment(allocation, is_own ? full->position[value] + 1 : full->start[block],
			   position) &&
	       !is_own;
}

static void extend_up(struct allocation *allocation, ir_ref value, struct use use)
{
	const struct ir_function *fn = allocation->fn;
	u32 depth = 0;

	if (extend(allocation, value, use.block, use.position))
		allocation->stack[depth++] = use.block;
	while (depth) {
		const struct ir_block *block = &fn->blocks[allocation->stack[--depth]];

		for (u32 p = 0; p < block->pred_cnt; p++)
			if (extend(allocation, value, block->pred[p],
				   allocation->full->end[block->pred[p]]))
				allocation->stack[depth++] = block->pred[p];
	}
}

static void live(struct allocation *allocation, ir_ref value)
{
	struct interval *interval = &allocation->intervals[value];
	const u32 position = allocation->full->position[value];

	interval->first = allocation->segment_cnt;
	for (u32 i = allocation->use_first[value]; i < allocation->use_first[value + 1]; i++)
		extend_up(allocation, value, allocation->uses[i]);
	if (allocation->segment_cnt == interval->first)
		add_segment(allocation, position + 1, position + 1);
	interval->count = allocation->segment_cnt - interval->first;
	for (u32 i = 0; i < interval->count; i++)
		interval->end =
			max(interval->end, allocation->segments[interval->first + i].to);
}

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
	u16 mask = 0;

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
	const u16 bit = (u16)(1u << reg);

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

/* How much is lost when the value is in memory, for the room that it takes. */
static float density(const struct allocation *allocation, ir_ref value)
{
	const struct interval *interval = &allocation->intervals[value];
	u32 length = 8;

	for (u32 i = 0; i < interval->count; i++)
		length += allocation->segments[interval->first + i].to -
			  allocation->segments[interval->first + i].from + 1;
	return interval->weight / (float)length;
}

static void to_memory(struct allocation *allocation, ir_ref value)
{
	allocation->full->place[value] = SLOT(allocation->full->slots++);
}

/* Frees a register of `usable` for the value, unless what is in all of them counts for more. */
static s32 evict(struct allocation *allocation, ir_ref value, u32 usable)
{
	float cost[16] = {0}, least = density(allocation, value);
	s32 best = -1;

	for (u32 i = 0; i < allocation->active_cnt; i++) {
		const ir_ref other = allocation->active[i];

		if (allocation->full->place[other] >= 0 && overlap(allocation, other, value))
			cost[allocation->full->place[other]] += density(allocation, other);
	}
	for (u8 reg = 0; reg < 16; reg++)
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
	return needs_place(allocation->fn, value) ? allocation->full->place[value] : NOWHERE;
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
	if (place < 0 && insn->op >= IR_add && insn->op <= IR_bswap64) {
		place = place_of(allocation, insn->a);
		if (place < 0 || !(free & 1u << place))
			place = insn->b ? place_of(allocation, insn->b) : NOWHERE;
	}
	return place >= 0 && free & 1u << place ? place : NOWHERE;
}

/* The shortest codes first; what must be saved last. */
static const u8 preferred[] = {RAX, RCX, RDX, RSI, RDI, R8, R9, R10,
			       RBX, R13, R14, R15, R12};

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
		if (free & 1u << preferred[i])
			reg = preferred[i];
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
					allocation->wanted[value] = (s8)full_argument[k];
			}
			if (insn->op == IR_arg)
				allocation->wanted[at] = (s8)full_argument[insn->imm];
			else if (insn->op == IR_ret)
				allocation->wanted[ir_value(fn, insn->a)] = RAX;
			else if (insn->op == IR_call || insn->op == IR_call_map ||
				 insn->op == IR_call_local || insn->op == IR_call_global || insn->op == IR_call_site)
				allocation->wanted[at] = RAX;
		}
}

static bool prepare(struct allocation *allocation)
{
	struct arena *arena = &allocation->arena;
	const u32 values = allocation->fn->insn_cnt, blocks = allocation->fn->block_cnt;

	number(allocation);
	allocation->taken = arena_array(arena, allocation->gaps + 1, sizeof(u16));
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
	       allocation->wanted && collect_uses(allocation);
}

static void allocate_all(struct allocation *allocation)
{
	struct ir_function *fn = allocation->fn;

	note_clobbers(allocation);
	note_wishes(allocation);
	for (u32 i = 0; i < fn->order_cnt; i++) {
		expire(allocation, allocation->full->start[fn->order[i]]);
		for (ir_ref at = fn->blocks[fn->order[i]].first; at && !allocation->full->failed;
		     at = ir_at(fn, at)->next) {
			if (!needs_place(fn, at))
				continue;
			if (allocation->active_cnt >= allocation->expire_at)
				expire(allocation, allocation->full->position[at]);
			live(allocation, at);
			allocate(allocation, at);
		}
	}
}

static u32 usable_registers(const struct full *full)
{
	u32 usable = 0;

	for (u32 i = 0; i < ARRAY_SIZE(preferred); i++)
		usable |= 1u << preferred[i];
	if (full->has_second)
		usable &= ~(1u << R10);
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
