/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that no instruction has room for are made before the loop that needs them, for the
 * whole of it to have in a register. */
#include "ir/fold.h"

#include <stdlib.h>

/* Of one loop. */
#define NUMBERS_MAX 8
/* Of a machine with more registers and less room for numbers. */
#define NUMBERS_MORE 16

struct number {
	u64 value;
	ir_ref made;
	u32 next; /* of the same loop; 0: none */
};

struct hoist {
	struct ir_function *fn;
	u32 *first; /* of each loop's head: a number; 0: none */
	struct number *numbers;
	u32 number_cnt, room;
};

/* The end of the block that the loop is entered from and that goes nowhere else, which may have to
 * be made; 0: there is none. */
static ir_ref before_loop(struct ir_function *fn, u32 head)
{
	const struct ir_block *block = &fn->blocks[head];
	u32 from = IR_NO_BLOCK;

	for (u32 p = 0; p < block->pred_cnt; p++) {
		if (ir_dominates(fn, head, block->pred[p]))
			continue;
		if (from != IR_NO_BLOCK)
			return 0;
		from = block->pred[p];
	}
	if (from == IR_NO_BLOCK)
		return 0;
	if (fn->blocks[from].succ_cnt == 2 && fn->has_room)
		from = ir_split_edge(fn, from, fn->blocks[from].succ[1] == head);
	return fn->failed ? 0 : fn->blocks[from].last;
}

static bool reserve(struct hoist *hoist)
{
	struct number *grown;

	if (hoist->number_cnt < hoist->room)
		return true;
	hoist->room = 2 * hoist->room + 64;
	grown = realloc(hoist->numbers, hoist->room * sizeof(*grown));
	if (!grown) {
		hoist->fn->failed = true;
		return false;
	}
	hoist->numbers = grown;
	hoist->number_cnt += !hoist->number_cnt; /* 0 is none */
	return true;
}

static ir_ref make(struct hoist *hoist, u32 head, u64 value)
{
	struct ir_function *fn = hoist->fn;
	const ir_ref where = before_loop(fn, head);
	ir_ref made;

	if (!where || !reserve(hoist))
		return 0;
	made = ir_new(fn, &(struct ir_insn){.op = IR_wide,
					    .width = IR_64,
					    .imm = (s64)value,
					    .at = ir_at(fn, where)->at});
	if (!made)
		return 0;
	ir_insert_before(fn, where, made);
	hoist->numbers[hoist->number_cnt] = (struct number){value, made, hoist->first[head]};
	hoist->first[head] = hoist->number_cnt++;
	return made;
}

/* 0: it stays where it is. */
static ir_ref number_for(struct hoist *hoist, u32 head, u64 value)
{
	u32 count = 0;

	for (u32 i = hoist->first[head]; i; i = hoist->numbers[i].next, count++)
		if (hoist->numbers[i].value == value)
			return hoist->numbers[i].made;
	return count < (hoist->fn->has_room ? NUMBERS_MORE : NUMBERS_MAX) ? make(hoist, head, value) : 0;
}

/* Whether the machine takes the operand of all 64 bits. */
static bool is_wide(const struct ir_function *fn, const struct ir_insn *insn, const ir_ref *place)
{
	const s64 value = ir_at(fn, *place)->imm;
	const bool is_address = place == &insn->a;

	if (!ir_is_const(fn, *place) || (fn->has_room ? fn->has_room(fn, insn, place) : value == (s32)value))
		return false;
	switch (insn->op) {
	case IR_load: return true;
	case IR_store: return is_address || insn->bytes == 8 || fn->has_room;
	case IR_branch: return insn->width == IR_64 || fn->has_room;
	default:
		return insn->op >= IR_add && insn->op <= IR_bswap64 &&
		       (insn->width == IR_64 || fn->has_room);
	}
}

static void hoist_from(struct hoist *hoist, u32 block)
{
	struct ir_function *fn = hoist->fn;

	for (ir_ref at = fn->blocks[block].first; at && !fn->failed; at = ir_at(fn, at)->next) {
		ir_ref *places[] = {&ir_at(fn, at)->a, &ir_at(fn, at)->b};

		for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
			ir_ref made;

			*places[i] = ir_value(fn, *places[i]);
			if (!is_wide(fn, ir_at(fn, at), places[i]))
				continue;
			made = number_for(hoist, fn->blocks[block].loop,
					  (u64)ir_at(fn, *places[i])->imm);
			/* What was made may have moved the instructions. */
			places[0] = &ir_at(fn, at)->a;
			places[1] = &ir_at(fn, at)->b;
			if (made)
				*places[i] = made;
		}
	}
}

void ir_hoist(struct ir_function *fn)
{
	struct hoist hoist = {.fn = fn};

	if (!fn->keeps_numbers)
		return;
	hoist.first = calloc(fn->block_cnt, sizeof(*hoist.first));
	if (!hoist.first) {
		fn->failed = true;
		return;
	}
	for (u32 i = 0; i < fn->order_cnt && !fn->failed; i++)
		if (fn->blocks[fn->order[i]].loop != IR_NO_BLOCK)
			hoist_from(&hoist, fn->order[i]);
	free(hoist.numbers);
	free(hoist.first);
	if (!fn->failed)
		ir_order(fn);
}
