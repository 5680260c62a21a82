/* SPDX-License-Identifier: BSD-2-Clause */
/* The full tier's loads, stores and atomic operations. */
#include "jit/full.h"

static void load(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const struct x86_mem mem = full_address(full, insn, insn->b);
	const u8 reg = full_result(full, at);
	const bool is_signed = insn->is_signed;
	/* What is not extended by a sign is by zeros, in any case. */
	const enum x86_width width = is_signed ? full_width(insn) : W32;

	switch (insn->bytes) {
	case 1:
		x86_rm(full->emit, is_signed ? x86_movsx8 : x86_movzx8, width,
		       reg, mem);
		break;
	case 2:
		x86_rm(full->emit, is_signed ? x86_movsx16 : x86_movzx16, width,
		       reg, mem);
		break;
	case 4:
		x86_rm(full->emit, width == W64 ? x86_movsxd : x86_load, width,
		       reg, mem);
		break;
	default: x86_rm(full->emit, x86_load, W64, reg, mem); break;
	}
	full_done(full, at, reg);
}

static void store_imm(struct full *full, struct x86_mem mem, u8 bytes, s32 imm)
{
	struct emit *emit = full->emit;

	switch (bytes) {
	case 1:
		x86_rm(emit, x86_store_imm8, W32, 0, mem);
		emit8(emit, (u8)imm);
		return;
	case 2:
		x86_rm(emit, x86_store_imm, W16, 0, mem);
		emit8(emit, (u8)imm);
		emit8(emit, (u8)(imm >> 8));
		return;
	default:
		x86_rm(emit, x86_store_imm, bytes == 8 ? W64 : W32, 0, mem);
		emit32(emit, (u32)imm);
	}
}

static u8 scratch_beside(struct full *full, struct x86_mem mem)
{
	return mem.base == SCRATCH || mem.index == SCRATCH ? full_second(full) : SCRATCH;
}

/* A register with the value that is none of the address's. */
static u8 beside(struct full *full, struct x86_mem mem, ir_ref value)
{
	u8 reg;

	if (full_in_reg(full, value))
		return (u8)full->place[value];
	reg = scratch_beside(full, mem);
	full_load(full, reg, W64, value);
	return reg;
}

static void store(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const struct x86_mem mem = full_address(full, insn, insn->c);
	s32 imm;
	u8 reg;

	if (full_is_imm(full, insn->b, insn->bytes == 8 ? IR_64 : IR_32, &imm)) {
		store_imm(full, mem, insn->bytes, imm);
		return;
	}
	reg = beside(full, mem, insn->b);
	x86_rm(full->emit, insn->bytes == 1 ? x86_store8 : x86_store,
	       insn->bytes == 8   ? W64
	       : insn->bytes == 2 ? W16
				  : W32,
	       reg, mem);
}

/* --- atomic --- */

static struct x86_op operation(u8 what)
{
	switch (what) {
	case IR_ADD: return x86_add_store;
	case IR_AND: return x86_and_store;
	case IR_OR: return x86_or_store;
	default: return x86_xor_store;
	}
}

static void atomic(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const struct x86_mem mem = full_address(full, insn, 0);
	const u8 reg = beside(full, mem, insn->b);

	x86_locked(full->emit, operation(insn->cond), full_width(insn), reg, mem);
}

/* rax is what is compared, the first scratch register what is to be written. */
static void fetch_loop(struct full *full, const struct ir_insn *insn, struct x86_mem mem)
{
	const enum x86_width width = full_width(insn);
	const u8 operand = full_in_reg(full, insn->b) ? (u8)full->place[insn->b]
						      : full_second(full);
	struct emit *emit = full->emit;
	u32 again;

	if (!full_in_reg(full, insn->b))
		full_load(full, operand, W64, insn->b);
	x86_rm(emit, x86_load, width, RAX, mem);
	again = emit_offset(emit);
	base_move(full->base, W64, SCRATCH, RAX);
	x86_rr(emit, operation(insn->cond), width, operand, SCRATCH);
	x86_locked(emit, x86_cmpxchg, width, SCRATCH, mem);
	x86_jcc_back(emit, CC_NE, again);
}

/* The loop needs the first scratch register: an address there moves to the second. With an operand
 * in memory, too, there is one too few. */
static void fetch(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const enum x86_width width = full_width(insn);
	struct x86_mem mem = full_address(full, insn, 0);

	if (insn->cond == IR_ADD || insn->cond == IR_XCHG) {
		const u8 reg = scratch_beside(full, mem);

		full_load(full, reg, W64, insn->b);
		if (insn->cond == IR_ADD)
			x86_locked(full->emit, x86_xadd, width, reg, mem);
		else
			x86_rm(full->emit, x86_xchg, width, reg, mem);
		full_done(full, at, reg);
		return;
	}
	if (mem.base == SCRATCH) {
		mem.base = full_second(full);
		base_move(full->base, W64, mem.base, SCRATCH);
		full->failed |= !full_in_reg(full, insn->b);
	}
	fetch_loop(full, insn, mem);
	base_move(full->base, width, RAX, RAX);
	full_done(full, at, RAX);
}

static void compare_exchange(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const struct x86_mem mem = full_address(full, insn, 0);
	const u8 reg = beside(full, mem, insn->b);

	full_load(full, RAX, full_width(insn), insn->c);
	x86_locked(full->emit, x86_cmpxchg, full_width(insn), reg, mem);
	if (insn->width == IR_32)
		base_move(full->base, W32, RAX, RAX);
	full_done(full, at, RAX);
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
