/* SPDX-License-Identifier: BSD-2-Clause */
/* A branch around little work becomes a choice between values: nothing is left to predict. */
#include "ir/fold.h"

/* What may be done in vain, and how many values may be chosen, for one branch that is saved. */
#define WORK_MAX    3
#define SELECTS_MAX 2
#define ROUNDS_MAX  8

/* A branch whose ways meet again. A way without a block of its own is the branch's block. */
struct choice {
	u32 block, way[2], join;
	u32 place[2]; /* of the ways among the join's predecessors */
};

static bool is_cheap(const struct ir_insn *insn)
{
	switch (insn->op) {
	case IR_udiv:
	case IR_sdiv:
	case IR_umod:
	case IR_smod:
	case IR_mul:
	case IR_mulhi: return false;
	default: return ir_is_free(insn);
	}
}

/* Whether the block can be done in any case; what that costs is added to `work`. */
static bool is_arm(const struct ir_function *fn, u32 from, u32 block, u32 *work)
{
	const struct ir_block *arm = &fn->blocks[block];

	if (arm->pred_cnt != 1 || arm->pred[0] != from || arm->succ_cnt != 1)
		return false;
	for (ir_ref at = arm->first; at != arm->last; at = ir_at(fn, at)->next) {
		const struct ir_insn *insn = ir_at(fn, at);

		if (!is_cheap(insn))
			return false;
		*work += insn->op != IR_const;
	}
	return ir_at(fn, arm->last)->op == IR_jump;
}

static bool find(const struct ir_function *fn, u32 block, struct choice *out)
{
	const struct ir_block *from = &fn->blocks[block];
	bool arm[2];
	u32 work = 0;

	if (from->succ_cnt != 2 || ir_at(fn, from->last)->op != IR_branch ||
	    from->succ[0] == from->succ[1])
		return false;
	for (u32 i = 0; i < 2; i++)
		arm[i] = is_arm(fn, block, from->succ[i], &work);
	*out = (struct choice){.block = block};
	if (arm[0] && (!arm[1] || fn->blocks[from->succ[0]].succ[0] == from->succ[1]))
		out->join = fn->blocks[from->succ[0]].succ[0];
	else if (arm[1])
		out->join = fn->blocks[from->succ[1]].succ[0];
	else
		return false;
	for (u32 i = 0; i < 2; i++) {
		const u32 succ = from->succ[i];
		const bool is_direct = succ == out->join;

		if (!is_direct && (!arm[i] || fn->blocks[succ].succ[0] != out->join))
			return false;
		out->way[i] = is_direct ? block : succ;
		out->place[i] = ir_pred_place(fn, out->join, out->way[i]);
	}
	return work <= WORK_MAX && out->join != block;
}

static ir_ref chosen(const struct ir_function *fn, const struct choice *choice, ir_ref phi, u32 way)
{
	return ir_value(fn, fn->args[ir_at(fn, phi)->args + choice->place[way]]);
}

static u32 count_selects(const struct ir_function *fn, const struct choice *choice)
{
	u32 count = 0;

	for (ir_ref at = fn->blocks[choice->join].first; at && ir_at(fn, at)->op == IR_phi;
	     at = ir_at(fn, at)->next)
		count += chosen(fn, choice, at, 0) != chosen(fn, choice, at, 1);
	return count;
}

/* --- states --- */

#define STEPS_MAX 8

/* The phi of the block that has the value when it is come to from there; 0: none has. */
static ir_ref phi_of(const struct ir_function *fn, u32 from, u32 block, ir_ref value)
{
	const u32 place = ir_pred_place(fn, block, from);

	for (ir_ref at = fn->blocks[block].first; at && ir_at(fn, at)->op == IR_phi;
	     at = ir_at(fn, at)->next)
		if (ir_value(fn, fn->args[ir_at(fn, at)->args + place]) == value)
			return at;
	return 0;
}

static bool compares(const struct ir_function *fn, u32 block, ir_ref value)
{
	const struct ir_insn *branch = ir_at(fn, fn->blocks[block].last);

	return branch->op == IR_branch && branch->cond < IR_ANY &&
	       ir_value(fn, branch->a) == value && ir_is_const(fn, ir_value(fn, branch->b));
}

