/* SPDX-License-Identifier: BSD-2-Clause */
/* Views of one width. */
#include "proofs/obligations/obligations.h"

/* Mints an obligation at a width. */
#define AT(kind, what, width, ...)                              \
	void kind##_##what##_##width(void);                     \
	void kind##_##what##_##width(void)                      \
	{                                                       \
		what##_keeps(width __VA_OPT__(, ) __VA_ARGS__); \
	}

/* --- a view's own consistency --- */

static void view_halves_keeps(u32 width)
{
	struct view view;
	struct halves halves;

	left = any_unsigned(width);
	view = any_view(width);
	rely_on(tnum_member_from, contract_member_from);
	rely_on(tnum_member_up_to, contract_member_up_to);
	halves = view_halves(&view, width);
	check(halves_are_apart(&halves, width));
	assume(view_has(&view, left, width));
	if (left >> (width - 1)) {
		check(halves.upper.low <= left);
		check(left <= halves.upper.high);
	} else {
		check(halves.lower.low <= left);
		check(left <= halves.lower.high);
	}
}

AT(proof, view_halves, 64)
AT(proof, view_halves, 32)

static void view_narrow_keeps(u32 width)
{
	struct view view;
	struct halves halves;

	left = any_unsigned(width);
	view = any_view_with(left, width);
	halves.lower = (struct span){any_unsigned(width), any_unsigned(width)};
	halves.upper = (struct span){any_unsigned(width), any_unsigned(width)};
	assume(halves_have(&halves, left, width) && halves_are_apart(&halves, width));
	rely_on(tnum_range, contract_range);
	check(view_narrow(&view, &halves, width));
	check_view_has(&view, left, width);
}

AT(proof, view_narrow, 64)
AT(proof, view_narrow, 32)

static void view_sync_keeps(u32 width)
{
	struct view view;

	left = any_unsigned(width);
	view = any_view_with(left, width);
	rely_on(view_halves, contract_view_halves);
	rely_on(view_narrow, contract_view_narrow);
	check(view_sync(&view, width));
	check_view_has(&view, left, width);
}

AT(proof, view_sync, 64)
AT(proof, view_sync, 32)

/* --- sets --- */

static void view_join_keeps(u32 width)
{
	struct view a, b, joined;

	left = any_unsigned(width);
	right = any_unsigned(width);
	a = any_view_with(left, width);
	b = any_view_with(right, width);
	joined = view_join(&a, &b);
	check_view_has(&joined, left, width);
	check_view_has(&joined, right, width);
}

AT(proof, view_join, 64)
AT(proof, view_join, 32)

static void view_meet_keeps(u32 width)
{
	struct view a, b;

	left = any_unsigned(width);
	a = any_view_with(left, width);
	b = any_view_with(left, width);
	check(view_meet(&a, &b));
	check_view_has(&a, left, width);
}

AT(proof, view_meet, 64)
AT(proof, view_meet, 32)

static void view_contains_keeps(u32 width)
{
	struct view outer = any_view(width), inner;

	left = any_unsigned(width);
	inner = any_view_with(left, width);
	assume(view_contains(&outer, &inner));
	check_view_has(&outer, left, width);
}

AT(proof, view_contains, 64)
AT(proof, view_contains, 32)

static void view_const_keeps(u32 width)
{
	struct view view, unknown = view_unknown(width);

	left = any_unsigned(width);
	view = view_const(left, width);
	check_view_has(&view, left, width);
	check_view_has(&unknown, left, width);
}

AT(proof, view_const, 64)
AT(proof, view_const, 32)

/* --- widths --- */

static void view_low_keeps(u32 from, u32 to)
{
	struct view view, low;

	left = any_unsigned(from);
	view = any_view_with(left, from);
	rely_on(view_halves, contract_view_halves);
	low = view_low(&view, from, to);
	check_view_has(&low, left & low_ones(to), to);
}

AT(proof, view_low, 64, 32)
AT(proof, view_low, 32, 16)

void proof_view_low_32_to_8(void)
{
	view_low_keeps(32, 8);
}

static void view_sign_extend_keeps(u32 from)
{
	struct view view, wide;

	left = any_unsigned(from);
	view = any_view_with(left, from);
	wide = view_sign_extend(&view, from, 64);
	check_view_has(&wide, (u64)sign_extend(left, from), 64);
}

