/* SPDX-License-Identifier: BSD-2-Clause */
/* The base tier's loads, stores and atomic operations. */
#include "jit/base.h"
#include "jit/runtime.h"

static struct x86_mem at_src(const struct code_insn *insn)
{
	return x86_at(src_of(insn), insn->off);
}

static struct x86_mem at_dst(const struct code_insn *insn)
{
	return x86_at(dst_of(insn), insn->off);
}

/* --- plain --- */

void base_load(struct base *base, const struct code_insn *insn, struct x86_op op,
	       enum x86_width width)
{
	x86_rm(&base->emit, op, width, dst_of(insn), at_src(insn));
}

void base_store_reg(struct base *base, const struct code_insn *insn, u32 bits)
{
	const enum x86_width width = bits == 64 ? W64 : bits == 16 ? W16 : W32;

	x86_rm(&base->emit, bits == 8 ? x86_store8 : x86_store, width, src_of(insn),
	       at_dst(insn));
}

void base_store_imm(struct base *base, const struct code_insn *insn, u32 bits)
{
	const enum x86_width width = bits == 64 ? W64 : bits == 16 ? W16 : W32;

	x86_rm(&base->emit, bits == 8 ? x86_store_imm8 : x86_store_imm, width, 0, at_dst(insn));
	if (bits == 8) {
		emit8(&base->emit, (u8)insn->imm);
	} else if (bits == 16) {
		emit8(&base->emit, (u8)insn->imm);
		emit8(&base->emit, (u8)(insn->imm >> 8));
	} else {
		emit32(&base->emit, (u32)insn->imm);
	}
}

/* A load that may fault: by a C function, with every register of the program kept. */
void base_ldx_probe(struct base *base, u32 at)
{
	const struct code_insn *insn = &base->code->insns[at];
	static const u8 kept[] = {RAX, RDI, RSI, RDX, RCX, R8};
	struct emit *emit = &base->emit;

	x86_rm(emit, x86_lea, W64, R11, at_src(insn));
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		x86_push(emit, kept[i]);
	base_move(base, W64, RDI, R11);
	x86_mov_imm(emit, RSI, (u32)insn->imm);
	base_call(base, probe_load);
	base_move(base, W64, R11, RAX);
	for (u32 i = ARRAY_SIZE(kept); i-- > 0;)
		x86_pop(emit, kept[i]);
	base_move(base, W64, dst_of(insn), R11);
}

/* --- atomic --- */

/*
 * The old value in src: rax holds what is compared, r10 what is to be written, r9 the old
 * value; r0 waits in r11 and is found there where it is an operand.
 */
static void fetch_loop(struct base *base, const struct code_insn *insn, struct x86_op op,
		       enum x86_width width)
{
	struct emit *emit = &base->emit;
	struct x86_mem memory = at_dst(insn);
	const u8 src = src_of(insn) == RAX ? R11 : src_of(insn);
	u32 again;

	base_move(base, W64, R11, RAX);
	if (memory.base == RAX)
		memory.base = R11;
	x86_rm(emit, x86_load, width, RAX, memory);
	again = emit_offset(emit);
	base_move(base, W64, R10, RAX);
	x86_rr(emit, op, width, src, R10);
	x86_locked(emit, x86_cmpxchg, width, R10, memory);
	x86_jcc_back(emit, CC_NE, again);
	base_move(base, width, R9, RAX);
	base_move(base, W64, RAX, R11);
	base_move(base, W64, src_of(insn), R9);
}

static void exchange(struct base *base, const struct code_insn *insn, enum x86_width width)
{
	x86_rm(&base->emit, x86_xchg, width, src_of(insn), at_dst(insn));
}

static void compare_exchange(struct base *base, const struct code_insn *insn,
			     enum x86_width width)
{
	x86_locked(&base->emit, x86_cmpxchg, width, src_of(insn), at_dst(insn));
	if (width == W32)
		base_move(base, W32, RAX, RAX);
}

void base_atomic(struct base *base, const struct code_insn *insn, struct x86_op op,
		 enum x86_width width)
{
	x86_locked(&base->emit, op, width, src_of(insn), at_dst(insn));
}

void base_fetch(struct base *base, const struct code_insn *insn, enum base_alu what,
		struct x86_op op, enum x86_width width)
{
	if (what == ALU_add)
		x86_locked(&base->emit, x86_xadd, width, src_of(insn), at_dst(insn));
	else
		fetch_loop(base, insn, op, width);
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

/* The machine orders plain loads and stores as these ask. */
ON_INSN(load_acquire8, base_load(base, insn, x86_movzx8, W32))
ON_INSN(load_acquire16, base_load(base, insn, x86_movzx16, W32))
ON_INSN(load_acquire32, base_load(base, insn, x86_load, W32))
ON_INSN(load_acquire64, base_load(base, insn, x86_load, W64))
ON_INSN(store_release8, base_store_reg(base, insn, 8))
ON_INSN(store_release16, base_store_reg(base, insn, 16))
ON_INSN(store_release32, base_store_reg(base, insn, 32))
ON_INSN(store_release64, base_store_reg(base, insn, 64))

void base_load_bytes(struct base *base, u8 to, u32 bytes, struct x86_mem from)
{
	switch (bytes) {
	case 1: x86_rm(&base->emit, x86_movzx8, W32, to, from); break;
	case 2: x86_rm(&base->emit, x86_movzx16, W32, to, from); break;
	default: x86_rm(&base->emit, x86_load, bytes == 8 ? W64 : W32, to, from);
	}
}
