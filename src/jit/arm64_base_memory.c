/* SPDX-License-Identifier: BSD-2-Clause */
/* The base tier's loads, stores and atomic operations on arm64. */
#include "jit/arm64_base.h"

/* --- plain --- */

void base_load(struct base *base, const struct code_insn *insn, machine_op op, machine_width width)
{
	a64_access(&base->emit, op, dst_of(insn), a64_at(src_of(insn), insn->off), S1);
}

static struct a64_op store_of(u32 bits)
{
	switch (bits) {
	case 8: return a64_store8;
	case 16: return a64_store16;
	case 32: return a64_store32;
	default: return a64_store64;
	}
}

void base_store_reg(struct base *base, const struct code_insn *insn, u32 bits)
{
	a64_access(&base->emit, store_of(bits), src_of(insn), a64_at(dst_of(insn), insn->off), S1);
}

void base_store_imm(struct base *base, const struct code_insn *insn, u32 bits)
{
	const u64 value = bits == 64 ? (u64)insn->imm : (u64)insn->imm & ((1ull << bits) - 1);

	if (value)
		a64_mov_imm(&base->emit, S2, value);
	a64_access(&base->emit, store_of(bits), value ? S2 : XZR, a64_at(dst_of(insn), insn->off), S1);
}

/* A load that may fault: by a C function, with every register of the program kept. */
void base_ldx_probe(struct base *base, u32 at)
{
	const struct code_insn *insn = &base->code->insns[at];
	struct emit *emit = &base->emit;

	a64_add_number(emit, S1, src_of(insn), insn->off);
	a64_pair(emit, a64_stp_pre, X4, X7, SP, -16);
	a64_pair(emit, a64_stp_pre, X2, X3, SP, -16);
	a64_pair(emit, a64_stp_pre, X0, X1, SP, -16);
	a64_mov(emit, W64, X0, S1);
	a64_mov_imm(emit, X1, (u32)insn->imm);
	base_call(base, probe_load);
	a64_mov(emit, W64, S1, X0);
	a64_pair(emit, a64_ldp_post, X0, X1, SP, 16);
	a64_pair(emit, a64_ldp_post, X2, X3, SP, 16);
	a64_pair(emit, a64_ldp_post, X4, X7, SP, 16);
	a64_mov(emit, W64, dst_of(insn), S1);
}

/* --- atomic --- */

/* These have no displacement. */
static u8 address(struct base *base, u8 reg, s16 offset)
{
	if (!offset)
		return reg;
	a64_add_number(&base->emit, S1, reg, offset);
	return S1;
}

static enum arm64_atomic operation(struct a64_op op)
{
	return op.bits == a64_ldadd.bits   ? ARM64_ADD
	       : op.bits == a64_ldclr.bits ? ARM64_AND
	       : op.bits == a64_ldset.bits ? ARM64_OR
					   : ARM64_XOR;
}

void base_atomic(struct base *base, const struct code_insn *insn, machine_op op, machine_width width)
{
	arm64_atomic(&base->emit, operation(op), width, src_of(insn),
		     address(base, dst_of(insn), insn->off));
}

void base_fetch(struct base *base, const struct code_insn *insn, enum base_alu what, machine_op op,
		machine_width width)
{
	arm64_fetch(&base->emit, operation(op), width, src_of(insn), src_of(insn),
		    address(base, dst_of(insn), insn->off));
}

static void exchange(struct base *base, const struct code_insn *insn, machine_width width)
{
	arm64_fetch(&base->emit, ARM64_XCHG, width, src_of(insn), src_of(insn),
		    address(base, dst_of(insn), insn->off));
}

static void compare_exchange(struct base *base, const struct code_insn *insn, machine_width width)
{
	u8 place = address(base, dst_of(insn), insn->off);

	/* The old value must not become the address. */
	if (place == base_reg[BPF_REG_0]) {
		a64_mov(&base->emit, W64, S1, place);
		place = S1;
	}
	arm64_compare_exchange(&base->emit, width, base_reg[BPF_REG_0], src_of(insn), place);
}

static void load_acquire(struct base *base, const struct code_insn *insn, u8 size)
{
	a64_ordered(&base->emit, a64_ldar, size, dst_of(insn),
		    address(base, src_of(insn), insn->off));
}

static void store_release(struct base *base, const struct code_insn *insn, u8 size)
{
	a64_ordered(&base->emit, a64_stlr, size, src_of(insn),
		    address(base, dst_of(insn), insn->off));
}

#define ON_INSN(name, call)                                            \
	void base_##name(struct base *base, u32 at)                    \
	{                                                              \
		const struct code_insn *insn = &base->code->insns[at]; \
                                                                       \
		call;                                                  \
	}

ON_INSN(xchg64, exchange(base, insn, W64))
ON_INSN(xchg32, exchange(base, insn, W32))
ON_INSN(cmpxchg64, compare_exchange(base, insn, W64))
ON_INSN(cmpxchg32, compare_exchange(base, insn, W32))
ON_INSN(load_acquire8, load_acquire(base, insn, 0))
ON_INSN(load_acquire16, load_acquire(base, insn, 1))
ON_INSN(load_acquire32, load_acquire(base, insn, 2))
ON_INSN(load_acquire64, load_acquire(base, insn, 3))
ON_INSN(store_release8, store_release(base, insn, 0))
ON_INSN(store_release16, store_release(base, insn, 1))
ON_INSN(store_release32, store_release(base, insn, 2))
ON_INSN(store_release64, store_release(base, insn, 3))
