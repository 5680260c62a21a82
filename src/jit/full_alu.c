/* SPDX-License-Identifier: BSD-2-Clause */
/* The full tier's arithmetic. */
#include "jit/full.h"
#include "ir/fold.h"

/* --- operations that the machine has as they are --- */

struct plain_row {
	struct x86_op load, imm8, imm32;
	bool commutes;
};

/* imul commutes, too, but has its own immediates. */

#define PLAIN(name, commutes) \
	((struct plain_row){x86_##name##_load, x86_##name##_imm8, x86_##name##_imm32, commutes})

static void by_imm(struct full *full, const struct plain_row *row, enum x86_width width, u8 reg,
		   s32 imm)
{
	const bool is_short = imm == (s8)imm;

	x86_rr(full->emit, is_short ? row->imm8 : row->imm32, width, 0, reg);
	if (is_short)
		emit8(full->emit, (u8)imm);
	else
		emit32(full->emit, (u32)imm);
}

static bool is_at(const struct full *full, ir_ref value, u8 reg)
{
	return full->place[value] == reg;
}

/* An operand that an instruction can have as it is. */
static bool is_operand(const struct full *full, ir_ref value)
{
	return full->place[value] != NOWHERE;
}

/* A scratch register beside `reg`. */
static u8 other_scratch(struct full *full, u8 reg)
{
	return reg == SCRATCH ? full_second(full) : SCRATCH;
}

static void by_value(struct full *full, const struct plain_row *row, const struct ir_insn *insn,
		     u8 reg)
{
	const enum x86_width width = full_width(insn);
	ir_ref a = insn->a, b = insn->b;
	u8 other;

	if (row->commutes && is_at(full, b, reg)) {
		a = insn->b;
		b = insn->a;
	}
	if (is_at(full, b, reg) && !is_at(full, a, reg)) { /* a - b, in b */
		if (!is_operand(full, a)) {
			other = other_scratch(full, reg);
			full_load(full, other, W64, a);
			x86_rr(full->emit, x86_neg, width, 0, reg);
			x86_rr(full->emit, x86_add_load, width, reg, other);
			return;
		}
		x86_rr(full->emit, x86_neg, width, 0, reg);
		full_op(full, x86_add_load, width, reg, a);
		return;
	}
	if (!is_operand(full, b)) {
		other = other_scratch(full, reg);
		full_load(full, other, W64, b);
		if (!is_at(full, a, reg))
			full_load(full, reg, width, a);
		x86_rr(full->emit, row->load, width, reg, other);
		return;
	}
	if (!is_at(full, a, reg))
		full_load(full, reg, width, a);
	full_op(full, row->load, width, reg, b);
}

static void plain(struct full *full, ir_ref at, struct plain_row row)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const enum x86_width width = full_width(insn);
	const u8 reg = full_result(full, at);
	s32 imm;

	if (full_is_imm(full, insn->b, (enum ir_width)insn->width, &imm)) {
		if (!is_at(full, insn->a, reg))
			full_load(full, reg, width, insn->a);
		by_imm(full, &row, width, reg, imm);
	} else {
		by_value(full, &row, insn, reg);
	}
	full_done(full, at, reg);
}

/* lea makes a sum in a third register. */
static void add(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);
	struct x86_mem sum;
	s32 imm;

	if (!full_in_reg(full, insn->a) || is_at(full, insn->a, reg) || is_at(full, insn->b, reg)) {
		plain(full, at, PLAIN(add, true));
		return;
	}
	if (full_is_imm(full, insn->b, (enum ir_width)insn->width, &imm)) {
		sum = x86_at((u8)full->place[insn->a], imm);
	} else if (full_in_reg(full, insn->b)) {
		sum = x86_at((u8)full->place[insn->a], 0);
		sum.index = (u8)full->place[insn->b];
	} else {
		plain(full, at, PLAIN(add, true));
		return;
	}
	x86_rm(full->emit, x86_lea, full_width(insn), reg, sum);
	full_done(full, at, reg);
}

/* Times 3, 5, 9: lea. */
static bool multiply_by_lea(struct full *full, const struct ir_insn *insn, u8 reg, s32 factor)
{
	struct x86_mem sum;

	if ((factor != 3 && factor != 5 && factor != 9) || !full_in_reg(full, insn->a))
		return false;
	sum = x86_at((u8)full->place[insn->a], 0);
	sum.index = sum.base;
	sum.scale = factor == 3 ? 1 : factor == 5 ? 2 : 3;
	x86_rm(full->emit, x86_lea, full_width(insn), reg, sum);
	return true;
}