AT(proof, view_sign_extend, 32)
AT(proof, view_sign_extend, 16)
AT(proof, view_sign_extend, 8)

/* --- operations --- */

static void view_alu_keeps(u32 width, u8 op, bool is_signed)
{
	struct view a, b, result;

	left = any_unsigned(width);
	right = any_unsigned(width);
	a = any_view_with(left, width);
	b = any_view_with(right, width);
	if (is_shift(op))
		assume(right < width);
	result = view_alu(&a, &b, op, is_signed, width);
	check_view_has(&result, concrete_alu(left, right, op, is_signed, width), width);
}

#define ALU(kind, name, width, op, is_signed)         \
	void kind##_view_##name##_##width(void);      \
	void kind##_view_##name##_##width(void)       \
	{                                             \
		view_alu_keeps(width, op, is_signed); \
	}

ALU(proof, and, 64, BPF_AND, false)
ALU(proof, and, 32, BPF_AND, false)
ALU(proof, or, 64, BPF_OR, false)
ALU(proof, or, 32, BPF_OR, false)
ALU(proof, xor, 64, BPF_XOR, false)
ALU(proof, xor, 32, BPF_XOR, false)
ALU(long, mul, 6, BPF_MUL, false)
ALU(long, div, 6, BPF_DIV, false)
ALU(long, mod, 6, BPF_MOD, false)
ALU(long, sdiv, 6, BPF_DIV, true)
ALU(long, smod, 6, BPF_MOD, true)

/* --- sums: exact ones are between the sums of the ends --- */

static s128 exact[2];
static u32 bound_cnt;

static void view_bound_keeps(u32 width)
{
	s128 low = (s128)any_unsigned(64) - any_unsigned(64), high = low + any_unsigned(64);
	s128 value = low + any_unsigned(64);
	struct view view;

	assume(value <= high);
	left = (u64)value & low_ones(width);
	view = any_view_with(left, width);
	view_bound(&view, low, high, width);
	check_view_has(&view, left, width);
}

AT(proof, view_bound, 64)
AT(proof, view_bound, 32)

/* Unsigned ends come first, then signed ones. */
static void contract_bound(struct view *view, s128 low, s128 high, u32 width)
{
	s128 value = exact[bound_cnt++];
	bool had_value = view_has(view, (u64)value & low_ones(width), width);

	check(low <= value);
	check(value <= high);
	*view = any_view(width);
	assume(implies(had_value, view_has(view, (u64)value & low_ones(width), width)));
}

/* proof_tnum_sub_64 */
static struct tnum contract_tnum_sub(struct tnum a, struct tnum b)
{
	struct tnum difference = any_tnum(64);

	assume(implies(tnum_has(a, left) && tnum_has(b, right),
		       tnum_has(difference, left - right)));
	return difference;
}

static void view_sum_keeps(u32 width, u8 op)
{
	struct view a, b, result;
	s64 signed_left, signed_right;

	left = any_unsigned(width);
	right = any_unsigned(width);
	a = any_view_with(left, width);
	b = any_view_with(right, width);
	signed_left = sign_extend(left, width);
	signed_right = sign_extend(right, width);
	exact[0] = op == BPF_ADD ? (s128)left + right : (s128)left - right;
	exact[1] = op == BPF_ADD ? (s128)signed_left + signed_right
				 : (s128)signed_left - signed_right;
	bound_cnt = 0;
	rely_on(view_bound, contract_bound);
	rely_on(tnum_sub, contract_tnum_sub);
	result = view_alu(&a, &b, op, false, width);
	check_view_has(&result, concrete_alu(left, right, op, false, width), width);
}

#define SUM(kind, name, width, op)               \
	void kind##_view_##name##_##width(void); \
	void kind##_view_##name##_##width(void)  \
	{                                        \
		view_sum_keeps(width, op);       \
	}

SUM(proof, add, 64, BPF_ADD)
SUM(proof, add, 32, BPF_ADD)
SUM(proof, sub, 64, BPF_SUB)
SUM(proof, sub, 32, BPF_SUB)

