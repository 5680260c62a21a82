/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jumps whose way on is known: a block that gives a phi a constant, which comparisons further on
 * decide by, as the states of a machine in a loop with a switch. What stands on the way is made once
 * more, and the jump goes to where the comparisons would lead. Values have one place each, so that
 * the copy computes the same in the same registers.
 */
#include "jit/full.h"

/* Of one jump: blocks, known values, instructions that are copied, and so many for each
 * comparison that is saved; and of a function. */
#define STEPS_MAX	16
#define KNOWN_MAX	8
#define COPIES_MAX	12
#define COPIES_EACH	8
#define COPIES_ALL	400

struct known {
	ir_ref phi;
	u64 value;
};

struct thread {
	struct full *full;
	struct known known[KNOWN_MAX];
	u32 known_cnt;
	/* What is passed through, and where each goes on. */
	u32 steps[STEPS_MAX], next[STEPS_MAX];
	bool is_decided[STEPS_MAX];
	u32 step_cnt, copies, decided;
	u32 target;
	bool has_way_out; /* one comparison is not decided: its other way leaves the loop */
};

static bool value_of(const struct thread *thread, ir_ref value, u64 *out)
{
	const struct ir_function *fn = thread->full->fn;

	value = ir_value(fn, value);
	if (ir_is_const(fn, value)) {
		*out = (u64)ir_at(fn, value)->imm;
		return true;
	}
	for (u32 i = 0; i < thread->known_cnt; i++)
		if (thread->known[i].phi == value) {
			*out = thread->known[i].value;
			return true;
		}
	return false;
}

/* What the phis become on the way from the block: all at once. False: none is known. */
static bool learn(struct thread *thread, u32 from, u32 block)
{
	const struct ir_function *fn = thread->full->fn;
	struct known found[KNOWN_MAX];
	u32 count = 0, place;

	if (ir_at(fn, fn->blocks[block].first)->op != IR_phi)
		return true;
	place = ir_pred_place(fn, block, from);
	for (ir_ref at = fn->blocks[block].first; at && ir_at(fn, at)->op == IR_phi;
	     at = ir_at(fn, at)->next) {
		u64 value;

		if (count < KNOWN_MAX &&
		    value_of(thread, fn->args[ir_at(fn, at)->args + place], &value))
			found[count++] = (struct known){at, value};
	}
	thread->known_cnt = count;
	for (u32 i = 0; i < count; i++)
		thread->known[i] = found[i];
	return count;
}

static bool may_copy(const struct ir_insn *insn)
{
	return insn->op == IR_phi || insn->op == IR_load || insn->op == IR_store ||
	       insn->op == IR_burn || ir_is_free(insn);
}

/* Adds what the block costs; false: it cannot be made twice. */
static bool count_copies(struct thread *thread, u32 block)
{
	const struct ir_function *fn = thread->full->fn;

	for (ir_ref at = fn->blocks[block].first; at != fn->blocks[block].last;
	     at = ir_at(fn, at)->next) {
		const struct ir_insn *insn = ir_at(fn, at);

		if (!may_copy(insn))
			return false;
		thread->copies += insn->op != IR_phi && insn->op != IR_const;
	}
	return thread->copies <= COPIES_MAX;
}

/* Where the comparison leads. */
static bool decide(const struct thread *thread, u32 block, u32 *next)
{
	const struct ir_function *fn = thread->full->fn;
	const struct ir_insn *branch = ir_at(fn, fn->blocks[block].last);
	u64 a, b;

	if (branch->op != IR_branch || !value_of(thread, branch->a, &a) ||
	    !value_of(thread, branch->b, &b))
		return false;
	*next = fn->blocks[block].succ[!ir_eval_cond((enum ir_cond)branch->cond,
						     (enum ir_width)branch->width, a, b)];
	return true;
}

static bool is_loop_head(const struct ir_function *fn, u32 block)
{
	if (ir_at(fn, fn->blocks[block].last)->op == IR_jump && fn->blocks[block].pred_cnt == 1)
		block = fn->blocks[block].succ[0];
	return fn->blocks[block].loop == block;
}

/* The way that goes round; the other one is only jumped to. */
static bool stay(struct thread *thread, u32 block, u32 *next)
{
	const struct full *full = thread->full;
	const struct ir_block *from = &full->fn->blocks[block];
	u32 back;

	if (ir_at(full->fn, from->last)->op != IR_branch || thread->has_way_out)
		return false;
	back = is_loop_head(full->fn, from->succ[1]);
	if (!back && !is_loop_head(full->fn, from->succ[0]))
		return false;
	/* What stood there was done before the branch already. */
	if (full->is_early[from->succ[!back]])
		return false;
	thread->has_way_out = true;
	*next = from->succ[back];
	return true;
}

static bool is_jump(const struct ir_function *fn, u32 block)
{
	return ir_at(fn, fn->blocks[block].last)->op == IR_jump;
}

static bool add_step(struct thread *thread, u32 block, u32 next, bool is_decided)
{
	if (thread->step_cnt == STEPS_MAX || !count_copies(thread, block))
		return false;
	thread->steps[thread->step_cnt] = block;
	thread->next[thread->step_cnt] = next;
	thread->is_decided[thread->step_cnt++] = is_decided;
	thread->decided += is_decided;
	return true;
}

/* From block to block, up to the first that is not decided behind one that is. */
static bool plan(struct thread *thread, u32 from)
{
	const struct ir_function *fn = thread->full->fn;
	u32 block = fn->blocks[from].succ[0], next;

	for (;; from = block, block = next) {
		bool is_decided;

		if ((!learn(thread, from, block) || !thread->known_cnt) && !thread->decided)
			return false;
		is_decided = decide(thread, block, &next);
		if (!is_decided && is_jump(fn, block) &&
		    (!thread->decided || fn->blocks[block].first == fn->blocks[block].last))
			next = fn->blocks[block].succ[0];
		else if (!is_decided && (thread->decided || !stay(thread, block, &next)))
			break;
		if (!add_step(thread, block, next, is_decided))
			return false;
	}
	thread->target = block;
	return thread->decided && !thread->full->is_early[block] &&
	       thread->copies <= COPIES_EACH * thread->decided;
}

static void copy(struct thread *thread, u32 step)
{
	struct full *full = thread->full;
	const struct ir_block *block = &full->fn->blocks[thread->steps[step]];
	ir_ref at = block->first;

	for (; at != block->last && !full->failed; at = ir_at(full->fn, at)->next)
		full_insn(full, at);
	if (is_jump(full->fn, thread->steps[step]))
		full_phi_moves(full, thread->steps[step]);
	else if (!thread->is_decided[step])
		full_leave_way(full, at, block->succ[thread->next[step] == block->succ[0]],
			       thread->next[step] != block->succ[0]);
}

bool full_thread(struct full *full, u32 block, u32 *target)
{
	struct thread thread = {.full = full};

	if (!plan(&thread, block) || full->copied + thread.copies > COPIES_ALL)
		return false;
	full->copied += thread.copies;
	for (u32 i = 0; i < thread.step_cnt && !full->failed; i++)
		copy(&thread, i);
	*target = thread.target;
	return true;
}