static void multiply(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);
	const bool can_be_operand = full->place[insn->a] != NOWHERE;
	s32 imm;

	if (!full_is_imm(full, insn->b, (enum ir_width)insn->width, &imm)) {
		by_value(full, &(struct plain_row){.load = x86_imul, .commutes = true}, insn, reg);
	} else if (!multiply_by_lea(full, insn, reg, imm)) {
		if (can_be_operand) {
			full_op(full, x86_imul_imm, full_width(insn), reg, insn->a);
		} else {
			full_load(full, reg, W64, insn->a);
			x86_rr(full->emit, x86_imul_imm, full_width(insn), reg, reg);
		}
		emit32(full->emit, (u32)imm);
	}
	full_done(full, at, reg);
}

/* --- shifts --- */

struct shift_row {
	struct x86_op imm8, cl;
	enum x86_shift by_reg; /* X86_NO_SHIFT: there is none */
};

/* The full tier knows that rcx is free then (full_clobbers()). */
static void shift_by_cl(struct full *full, ir_ref at, const struct shift_row *row)
{
	const struct ir_insn *insn = ir_at(full->fn, at);

	full_load(full, SCRATCH, W64, insn->a);
	full_load(full, RCX, W64, insn->b);
	x86_rr(full->emit, row->cl, full_width(insn), 0, SCRATCH);
	full_done(full, at, SCRATCH);
}

static void shift(struct full *full, ir_ref at, struct shift_row row)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const enum x86_width width = full_width(insn);
	const u8 reg = full_result(full, at);
	u8 count, value;

	if (ir_is_const(full->fn, insn->b)) {
		if (!is_at(full, insn->a, reg))
			full_load(full, reg, width, insn->a);
		x86_rr(full->emit, row.imm8, width, 0, reg);
		emit8(full->emit, (u8)ir_at(full->fn, insn->b)->imm & (width == W64 ? 63 : 31));
		full_done(full, at, reg);
		return;
	}
	if (row.by_reg == X86_NO_SHIFT || !full_has_bmi2()) {
		shift_by_cl(full, at, &row);
		return;
	}
	count = full_reg(full, insn->b, SCRATCH);
	value = full_in_reg(full, insn->a) ? (u8)full->place[insn->a]
		: count == SCRATCH	   ? full_second(full)
					   : SCRATCH;
	if (!full_in_reg(full, insn->a))
		full_load(full, value, W64, insn->a);
	x86_shift_by_reg(full->emit, row.by_reg, width, reg, value, count);
	full_done(full, at, reg);
}

#define SHIFT(name, by_reg) ((struct shift_row){x86_##name##_imm8, x86_##name##_cl, by_reg})

/* --- division: rdx:rax by a register; both are free then --- */

static bool is_signed(u8 op)
{
	return op == IR_sdiv || op == IR_smod;
}

static void divide_rax(struct full *full, const struct ir_insn *insn, u8 divisor)
{
	const enum x86_width width = full_width(insn);

	if (is_signed(insn->op))
		x86_sign_to_rdx(full->emit, width);
	else
		x86_rr(full->emit, x86_xor_store, W32, RDX, RDX);
	x86_rr(full->emit, is_signed(insn->op) ? x86_idiv : x86_div, width, 0, divisor);
}

/* Of a divisor that may be 0, or -1: the quotient in rax, the remainder in rdx. */
static void divide_checked(struct full *full, const struct ir_insn *insn, u8 divisor)
{
	const enum x86_width width = full_width(insn);
	struct emit *emit = full->emit;
	u32 nonzero, done[2], other;

	x86_rr(emit, x86_test, width, divisor, divisor);
	nonzero = x86_jcc8(emit, CC_NE);
	base_move(full->base, width, RDX, RAX);
	x86_mov_imm(emit, RAX, 0);
	done[0] = x86_jmp8(emit);
	x86_land(emit, nonzero);
	if (!is_signed(insn->op)) {
		divide_rax(full, insn, divisor);
		x86_land(emit, done[0]);
		return;
	}
	x86_rr(emit, x86_cmp_imm8, width, 0, divisor);
	emit8(emit, 0xff);
	other = x86_jcc8(emit, CC_NE);
	x86_rr(emit, x86_neg, width, 0, RAX);
	x86_mov_imm(emit, RDX, 0);
	done[1] = x86_jmp8(emit);
	x86_land(emit, other);
	divide_rax(full, insn, divisor);
	x86_land(emit, done[0]);
	x86_land(emit, done[1]);
}

