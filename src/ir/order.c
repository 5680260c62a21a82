/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks in reverse postorder, their dominators (Cooper, Harvey and Kennedy, "A Simple, Fast
 * Dominance Algorithm", 2001), and natural loops. */
#include "ir/ir.h"

#include <stdlib.h>
#include <string.h>

/* --- order --- */

struct step {
	u32 block, next; /* successor to visit */
};

/* Whether the first of two successors stays in the loop longer, as far as loops are known from an
 * earlier round. */
static bool first_stays(const struct ir_function *fn, const struct ir_block *block)
{
	const struct ir_block *first = &fn->blocks[block->succ[0]],
			      *second = &fn->blocks[block->succ[1]];

	if (first->depth != second->depth)
		return first->depth > second->depth;
	/* Of two loops that follow one another. */
	return first->loop == block->loop && second->loop != block->loop;
}

/* What is visited last stands behind the block, where no jump is needed: what stays in the loop,
 * else what follows in the program. */
static u32 successor(const struct ir_function *fn, const struct ir_block *block, u32 index)
{
	return block->succ[block->succ_cnt == 2 && first_stays(fn, block) ? 1 - index : index];
}

static void postorder(struct ir_function *fn, struct step *stack)
{
	u32 depth = 1, count = 0;

	stack[0] = (struct step){0, 0};
	fn->blocks[0].order = 0;
	while (depth) {
		struct step *step = &stack[depth - 1];
		const struct ir_block *block = &fn->blocks[step->block];

		if (step->next < block->succ_cnt) {
			u32 succ = successor(fn, block, step->next++);

			if (fn->blocks[succ].order == UINT32_MAX) {
				fn->blocks[succ].order = 0;
				stack[depth++] = (struct step){succ, 0};
			}
			continue;
		}
		fn->order[count++] = step->block;
		depth--;
	}
	fn->order_cnt = count;
}

static void reverse(struct ir_function *fn)
{
	for (u32 i = 0; i < fn->order_cnt / 2; i++) {
		u32 other = fn->order_cnt - 1 - i, block = fn->order[i];

		fn->order[i] = fn->order[other];
		fn->order[other] = block;
	}
	for (u32 i = 0; i < fn->order_cnt; i++)
		fn->blocks[fn->order[i]].order = i;
}

/* They are on no way: nothing comes to stand elsewhere. */
static void drop_unreached(struct ir_function *fn)
{
	const u32 due = fn->orders_due;

	for (u32 i = 0; i < fn->block_cnt; i++) {
		struct ir_block *block = &fn->blocks[i];

		if (block->order != UINT32_MAX)
			continue;
		while (block->succ_cnt)
			ir_drop_edge(fn, i, block->succ[0]);
		block->first = block->last = 0;
	}
	fn->orders_due = due;
}

/* --- dominators --- */

static u32 common(const struct ir_function *fn, u32 a, u32 b)
{
	while (a != b) {
		while (fn->blocks[a].order > fn->blocks[b].order)
			a = fn->blocks[a].dominator;
		while (fn->blocks[b].order > fn->blocks[a].order)
			b = fn->blocks[b].dominator;
	}
	return a;
}

static void dominators(struct ir_function *fn)
{
	bool changed = true;

	for (u32 i = 0; i < fn->order_cnt; i++)
		fn->blocks[fn->order[i]].dominator = IR_NO_BLOCK;
	fn->blocks[0].dominator = 0;
	while (changed) {
		changed = false;
		for (u32 i = 1; i < fn->order_cnt; i++) {
			struct ir_block *block = &fn->blocks[fn->order[i]];
			u32 found = IR_NO_BLOCK;

			for (u32 p = 0; p < block->pred_cnt; p++) {
				u32 pred = block->pred[p];

				if (fn->blocks[pred].dominator != IR_NO_BLOCK)
					found = found == IR_NO_BLOCK ? pred
								     : common(fn, found, pred);
			}
			changed |= found != block->dominator;
			block->dominator = found;
		}
	}
}

bool ir_dominates(const struct ir_function *fn, u32 above, u32 block)
{
	while (fn->blocks[block].order > fn->blocks[above].order)
		block = fn->blocks[block].dominator;
	return block == above;
}

/* --- loops, the outer ones first --- */

static void add_loop(struct ir_function *fn, u32 head, u32 *stack, u32 *seen)
{
	const struct ir_block *first = &fn->blocks[head];
	u32 depth = 0;

	seen[head] = head;
	for (u32 p = 0; p < first->pred_cnt; p++)
		if (ir_dominates(fn, head, first->pred[p]) && seen[first->pred[p]] != head) {
			seen[first->pred[p]] = head;
			stack[depth++] = first->pred[p];
		}
	if (!depth && seen[head] == head) {
		bool is_own = false;

		for (u32 p = 0; p < first->pred_cnt; p++)
			is_own |= first->pred[p] == head;
		if (!is_own)
			return;
	}
	fn->has_loops = true;
	fn->blocks[head].loop = head;
	fn->blocks[head].depth++;
	while (depth) {
		struct ir_block *block = &fn->blocks[stack[--depth]];

		block->loop = head;
		block->depth++;
		for (u32 p = 0; p < block->pred_cnt; p++)
			if (seen[block->pred[p]] != head) {
				seen[block->pred[p]] = head;
				stack[depth++] = block->pred[p];
			}
	}
}

static void loops(struct ir_function *fn, u32 *stack, u32 *seen)
{
	fn->has_loops = false;
	memset(seen, 0xff, fn->block_cnt * sizeof(*seen));
	for (u32 i = 0; i < fn->order_cnt; i++) {
		fn->blocks[fn->order[i]].loop = IR_NO_BLOCK;
		fn->blocks[fn->order[i]].depth = 0;
	}
	for (u32 i = 0; i < fn->order_cnt; i++)
		add_loop(fn, fn->order[i], stack, seen);
}

void ir_order(struct ir_function *fn)
{
	struct step *stack;
	u32 *seen;

	if (!fn->orders_due)
		return;
	stack = malloc((fn->block_cnt + 1) * sizeof(*stack));
	seen = malloc(fn->block_cnt * sizeof(*seen));
	free(fn->order);
	fn->order = malloc(fn->block_cnt * sizeof(*fn->order));
	if (!stack || !fn->order || !seen) {
		fn->failed = true;
	} else {
		for (u32 i = 0; i < fn->block_cnt; i++)
			fn->blocks[i].order = UINT32_MAX;
		postorder(fn, stack);
		reverse(fn);
		drop_unreached(fn);
		dominators(fn);
		loops(fn, (u32 *)stack, seen);
		/* Without a loop there is nothing to keep together. */
		fn->orders_due = fn->has_loops ? fn->orders_due - 1 : 0;
	}
	free(stack);
	free(seen);
}
