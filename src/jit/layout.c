/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where blocks stand. They come in reverse postorder, which is good but for one thing: in a loop
 * that looks for something, what is done when it is found stands in the way of the next round.
 */
#include "jit/full.h"

#include <string.h>

/* Of a test for equality the way of the unequal is the likely one: its place among the
 * successors; -1: no telling. */
static s32 likely_way(const struct ir_function *fn, const struct ir_block *block)
{
	const struct ir_insn *branch = ir_at(fn, block->last);

	if (block->succ_cnt != 2 || branch->op != IR_branch || branch->cond > IR_NE ||
	    !ir_is_const(fn, ir_value(fn, branch->b)))
		return -1;
	return branch->cond == IR_EQ;
}

static bool is_only_jump(const struct ir_function *fn, u32 block)
{
	return ir_at(fn, fn->blocks[block].first)->op == IR_jump;
}

/* Where an edge leads that has a block of its own. */
static u32 end_of_edge(const struct ir_function *fn, u32 block)
{
	return is_only_jump(fn, block) ? fn->blocks[block].succ[0] : block;
}

/* The block that begins the next round. */
static bool is_latch(const struct ir_function *fn, u32 block, u32 loop)
{
	const struct ir_block *latch = &fn->blocks[block];

	for (u32 s = 0; s < latch->succ_cnt; s++)
		if (end_of_edge(fn, latch->succ[s]) == loop)
			return true;
	return false;
}

static u32 place_of(const struct ir_function *fn, u32 from, u32 block)
{
	while (from < fn->order_cnt && fn->order[from] != block)
		from++;
	return from;
}

/* How far behind a loop's block its last one stands. */
static u32 end_of_loop(const struct ir_function *fn, u32 from, u32 loop)
{
	u32 end = from;

	for (u32 i = from; i < fn->order_cnt; i++) {
		const struct ir_block *block = &fn->blocks[fn->order[i]];

		if (block->loop == loop)
			end = i + 1;
		else if (block->depth < fn->blocks[loop].depth)
			break;
	}
	return end;
}

/* order[from] to order[to - 1] goes behind order[end - 1]. */
static void move_behind(struct ir_function *fn, u32 *spare, u32 from, u32 to, u32 end)
{
	memcpy(spare, fn->order + from, (to - from) * sizeof(*spare));
	memmove(fn->order + from, fn->order + to, (end - to) * sizeof(*spare));
	memcpy(fn->order + from + (end - to), spare, (to - from) * sizeof(*spare));
}

/* Blocks of the loop itself, or on the way out of it: no other loop begins there. */
static bool are_plain(const struct ir_function *fn, u32 from, u32 to, u32 loop)
{
	for (u32 i = from; i < to; i++)
		if (fn->blocks[fn->order[i]].loop != loop &&
		    fn->blocks[fn->order[i]].depth >= fn->blocks[loop].depth)
			return false;
	return true;
}

/* The block comes directly behind the place. */
static void move_up(struct ir_function *fn, u32 at, u32 block)
{
	const u32 place = place_of(fn, at + 1, block);

	if (place == fn->order_cnt)
		return;
	memmove(fn->order + at + 2, fn->order + at + 1, (place - at - 1) * sizeof(*fn->order));
	fn->order[at + 1] = block;
}

static void lay_out(struct ir_function *fn, u32 *spare, u32 at)
{
	const struct ir_block *block = &fn->blocks[fn->order[at]];
	const s32 way = block->depth ? likely_way(fn, block) : -1;
	u32 next, place;

	if (way < 0)
		return;
	next = block->succ[way];
	if (end_of_edge(fn, next) != next) {
		const u32 between = next;

		next = end_of_edge(fn, between);
		if (!is_latch(fn, next, block->loop) || next == block->loop)
			return;
		move_up(fn, at, between);
		at++;
	}
	if (!is_latch(fn, next, block->loop) || fn->order[at + 1] == next)
		return;
	place = place_of(fn, at + 1, next);
	if (place == fn->order_cnt || !are_plain(fn, at + 1, place, block->loop))
		return;
	move_behind(fn, spare, at + 1, place, end_of_loop(fn, place, block->loop));
}

void full_lay_out(struct ir_function *fn)
{
	u32 *spare = malloc(fn->order_cnt * sizeof(*spare));

	for (u32 i = 0; spare && i + 1 < fn->order_cnt; i++)
		lay_out(fn, spare, i);
	free(spare);
}