/* Whether the value is compared with several constants further on, as that of a switch. */
static bool is_switched(const struct ir_function *fn, u32 block, ir_ref value)
{
	for (u32 i = 0; i < STEPS_MAX && value; i++) {
		const struct ir_block *from = &fn->blocks[block];
		u32 next = 0;

		if (compares(fn, block, value))
			return compares(fn, from->succ[0], value) ||
			       compares(fn, from->succ[1], value);
		if (!from->succ_cnt)
			return false;
		if (from->succ_cnt == 2)
			next = fn->blocks[from->succ[1]].loop == from->succ[1];
		value = fn->blocks[from->succ[next]].pred_cnt == 1
				? value
				: phi_of(fn, block, from->succ[next], value);
		block = from->succ[next];
	}
	return false;
}

/* The ways to the next round are known behind a branch, and are not behind a choice. */
static bool is_state(const struct ir_function *fn, const struct choice *choice)
{
	if (fn->blocks[choice->block].loop == IR_NO_BLOCK)
		return false;
	for (ir_ref at = fn->blocks[choice->join].first; at && ir_at(fn, at)->op == IR_phi;
	     at = ir_at(fn, at)->next)
		if (chosen(fn, choice, at, 0) != chosen(fn, choice, at, 1) &&
		    ir_is_const(fn, chosen(fn, choice, at, 0)) &&
		    ir_is_const(fn, chosen(fn, choice, at, 1)) &&
		    is_switched(fn, choice->join, at))
			return true;
	return false;
}

/* --- what becomes of them --- */

static ir_ref select_before(struct ir_function *fn, ir_ref branch, ir_ref yes, ir_ref no)
{
	const struct ir_insn from = *ir_at(fn, branch);
	const u32 args = ir_new_args(fn, 2);
	ir_ref select;

	fn->args[args] = from.a;
	fn->args[args + 1] = from.b;
	select = ir_new(fn, &(struct ir_insn){.op = IR_select,
					      .width = from.width,
					      .cond = from.cond,
					      .a = yes,
					      .b = no,
					      .args = args,
					      .arg_cnt = 2,
					      .at = from.at});
	ir_insert_before(fn, branch, select);
	return select;
}

/* What the way does is done before the branch. */
static void hoist(struct ir_function *fn, u32 way, ir_ref branch)
{
	struct ir_block *arm = &fn->blocks[way];

	while (arm->first != arm->last) {
		const ir_ref at = arm->first;

		ir_unlink(fn, at);
		ir_insert_before(fn, branch, at);
	}
}

/* One way stays, with nothing left on it but the choices; the other is no longer reached. */
static void convert(struct ir_function *fn, const struct choice *choice)
{
	const ir_ref branch = fn->blocks[choice->block].last;
	const u32 dropped = choice->way[choice->way[1] != choice->block];

	for (u32 i = 0; i < 2; i++)
		if (choice->way[i] != choice->block)
			hoist(fn, choice->way[i], branch);
	for (ir_ref at = fn->blocks[choice->join].first;
	     at && ir_at(fn, at)->op == IR_phi && !fn->failed; at = ir_at(fn, at)->next) {
		const ir_ref yes = chosen(fn, choice, at, 0), no = chosen(fn, choice, at, 1);
		const ir_ref value = yes == no ? yes : select_before(fn, branch, yes, no);

		for (u32 i = 0; i < 2; i++)
			fn->args[ir_at(fn, at)->args + choice->place[i]] = value;
	}
	ir_drop_edge(fn, choice->block, dropped);
	ir_at(fn, branch)->op = IR_jump;
	ir_at(fn, branch)->a = ir_at(fn, branch)->b = 0;
}

static bool convert_all(struct ir_function *fn)
{
	struct choice choice;
	bool changed = false;

	for (u32 i = fn->order_cnt; i-- > 0 && !fn->failed;) {
		if (!find(fn, fn->order[i], &choice) ||
		    count_selects(fn, &choice) > SELECTS_MAX || is_state(fn, &choice))
			continue;
		convert(fn, &choice);
		changed = true;
	}
	return changed;
}

/* Choices within choices: the inner ones first. */
void ir_select(struct ir_function *fn)
{
	for (u32 round = 0; round < ROUNDS_MAX && !fn->failed && convert_all(fn); round++) {
		ir_order(fn);
		if (!fn->failed)
			ir_phis(fn);
		ir_merge(fn);
	}
}
