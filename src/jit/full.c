/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/full.h"
#include "base/os.h"
#include "jit/unwind.h"
#include "run/run.h"

#include <errno.h>

/* --- one subprogram --- */

/* What processors fetch at once. */
#define LOOP_ALIGNMENT 16


/* A branch to a block that others go to, too, gets a block in between: the place for what the
 * phis there need. */
static void split_edges(struct ir_function *fn)
{
	const u32 blocks = fn->order_cnt;

	for (u32 i = 0; i < blocks && !fn->failed; i++) {
		const u32 block = fn->order[i];

		for (u32 s = 0; fn->blocks[block].succ_cnt == 2 && s < 2 && !fn->failed; s++)
			if (fn->blocks[fn->blocks[block].succ[s]].pred_cnt > 1)
				ir_split_edge(fn, block, s);
	}
	if (!fn->failed)
		ir_order(fn);
}

/* What is calculated of a branch's own operand for the next round of a loop alone is calculated
 * on the way there: then both can share a register. */
static void sink(struct ir_function *fn, u32 block, const u16 *uses)
{
	const u32 pred = fn->blocks[block].pred_cnt == 1 ? fn->blocks[block].pred[0] : 0;
	const struct ir_insn *branch = ir_at(fn, fn->blocks[pred].last);
	const u32 succ = fn->blocks[block].succ[0];
	u32 place;

	if (!pred || branch->op != IR_branch ||
	    ir_at(fn, fn->blocks[block].first)->op != IR_jump)
		return;
	place = ir_pred_place(fn, succ, block);
	for (ir_ref at = fn->blocks[succ].first; at && ir_at(fn, at)->op == IR_phi;
	     at = ir_at(fn, at)->next) {
		const ir_ref value = ir_value(fn, fn->args[ir_at(fn, at)->args + place]);
		const struct ir_insn *insn = ir_at(fn, value);

		if (insn->op != IR_add || insn->block != pred || uses[value] != 1 ||
		    !ir_is_const(fn, ir_value(fn, insn->b)) ||
		    ir_value(fn, insn->a) != ir_value(fn, branch->a))
			continue;
		ir_unlink(fn, value);
		ir_insert_before(fn, fn->blocks[block].first, value);
	}
}

static void sink_all(struct ir_function *fn)
{
	u16 *uses = calloc(fn->insn_cnt, sizeof(*uses));

	if (!uses) {
		fn->failed = true;
		return;
	}
	for (u32 i = 0; i < fn->order_cnt; i++)
		for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = ir_at(fn, at)->next) {
			struct ir_insn *insn = ir_at(fn, at);

			IR_FOR_EACH_OPERAND(fn, insn, operand) {
				const ir_ref value = ir_value(fn, *operand);

				uses[value] = min(uses[value] + 1, 2);
			}
		}
	for (u32 i = 0; i < fn->order_cnt; i++)
		sink(fn, fn->order[i], uses);
	free(uses);
}

static void emit_insn(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);

	switch (insn->op) {
	case IR_none:
	case IR_copy:
	case IR_const:
	case IR_arg:
	case IR_frame:
	case IR_phi: return;
	case IR_wide: full_number(full, at); return;
	case IR_select: full_select(full, at); return;
	case IR_reduce: full_reduce(full, at); return;
	case IR_load:
	case IR_store:
	case IR_atomic:
	case IR_fetch:
	case IR_cmpxchg: full_memory(full, at); return;
	default: break;
	}
	if (insn->op >= IR_add && insn->op <= IR_bswap64)
		full_pure(full, at);
	else
		full_control(full, at);
}

void full_insn(struct full *full, ir_ref at)
{
	if (emit_reserve(full->emit)) {
		full->failed = true;
		return;
	}
	base_place(full->base, ir_at(full->fn, at)->at);
	emit_insn(full, at);
}

static bool is_only_jump(struct full *full, u32 block)
{
	const struct ir_insn *first = ir_at(full->fn, full->fn->blocks[block].first);

	return block && first->op == IR_jump && full->fn->blocks[block].succ[0] != block &&
	       !full_has_phi_moves(full, block);
}

static void find_aliases(struct full *full)
{
	struct ir_function *fn = full->fn;

	for (u32 i = fn->order_cnt; i-- > 0;) {
		const u32 block = fn->order[i];

		full->alias[block] = block;
	}
	for (u32 i = 0; i < fn->order_cnt; i++) {
		const u32 block = fn->order[i];
		u32 target = fn->blocks[block].succ[0];

		if (!is_only_jump(full, block))
			continue;
		while (full->alias[target] != target)
			target = full->alias[target];
		if (target != block)
			full->alias[block] = target;
	}
}

/* Where a round of a loop begins that has no other loop in it. */
static bool is_inner_loop(const struct ir_function *fn, u32 block)
{
	return fn->blocks[block].loop == block;
}

static void emit_block(struct full *full, u32 block)
{
	struct ir_function *fn = full->fn;

	if (is_inner_loop(fn, block))
		machine_align(full->emit, LOOP_ALIGNMENT);
	full->offset[block] = emit_offset(full->emit);
	full->is_made[block] = true;
	if (full->alias[block] != block)
		return;
	for (ir_ref at = fn->blocks[block].first; at && !full->failed; at = ir_at(fn, at)->next)
		full_insn(full, at);
}

/* Whether all that led there goes elsewhere now. */
static bool is_left_out(const struct full *full, u32 block)
{
	const struct ir_block *in = &full->fn->blocks[block];

	for (u32 p = 0; p < in->pred_cnt; p++)
		if (!full->is_made[in->pred[p]])
			return false;
	return block && !full->is_wanted[block];
}

