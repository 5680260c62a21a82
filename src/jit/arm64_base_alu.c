/* SPDX-License-Identifier: BSD-2-Clause */
/* The base tier's arithmetic on arm64. */
#include "jit/arm64_base.h"

/* The second operand in a register. */
static u8 operand(struct base *base, const struct code_insn *insn, machine_width width, bool is_reg)
{
	if (is_reg)
		return src_of(insn);
	a64_mov_imm(&base->emit, S1, width == W64 ? (u64)insn->imm : (u32)insn->imm);
	return S1;
}

static s64 number_of(const struct code_insn *insn, machine_width width)
{
	return width == W64 ? insn->imm : (s32)insn->imm;
}

static void add(struct base *base, const struct code_insn *insn, machine_width width, bool is_reg,
		bool is_sub)
{
	const u8 dst = dst_of(insn);

	if (is_reg)
		a64_rrr(&base->emit, is_sub ? a64_sub : a64_add, width, dst, dst, src_of(insn));
	else
		arm64_add_const(&base->emit, width, dst, dst,
				is_sub ? -number_of(insn, width) : number_of(insn, width), S1);
}

static void logic(struct base *base, const struct code_insn *insn, machine_width width, bool is_reg,
		  struct a64_op reg, struct a64_op imm)
{
	const u8 dst = dst_of(insn);

	if (is_reg)
		a64_rrr(&base->emit, reg, width, dst, dst, src_of(insn));
	else
		arm64_logic_const(&base->emit, imm, reg, width, dst, dst, (u64)insn->imm, S1);
}

static void move(struct base *base, const struct code_insn *insn, machine_width width, bool is_reg)
{
	if (is_reg)
		base_move(base, width, dst_of(insn), src_of(insn));
	else
		a64_mov_imm(&base->emit, dst_of(insn), width == W64 ? (u64)insn->imm : (u32)insn->imm);
}

static void shift(struct base *base, const struct code_insn *insn, machine_width width, bool is_reg,
		  struct a64_op by_reg, enum a64_shift how)
{
	const u8 dst = dst_of(insn);

	if (is_reg)
		a64_rrr(&base->emit, by_reg, width, dst, dst, src_of(insn));
	else
		a64_shift_imm(&base->emit, how, width, dst, dst, (u8)insn->imm);
}

/* The machine's quotients by 0 are 0, and those of -1 have no exception. */
static void divide(struct base *base, const struct code_insn *insn, machine_width width, bool is_reg,
		   struct a64_op op, bool is_remainder)
{
	const u8 dst = dst_of(insn), divisor = operand(base, insn, width, is_reg);

	if (!is_remainder) {
		a64_rrr(&base->emit, op, width, dst, dst, divisor);
		return;
	}
	a64_rrr(&base->emit, op, width, S2, dst, divisor);
	a64_rrrr(&base->emit, a64_msub, width, dst, S2, divisor, dst);
}

void base_alu(struct base *base, const struct code_insn *insn, enum base_alu what,
	      machine_width width, bool is_reg)
{
	switch (what) {
	case ALU_add: add(base, insn, width, is_reg, false); return;
	case ALU_sub: add(base, insn, width, is_reg, true); return;
	case ALU_or: logic(base, insn, width, is_reg, a64_orr, a64_orr_imm); return;
	case ALU_and: logic(base, insn, width, is_reg, a64_and, a64_and_imm); return;
	case ALU_xor: logic(base, insn, width, is_reg, a64_eor, a64_eor_imm); return;
	case ALU_mov: move(base, insn, width, is_reg); return;
	case ALU_mul:
		a64_rrrr(&base->emit, a64_madd, width, dst_of(insn), dst_of(insn),
			 operand(base, insn, width, is_reg), XZR);
		return;
	case ALU_lsh: shift(base, insn, width, is_reg, a64_lslv, A64_LSL); return;
	case ALU_rsh: shift(base, insn, width, is_reg, a64_lsrv, A64_LSR); return;
	case ALU_arsh: shift(base, insn, width, is_reg, a64_asrv, A64_ASR); return;
	case ALU_div: divide(base, insn, width, is_reg, a64_udiv, false); return;
	case ALU_sdiv: divide(base, insn, width, is_reg, a64_sdiv, false); return;
	case ALU_mod: divide(base, insn, width, is_reg, a64_udiv, true); return;
	case ALU_smod: divide(base, insn, width, is_reg, a64_sdiv, true); return;
	}
}

/* --- one operand --- */

