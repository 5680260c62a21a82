/* SPDX-License-Identifier: BSD-2-Clause */
/* Where operands are, and how an instruction gets at them. */
#include "jit/full.h"

struct x86_mem full_slot(const struct full *full, s32 place)
{
	return full_frame(full, -(s64)full->fn->frame_bytes - 8 * (s64)(SLOT_NUMBER(place) + 1));
}

struct x86_mem full_frame(const struct full *full, s64 offset)
{
	return x86_at(RBP, (s32)offset);
}

void full_from_slot(struct full *full, u8 reg, s32 place)
{
	x86_rm(full->emit, x86_load, W64, reg, full_slot(full, place));
}

void full_to_slot(struct full *full, u8 reg, s32 place)
{
	x86_rm(full->emit, x86_store, W64, reg, full_slot(full, place));
}

u8 full_second(struct full *full)
{
	full->wants_second |= !full->has_second;
	return R10;
}

void full_load(struct full *full, u8 reg, enum x86_width width, ir_ref value)
{
	const struct ir_insn *insn = ir_at(full->fn, value);

	if (insn->op == IR_const || (insn->op == IR_wide && full->place[value] == NOWHERE))
		x86_mov_imm(full->emit, reg, width == W64 ? (u64)insn->imm : (u32)insn->imm);
	else if (insn->op == IR_frame)
		x86_rm(full->emit, x86_lea, W64, reg, full_frame(full, insn->imm));
	else if (full->place[value] >= 0)
		base_move(full->base, width, reg, (u8)full->place[value]);
	else if (full->place[value] != NOWHERE)
		x86_rm(full->emit, x86_load, width, reg, full_slot(full, full->place[value]));
}

u8 full_reg(struct full *full, ir_ref value, u8 scratch)
{
	if (full_in_reg(full, value))
		return (u8)full->place[value];
	full_load(full, scratch, W64, value);
	return scratch;
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
		x86_rm(full->emit, x86_store, W64, reg, full_slot(full, full->place[at]));
}

void full_number(struct full *full, ir_ref at)
{
	if (full_in_reg(full, at))
		x86_mov_imm(full->emit, (u8)full->place[at], (u64)ir_at(full->fn, at)->imm);
}

bool full_is_imm(const struct full *full, ir_ref value, enum ir_width width, s32 *imm)
{
	const s64 number = ir_at(full->fn, value)->imm;

	if (!ir_is_const(full->fn, value))
		return false;
	*imm = (s32)number;
	return width == IR_32 || number == (s32)number;
}

void full_op(struct full *full, struct x86_op op, enum x86_width width, u8 reg, ir_ref value)
{
	if (full_in_reg(full, value))
		x86_rr(full->emit, op, width, reg, (u8)full->place[value]);
	else
		x86_rm(full->emit, op, width, reg, full_slot(full, full->place[value]));
}

/* --- addresses --- */

static struct x86_mem with_index(struct full *full, struct x86_mem mem, ir_ref index, u8 scale)
{
	if (full_in_reg(full, index)) {
		mem.index = (u8)full->place[index];
		mem.scale = scale;
		return mem;
	}
	if (mem.base != SCRATCH) {
		full_load(full, SCRATCH, W64, index);
		mem.index = SCRATCH;
		mem.scale = scale;
		return mem;
	}
	/* The sum takes the place of the base: one scratch register is enough for what follows. */
	full_load(full, full_second(full), W64, index);
	mem.index = R10;
	mem.scale = scale;
	x86_rm(full->emit, x86_lea, W64, SCRATCH, mem);
	return x86_at(SCRATCH, 0);
}

struct x86_mem full_address(struct full *full, const struct ir_insn *insn, ir_ref index)
{
	const struct ir_insn *base = ir_at(full->fn, insn->a);
	struct x86_mem mem;

	if (base->op == IR_frame)
		mem = full_frame(full, base->imm + insn->imm);
	else
		mem = x86_at(full_reg(full, insn->a, SCRATCH), (s32)insn->imm);
	return index ? with_index(full, mem, index, insn->scale) : mem;
}
