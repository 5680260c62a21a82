/* SPDX-License-Identifier: BSD-2-Clause */
/* The full tier's fuel, constants that are blinded, and what keeps the CPU from speculating beyond
 * limits. */
#include "jit/full.h"

#include <stddef.h>

/* --- fuel --- */

static struct x86_mem left_in_run(void)
{
	return x86_at(REG_EXEC, offsetof(struct executor, fuel));
}

static void load_fuel(struct full *full, ir_ref at)
{
	const u8 reg = full_result(full, at);

	x86_rm(full->emit, x86_load, W64, reg, left_in_run());
	full_done(full, at, reg);
}

static void store_fuel(struct full *full, const struct ir_insn *insn)
{
	x86_rm(full->emit, x86_store, W64, full_reg(full, insn->a, SCRATCH), left_in_run());
}

static void immediate(struct full *full, s64 cost)
{
	if (cost <= INT8_MAX)
		emit8(full->emit, (u8)cost);
	else
		emit32(full->emit, (u32)cost);
}

static struct x86_op subtraction(s64 cost)
{
	return cost <= INT8_MAX ? x86_sub_imm8 : x86_sub_imm32;
}

static void subtract_in_memory(struct full *full, struct x86_mem mem, s64 cost)
{
	x86_rm(full->emit, subtraction(cost), W64, 0, mem);
	immediate(full, cost);
}

static void subtract(struct full *full, s32 place, s64 cost)
{
	if (place < 0) {
		subtract_in_memory(full, full_slot(full, place), cost);
		return;
	}
	x86_rr(full->emit, subtraction(cost), W64, 0, (u8)place);
	immediate(full, cost);
}

/* Less than 0 by the flags that the CPU takes together with the subtraction. */
static void stop_if_spent(struct full *full, const struct ir_insn *burn)
{
	if (!burn->cond)
		base_stop_below_0(full->base);
}

static bool is_in_place(const struct full *full, ir_ref at)
{
	return full->place[at] != NOWHERE &&
	       full->place[at] == full->place[ir_at(full->fn, at)->a];
}

static void burn(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);

	if (is_in_place(full, at)) {
		subtract(full, full->place[at], insn->imm);
		stop_if_spent(full, insn);
		return;
	}
	full_load(full, reg, W64, insn->a);
	subtract(full, reg, insn->imm);
	stop_if_spent(full, insn);
	full_done(full, at, reg);
}

static void burn_here(struct full *full, const struct ir_insn *insn)
{
	subtract_in_memory(full, left_in_run(), insn->imm);
	stop_if_spent(full, insn);
}

/* --- constants that must not be seen --- */

static void blind(struct full *full, ir_ref at)
{
	const u64 value = (u64)ir_at(full->fn, at)->imm;
	const bool is_wide = value != (u32)value && (s64)value != (s32)value;
	const u8 reg = full_in_reg(full, at) ? (u8)full->place[at]
		       : is_wide	     ? full_second(full)
					     : SCRATCH;

	base_load_const(full->base, reg, value, SCRATCH);
	full_done(full, at, reg);
}

/* --- speculation --- */

static void mask(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_in_reg(full, at) ? (u8)full->place[at] : full_second(full);
	struct emit *emit = full->emit;

	full_load(full, reg, W64, insn->a);
	if (insn->cond)
		x86_rr(emit, x86_neg, W64, 0, reg);
	base_mask_distance(full->base, reg, (u32)insn->imm);
	if (insn->cond)
		x86_rr(emit, x86_neg, W64, 0, reg);
	full_done(full, at, reg);
}

void full_limits(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);

	switch (insn->op) {
	case IR_fuel: load_fuel(full, at); return;
	case IR_set_fuel: store_fuel(full, insn); return;
	case IR_burn: burn(full, at); return;
	case IR_burn_here: burn_here(full, insn); return;
	case IR_mask: mask(full, at); return;
	case IR_blind: blind(full, at); return;
	default: x86_lfence(full->emit); return;
	}
}