static void negate(struct base *base, const struct code_insn *insn, machine_width width)
{
	a64_rrr(&base->emit, a64_sub, width, dst_of(insn), XZR, src_of(insn));
}

static void extend(struct base *base, const struct code_insn *insn, struct a64_op op,
		   machine_width width, u8 bits)
{
	a64_field(&base->emit, op, width, dst_of(insn), src_of(insn), 0, bits - 1);
}

static void swap(struct base *base, const struct code_insn *insn, struct a64_op op, machine_width width)
{
	a64_rr(&base->emit, op, width, dst_of(insn), src_of(insn));
}

static void swap16(struct base *base, const struct code_insn *insn)
{
	swap(base, insn, a64_rev16, W32);
	a64_field(&base->emit, a64_ubfm, W32, dst_of(insn), dst_of(insn), 0, 15);
}

#define ONE_OPERAND(name, call)                                           \
	void base_##name(struct base *base, const struct code_insn *insn) \
	{                                                                 \
		call;                                                     \
	}

ONE_OPERAND(neg64, negate(base, insn, W64))
ONE_OPERAND(neg32, negate(base, insn, W32))
ONE_OPERAND(swap16, swap16(base, insn))
ONE_OPERAND(swap32, swap(base, insn, a64_rev32, W32))
ONE_OPERAND(swap64, swap(base, insn, a64_rev64, W64))
ONE_OPERAND(low16, extend(base, insn, a64_ubfm, W32, 16))
ONE_OPERAND(low32, base_move(base, W32, dst_of(insn), src_of(insn)))
ONE_OPERAND(same64, base_move(base, W64, dst_of(insn), src_of(insn)))
ONE_OPERAND(sext8_64, extend(base, insn, a64_sbfm, W64, 8))
ONE_OPERAND(sext16_64, extend(base, insn, a64_sbfm, W64, 16))
ONE_OPERAND(sext32_64, extend(base, insn, a64_sbfm, W64, 32))
ONE_OPERAND(sext8_32, extend(base, insn, a64_sbfm, W32, 8))
ONE_OPERAND(sext16_32, extend(base, insn, a64_sbfm, W32, 16))

/* --- offsets that are masked where the CPU speculates (offset_masked()) --- */

void base_mask_distance(struct base *base, u8 distance, u32 limit)
{
	struct emit *emit = &base->emit;

	base_load_const(base, S1, limit, S3);
	a64_rrr(emit, a64_sub, W64, S1, S1, distance);
	a64_rrr(emit, a64_orr, W64, S1, S1, distance);
	a64_rrr_shifted(emit, a64_bic, W64, distance, distance, S1, A64_ASR, 63);
}

static void masked(struct base *base, const struct code_insn *insn)
{
	struct emit *emit = &base->emit;
	const bool is_add = insn->op == OP_masked_add;
	const bool in_dst = is_add && insn->off & MASKED_DST;
	const u8 dst = dst_of(insn), src = src_of(insn), offset = in_dst ? dst : src;

	if (insn->off & MASKED_CONSTANT) {
		base_load_const(base, S2, (u64)insn->imm, S1);
	} else {
		if (insn->off & MASKED_NEGATIVE)
			a64_rrr(emit, a64_sub, W64, S2, XZR, offset);
		else
			a64_mov(emit, W64, S2, offset);
		base_mask_distance(base, S2, (u32)insn->imm);
	}
	if (insn->off & MASKED_NEGATIVE)
		a64_rrr(emit, a64_sub, W64, S2, XZR, S2);
	a64_rrr(emit, is_add ? a64_add : a64_sub, W64, dst, in_dst ? src : dst, S2);
}

void base_masked_add(struct base *base, u32 at)
{
	masked(base, &base->code->insns[at]);
}

void base_masked_sub(struct base *base, u32 at)
{
	masked(base, &base->code->insns[at]);
}

/* --- compares --- */

void base_compare(struct base *base, const struct code_insn *insn, machine_width width, bool is_reg)
{
	if (is_reg)
		a64_rrr(&base->emit, a64_subs, width, XZR, dst_of(insn), src_of(insn));
	else
		arm64_compare_const(&base->emit, width, dst_of(insn), insn->operand, S1);
}

void base_test(struct base *base, const struct code_insn *insn, machine_width width, bool is_reg)
{
	if (is_reg)
		a64_rrr(&base->emit, a64_ands, width, XZR, dst_of(insn), src_of(insn));
	else
		arm64_logic_const(&base->emit, a64_ands_imm, a64_ands, width, XZR, dst_of(insn),
				  (u64)(s64)insn->operand, S1);
}
