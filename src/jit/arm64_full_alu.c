/* SPDX-License-Identifier: BSD-2-Clause */
/* The full tier's arithmetic on arm64. */
#include "ir/fold.h"
#include "jit/arm64_full.h"

/* --- operations with a second operand that may be shifted --- */

static void shifted(struct full *full, const struct ir_insn *insn, struct a64_op op, u8 reg)
{
	const u8 a = arm64_reg(full, insn->a, S1), b = arm64_reg(full, insn->b, S2);

	a64_rrr_shifted(full->emit, op, full_width(insn), reg, a, b, (enum a64_shift)insn->cond,
			insn->scale);
}

static bool is_plain_number(const struct full *full, const struct ir_insn *insn, u64 *out)
{
	return !insn->scale && arm64_number_of(full, insn->b, full_width(insn), out);
}

static void add(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const bool is_sub = insn->op == IR_sub;
	const u8 reg = full_result(full, at);
	s64 number;
	u64 value;

	if (ir_at(full->fn, insn->a)->op == IR_frame && !is_sub && insn->width == IR_64 &&
	    is_plain_number(full, insn, &value)) {
		a64_add_number(full->emit, reg, SP,
			       full_frame(full, ir_at(full->fn, insn->a)->imm).disp + (s64)value);
	} else if (is_plain_number(full, insn, &value)) {
		number = insn->width == IR_64 ? (s64)value : (s32)value;
		arm64_add_const(full->emit, full_width(insn), reg, full_reg(full, insn->a, S1),
				is_sub ? -number : number, S2);
	} else {
		shifted(full, insn, is_sub ? a64_sub : a64_add, reg);
	}
	full_done(full, at, reg);
}

struct logic_row {
	struct a64_op reg, imm, inverted;
};

static void logic(struct full *full, ir_ref at, struct logic_row row)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);
	u64 number;

	if (!insn->is_signed && is_plain_number(full, insn, &number))
		arm64_logic_const(full->emit, row.imm, row.reg, full_width(insn), reg,
				  full_reg(full, insn->a, S1), number, S2);
	else
		shifted(full, insn, insn->is_signed ? row.inverted : row.reg, reg);
	full_done(full, at, reg);
}

/* Times 3, 5, 9, ...: a sum with itself shifted. */
static bool multiply_by_sum(struct full *full, const struct ir_insn *insn, u8 reg)
{
	u64 number;
	u8 a;

	if (insn->c || !arm64_number_of(full, insn->b, full_width(insn), &number) || number < 3 ||
	    !is_power_of_two(number - 1))
		return false;
	a = full_reg(full, insn->a, S1);
	a64_rrr_shifted(full->emit, a64_add, full_width(insn), reg, a, a, A64_LSL,
			(u8)__builtin_ctzll(number - 1));
	return true;
}

static void multiply(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);

	if (!multiply_by_sum(full, insn, reg)) {
		const u8 a = full_reg(full, insn->a, S1), b = full_reg(full, insn->b, S2);
		const u8 c = insn->c ? full_reg(full, insn->c, S3) : XZR;

		a64_rrrr(full->emit, insn->c && insn->cond ? a64_msub : a64_madd, full_width(insn), reg, a,
			 b, c);
	}
	full_done(full, at, reg);
}

static void multiply_high(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);
	const u8 a = full_reg(full, insn->a, S1), b = full_reg(full, insn->b, S2);

	if (insn->width == IR_64) {
		a64_high(full->emit, a64_umulh, reg, a, b);
	} else {
		a64_long(full->emit, a64_umaddl, reg, a, b, XZR);
		a64_shift_imm(full->emit, A64_LSR, W64, reg, reg, 32);
	}
	full_done(full, at, reg);
}

/* The machine's quotients by 0 are 0, and those of -1 have no exception. */
static void divide(struct full *full, ir_ref at, struct a64_op op, bool is_remainder)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const machine_width width = full_width(insn);
	const u8 reg = full_result(full, at);
	const u8 a = full_reg(full, insn->a, S1), b = full_reg(full, insn->b, S2);

	a64_rrr(full->emit, op, width, is_remainder ? S3 : reg, a, b);
	if (is_remainder)
		a64_rrrr(full->emit, a64_msub, width, reg, S3, b, a);
	full_done(full, at, reg);
}

/* --- shifts --- */

