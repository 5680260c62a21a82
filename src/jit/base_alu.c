/* SPDX-License-Identifier: BSD-2-Clause */
/* The base tier's arithmetic. */
#include "jit/base.h"

void base_move(struct base *base, enum x86_width width, u8 to, u8 from)
{
	/* 32 bits of a register to itself clear the others. */
	if (to != from || width == W32)
		x86_rr(&base->emit, x86_store, width, from, to);
}

/* --- operations that the machine has as they are --- */

struct plain_row {
	struct x86_op reg, imm8, imm32;
};

#define PLAIN(name) \
	((struct plain_row){x86_##name##_store, x86_##name##_imm8, x86_##name##_imm32})

static void imm_form(struct base *base, struct plain_row row, enum x86_width width, u8 reg,
		     s32 imm)
{
	const bool is_short = imm == (s8)imm;

	x86_rr(&base->emit, is_short ? row.imm8 : row.imm32, width, 0, reg);
	if (is_short)
		emit8(&base->emit, (u8)imm);
	else
		emit32(&base->emit, (u32)imm);
}

static void plain(struct base *base, const struct code_insn *insn, struct plain_row row,
		  enum x86_width width, bool is_reg)
{
	if (is_reg)
		x86_rr(&base->emit, row.reg, width, src_of(insn), dst_of(insn));
	else
		imm_form(base, row, width, dst_of(insn), (s32)insn->imm);
}

static void move(struct base *base, const struct code_insn *insn, enum x86_width width,
		 bool is_reg)
{
	if (is_reg)
		base_move(base, width, dst_of(insn), src_of(insn));
	else
		x86_mov_imm(&base->emit, dst_of(insn),
			    width == W64 ? (u64)insn->imm : (u32)insn->imm);
}

static void multiply(struct base *base, const struct code_insn *insn, enum x86_width width,
		     bool is_reg)
{
	const u8 dst = dst_of(insn);

	if (is_reg) {
		x86_rr(&base->emit, x86_imul, width, dst, src_of(insn));
		return;
	}
	x86_rr(&base->emit, x86_imul_imm, width, dst, dst);
	emit32(&base->emit, (u32)insn->imm);
}

/* --- shifts: an amount in a register must be in cl --- */

static struct x86_op shift_imm(enum base_alu what)
{
	return what == ALU_lsh ? x86_shl_imm8 : what == ALU_rsh ? x86_shr_imm8 : x86_sar_imm8;
}

static struct x86_op shift_cl(enum base_alu what)
{
	return what == ALU_lsh ? x86_shl_cl : what == ALU_rsh ? x86_shr_cl : x86_sar_cl;
}

static void shift_reg(struct base *base, struct x86_op op, enum x86_width width, u8 dst, u8 src)
{
	struct emit *emit = &base->emit;
	const u8 value = dst == RCX ? R11 : dst;

	if (dst == RCX)
		base_move(base, W64, R11, RCX);
	if (src != RCX) {
		if (dst != RCX)
			base_move(base, W64, R10, RCX);
		base_move(base, W64, RCX, src);
	}
	x86_rr(emit, op, width, 0, value);
	if (dst == RCX)
		base_move(base, W64, RCX, R11);
	else if (src != RCX)
		base_move(base, W64, RCX, R10);
}

static void shift(struct base *base, const struct code_insn *insn, enum base_alu what,
		  enum x86_width width, bool is_reg)
{
	if (is_reg) {
		shift_reg(base, shift_cl(what), width, dst_of(insn), src_of(insn));
		return;
	}
	x86_rr(&base->emit, shift_imm(what), width, 0, dst_of(insn));
	emit8(&base->emit, (u8)insn->imm & (width == W64 ? 63 : 31));
}

/* --- division: rdx:rax by r9 --- */

static bool is_signed(enum base_alu what)
{
	return what == ALU_sdiv || what == ALU_smod;
}

static bool is_remainder(enum base_alu what)
{
	return what == ALU_mod || what == ALU_smod;
}

/* Of rax by a divisor that is neither 0 nor, signed, -1. */
static void divide_rax(struct base *base, enum base_alu what, enum x86_width width)
{
	struct emit *emit = &base->emit;

	if (is_signed(what))
		x86_sign_to_rdx(emit, width);
	else
		x86_rr(emit, x86_xor_store, W32, RDX, RDX);
	x86_rr(emit, is_signed(what) ? x86_idiv : x86_div, width, 0, R9);
	if (is_remainder(what))
		base_move(base, width, RAX, RDX);
}

/* rax divided by 0 is 0, its remainder itself. */
static void by_zero(struct base *base, enum base_alu what, enum x86_width width)
{
	if (!is_remainder(what))
		x86_mov_imm(&base->emit, RAX, 0);
	else if (width == W32)
		base_move(base, W32, RAX, RAX);
}

/* rax divided by -1 is its negative, its remainder 0. */
static void by_minus_one(struct base *base, enum base_alu what, enum x86_width width)
{
	if (is_remainder(what))
		x86_mov_imm(&base->emit, RAX, 0);
	else
		x86_rr(&base->emit, x86_neg, width, 0, RAX);
}

static void divide_checked(struct base *base, enum base_alu what, enum x86_width width)
{
	struct emit *emit = &base->emit;
	u32 nonzero, other, done[2];

	x86_rr(emit, x86_test, width, R9, R9);
	nonzero = x86_jcc8(emit, CC_NE);
	by_zero(base, what, width);
	done[0] = x86_jmp8(emit);
	x86_land(emit, nonzero);
	if (is_signed(what)) {
		x86_rr(emit, x86_cmp_imm8, width, 0, R9);
		emit8(emit, 0xff);
		other = x86_jcc8(emit, CC_NE);
		by_minus_one(base, what, width);
		done[1] = x86_jmp8(emit);
		x86_land(emit, other);
	}
	divide_rax(base, what, width);
	x86_land(emit, done[0]);
	if (is_signed(what))
		x86_land(emit, done[1]);
}

static void divide(struct base *base, const struct code_insn *insn, enum base_alu what,
		   enum x86_width width, bool is_reg)
{
	const u8 dst = dst_of(insn);
	const s32 imm = (s32)insn->imm;
	const bool is_safe = !is_reg && imm && !(is_signed(what) && imm == -1);

	if (is_reg)
		base_move(base, W64, R9, src_of(insn));
	else
		x86_mov_imm(&base->emit, R9, width == W64 ? (u64)insn->imm : (u32)imm);
	if (dst != RAX)
		base_move(base, W64, R10, RAX);
	base_move(base, W64, R11, RDX);
	base_move(base, W64, RAX, dst);
	if (is_safe)
		divide_rax(base, what, width);
	else
		divide_checked(base, what, width);
	base_move(base, W64, RDX, R11);
	if (dst != RAX) {
		base_move(base, W64, dst, RAX);
		base_move(base, W64, RAX, R10);
	}
}

void base_alu(struct base *base, const struct code_insn *insn, enum base_alu what,
	      enum x86_width width, bool is_reg)
{
	switch (what) {
	case ALU_add: plain(base, insn, PLAIN(add), width, is_reg); return;
	case ALU_sub: plain(base, insn, PLAIN(sub), width, is_reg); return;
	case ALU_or: plain(base, insn, PLAIN(or), width, is_reg); return;
	case ALU_and: plain(base, insn, PLAIN(and), width, is_reg); return;
	case ALU_xor: plain(base, insn, PLAIN(xor), width, is_reg); return;
	case ALU_mov: move(base, insn, width, is_reg); return;
	case ALU_mul: multiply(base, insn, width, is_reg); return;
	case ALU_lsh:
	case ALU_rsh:
	case ALU_arsh: shift(base, insn, what, width, is_reg); return;
	case ALU_div:
	case ALU_sdiv:
	case ALU_mod:
	case ALU_smod: divide(base, insn, what, width, is_reg); return;
	}
}

/* --- one operand --- */

static void extend(struct base *base, const struct code_insn *insn, struct x86_op op,
		   enum x86_width width)
{
	x86_rr(&base->emit, op, width, dst_of(insn), src_of(insn));
}

static void negate(struct base *base, const struct code_insn *insn, enum x86_width width)
{
	base_move(base, W64, dst_of(insn), src_of(insn));
	x86_rr(&base->emit, x86_neg, width, 0, dst_of(insn));
}

static void swap(struct base *base, const struct code_insn *insn, enum x86_width width)
{
	base_move(base, W64, dst_of(insn), src_of(insn));
	if (width != W16) {
		x86_bswap(&base->emit, width, dst_of(insn));
		return;
	}
	x86_rr(&base->emit, x86_rol_imm8, W16, 0, dst_of(insn));
	emit8(&base->emit, 8);
	x86_rr(&base->emit, x86_movzx16, W32, dst_of(insn), dst_of(insn));
}

static void keep(struct base *base, const struct code_insn *insn, enum x86_width width)
{
	base_move(base, width, dst_of(insn), src_of(insn));
}

#define ONE_OPERAND(name, call)                                           \
	void base_##name(struct base *base, const struct code_insn *insn) \
	{                                                                 \
		call;                                                     \
	}

ONE_OPERAND(neg64, negate(base, insn, W64))
ONE_OPERAND(neg32, negate(base, insn, W32))
ONE_OPERAND(swap16, swap(base, insn, W16))
ONE_OPERAND(swap32, swap(base, insn, W32))
ONE_OPERAND(swap64, swap(base, insn, W64))
ONE_OPERAND(low16, extend(base, insn, x86_movzx16, W32))
ONE_OPERAND(low32, keep(base, insn, W32))
ONE_OPERAND(same64, keep(base, insn, W64))
ONE_OPERAND(sext8_64, extend(base, insn, x86_movsx8, W64))
ONE_OPERAND(sext16_64, extend(base, insn, x86_movsx16, W64))
ONE_OPERAND(sext32_64, extend(base, insn, x86_movsxd, W64))
ONE_OPERAND(sext8_32, extend(base, insn, x86_movsx8, W32))
ONE_OPERAND(sext16_32, extend(base, insn, x86_movsx16, W32))

/* --- offsets that are masked where the CPU speculates (offset_masked()) --- */

void base_mask_distance(struct base *base, u8 distance, u32 limit)
{
	struct emit *emit = &base->emit;

	base_load_const(base, R11, limit, R11);
	x86_rr(emit, x86_sub_store, W64, distance, R11);
	x86_rr(emit, x86_or_store, W64, distance, R11);
	x86_rr(emit, x86_sar_imm8, W64, 0, R11);
	emit8(emit, 63);
	x86_rr(emit, x86_not, W64, 0, R11);
	x86_rr(emit, x86_and_store, W64, R11, distance);
}

static void masked(struct base *base, const struct code_insn *insn)
{
	struct emit *emit = &base->emit;
	const bool is_add = insn->op == OP_masked_add;
	const bool in_dst = is_add && insn->off & MASKED_DST;
	const u8 dst = dst_of(insn), src = src_of(insn);

	if (insn->off & MASKED_CONSTANT) {
		base_load_const(base, R10, (u64)insn->imm, R11);
	} else {
		base_move(base, W64, R10, in_dst ? dst : src);
		if (insn->off & MASKED_NEGATIVE)
			x86_rr(emit, x86_neg, W64, 0, R10);
		base_mask_distance(base, R10, (u32)insn->imm);
	}
	if (insn->off & MASKED_NEGATIVE)
		x86_rr(emit, x86_neg, W64, 0, R10);
	if (in_dst)
		base_move(base, W64, dst, src);
	x86_rr(emit, is_add ? x86_add_store : x86_sub_store, W64, R10, dst);
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

void base_compare(struct base *base, const struct code_insn *insn, enum x86_width width,
		  bool is_reg)
{
	const u8 dst = dst_of(insn);

	if (is_reg)
		x86_rr(&base->emit, x86_cmp_store, width, src_of(insn), dst);
	else if (!insn->operand)
		x86_rr(&base->emit, x86_test, width, dst, dst);
	else
		imm_form(base, PLAIN(cmp), width, dst, insn->operand);
}

void base_test(struct base *base, const struct code_insn *insn, enum x86_width width,
	       bool is_reg)
{
	if (is_reg) {
		x86_rr(&base->emit, x86_test, width, src_of(insn), dst_of(insn));
		return;
	}
	x86_rr(&base->emit, x86_test_imm32, width, 0, dst_of(insn));
	emit32(&base->emit, (u32)insn->operand);
}
