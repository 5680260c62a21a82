/* SPDX-License-Identifier: BSD-2-Clause */
/* Where values are alive: from where they are made to their uses, block by block. */
#include "jit/allocate.h"

#include <string.h>

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

void live_number(struct allocation *allocation)
{
	struct ir_function *fn = allocation->fn;
	u32 position = 0;

	for (u32 i = 0; i < fn->order_cnt; i++)
		position = block_position(allocation, fn->order[i], position);
	allocation->gaps = position + 1;
}

void live_note_clobbers(struct allocation *allocation)
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
				full_forbids(allocation->full, insn);
		}
}

/* --- uses --- */

bool live_needs_place(const struct ir_function *fn, ir_ref value)
{
	const struct ir_insn *insn = ir_at(fn, value);

	return value && ir_traits[insn->op] & IR_RESULT && insn->op != IR_const &&
	       insn->op != IR_frame;
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
				if (live_needs_place(fn, *place))
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

bool live_collect_uses(struct allocation *allocation)
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

void live_find(struct allocation *allocation, ir_ref value)
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
