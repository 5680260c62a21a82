/* SPDX-License-Identifier: BSD-2-Clause */
/* Known bits. */
#include "proofs/obligations/obligations.h"

static struct tnum any_tnum_with(u64 value, u32 width)
{
	struct tnum bits = any_tnum(width);

	assume(tnum_has(bits, value));
	return bits;
}

static void any_operands(u32 width, struct tnum *a, struct tnum *b)
{
	left = any_unsigned(width);
	right = any_unsigned(width);
	*a = any_tnum_with(left, width);
	*b = any_tnum_with(right, width);
}

void proof_tnum_add_64(void)
{
	struct tnum a, b;

	any_operands(64, &a, &b);
	check(tnum_has(tnum_add(a, b), left + right));
}

void proof_tnum_sub_64(void)
{
	struct tnum a, b;

	any_operands(64, &a, &b);
	check(tnum_has(tnum_sub(a, b), left - right));
}

void proof_tnum_bitwise_64(void)
{
	struct tnum a, b;

	any_operands(64, &a, &b);
	check(tnum_has(tnum_and(a, b), left & right));
	check(tnum_has(tnum_or(a, b), left | right));
	check(tnum_has(tnum_xor(a, b), left ^ right));
}

/* --- multiplication: the numbers are multiplied in step with their known bits --- */

static struct tnum step_add(struct tnum a, struct tnum b)
{
	struct tnum sum = any_tnum(64);

	establish(tnum_has(a, outcome) && tnum_has(b, right));
	assume(tnum_has(sum, outcome + right));
	return sum;
}

static struct tnum step_union(struct tnum a, struct tnum b)
{
	struct tnum both = any_tnum(64);

	establish(tnum_has(a, outcome) && tnum_has(b, outcome + right));
	assume(tnum_has(both, outcome) && tnum_has(both, outcome + right));
	return both;
}

static struct tnum step_shr(struct tnum a, u32 shift)
{
	if (left & 1)
		outcome += right;
	left >>= shift;
	return (struct tnum){a.value >> shift, a.mask >> shift};
}

static struct tnum step_shl(struct tnum b, u32 shift)
{
	right <<= shift;
	return (struct tnum){b.value << shift, b.mask << shift};
}

/* `outcome` grows to the sum of the shifted `right` under the ones of `left`: their product. */
static void tnum_mul_keeps(u32 width)
{
	struct tnum a, b, product;

	any_operands(width, &a, &b);
	outcome = 0;
	rely_on(tnum_add, step_add);
	rely_on(tnum_union, step_union);
	rely_on(tnum_shr, step_shr);
	rely_on(tnum_shl, step_shl);
	product = tnum_mul(a, b);
	check(left == 0);
	check(tnum_has(product, outcome));
}

void long_tnum_mul_8(void)
{
	tnum_mul_keeps(8);
}

void long_tnum_mul_32(void)
{
	tnum_mul_keeps(32);
}

/* --- shifts and widths --- */

void proof_tnum_shift_64(void)
{
	struct tnum a;
	u32 shift = (u32)any_unsigned(6);

	left = any_unsigned(64);
	a = any_tnum_with(left, 64);
	check(tnum_has(tnum_shl(a, shift), left << shift));
	check(tnum_has(tnum_shr(a, shift), left >> shift));
	check(tnum_has(tnum_sar(a, shift, 64), (u64)((s64)left >> shift)));
}

void proof_tnum_shift_32(void)
{
	struct tnum a;
	u32 shift = (u32)any_unsigned(5);

	left = any_unsigned(32);
	a = any_tnum_with(left, 32);
	check(tnum_has(tnum_sar(a, shift, 32), (u32)((s32)left >> shift)));
}

void proof_tnum_widths(void)
{
	struct tnum a;

	left = any_unsigned(64);
	a = any_tnum_with(left, 64);
	check(tnum_has(tnum_cast(a, 32), (u32)left));
	check(tnum_has(tnum_cast(a, 16), (u16)left));
	check(tnum_has(tnum_cast(a, 8), (u8)left));
	check(tnum_has(tnum_sign_extend(a, 32, 64), (u64)(s64)(s32)left));
	check(tnum_has(tnum_sign_extend(a, 16, 64), (u64)(s64)(s16)left));
	check(tnum_has(tnum_sign_extend(a, 8, 64), (u64)(s64)(s8)left));
	check(tnum_has(tnum_sign_extend(a, 8, 32), (u32)(s32)(s8)left));
}

void proof_tnum_byte_swap(void)
{
	struct tnum a;

	left = any_unsigned(64);
	a = any_tnum_with(left, 64);
	check(tnum_has(tnum_byte_swap(a, 64), __builtin_bswap64(left)));
	check(tnum_has(tnum_byte_swap(tnum_cast(a, 32), 32), __builtin_bswap32((u32)left)));
	check(tnum_has(tnum_byte_swap(tnum_cast(a, 16), 16), __builtin_bswap16((u16)left)));
}

/* --- sets --- */

void proof_tnum_union_and_intersection(void)
{
	struct tnum a = any_tnum(64), b = any_tnum(64), both = a;

	left = any_unsigned(64);
	right = any_unsigned(64);
	assume(tnum_has(a, left) && tnum_has(b, right));
	check(tnum_has(tnum_union(a, b), left));
	check(tnum_has(tnum_union(a, b), right));
	check(implies(left == right, tnum_intersect(a, b, &both) && tnum_has(both, left)));
	check(implies(tnum_intersect(a, b, &both) && tnum_has(both, left), tnum_has(b, left)));
}

void proof_tnum_contains(void)
{
	struct tnum outer = any_tnum(64), inner = any_tnum(64);

	left = any_unsigned(64);
	assume(tnum_has(inner, left) && tnum_contains(outer, inner));
	check(tnum_has(outer, left));
}

void proof_tnum_range(void)
{
	u64 low = any_unsigned(64), high = any_unsigned(64);

	left = any_unsigned(64);
	assume(low <= left && left <= high);
	check(tnum_has(tnum_range(low, high), left));
}

/* Next to a value: no member is passed over, and what is found is one. */
void proof_tnum_member_from(void)
{
	u64 value = any_unsigned(64), found = 0;
	struct tnum a;
	bool is_found;

	left = any_unsigned(64);
	a = any_tnum_with(left, 64);
	is_found = tnum_member_from(a, value, &found);
	check(implies(value <= left, is_found && found <= left));
	check(implies(is_found, value <= found && tnum_has(a, found)));
}

void proof_tnum_member_up_to(void)
{
	u64 value = any_unsigned(64), found = 0;
	struct tnum a;
	bool is_found;

	left = any_unsigned(64);
	a = any_tnum_with(left, 64);
	is_found = tnum_member_up_to(a, value, &found);
	check(implies(left <= value, is_found && left <= found));
	check(implies(is_found, found <= value && tnum_has(a, found)));
}