/* What is wanted after all stands behind the others. */
static bool emit_left_out(struct full *full)
{
	bool changed = false;

	for (u32 i = 0; i < full->fn->order_cnt && !full->failed; i++) {
		const u32 block = full->fn->order[i];

		if (full->is_made[block] || !full->is_wanted[block])
			continue;
		emit_block(full, block);
		changed = true;
	}
	return changed;
}

static void emit_blocks(struct full *full)
{
	struct ir_function *fn = full->fn;
	bool has_left_out = false;

	find_aliases(full);
	memset(full->is_made, 0, fn->block_cnt);
	memset(full->is_early, 0, fn->block_cnt);
	memset(full->is_wanted, 0, fn->block_cnt);
	memset(full->is_entered, 0, fn->block_cnt);
	full->copied = 0;
	full_prologue(full);
	for (full->layout = 0; full->layout < fn->order_cnt && !full->failed; full->layout++) {
		const u32 block = fn->order[full->layout];

		if (is_left_out(full, block))
			has_left_out = true;
		else
			emit_block(full, block);
	}
	while (has_left_out && !full->failed && emit_left_out(full))
		;
	for (u32 i = 0; i < full->jump_cnt; i++)
		base_aim(full->base, full->jumps[i].at, full->offset[full->jumps[i].target]);
}

static bool prepare(struct full *full, struct arena *arena)
{
	const u32 values = full->fn->insn_cnt, blocks = full->fn->block_cnt;

	full->place = arena_array(arena, values, sizeof(*full->place));
	full->position = arena_array(arena, values, sizeof(*full->position));
	full->start = arena_array(arena, blocks, sizeof(u32));
	full->end = arena_array(arena, blocks, sizeof(u32));
	full->alive = arena_array(arena, blocks, sizeof(*full->alive));
	full->offset = arena_array(arena, blocks, sizeof(u32));
	full->is_made = arena_array(arena, blocks, 1);
	full->is_early = arena_array(arena, blocks, 1);
	full->is_wanted = arena_array(arena, blocks, 1);
	full->is_entered = arena_array(arena, blocks, 1);
	full->alias = arena_array(arena, blocks, sizeof(u32));
	return full->place && full->position && full->start && full->end && full->alive &&
	       full->offset && full->is_made && full->is_early && full->is_wanted &&
	       full->is_entered && full->alias;
}

/* Once without, and if it turns out to be needed once with the second scratch register. */
static int translate(struct base *base, struct ir_function *fn)
{
	struct full full = {.base = base, .emit = &base->emit, .fn = fn};
	const struct base_mark mark = base_mark(base);
	struct arena arena;

	arena_init(&arena);
	if (!prepare(&full, &arena))
		full.failed = true;
	for (u32 round = 0; round < 2 && !full.failed; round++) {
		full.has_second = round == 1;
		full.jump_cnt = 0;
		full_allocate(&full);
		base_begin(base, fn->subprog);
		if (!full.failed)
			emit_blocks(&full);
		if (!full.wants_second || round == 1)
			break;
		full.wants_second = false;
		base_back(base, &mark);
	}
	free(full.jumps);
	arena_done(&arena);
	return full.failed ? -EOPNOTSUPP : 0;
}

/* --- the whole --- */

/* Callees read fewer arguments than there could be. */
static void drop_arguments(struct ir_function *functions, u32 count)
{
	for (u32 f = 0; f < count; f++) {
		struct ir_function *fn = &functions[f];

		for (ir_ref at = fn->blocks[0].first; at; at = ir_at(fn, at)->next)
			if (ir_at(fn, at)->op == IR_arg)
				fn->reads_args |= 1u << ir_at(fn, at)->imm;
	}
	for (u32 f = 0; f < count; f++) {
		struct ir_function *fn = &functions[f];

		for (ir_ref at = 1; at < fn->insn_cnt; at++) {
			const struct ir_insn *insn = ir_at(fn, at);

			if (insn->op != IR_call_local)
				continue;
			for (u32 i = 0; i < insn->arg_cnt; i++)
				if (!(functions[insn->imm].reads_args & 1u << i))
					fn->args[insn->args + i] = 0;
		}
		ir_dead(fn);
	}
}

static int build_all(struct ir_function *functions, const struct prog *prog)
{
	const u32 count = prog->verified->subprog_cnt;
	int err = 0;

	for (u32 i = 0; i < count && !err; i++) {
		err = ir_build(&functions[i], prog, i);
		functions[i].has_vectors = os_has_vectors();
		functions[i].counts_bits = os_counts_bits();
		functions[i].keeps_numbers = true;
		functions[i].has_room = full_has_room;
		functions[i].matches_bytes = os_matches_bytes();
		if (!err)
			ir_optimize(&functions[i]);
		err = err ?: functions[i].failed ? -ENOMEM : 0;
	}
	if (err)
		return err;
	drop_arguments(functions, count);
	for (u32 i = 0; i < count && !err; i++) {
		full_fuse(&functions[i]);
		split_edges(&functions[i]);
		if (!functions[i].failed)
			sink_all(&functions[i]);
		if (!functions[i].failed)
			full_lay_out(&functions[i]);
		err = functions[i].failed ? -ENOMEM : 0;
	}
	return err;
}

static int translate_subprog(struct base *base, u32 index)
{
	struct ir_function *functions = base->cookie;

	return translate(base, &functions[index]);
}

int full_compile(const struct prog *prog, struct native **out)
{
	const u32 count = prog->verified->subprog_cnt;
	struct ir_function *functions;
	int err;

	functions = calloc(count, sizeof(*functions));
	if (!functions)
		return -ENOMEM;
	err = build_all(functions, prog);
	if (!err)
		err = base_compile_with(prog, translate_subprog, functions, out);
	for (u32 i = 0; i < count; i++)
		ir_done(&functions[i]);
	free(functions);
	return err;
}
