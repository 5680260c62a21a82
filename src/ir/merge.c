/* SPDX-License-Identifier: BSD-2-Clause */
/* A block that only one other leads to, and which leads nowhere else, is its continuation; one in
 * which nothing happens is left out. */
#include "ir/ir.h"

static bool may_merge(const struct ir_function *fn, u32 block, u32 next)
{
	return fn->blocks[block].succ_cnt == 1 && fn->blocks[next].pred_cnt == 1 &&
	       next != block && ir_at(fn, fn->blocks[block].last)->op == IR_jump;
}

/* Phis of one argument are that. */
static void drop_phis(struct ir_function *fn, u32 block)
{
	ir_ref next, at = fn->blocks[block].first;

	for (; at && ir_at(fn, at)->op == IR_phi; at = next) {
		next = ir_at(fn, at)->next;
		ir_replace(fn, at, ir_value(fn, fn->args[ir_at(fn, at)->args]));
	}
}

static void merge(struct ir_function *fn, u32 block, u32 next)
{
	struct ir_block *into = &fn->blocks[block], *from = &fn->blocks[next];

	drop_phis(fn, next);
	ir_unlink(fn, into->last);
	while (from->first) {
		const ir_ref at = from->first;

		ir_unlink(fn, at);
		ir_append(fn, block, at);
	}
	into->succ_cnt = from->succ_cnt;
	for (u32 s = 0; s < from->succ_cnt; s++) {
		struct ir_block *succ = &fn->blocks[from->succ[s]];

		into->succ[s] = from->succ[s];
		for (u32 p = 0; p < succ->pred_cnt; p++)
			if (succ->pred[p] == next)
				succ->pred[p] = block;
	}
	from->succ_cnt = from->pred_cnt = 0;
	ir_edges_changed(fn);
}

static bool leads_to(const struct ir_function *fn, u32 block, u32 to)
{
	for (u32 p = 0; p < fn->blocks[to].pred_cnt; p++)
		if (fn->blocks[to].pred[p] == block)
			return true;
	return false;
}

/* The way on from an empty block is that of the one before; of two ways between the same blocks
 * phis could not tell which was gone. */
static void leave_out(struct ir_function *fn, u32 empty)
{
	struct ir_block *block = &fn->blocks[empty], *before, *after;

	if (!empty || block->pred_cnt != 1 || block->succ_cnt != 1 || block->first != block->last ||
	    ir_at(fn, block->first)->op != IR_jump || block->succ[0] == empty ||
	    leads_to(fn, block->pred[0], block->succ[0]))
		return;
	before = &fn->blocks[block->pred[0]];
	after = &fn->blocks[block->succ[0]];
	before->succ[before->succ[0] != empty] = block->succ[0];
	for (u32 p = 0; p < after->pred_cnt; p++)
		if (after->pred[p] == empty)
			after->pred[p] = block->pred[0];
	block->first = block->last = 0;
	block->succ_cnt = block->pred_cnt = 0;
	ir_edges_changed(fn);
}

void ir_merge(struct ir_function *fn)
{
	for (u32 i = 0; i < fn->order_cnt; i++) {
		const u32 block = fn->order[i];

		while (fn->blocks[block].first && may_merge(fn, block, fn->blocks[block].succ[0]))
			merge(fn, block, fn->blocks[block].succ[0]);
	}
	for (u32 i = 0; i < fn->order_cnt; i++)
		leave_out(fn, fn->order[i]);
}
