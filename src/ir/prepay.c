/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuel of loops whose rounds are counted, and which do nothing that others see, is burnt before
 * the first round: a run that it is not enough for is stopped there as well as inside. Then
 * nothing in such a loop keeps it from being simplified.
 */
#include "ir/loop.h"

/* What one round costs: the one burn of the loop; 0: there is none, or something else happens.
 */
static ir_ref only_burn(const struct ir_function *fn, u32 block)
{
	ir_ref burn = 0;

	for (ir_ref at = fn->blocks[block].first; at; at = ir_at(fn, at)->next) {
		const struct ir_insn *insn = ir_at(fn, at);

		if (insn->is_ordered)
			return 0;
		if (!(ir_traits[insn->op] & IR_EFFECT) || ir_traits[insn->op] & IR_END)
			continue;
		if (insn->op != IR_burn || insn->cond || burn)
			return 0;
		burn = at;
	}
	return burn;
}

/* What is left is a phi of the loop's, and comes back as it is behind the burn. */
static bool counts_down(struct ir_function *fn, const struct ir_loop *loop, ir_ref burn,
			ir_ref phi)
{
	const struct ir_insn *insn = ir_at(fn, phi);

	return insn->op == IR_phi && insn->block == loop->block &&
	       ir_value(fn, fn->args[insn->args + loop->back]) == burn;
}

static void prepay(struct ir_function *fn, u32 block)
{
	const ir_ref burn = only_burn(fn, block);
	struct ir_loop loop;
	struct ir_insn all;
	ir_ref phi, paid;

	if (!burn || !ir_loop_find(fn, block, &loop))
		return;
	all = *ir_at(fn, burn);
	phi = ir_value(fn, all.a);
	if (!counts_down(fn, &loop, burn, phi) || loop.rounds > (u64)(INT32_MAX / all.imm))
		return;
	all.a = fn->args[ir_at(fn, phi)->args + loop.entry];
	all.imm *= (s64)loop.rounds;
	all.prev = all.next = 0;
	paid = ir_new(fn, &all);
	if (!paid)
		return;
	ir_insert_before(fn, fn->blocks[loop.before].last, paid);
	ir_replace(fn, burn, paid);
	ir_replace(fn, phi, paid);
}

void ir_prepay(struct ir_function *fn)
{
	const u32 blocks = fn->block_cnt;

	for (u32 i = 0; i < fn->order_cnt && !fn->failed; i++)
		prepay(fn, fn->order[i]);
	if (fn->block_cnt > blocks && !fn->failed)
		ir_order(fn);
}
