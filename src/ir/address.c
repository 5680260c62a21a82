/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums to parts of addresses: base + (index << scale) + displacement, as machines have it. */
#include "ir/ir.h"

#include <stdlib.h>

#define SCALE_MAX 3
/* A sum that more accesses use is calculated once. */
#define USES_MAX 4

static ir_ref *index_place(struct ir_insn *insn)
{
	return insn->op == IR_load ? &insn->b : &insn->c;
}

static bool is_access(const struct ir_insn *insn)
{
	return (insn->op == IR_load || insn->op == IR_store) && !insn->is_ordered;
}

static void split_sum(struct ir_function *fn, struct ir_insn *insn, const struct ir_insn *sum,
		      bool is_only_use)
{
	ir_ref base = ir_value(fn, sum->a), index = ir_value(fn, sum->b);
	const struct ir_insn *shift = ir_at(fn, index);

	if (ir_at(fn, base)->op == IR_shl) {
		base = index;
		index = ir_value(fn, sum->a);
		shift = ir_at(fn, index);
	}
	/* An address that is a number, such as that of a map's values, is made for each access. */
	if (ir_is_const(fn, index) && is_only_use) {
		const ir_ref number = index;

		index = base;
		base = number;
		shift = ir_at(fn, index);
	}
	if (ir_is_const(fn, base) && !is_only_use)
		return;
	if (ir_at(fn, base)->op == IR_frame || shift->op == IR_frame || shift->op == IR_const)
		return;
	insn->a = base;
	if (shift->op == IR_shl && shift->width == IR_64 && ir_is_const(fn, ir_value(fn, shift->b)) &&
	    ir_at(fn, ir_value(fn, shift->b))->imm <= SCALE_MAX) {
		insn->scale = (u8)ir_at(fn, ir_value(fn, shift->b))->imm;
		index = ir_value(fn, shift->a);
	}
	*index_place(insn) = index;
}

static void count_uses(struct ir_function *fn, u16 *uses)
{
	for (u32 i = 0; i < fn->order_cnt; i++)
		for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = ir_at(fn, at)->next) {
			struct ir_insn *insn = ir_at(fn, at);

			IR_FOR_EACH_OPERAND(fn, insn, place) {
				*place = ir_value(fn, *place);
				/* Anything but an address counts as too many. */
				uses[*place] += is_access(insn) && place == &insn->a ? 1
										     : 0x100;
			}
		}
}

void ir_address(struct ir_function *fn)
{
	u16 *uses = calloc(fn->insn_cnt, sizeof(*uses));

	if (!uses) {
		fn->failed = true;
		return;
	}
	count_uses(fn, uses);
	for (u32 i = 0; i < fn->order_cnt; i++)
		for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = ir_at(fn, at)->next) {
			struct ir_insn *insn = ir_at(fn, at);
			const struct ir_insn *sum = ir_at(fn, insn->a);

			if (is_access(insn) && !*index_place(insn) && sum->op == IR_add &&
			    sum->width == IR_64 && uses[insn->a] <= USES_MAX)
				split_sum(fn, insn, sum, uses[insn->a] == 1);
		}
	free(uses);
}
