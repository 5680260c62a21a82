/* SPDX-License-Identifier: BSD-2-Clause */
#include "ir/ir.h"

#include <stdlib.h>

struct marks {
	u8 *used; /* of each instruction */
	ir_ref *stack;
	u32 depth;
};

static void mark(struct marks *marks, ir_ref value)
{
	if (marks->used[value])
		return;
	marks->used[value] = 1;
	marks->stack[marks->depth++] = value;
}

static void mark_all(struct ir_function *fn, struct marks *marks)
{
	for (u32 i = 0; i < fn->order_cnt; i++)
		for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = ir_at(fn, at)->next)
			if (ir_traits[ir_at(fn, at)->op] & IR_EFFECT ||
			    ir_at(fn, at)->is_ordered)
				mark(marks, at);
	while (marks->depth) {
		struct ir_insn *insn = ir_at(fn, marks->stack[--marks->depth]);

		IR_FOR_EACH_OPERAND(fn, insn, place) {
			*place = ir_value(fn, *place);
			mark(marks, *place);
		}
	}
}

void ir_dead(struct ir_function *fn)
{
	struct marks marks = {.used = calloc(fn->insn_cnt, 1),
			      .stack = malloc(fn->insn_cnt * sizeof(ir_ref))};

	if (marks.used && marks.stack) {
		mark_all(fn, &marks);
		for (u32 i = 0; i < fn->order_cnt; i++) {
			ir_ref next;

			for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = next) {
				next = ir_at(fn, at)->next;
				if (!marks.used[at])
					ir_unlink(fn, at);
			}
		}
	} else {
		fn->failed = true;
	}
	free(marks.used);
	free(marks.stack);
}