static bool is_safe_divisor(const struct full *full, const struct ir_insn *insn)
{
	const struct ir_insn *divisor = ir_at(full->fn, insn->b);
	const s64 number = insn->width == IR_64 ? divisor->imm : (s32)divisor->imm;

	return divisor->op == IR_const && number && number != -1;
}

static void divide(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const bool is_remainder = insn->op == IR_umod || insn->op == IR_smod;
	u8 divisor = full_reg(full, insn->b, SCRATCH);

	if (divisor == RAX || divisor == RDX) {
		base_move(full->base, W64, SCRATCH, divisor);
		divisor = SCRATCH;
	}
	full_load(full, RAX, full_width(insn), insn->a);
	if (is_safe_divisor(full, insn))
		divide_rax(full, insn, divisor);
	else
		divide_checked(full, insn, divisor);
	full_done(full, at, is_remainder ? RDX : RAX);
}

static void multiply_high(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	u8 factor = full_reg(full, insn->b, SCRATCH);

	if (factor == RAX) {
		base_move(full->base, W64, SCRATCH, factor);
		factor = SCRATCH;
	}
	full_load(full, RAX, full_width(insn), insn->a);
	x86_rr(full->emit, x86_mul, full_width(insn), 0, factor);
	full_done(full, at, RDX);
}

/* --- one operand --- */

static void extend(struct full *full, ir_ref at, struct x86_op op, enum x86_width width)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);

	if (full->place[insn->a] == NOWHERE) {
		full_load(full, reg, W64, insn->a);
		x86_rr(full->emit, op, width, reg, reg);
	} else {
		full_op(full, op, width, reg, insn->a);
	}
	full_done(full, at, reg);
}

static void change(struct full *full, ir_ref at, struct x86_op op)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const u8 reg = full_result(full, at);

	if (!is_at(full, insn->a, reg))
		full_load(full, reg, full_width(insn), insn->a);
	x86_rr(full->emit, op, full_width(insn), 0, reg);
	full_done(full, at, reg);
}

static void swap(struct full *full, ir_ref at, enum x86_width width)
{
	const u8 reg = full_result(full, at);
	const ir_ref value = ir_at(full->fn, at)->a;

	if (!is_at(full, value, reg))
		full_load(full, reg, W64, value);
	if (width == W16) {
		x86_rr(full->emit, x86_rol_imm8, W16, 0, reg);
		emit8(full->emit, 8);
		/* The other bits stay as they were. */
		if (ir_bits(full->fn, value) > UINT16_MAX)
			x86_rr(full->emit, x86_movzx16, W32, reg, reg);
	} else {
		x86_bswap(full->emit, width, reg);
	}
	full_done(full, at, reg);
}

void full_pure(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const enum x86_width width = full_width(insn);

	switch (insn->op) {
	case IR_add: add(full, at); return;
	case IR_sub: plain(full, at, PLAIN(sub, false)); return;
	case IR_and: plain(full, at, PLAIN(and, true)); return;
	case IR_or: plain(full, at, PLAIN(or, true)); return;
	case IR_xor: plain(full, at, PLAIN(xor, true)); return;
	case IR_mul: multiply(full, at); return;
	case IR_mulhi: multiply_high(full, at); return;
	case IR_udiv:
	case IR_sdiv:
	case IR_umod:
	case IR_smod: divide(full, at); return;
	case IR_shl: shift(full, at, SHIFT(shl, X86_SHLX)); return;
	case IR_shr: shift(full, at, SHIFT(shr, X86_SHRX)); return;
	case IR_sar: shift(full, at, SHIFT(sar, X86_SARX)); return;
	case IR_rotl: shift(full, at, SHIFT(rol, X86_NO_SHIFT)); return;
	case IR_neg: change(full, at, x86_neg); return;
	case IR_not: change(full, at, x86_not); return;
	case IR_zext8: extend(full, at, x86_movzx8, W32); return;
	case IR_zext16: extend(full, at, x86_movzx16, W32); return;
	case IR_zext32: extend(full, at, x86_load, W32); return;
	case IR_sext8: extend(full, at, x86_movsx8, width); return;
	case IR_sext16: extend(full, at, x86_movsx16, width); return;
	case IR_sext32:
		extend(full, at, width == W64 ? x86_movsxd : x86_load, width);
		return;
	case IR_popcnt: extend(full, at, x86_popcnt, width); return;
	case IR_clz: extend(full, at, x86_lzcnt, width); return;
	case IR_ctz: extend(full, at, x86_tzcnt, width); return;
	case IR_bswap16: swap(full, at, W16); return;
	case IR_bswap32: swap(full, at, W32); return;
	case IR_bswap64: swap(full, at, W64); return;
	default: full->failed = true; return;
	}
}

