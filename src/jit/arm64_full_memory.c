/* SPDX-License-Identifier: BSD-2-Clause */
/* The full tier's loads, stores and atomic operations on arm64. */
#include "jit/arm64_full.h"

static u8 size_of(u8 bytes)
{
	return (u8)__builtin_ctz(bytes);
}

/* The address in a register: ordered accesses have no other. */
static u8 plain_address(struct full *full, const struct ir_insn *insn, ir_ref index)
{
	machine_mem mem = full_address(full, insn, index);

	if (mem.index != A64_NO_REG)
		mem = a64_without_index(full->emit, mem, S1);
	if (!mem.disp && mem.base != SP)
		return mem.base;
	if (mem.base == S1 && !a64_is_imm12((u64)(mem.disp < 0 ? -(s64)mem.disp : mem.disp))) {
		a64_mov_imm(full->emit, S2, (u64)(s64)mem.disp);
		a64_rrr(full->emit, a64_add, W64, S1, S1, S2);
	} else {
		a64_add_number(full->emit, S1, mem.base, mem.disp);
	}
	return S1;
}

static struct a64_op load_of(const struct ir_insn *insn)
{
	const bool is_wide = insn->width == IR_64;

	if (insn->is_signed)
		switch (insn->bytes) {
		case 1: return is_wide ? a64_load_s8_64 : a64_load_s8_32;
		case 2: return is_wide ? a64_load_s16_64 : a64_load_s16_32;
		case 4: return is_wide ? a64_load_s32 : a64_load32;
		default: return a64_load64;
		}
	switch (insn->bytes) {
	case 1: return a64_load8;
	case 2: return a64_load16;
	case 4: return a64_load32;
	default: return a64_load64;
	}
}

static void load(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);

	if (insn->is_ordered)
		a64_ordered(full->emit, a64_ldar, size_of(insn->bytes), reg,
			    plain_address(full, insn, insn->b));
	else
		a64_access(full->emit, load_of(insn), reg, full_address(full, insn, insn->b), S1);
	full_done(full, at, reg);
}

static void store(struct full *full, ir_ref at)
{
	static const struct a64_op *const ops[] = {&a64_store8, &a64_store16, &a64_store32,
						   &a64_store64};
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 size = size_of(insn->bytes);
	u64 number;
	u8 value;

	/* Of a constant the bytes that are stored count. */
	if (arm64_number_of(full, insn->b, W64, &number)) {
		number &= size == 3 ? -1ull : (1ull << 8 * insn->bytes) - 1;
		value = number ? S3 : XZR;
		if (number)
			a64_mov_imm(full->emit, S3, number);
	} else {
		value = full_reg(full, insn->b, S3);
	}
	if (insn->is_ordered)
		a64_ordered(full->emit, a64_stlr, size, value, plain_address(full, insn, insn->c));
	else
		a64_access(full->emit, *ops[size], value, full_address(full, insn, insn->c), S1);
}

/* --- atomic --- */

static enum arm64_atomic operation(u8 what)
{
	switch (what) {
	case IR_ADD: return ARM64_ADD;
	case IR_AND: return ARM64_AND;
	case IR_OR: return ARM64_OR;
	case IR_XOR: return ARM64_XOR;
	default: return ARM64_XCHG;
	}
}

static void atomic(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 address = plain_address(full, insn, 0), value = full_reg(full, insn->b, S5);

	arm64_atomic(full->emit, operation(insn->cond), full_width(insn), value, address);
}

static void fetch(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 address = plain_address(full, insn, 0), value = full_reg(full, insn->b, S5);
	const u8 reg = full_result(full, at);

	arm64_fetch(full->emit, operation(insn->cond), full_width(insn), reg, value, address);
	full_done(full, at, reg);
}

/* What is compared is changed: S5 is a copy. */
static void compare_exchange(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 address = plain_address(full, insn, 0), value = full_reg(full, insn->b, S3);

	full_load(full, S5, full_width(insn), insn->c);
	arm64_compare_exchange(full->emit, full_width(insn), S5, value, address);
	full_done(full, at, S5);
}

void full_memory(struct full *full, ir_ref at)
{
	switch (ir_at(full->fn, at)->op) {
	case IR_load: load(full, at); return;
	case IR_store: store(full, at); return;
	case IR_atomic: atomic(full, at); return;
	case IR_fetch: fetch(full, at); return;
	case IR_cmpxchg: compare_exchange(full, at); return;
	default: full->failed = true; return;
	}
}
