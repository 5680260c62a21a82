/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long the loops are of programs whose runs are limited: what a round costs. Loops are
 * found from the innermost to the outermost (Tarjan, "Testing Flow Graph Reducibility", 1974):
 * a loop is all that leads back to its head, and is then one block of the loops around it.
 * Blocks are known by their place in the postorder: an edge backwards does not go to a lower
 * one.
 */
#include "verify/fuel.h"

#include "isa/isa.h"

#include <errno.h>

struct rounds {
	const struct cfg *cfg;
	struct arena arena;
	u32 block_cnt;
	u32 *block_at;	 /* of each first instruction */
	u32 *pred_first; /* of each block, in `preds`; one more than there are blocks */
	u32 *preds;
	u32 *outer;  /* the head of the loop that the block is in, itself: none is known */
	u32 *length; /* of the block, then of the loop of which it is the head */
	u32 *stack, depth;
};

static u32 successors_of(const struct rounds *rounds, u32 block, u32 out[2])
{
	const u32 count = cfg_successors(rounds->cfg, rounds->cfg->postorder[block].last, out);

	for (u32 i = 0; i < count; i++)
		out[i] = rounds->block_at[out[i]];
	return count;
}

static bool prepare(struct rounds *rounds)
{
	const struct cfg *cfg = rounds->cfg;
	struct arena *arena = &rounds->arena;
	const u32 blocks = cfg->postorder_start[cfg->subprog_cnt];

	rounds->block_cnt = blocks;
	rounds->block_at = arena_array(arena, cfg->insn_cnt, sizeof(u32));
	rounds->pred_first = arena_array(arena, blocks + 2, sizeof(u32));
	rounds->preds = arena_array(arena, 2 * blocks, sizeof(u32));
	rounds->outer = arena_array(arena, blocks, sizeof(u32));
	rounds->length = arena_array(arena, blocks, sizeof(u32));
	rounds->stack = arena_array(arena, blocks, sizeof(u32));
	return rounds->block_at && rounds->pred_first && rounds->preds && rounds->outer &&
	       rounds->length && rounds->stack;
}

static void read_blocks(struct rounds *rounds)
{
	const struct cfg *cfg = rounds->cfg;

	for (u32 i = 0; i < rounds->block_cnt; i++) {
		const struct cfg_block block = cfg->postorder[i];

		rounds->block_at[block.first] = i;
		rounds->outer[i] = i;
		rounds->length[i] =
			block.last + insn_slots(&cfg->insns[block.last]) - block.first;
	}
}

/* pred_first is shifted by one place until all are there. */
static void find_preds(struct rounds *rounds)
{
	u32 *first = rounds->pred_first, out[2];

	for (u32 i = 0; i < rounds->block_cnt; i++)
		for (u32 k = successors_of(rounds, i, out); k-- > 0;)
			first[out[k] + 2]++;
	for (u32 i = 0; i < rounds->block_cnt; i++)
		first[i + 2] += first[i + 1];
	for (u32 i = 0; i < rounds->block_cnt; i++)
		for (u32 k = successors_of(rounds, i, out); k-- > 0;)
			rounds->preds[first[out[k] + 1]++] = i;
}

/* The head of the outermost loop found so far that the block is in. */
static u32 outermost(struct rounds *rounds, u32 block)
{
	u32 head = block;

	while (rounds->outer[head] != head)
		head = rounds->outer[head];
	while (rounds->outer[block] != head) {
		u32 next = rounds->outer[block];

		rounds->outer[block] = head;
		block = next;
	}
	return head;
}

static void add(struct rounds *rounds, u32 head, u32 block)
{
	block = outermost(rounds, block);
	/* What was reached before the head is in no loop of it. */
	if (block >= head)
		return;
	rounds->outer[block] = head;
	rounds->length[head] += rounds->length[block];
	rounds->stack[rounds->depth++] = block;
}

/* False: no edge goes back to the block. */
static bool find_loop(struct rounds *rounds, u32 head)
{
	const u32 *preds = rounds->preds, *first = rounds->pred_first;
	bool is_head = false;

	for (u32 i = first[head]; i < first[head + 1]; i++) {
		if (preds[i] > head)
			continue;
		is_head = true;
		add(rounds, head, preds[i]);
	}
	while (rounds->depth) {
		const u32 block = rounds->stack[--rounds->depth];

		for (u32 i = first[block]; i < first[block + 1]; i++)
			add(rounds, head, preds[i]);
	}
	return is_head;
}

int fuel_find_rounds(struct walk *walk)
{
	struct rounds rounds = {.cfg = &walk->cfg};
	struct verified *out = walk->out;
	int ret = -ENOMEM;

	if (!(walk->input->flags & VERIFY_FUEL))
		return 0;
	arena_init(&rounds.arena);
	out->rounds = arena_array(&out->arena, out->insn_cnt, sizeof(*out->rounds));
	if (out->rounds && prepare(&rounds)) {
		read_blocks(&rounds);
		find_preds(&rounds);
		for (u32 i = 0; i < rounds.block_cnt; i++)
			if (find_loop(&rounds, i))
				out->rounds[walk->cfg.postorder[i].first] = rounds.length[i];
		ret = 0;
	}
	arena_done(&rounds.arena);
	return ret;
}