static void by_number(struct full *full, const struct ir_insn *insn, enum a64_shift how, u8 reg,
		      u8 amount)
{
	const machine_width width = full_width(insn);
	const u8 a = full_reg(full, insn->a, S1);

	amount &= arm64_bits(width) - 1;
	if (insn->bytes && how == A64_LSL)
		a64_field(full->emit, a64_ubfm, width, reg, a, arm64_bits(width) - amount,
			  insn->bytes - 1);
	else if (insn->bytes)
		a64_field(full->emit, how == A64_ASR ? a64_sbfm : a64_ubfm, width, reg, a, amount,
			  amount + insn->bytes - 1);
	else
		a64_shift_imm(full->emit, how, width, reg, a, amount);
}

static void shift(struct full *full, ir_ref at, struct a64_op by_reg, enum a64_shift how)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);
	u64 number;
	u8 a, b;

	if (arm64_number_of(full, insn->b, W64, &number)) {
		by_number(full, insn, how, reg, (u8)number);
	} else {
		a = full_reg(full, insn->a, S1);
		b = full_reg(full, insn->b, S2);
		a64_rrr(full->emit, by_reg, full_width(insn), reg, a, b);
	}
	full_done(full, at, reg);
}

/* The machine rotates to the other side. */
static void rotate(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);
	u64 number;
	u8 a, b;

	if (arm64_number_of(full, insn->b, W64, &number)) {
		by_number(full, insn, A64_ROR, reg, (u8)-number);
	} else {
		a = full_reg(full, insn->a, S1);
		b = full_reg(full, insn->b, S2);
		a64_rrr(full->emit, a64_sub, W32, S2, XZR, b);
		a64_rrr(full->emit, a64_rorv, full_width(insn), reg, a, S2);
	}
	full_done(full, at, reg);
}

/* --- one operand --- */

static void from_nothing(struct full *full, ir_ref at, struct a64_op op)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);

	a64_rrr(full->emit, op, full_width(insn), reg, XZR, full_reg(full, insn->a, S1));
	full_done(full, at, reg);
}

static void extend(struct full *full, ir_ref at, struct a64_op op, machine_width width, u8 bits)
{
	const u8 reg = full_result(full, at), a = full_reg(full, ir_at(full->fn, at)->a, S1);

	if (bits == 32 && (width == W32 || op.bits == a64_ubfm.bits))
		a64_mov(full->emit, W32, reg, a);
	else
		a64_field(full->emit, op, width, reg, a, 0, bits - 1);
	full_done(full, at, reg);
}

static void swap(struct full *full, ir_ref at, struct a64_op op, machine_width width)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);

	a64_rr(full->emit, op, width, reg, full_reg(full, insn->a, S1));
	/* The bits above the 16 change places, too. */
	if (op.bits == a64_rev16.bits && ir_bits(full->fn, insn->a) > UINT16_MAX)
		a64_field(full->emit, a64_ubfm, W32, reg, reg, 0, 15);
	full_done(full, at, reg);
}

static void count_zeros(struct full *full, ir_ref at, bool from_below)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);
	u8 value = full_reg(full, insn->a, S1);

	if (from_below) {
		a64_rr(full->emit, a64_rbit, full_width(insn), reg, value);
		value = reg;
	}
	a64_rr(full->emit, a64_clz, full_width(insn), reg, value);
	full_done(full, at, reg);
}

/* Only vectors have that. */
#define VECTOR 31

static void count_ones(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at), value = full_reg(full, insn->a, S1);

	a64_vector(full->emit, insn->width == IR_64 ? a64_fmov_d_x : a64_fmov_s_w, VECTOR, value);
	a64_vector(full->emit, a64_cnt, VECTOR, VECTOR);
	a64_vector(full->emit, a64_addv, VECTOR, VECTOR);
	a64_vector(full->emit, a64_fmov_w_s, reg, VECTOR);
	full_done(full, at, reg);
}

