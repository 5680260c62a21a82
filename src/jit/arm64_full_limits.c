/* SPDX-License-Identifier: BSD-2-Clause */
/* The full tier's fuel, blinded constants and guards of speculation on arm64. */
#include "jit/arm64_full.h"
#include "run/code.h"

#include <stddef.h>

/* --- fuel --- */

static machine_mem left_in_run(void)
{
	return a64_at(REG_EXEC, offsetof(struct executor, fuel));
}

static void load_fuel(struct full *full, ir_ref at)
{
	const u8 reg = full_result(full, at);

	a64_memory(full->emit, a64_load64, reg, left_in_run());
	full_done(full, at, reg);
}

static void store_fuel(struct full *full, const struct ir_insn *insn)
{
	a64_memory(full->emit, a64_store64, full_reg(full, insn->a, S1), left_in_run());
}

/* Sets flags. */
static void subtract(struct full *full, u8 d, u8 a, s64 cost)
{
	if (a64_is_imm12((u64)cost)) {
		a64_imm12(full->emit, a64_subs_imm, W64, d, a, (u32)cost);
		return;
	}
	a64_mov_imm(full->emit, S2, (u64)cost);
	a64_rrr(full->emit, a64_subs, W64, d, a, S2);
}

static void stop_if_spent(struct full *full, const struct ir_insn *burn)
{
	if (!burn->cond)
		base_stop_below_0(full->base);
}

static void burn(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);

	subtract(full, reg, full_reg(full, insn->a, S1), insn->imm);
	stop_if_spent(full, insn);
	full_done(full, at, reg);
}

static void burn_here(struct full *full, const struct ir_insn *insn)
{
	a64_memory(full->emit, a64_load64, S1, left_in_run());
	subtract(full, S1, S1, insn->imm);
	a64_memory(full->emit, a64_store64, S1, left_in_run());
	stop_if_spent(full, insn);
}

/* --- constants that must not be seen --- */

static void blind(struct full *full, ir_ref at)
{
	const u8 reg = full_result(full, at);

	base_load_const(full->base, reg, (u64)ir_at(full->fn, at)->imm, S2);
	full_done(full, at, reg);
}

/* --- speculation --- */

static void mask(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_in_reg(full, at) ? (u8)full->place[at] : S2;
	struct emit *emit = full->emit;

	full_load(full, reg, W64, insn->a);
	if (insn->cond)
		a64_rrr(emit, a64_sub, W64, reg, XZR, reg);
	base_mask_distance(full->base, reg, (u32)insn->imm);
	if (insn->cond)
		a64_rrr(emit, a64_sub, W64, reg, XZR, reg);
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
	default: machine_barrier(full->emit); return;
	}
}
