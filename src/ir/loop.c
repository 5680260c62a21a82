/* SPDX-License-Identifier: BSD-2-Clause */
#include "ir/loop.h"
#include "ir/fold.h"

#define DEPTH_MAX 8
/* Counters stay far from where they wrap. */
#define BOUND_MAX (1ull << 31)

static ir_ref argument(const struct ir_function *fn, ir_ref phi, u32 place)
{
	return ir_value(fn, fn->args[ir_at(fn, phi)->args + place]);
}

static bool is_inside(const struct ir_function *fn, const struct ir_loop *loop, ir_ref value)
{
	return !ir_is_const(fn, value) && ir_at(fn, value)->block == loop->block;
}

bool ir_loop_is_counter(const struct ir_function *fn, const struct ir_loop *loop, ir_ref phi,
			s64 *step)
{
	const struct ir_insn *next;

	if (ir_at(fn, phi)->op != IR_phi || ir_at(fn, phi)->block != loop->block)
		return false;
	next = ir_at(fn, argument(fn, phi, loop->back));
	if (next->op != IR_add || next->width != IR_64 || ir_value(fn, next->a) != phi ||
	    !ir_is_const(fn, ir_value(fn, next->b)))
		return false;
	*step = ir_at(fn, ir_value(fn, next->b))->imm;
	return *step;
}

static bool step_of(const struct ir_function *fn, const struct ir_loop *loop, ir_ref value,
		    s64 *step, u32 depth)
{
	const struct ir_insn *insn;
	s64 a, b;

	value = ir_value(fn, value);
	insn = ir_at(fn, value);
	*step = 0;
	if (!is_inside(fn, loop, value))
		return true;
	if (insn->op == IR_phi)
		return ir_loop_is_counter(fn, loop, value, step);
	if (!depth || insn->width != IR_64 || (insn->op != IR_add && insn->op != IR_shl) ||
	    !step_of(fn, loop, insn->a, &a, depth - 1) ||
	    !step_of(fn, loop, insn->b, &b, depth - 1))
		return false;
	if (insn->op == IR_add)
		*step = (s64)((u64)a + (u64)b);
	else if (ir_is_const(fn, ir_value(fn, insn->b)))
		*step = (s64)((u64)a << (ir_at(fn, ir_value(fn, insn->b))->imm & 63));
	else
		return false;
	return true;
}

bool ir_loop_step(const struct ir_function *fn, const struct ir_loop *loop, ir_ref value, s64 *step)
{
	return step_of(fn, loop, value, step, DEPTH_MAX);
}

ir_ref ir_loop_first(struct ir_function *fn, const struct ir_loop *loop, ir_ref value)
{
	const ir_ref where = fn->blocks[loop->before].last;
	struct ir_insn insn;
	ir_ref a, b;

	value = ir_value(fn, value);
	if (!is_inside(fn, loop, value))
		return value;
	insn = *ir_at(fn, value);
	if (insn.op == IR_phi)
		return argument(fn, value, loop->entry);
	a = ir_loop_first(fn, loop, insn.a);
	b = ir_loop_first(fn, loop, insn.b);
	return ir_fold_before(fn, where, (enum ir_op)insn.op, (enum ir_width)insn.width, a, b);
}

/* --- how often it goes round --- */

/* How often a counter that is `first` at the first test stays in: while it is below the bound, or
 * is not the bound. False: it is not known. */
static bool further_rounds(enum ir_cond stay, u64 first, u64 step, u64 bound, u64 *out)
{
	if (first >= BOUND_MAX || bound >= BOUND_MAX || !step || step >= BOUND_MAX)
		return false;
	switch ((u32)stay) {
	case IR_ULE:
	case IR_SLE: bound++; __attribute__((fallthrough));
	case IR_ULT:
	case IR_SLT: *out = first < bound ? (bound - first + step - 1) / step : 0; return true;
	case IR_NE:
		*out = (bound - first) / step;
		return first <= bound && !((bound - first) % step);
	default: return false;
	}
}

static bool count_rounds(const struct ir_function *fn, struct ir_loop *loop)
{
	const struct ir_block *block = &fn->blocks[loop->block];
	const struct ir_insn *branch = ir_at(fn, block->last);
	const ir_ref value = ir_value(fn, branch->a), bound = ir_value(fn, branch->b);
	enum ir_cond stay = (enum ir_cond)branch->cond;
	const struct ir_insn *tested = ir_at(fn, value);
	ir_ref phi = value;
	u64 first = 0;
	s64 step;

	if (block->succ[0] != loop->block)
		stay = ir_negate(stay);
	if (!ir_is_const(fn, bound))
		return false;
	if (tested->op == IR_add && ir_is_const(fn, ir_value(fn, tested->b))) {
		first = (u64)ir_at(fn, ir_value(fn, tested->b))->imm;
		phi = ir_value(fn, tested->a);
	}
	if (!ir_loop_is_counter(fn, loop, phi, &step) || step < 0 ||
	    !ir_is_const(fn, argument(fn, phi, loop->entry)))
		return false;
	first += (u64)ir_at(fn, argument(fn, phi, loop->entry))->imm;
	if (!further_rounds(stay, first, (u64)step, (u64)ir_at(fn, bound)->imm, &loop->rounds))
		return false;
	loop->rounds++;
	return true;
}

bool ir_loop_find(struct ir_function *fn, u32 block, struct ir_loop *out)
{
	const struct ir_block *in = &fn->blocks[block];

	if (in->pred_cnt != 2 || in->succ_cnt != 2 || ir_at(fn, in->last)->op != IR_branch ||
	    (in->pred[0] == block) == (in->pred[1] == block) ||
	    (in->succ[0] == block) == (in->succ[1] == block))
		return false;
	*out = (struct ir_loop){.block = block, .back = in->pred[1] == block};
	out->entry = 1 - out->back;
	out->before = in->pred[out->entry];
	if (!count_rounds(fn, out))
		return false;
	if (fn->blocks[out->before].succ_cnt != 1)
		out->before = ir_split_edge(fn, out->before,
					    fn->blocks[out->before].succ[0] != block);
	return !fn->failed;
}
