/* SPDX-License-Identifier: BSD-2-Clause */
#include "ir/ir.h"

/* The one value that the phi can be besides itself; 0: there are more. */
static ir_ref only_value(const struct ir_function *fn, ir_ref at)
{
	const struct ir_insn *phi = ir_at(fn, at);
	ir_ref only = 0;

	for (u32 i = 0; i < phi->arg_cnt; i++) {
		ir_ref value = ir_value(fn, fn->args[phi->args + i]);
		const struct ir_insn *insn = ir_at(fn, value);

		if (value == at || value == only)
			continue;
		if (only && !(insn->op == IR_const && ir_is_const(fn, only) &&
			      insn->imm == ir_at(fn, only)->imm))
			return 0;
		only = only ?: value;
	}
	return only;
}

void ir_phis(struct ir_function *fn)
{
	bool changed = true;

	while (changed && !fn->failed) {
		changed = false;
		for (u32 i = 0; i < fn->order_cnt; i++) {
			ir_ref next, at = fn->blocks[fn->order[i]].first;

			for (; at && ir_at(fn, at)->op == IR_phi; at = next) {
				ir_ref only = only_value(fn, at);

				next = ir_at(fn, at)->next;
				if (!only)
					continue;
				ir_replace(fn, at, only);
				changed = true;
			}
		}
	}
}