/* --- shifts: the numbers at the place where the loop shifts by `right` --- */

static struct tnum contract_tnum_shl(struct tnum a, u32 shift)
{
	struct tnum shifted = any_tnum(64);

	assume(implies(tnum_has(a, left) && shift == right,
		       tnum_has(shifted, left << (right & 63))));
	return shifted;
}

static struct tnum contract_tnum_shr(struct tnum a, u32 shift)
{
	struct tnum shifted = any_tnum(64);

	assume(implies(tnum_has(a, left) && shift == right,
		       tnum_has(shifted, left >> (right & 63))));
	return shifted;
}

static struct tnum contract_tnum_sar(struct tnum a, u32 shift, u32 width)
{
	struct tnum shifted = any_tnum(64);

	assume(implies(tnum_has(a, left) && shift == right,
		       tnum_has(shifted, (u64)(sign_extend(left, width) >> (right & 63)) &
						 low_ones(width))));
	return shifted;
}

static void any_shift(struct view *a, struct view *b, u32 width, u8 op)
{
	left = any_unsigned(width);
	right = any_unsigned(width);
	assume(right < width);
	outcome = concrete_alu(left, right, op, false, width);
	*a = any_view_with(left, width);
	*b = any_view_with(right, width);
}

/* In view_alu.c, the loop. */
struct tnum tnum_shift_any(const struct view *a, const struct view *by, u8 op, u32 width);

static void tnum_shift_any_keeps(u32 width, u8 op)
{
	struct view a, b;

	any_shift(&a, &b, width, op);
	assume(b.umax < width);
	bound_loops(width + 1);
	rely_on(tnum_shl, contract_tnum_shl);
	rely_on(tnum_shr, contract_tnum_shr);
	rely_on(tnum_sar, contract_tnum_sar);
	rely_on(tnum_union, contract_union);
	check(tnum_has(tnum_shift_any(&a, &b, op, width), outcome));
}

/* proof_tnum_shift_any_* */
static struct tnum contract_tnum_shift_any(const struct view *a, const struct view *by, u8 op,
					   u32 width)
{
	struct tnum shifted = any_tnum(width);

	check(by->umax < width);
	assume(implies(view_has(a, left, width) && view_has(by, right, width),
		       tnum_has(shifted, outcome)));
	return shifted;
}

static void view_shift_keeps(u32 width, u8 op)
{
	struct view a, b, result;

	any_shift(&a, &b, width, op);
	rely_on(tnum_shift_any, contract_tnum_shift_any);
	result = view_alu(&a, &b, op, false, width);
	check_view_has(&result, outcome, width);
}

#define SHIFT(what, kind, name, width, op)           \
	void kind##_##what##_##name##_##width(void); \
	void kind##_##what##_##name##_##width(void)  \
	{                                            \
		what##_keeps(width, op);             \
	}

SHIFT(tnum_shift_any, proof, shl, 8, BPF_LSH)
SHIFT(tnum_shift_any, proof, shr, 8, BPF_RSH)
SHIFT(tnum_shift_any, proof, sar, 8, BPF_ARSH)
SHIFT(tnum_shift_any, long, shl, 32, BPF_LSH)
SHIFT(tnum_shift_any, long, shr, 32, BPF_RSH)
SHIFT(tnum_shift_any, long, sar, 32, BPF_ARSH)
SHIFT(tnum_shift_any, long, shl, 64, BPF_LSH)
SHIFT(tnum_shift_any, long, shr, 64, BPF_RSH)
SHIFT(tnum_shift_any, long, sar, 64, BPF_ARSH)
SHIFT(view_shift, long, shl, 8, BPF_LSH)
SHIFT(view_shift, proof, shr, 8, BPF_RSH)
SHIFT(view_shift, proof, sar, 8, BPF_ARSH)
SHIFT(view_shift, long, shl, 32, BPF_LSH)
SHIFT(view_shift, proof, shr, 32, BPF_RSH)
SHIFT(view_shift, proof, sar, 32, BPF_ARSH)
SHIFT(view_shift, long, shl, 64, BPF_LSH)
SHIFT(view_shift, proof, shr, 64, BPF_RSH)
SHIFT(view_shift, proof, sar, 64, BPF_ARSH)
