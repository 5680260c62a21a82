/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves that happen all at once: none overwrites what another still reads. */
#include "jit/full.h"

static s32 source_of(const struct full *full, const struct full_move *move)
{
	return move->from ? full->place[move->from] : move->place;
}

static void move_place(struct full *full, s32 to, s32 from)
{
	u8 reg = to >= 0 ? (u8)to : from >= 0 ? (u8)from : SCRATCH;

	if (from >= 0 && to >= 0)
		base_move(full->base, W64, reg, (u8)from);
	else if (from < 0)
		full_from_slot(full, reg, from);
	if (to < 0)
		full_to_slot(full, reg, to);
}

static void move(struct full *full, const struct full_move *move)
{
	const s32 from = source_of(full, move);
	u8 reg = move->to >= 0 ? (u8)move->to : SCRATCH;

	if (from != NOWHERE) {
		move_place(full, move->to, from);
		return;
	}
	full_load(full, reg, W64, move->from);
	if (move->to < 0)
		full_to_slot(full, reg, move->to);
}

static bool is_read(const struct full *full, const struct full_moves *moves, u32 except, s32 place)
{
	for (u32 i = 0; i < moves->count; i++)
		if (i != except && source_of(full, &moves->list[i]) == place)
			return true;
	return false;
}

static void drop(struct full_moves *moves, u32 index)
{
	moves->list[index] = moves->list[--moves->count];
}

/* Between places of memory the first scratch is used: what it holds for others waits in the
 * second. */
static bool between_slots(const struct full *full, const struct full_move *move)
{
	return move->to < 0 && source_of(full, move) < 0;
}

/* The first move that nobody waits for. */
static bool move_ready(struct full *full, struct full_moves *moves)
{
	for (u32 i = 0; i < moves->count; i++) {
		if (is_read(full, moves, i, moves->list[i].to))
			continue;
		move(full, &moves->list[i]);
		drop(moves, i);
		return true;
	}
	return false;
}

/* What a place of a cycle holds waits in a scratch register. */
static void break_cycle(struct full *full, struct full_moves *moves)
{
	const s32 place = moves->list[0].to;
	bool has_slots = false;
	u8 waiting;

	for (u32 i = 0; i < moves->count; i++)
		has_slots |= between_slots(full, &moves->list[i]);
	waiting = has_slots ? full_second(full) : SCRATCH;
	move_place(full, waiting, place);
	for (u32 i = 0; i < moves->count; i++)
		if (source_of(full, &moves->list[i]) == place)
			moves->list[i] = (struct full_move){moves->list[i].to, 0, waiting};
}

/* A move to itself is none. */
static void drop_idle(struct full *full, struct full_moves *moves)
{
	for (u32 i = 0; i < moves->count;)
		if (source_of(full, &moves->list[i]) == moves->list[i].to)
			drop(moves, i);
		else
			i++;
}

void full_move_all(struct full *full, struct full_moves *moves)
{
	drop_idle(full, moves);
	while (moves->count)
		if (!move_ready(full, moves))
			break_cycle(full, moves);
}

/* --- phis --- */

static void collect(struct full *full, u32 block, struct full_moves *moves)
{
	struct ir_function *fn = full->fn;
	const u32 succ = fn->blocks[block].succ[0];
	const u32 place = ir_pred_place(fn, succ, block);

	moves->count = 0;
	for (ir_ref at = fn->blocks[succ].first; at && ir_at(fn, at)->op == IR_phi;
	     at = ir_at(fn, at)->next) {
		if (moves->count == MOVES_MAX) {
			full->failed = true;
			return;
		}
		moves->list[moves->count++] = (struct full_move){
			full->place[at], ir_value(fn, fn->args[ir_at(fn, at)->args + place]), 0};
	}
}

bool full_has_phi_moves(struct full *full, u32 block)
{
	struct full_moves moves;

	collect(full, block, &moves);
	drop_idle(full, &moves);
	return moves.count;
}

bool full_moves_keep(struct full *full, u32 block, u32 registers)
{
	struct full_moves moves;

	collect(full, block, &moves);
	drop_idle(full, &moves);
	for (u32 i = 0; i < moves.count; i++)
		if (source_of(full, &moves.list[i]) < 0 || moves.list[i].to < 0 ||
		    registers & 1u << moves.list[i].to)
			return false;
	return true;
}

void full_phi_moves(struct full *full, u32 block)
{
	struct full_moves moves;

	collect(full, block, &moves);
	full_move_all(full, &moves);
}
