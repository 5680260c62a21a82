/* SPDX-License-Identifier: BSD-2-Clause */
/* The full tier on arm64: registers, and where operands are. */
#include "jit/arm64_full.h"

/* What calls change first; what must be saved last. */
const u8 full_preferred[] = {X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12,
			     X19, X20, X21, X22, X23, X24, X25, X26, X27};
const u32 full_preferred_cnt = ARRAY_SIZE(full_preferred);
const u8 full_argument[5] = {X0, X1, X2, X3, X4};
const u8 full_find_argument[FIND_ARGS] = {X0, X1, X2, X3};

u32 full_clobbers(const struct full *full, const struct ir_insn *insn)
{
	switch (insn->op) {
	case IR_call:
	case IR_call_map:
	case IR_call_site:
	case IR_call_local:
	case IR_call_global:
	case IR_tail_call:
	case IR_packet_load:
	case IR_probe: return CALLER_SAVED;
	case IR_reduce: return (1u << KERNEL_ARGS) - 1; /* from x0 */
	default: return 0;
	}
}

bool full_calls(const struct full *full, const struct ir_insn *insn)
{
	return full_clobbers(full, insn) == CALLER_SAVED;
}

u32 full_forbids(const struct full *full, const struct ir_insn *insn)
{
	return 0;
}

/* Whether the instruction has a place for the number. */
static bool has_room(const struct ir_function *fn, const struct ir_insn *insn, const ir_ref *place)
{
	const machine_width width = full_width(insn);
	const u64 imm = (u64)ir_at(fn, *place)->imm;
	const u64 size = width == W64 ? imm : (u64)(s64)(s32)imm;
	u32 pattern;

	if (place == &insn->a)
		return false;
	switch (insn->op) {
	case IR_add:
	case IR_sub: return a64_is_imm12(size) || a64_is_imm12(-size);
	case IR_and:
	case IR_or:
	case IR_xor: return a64_is_pattern(imm, width, &pattern);
	case IR_branch:
		return insn->cond == IR_ANY || insn->cond == IR_NONE
			       ? a64_is_pattern(imm, width, &pattern)
			       : a64_is_imm12(size) || a64_is_imm12(-size);
	case IR_mul: return is_power_of_two(imm - 1);
	case IR_store: return !imm;
	case IR_load:
	case IR_mulhi:
	case IR_udiv:
	case IR_sdiv:
	case IR_umod:
	case IR_smod: return false;
	default: return true;
	}
}

ir_has_room *const full_has_room = has_room;

/* --- the frame, counted from the stack pointer, which stays where it is --- */

machine_mem full_frame(const struct full *full, s64 offset)
{
	return a64_at(SP, (s32)(full_frame_bytes(full) + offset));
}

machine_mem full_slot(const struct full *full, s32 place)
{
	return full_frame(full, -(s64)full->fn->frame_bytes - 8 * (s64)(SLOT_NUMBER(place) + 1));
}

void full_from_slot(struct full *full, u8 reg, s32 place)
{
	a64_access(full->emit, a64_load64, reg, full_slot(full, place), reg);
}

void full_to_slot(struct full *full, u8 reg, s32 place)
{
	a64_access(full->emit, a64_store64, reg, full_slot(full, place), S5);
}

/* --- values --- */

u8 full_second(struct full *full)
{
	return MACHINE_SECOND;
}

static bool is_made_here(const struct full *full, ir_ref value)
{
	const u8 op = ir_at(full->fn, value)->op;

	return op == IR_const || (op == IR_wide && full->place[value] == NOWHERE);
}

void full_load(struct full *full, u8 reg, machine_width width, ir_ref value)
{
	const struct ir_insn *insn = ir_at(full->fn, value);

	if (is_made_here(full, value))
		a64_mov_imm(full->emit, reg, width == W64 ? (u64)insn->imm : (u32)insn->imm);
	else if (insn->op == IR_frame)
		a64_add_number(full->emit, reg, SP, full_frame(full, insn->imm).disp);
	else if (full->place[value] >= 0)
		base_move(full->base, width, reg, (u8)full->place[value]);
	else if (full->place[value] != NOWHERE)
		full_from_slot(full, reg, full->place[value]);
}

u8 full_reg(struct full *full, ir_ref value, u8 scratch)
{
	if (full_in_reg(full, value))
		return (u8)full->place[value];
	full_load(full, scratch, W64, value);
	return scratch;
}

u8 arm64_reg(struct full *full, ir_ref value, u8 scratch)
{
	if (is_made_here(full, value) && !ir_at(full->fn, value)->imm)
		return XZR;
	return full_reg(full, value, scratch);
}

u8 full_result(const struct full *full, ir_ref at)
{
	return full_in_reg(full, at) ? (u8)full->place[at] : SCRATCH;
}

void full_done(struct full *full, ir_ref at, u8 reg)
{
	if (full_in_reg(full, at))
		base_move(full->base, W64, (u8)full->place[at], reg);
	else if (full->place[at] != NOWHERE)
		full_to_slot(full, reg, full->place[at]);
}

void full_number(struct full *full, ir_ref at)
{
	if (full_in_reg(full, at))
		a64_mov_imm(full->emit, (u8)full->place[at], (u64)ir_at(full->fn, at)->imm);
}

bool arm64_number_of(const struct full *full, ir_ref value, machine_width width, u64 *out)
{
	if (!ir_is_const(full->fn, value))
		return false;
	*out = width == W64 ? (u64)ir_at(full->fn, value)->imm : (u32)ir_at(full->fn, value)->imm;
	return true;
}

/* --- addresses --- */

machine_mem full_address(struct full *full, const struct ir_insn *insn, ir_ref index)
{
	const struct ir_insn *base = ir_at(full->fn, insn->a);
	machine_mem mem;

	if (base->op == IR_frame)
		mem = full_frame(full, base->imm + insn->imm);
	else
		mem = a64_at(full_reg(full, insn->a, S1), (s32)insn->imm);
	if (!index)
		return mem;
	mem.index = full_reg(full, index, S2);
	mem.scale = insn->scale;
	return mem;
}
