/* SPDX-License-Identifier: BSD-2-Clause */
#include "ir/ir.h"

#include <stdlib.h>
#include <string.h>

struct marks {
	u8 *used; /* of each instruction */
	ir_ref *stack;
	u32 depth, count;
	u32 args; /* of all that are used */
};

static void mark(struct marks *marks, ir_ref value)
{
	if (marks->used[value])
		return;
	marks->used[value] = 1;
	marks->stack[marks->depth++] = value;
	marks->count++;
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

		marks->args += insn->arg_cnt;
		IR_FOR_EACH_OPERAND(fn, insn, place) {
			*place = ir_value(fn, *place);
			mark(marks, *place);
		}
	}
}

/* --- the rest closer together --- */

/* So many times what is left there were. */
#define WORTH_IT 2

struct move {
	struct ir_function *fn;
	struct ir_insn *insns;
	ir_ref *args;
	ir_ref *number; /* of each instruction that is left; 0: it has none yet */
	u32 insn_cnt, arg_cnt;
};

static void move_insn(struct move *move, ir_ref at)
{
	const struct ir_insn *insn = ir_at(move->fn, at);
	struct ir_insn *to;

	if (move->number[at])
		return;
	to = &move->insns[move->insn_cnt];
	move->number[at] = move->insn_cnt++;
	*to = *insn;
	to->args = insn->arg_cnt ? move->arg_cnt : 0;
	memcpy(move->args + move->arg_cnt, move->fn->args + insn->args,
	       insn->arg_cnt * sizeof(ir_ref));
	move->arg_cnt += insn->arg_cnt;
}

/* In the order of the blocks; then what is in none. */
static void move_all(struct move *move, const struct marks *marks)
{
	struct ir_function *fn = move->fn;

	for (u32 i = 0; i < fn->order_cnt; i++)
		for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = ir_at(fn, at)->next)
			move_insn(move, at);
	for (ir_ref at = 1; at < fn->insn_cnt; at++)
		if (marks->used[at])
			move_insn(move, at);
}

static void rename_all(struct move *move)
{
	struct ir_function *fn = move->fn;

	for (ir_ref at = 1; at < move->insn_cnt; at++) {
		struct ir_insn *insn = &move->insns[at];

		insn->a = move->number[insn->a];
		insn->b = move->number[insn->b];
		insn->c = move->number[insn->c];
		insn->prev = move->number[insn->prev];
		insn->next = move->number[insn->next];
	}
	for (u32 i = 1; i < move->arg_cnt; i++)
		move->args[i] = move->number[move->args[i]];
	for (u32 i = 0; i < fn->order_cnt; i++) {
		struct ir_block *block = &fn->blocks[fn->order[i]];

		block->first = move->number[block->first];
		block->last = move->number[block->last];
	}
}

static void number_anew(struct ir_function *fn, const struct marks *marks)
{
	struct move move = {
		.fn = fn,
		.insns = calloc(marks->count + 1, sizeof(*move.insns)),
		.args = calloc(marks->args + 1, sizeof(*move.args)),
		.number = calloc(fn->insn_cnt, sizeof(*move.number)),
		.insn_cnt = 1,
		.arg_cnt = 1,
	};

	if (move.insns && move.args && move.number) {
		move_all(&move, marks);
		rename_all(&move);
		free(fn->insns);
		free(fn->args);
		fn->insns = move.insns;
		fn->insn_room = marks->count + 1;
		fn->insn_cnt = move.insn_cnt;
		fn->args = move.args;
		fn->arg_room = marks->args + 1;
		fn->arg_cnt = move.arg_cnt;
	} else {
		fn->failed = true;
		free(move.insns);
		free(move.args);
	}
	free(move.number);
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
		if (WORTH_IT * marks.count < fn->insn_cnt)
			number_anew(fn, &marks);
	} else {
		fn->failed = true;
	}
	free(marks.used);
	free(marks.stack);
}