void full_pure(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const machine_width width = full_width(insn);

	switch (insn->op) {
	case IR_add:
	case IR_sub: add(full, at); return;
	case IR_and: logic(full, at, (struct logic_row){a64_and, a64_and_imm, a64_bic}); return;
	case IR_or: logic(full, at, (struct logic_row){a64_orr, a64_orr_imm, a64_orn}); return;
	case IR_xor: logic(full, at, (struct logic_row){a64_eor, a64_eor_imm, a64_eon}); return;
	case IR_mul: multiply(full, at); return;
	case IR_mulhi: multiply_high(full, at); return;
	case IR_udiv: divide(full, at, a64_udiv, false); return;
	case IR_sdiv: divide(full, at, a64_sdiv, false); return;
	case IR_umod: divide(full, at, a64_udiv, true); return;
	case IR_smod: divide(full, at, a64_sdiv, true); return;
	case IR_shl: shift(full, at, a64_lslv, A64_LSL); return;
	case IR_shr: shift(full, at, a64_lsrv, A64_LSR); return;
	case IR_sar: shift(full, at, a64_asrv, A64_ASR); return;
	case IR_rotl: rotate(full, at); return;
	case IR_neg: from_nothing(full, at, a64_sub); return;
	case IR_not: from_nothing(full, at, a64_orn); return;
	case IR_zext8: extend(full, at, a64_ubfm, W32, 8); return;
	case IR_zext16: extend(full, at, a64_ubfm, W32, 16); return;
	case IR_zext32: extend(full, at, a64_ubfm, W32, 32); return;
	case IR_sext8: extend(full, at, a64_sbfm, width, 8); return;
	case IR_sext16: extend(full, at, a64_sbfm, width, 16); return;
	case IR_sext32: extend(full, at, a64_sbfm, width, 32); return;
	case IR_clz: count_zeros(full, at, false); return;
	case IR_ctz: count_zeros(full, at, true); return;
	case IR_popcnt: count_ones(full, at); return;
	case IR_bswap16: swap(full, at, a64_rev16, W32); return;
	case IR_bswap32: swap(full, at, a64_rev32, W32); return;
	case IR_bswap64: swap(full, at, a64_rev64, W64); return;
	default: full->failed = true; return;
	}
}

/* --- conditions --- */

machine_condition arm64_condition(enum ir_cond cond)
{
	static const u8 table[IR_CONDS] = {
		[IR_EQ] = A64_EQ,  [IR_NE] = A64_NE,  [IR_ULT] = A64_LO, [IR_UGE] = A64_HS,
		[IR_UGT] = A64_HI, [IR_ULE] = A64_LS, [IR_SLT] = A64_LT, [IR_SGE] = A64_GE,
		[IR_SGT] = A64_GT, [IR_SLE] = A64_LE, [IR_ANY] = A64_NE, [IR_NONE] = A64_EQ,
	};

	return (machine_condition)table[cond];
}

machine_condition full_compare(struct full *full, enum ir_cond cond, enum ir_width width, ir_ref a,
			       ir_ref b)
{
	const machine_width bits = width == IR_64 ? W64 : W32;
	const bool is_test = cond == IR_ANY || cond == IR_NONE;
	/* As a first operand 31 is the stack pointer beside a constant. */
	const u8 left = full_reg(full, a, S1);
	u64 number;

	if (!arm64_number_of(full, b, bits, &number))
		a64_rrr(full->emit, is_test ? a64_ands : a64_subs, bits, XZR, left,
			arm64_reg(full, b, S2));
	else if (is_test)
		arm64_logic_const(full->emit, a64_ands_imm, a64_ands, bits, XZR, left, number, S2);
	else
		arm64_compare_const(full->emit, bits, left,
				    width == IR_64 ? (s64)number : (s32)number, S2);
	return arm64_condition(cond);
}

/* The choice before is between other values for the same reason. */
static bool has_flags_of_before(const struct full *full, const struct ir_insn *insn)
{
	const struct ir_insn *before = ir_at(full->fn, insn->prev);
	const ir_ref *x = full->fn->args + insn->args, *y = full->fn->args + before->args;

	return insn->prev && before->op == IR_select && before->width == insn->width &&
	       (before->cond >= IR_ANY) == (insn->cond >= IR_ANY) && x[0] == y[0] && x[1] == y[1];
}

/* No instruction between the compare and the choice changes flags. */
void full_select(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const ir_ref *compared = full->fn->args + insn->args;
	const u8 reg = full_result(full, at);
	machine_condition taken = arm64_condition((enum ir_cond)insn->cond);
	u64 yes = 2, no = 2;
	u8 a, b;

	if (!has_flags_of_before(full, insn))
		full_compare(full, (enum ir_cond)insn->cond, (enum ir_width)insn->width, compared[0],
			     compared[1]);
	arm64_number_of(full, insn->a, W64, &yes);
	arm64_number_of(full, insn->b, W64, &no);
	if (yes == 1) { /* 1 is 0 plus 1, and comes when the condition does not hold */
		a64_choice(full->emit, a64_csinc, W64, reg, arm64_reg(full, insn->b, S1), XZR,
			   (machine_condition)(taken ^ 1));
	} else if (no == 1) {
		a64_choice(full->emit, a64_csinc, W64, reg, arm64_reg(full, insn->a, S1), XZR, taken);
	} else {
		a = arm64_reg(full, insn->a, S1);
		b = arm64_reg(full, insn->b, S2);
		a64_choice(full->emit, a64_csel, W64, reg, a, b, taken);
	}
	full_done(full, at, reg);
}
