/* SPDX-License-Identifier: BSD-2-Clause */
/* Value numbering: an operation that was done before, in a block that dominates, is not done
 * again. Loads count as long as nothing in the same block may have written in between. */
#include "ir/ir.h"

#include <stdlib.h>

struct numbers {
	ir_ref *table;
	u32 mask;
	u32 *memory; /* of each load: how many writes its block has seen */
};

static u64 mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

static u64 hash_of(const struct ir_function *fn, const struct ir_insn *insn)
{
	u64 hash = mix(insn->op, (u64)insn->imm);

	hash = mix(hash, (u64)insn->a << 32 | insn->b);
	hash = mix(hash, (u64)insn->c << 32 | insn->width << 16 | insn->cond << 8 | insn->bytes);
	for (u32 i = 0; i < insn->arg_cnt; i++)
		hash = mix(hash, fn->args[insn->args + i]);
	return hash;
}

static bool is_same(const struct ir_function *fn, const struct ir_insn *x,
		    const struct ir_insn *y)
{
	if (x->op != y->op || x->width != y->width || x->cond != y->cond ||
	    x->bytes != y->bytes || x->is_signed != y->is_signed || x->a != y->a ||
	    x->b != y->b || x->c != y->c || x->imm != y->imm || x->arg_cnt != y->arg_cnt ||
	    x->scale != y->scale)
		return false;
	for (u32 i = 0; i < x->arg_cnt; i++)
		if (fn->args[x->args + i] != fn->args[y->args + i])
			return false;
	return true;
}

static bool may_merge(const struct ir_function *fn, const struct numbers *numbers, ir_ref before,
		      ir_ref at, u32 writes)
{
	const struct ir_insn *x = ir_at(fn, before), *y = ir_at(fn, at);

	if (!is_same(fn, x, y))
		return false;
	if (y->op == IR_const)
		return true;
	if (!ir_dominates(fn, x->block, y->block))
		return false;
	return y->op != IR_load || (x->block == y->block && numbers->memory[before] == writes);
}

/* One chain per hash: the newest comes first, and the table only keeps that. */
static void number(struct ir_function *fn, struct numbers *numbers, ir_ref at, u32 writes)
{
	struct ir_insn *insn = ir_at(fn, at);
	ir_ref *place;

	IR_FOR_EACH_OPERAND(fn, insn, operand)
		*operand = ir_value(fn, *operand);
	if (!(ir_is_free(insn) || insn->op == IR_slot) &&
	    (insn->op != IR_load || insn->is_ordered))
		return;
	place = &numbers->table[hash_of(fn, insn) & numbers->mask];
	if (*place && ir_at(fn, *place)->op != IR_copy &&
	    may_merge(fn, numbers, *place, at, writes)) {
		ir_replace(fn, at, *place);
		return;
	}
	numbers->memory[at] = writes;
	*place = at;
}

static bool writes_memory(const struct ir_insn *insn)
{
	return ir_traits[insn->op] & IR_EFFECT || insn->is_ordered;
}

void ir_number(struct ir_function *fn)
{
	u32 room = 1024;
	struct numbers numbers;

	while (room < 2 * fn->insn_cnt)
		room *= 2;
	numbers = (struct numbers){calloc(room, sizeof(ir_ref)), room - 1,
				   calloc(fn->insn_cnt, sizeof(u32))};
	if (!numbers.table || !numbers.memory)
		fn->failed = true;
	for (u32 i = 0; i < fn->order_cnt && !fn->failed; i++) {
		u32 writes = 0;
		ir_ref next;

		for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = next) {
			next = ir_at(fn, at)->next;
			writes += writes_memory(ir_at(fn, at));
			number(fn, &numbers, at, writes);
		}
	}
	free(numbers.table);
	free(numbers.memory);
}
