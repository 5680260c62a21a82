/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames, arguments and ways from block to block, of whatever machine. */
#include "jit/full.h"

/* --- frames and arguments --- */

/* What calls nobody and keeps everything in registers that it may change. */
bool full_needs_frame(const struct full *full)
{
	const struct ir_function *fn = full->fn;

	if (fn->frame_bytes || full->slots || full->saved)
		return true;
	for (u32 i = 0; i < fn->order_cnt; i++)
		for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = ir_at(fn, at)->next)
			if (full_calls(full, ir_at(fn, at)))
				return true;
	return false;
}

/* The function's arguments to where they are wanted. */
void full_take_arguments(struct full *full)
{
	struct full_moves moves = {0};

	for (ir_ref at = full->fn->blocks[0].first; at; at = ir_at(full->fn, at)->next)
		if (ir_at(full->fn, at)->op == IR_arg && full->place[at] != NOWHERE)
			moves.list[moves.count++] =
				(struct full_move){full->place[at], 0,
						   full_argument[ir_at(full->fn, at)->imm]};
	full_move_all(full, &moves);
}

void full_pass(struct full *full, const struct ir_insn *insn, const u8 *registers)
{
	struct full_moves moves = {0};

	for (u32 i = 0; i < insn->arg_cnt; i++) {
		const ir_ref value = full->fn->args[insn->args + i];

		if (value)
			moves.list[moves.count++] = (struct full_move){registers[i], value, 0};
	}
	full_move_all(full, &moves);
}

/* --- jumps --- */

u32 full_target(const struct full *full, u32 block)
{
	while (full->alias[block] != block)
		block = full->alias[block];
	return block;
}

bool full_is_next(const struct full *full, u32 block)
{
	const struct ir_function *fn = full->fn;

	/* Blocks that are nothing but a jump elsewhere take no place. */
	for (u32 i = full->layout + 1; i < fn->order_cnt; i++) {
		if (fn->order[i] == block)
			return true;
		if (full->alias[fn->order[i]] == fn->order[i])
			return false;
	}
	return false;
}

void full_jump_to(struct full *full, u32 at, u32 block)
{
	if (full->jump_cnt == full->jump_room) {
		const u32 room = 2 * full->jump_room + 64;
		struct base_fixup *grown = realloc(full->jumps, room * sizeof(*grown));

		if (!grown) {
			full->failed = true;
			return;
		}
		full->jumps = grown;
		full->jump_room = room;
	}
	full->is_wanted[block] = true;
	full->jumps[full->jump_cnt++] = (struct base_fixup){at, block};
}

/* That are made in vain when the branch goes the other way. */
#define SUMS_MAX 2

/* In one of the registers which nobody has to keep. */
static bool is_small_sum(const struct full *full, ir_ref at, u32 busy)
{
	const struct ir_insn *insn = ir_at(full->fn, at);

	return insn->op == IR_add && full_in_reg(full, at) && full_in_reg(full, insn->a) &&
	       !(busy & 1u << full->place[at]) && full_is_small_sum(full, insn);
}

static bool may_move_early(struct full *full, u32 edge, u32 other, u32 registers)
{
	const struct ir_function *fn = full->fn;
	const u32 busy = full->alive[other] | registers;
	bool is_small = !full->is_made[edge] && !full->is_entered[edge] &&
			full->alias[edge] == edge &&
			fn->blocks[edge].pred_cnt == 1 &&
			ir_at(fn, fn->blocks[edge].last)->op == IR_jump;
	u32 sums = 0;

	for (ir_ref at = fn->blocks[edge].first; is_small && at != fn->blocks[edge].last;
	     at = ir_at(fn, at)->next)
		is_small = ++sums <= SUMS_MAX && is_small_sum(full, at, busy);
	return is_small && full_moves_keep(full, edge, busy) &&
	       (sums || full_has_phi_moves(full, edge));
}

bool full_move_early(struct full *full, u32 edge, u32 other, u32 registers)
{
	const struct ir_function *fn = full->fn;

	if (!may_move_early(full, edge, other, registers))
		return false;
	for (ir_ref at = fn->blocks[edge].first; at != fn->blocks[edge].last;
	     at = ir_at(fn, at)->next)
		full_small_sum(full, at);
	full_phi_moves(full, edge);
	full->is_early[edge] = true;
	full->alias[edge] = full_target(full, fn->blocks[edge].succ[0]);
	return true;
}

bool full_may_move_early(struct full *full, const u32 *succ)
{
	return may_move_early(full, succ[0], succ[1], 0) ||
	       may_move_early(full, succ[1], succ[0], 0);
}