/* --- conditions --- */

static enum x86_condition condition_of(enum ir_cond cond)
{
	static const u8 table[IR_CONDS] = {
		[IR_EQ] = CC_E,	  [IR_NE] = CC_NE,  [IR_ULT] = CC_B, [IR_UGE] = CC_AE,
		[IR_UGT] = CC_A,  [IR_ULE] = CC_BE, [IR_SLT] = CC_L, [IR_SGE] = CC_GE,
		[IR_SGT] = CC_G,  [IR_SLE] = CC_LE, [IR_ANY] = CC_NE, [IR_NONE] = CC_E,
	};

	return (enum x86_condition)table[cond];
}

static void test_imm(struct full *full, enum x86_width width, u8 reg, s32 imm)
{
	x86_rr(full->emit, x86_test_imm32, width, 0, reg);
	emit32(full->emit, (u32)imm);
}

enum x86_condition full_compare(struct full *full, enum ir_cond cond, enum ir_width width, ir_ref a,
				ir_ref b)
{
	const enum x86_width bits = width == IR_64 ? W64 : W32;
	const bool is_test = cond == IR_ANY || cond == IR_NONE;
	const struct plain_row cmp = PLAIN(cmp, false);
	const u8 left = full_reg(full, a, SCRATCH);
	s32 imm;
	u8 right;

	if (full_is_imm(full, b, width, &imm)) {
		if (is_test)
			test_imm(full, bits, left, imm);
		else if (!imm)
			x86_rr(full->emit, x86_test, bits, left, left);
		else
			by_imm(full, &cmp, bits, left, imm);
	} else if (is_operand(full, b) && (full_in_reg(full, b) || !is_test)) {
		full_op(full, is_test ? x86_test : x86_cmp_load, bits, left, b);
	} else {
		right = other_scratch(full, left);
		full_load(full, right, W64, b);
		x86_rr(full->emit, is_test ? x86_test : x86_cmp_load, bits, left, right);
	}
	return condition_of(cond);
}

/* Where the choice is made: neither what is compared nor what may be taken is there. */
static u8 select_result(struct full *full, ir_ref at, const ir_ref *compared, ir_ref yes)
{
	const s32 place = full->place[at];

	if (place < 0 || is_at(full, compared[0], (u8)place) ||
	    is_at(full, compared[1], (u8)place) || is_at(full, yes, (u8)place))
		return full_second(full);
	return (u8)place;
}

/* `no` is loaded before the compare, whose flags `yes` must not change. */
void full_select(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const ir_ref *compared = full->fn->args + insn->args;
	enum ir_cond cond = (enum ir_cond)insn->cond;
	ir_ref yes = insn->a, no = insn->b;
	enum x86_condition taken;
	s32 imm;
	u8 reg;

	if (full_in_reg(full, at) && full->place[at] == full->place[yes]) {
		yes = insn->b;
		no = insn->a;
		cond = ir_negate(cond);
	}
	reg = select_result(full, at, compared, yes);
	if (reg == R10 && !full_in_reg(full, compared[0]) && !is_operand(full, compared[1]) &&
	    !full_is_imm(full, compared[1], (enum ir_width)insn->width, &imm))
		full->failed = true;
	full_load(full, reg, W64, no);
	taken = full_compare(full, cond, (enum ir_width)insn->width, compared[0], compared[1]);
	if (is_operand(full, yes) && !full_in_reg(full, yes)) {
		x86_cmov_memory(full->emit, taken, W64, reg, full_slot(full, full->place[yes]));
	} else {
		u8 from = SCRATCH;

		if (ir_is_const(full->fn, yes))
			x86_mov_imm_keeping_flags(full->emit, SCRATCH, (u64)ir_at(full->fn, yes)->imm);
		else
			from = full_reg(full, yes, SCRATCH);
		x86_cmov(full->emit, taken, W64, reg, from);
	}
	full_done(full, at, reg);
}
