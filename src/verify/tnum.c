/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/tnum.h"

/* All ones up to and including the highest bit of `value`. */
static u64 fill_below(u64 value)
{
	return value ? ~0ull >> __builtin_clzll(value) : 0;
}

/*
 * A carry into a bit may differ where the sum of all minima and the sum of all maxima have
 * different carries: there, and where an operand's bit is unknown, the result's bit is unknown.
 */
struct tnum tnum_add(struct tnum a, struct tnum b)
{
	u64 lowest = a.value + b.value;
	u64 highest = lowest + a.mask + b.mask;
	u64 unknown = (lowest ^ highest) | a.mask | b.mask;

	return (struct tnum){lowest & ~unknown, unknown};
}

struct tnum tnum_sub(struct tnum a, struct tnum b)
{
	u64 base = a.value - b.value;
	u64 highest = base + a.mask, lowest = base - b.mask;
	u64 unknown = (highest ^ lowest) | a.mask | b.mask;

	return (struct tnum){base & ~unknown, unknown};
}

/* Long multiplication: each bit of `a` adds a shifted `b`, nothing, or one of the two. */
struct tnum tnum_mul(struct tnum a, struct tnum b)
{
	struct tnum sum = tnum_const(0);

	for (; a.value | a.mask; a = tnum_shr(a, 1), b = tnum_shl(b, 1)) {
		if (a.value & 1)
			sum = tnum_add(sum, b);
		else if (a.mask & 1)
			sum = tnum_union(sum, tnum_add(sum, b));
	}
	return sum;
}

struct tnum tnum_and(struct tnum a, struct tnum b)
{
	u64 ones = a.value & b.value;
	u64 may_be_one = (a.value | a.mask) & (b.value | b.mask);

	return (struct tnum){ones, may_be_one & ~ones};
}

struct tnum tnum_or(struct tnum a, struct tnum b)
{
	u64 ones = a.value | b.value;

	return (struct tnum){ones, (a.mask | b.mask) & ~ones};
}

struct tnum tnum_xor(struct tnum a, struct tnum b)
{
	u64 unknown = a.mask | b.mask;

	return (struct tnum){(a.value ^ b.value) & ~unknown, unknown};
}

struct tnum tnum_shl(struct tnum a, u32 shift)
{
	return (struct tnum){a.value << shift, a.mask << shift};
}

struct tnum tnum_shr(struct tnum a, u32 shift)
{
	return (struct tnum){a.value >> shift, a.mask >> shift};
}

struct tnum tnum_sign_extend(struct tnum a, u32 from, u32 to)
{
	struct tnum wide = {(u64)sign_extend(a.value, from), (u64)sign_extend(a.mask, from)};

	return tnum_cast(wide, to);
}

struct tnum tnum_sar(struct tnum a, u32 shift, u32 width)
{
	struct tnum shifted = {(u64)(sign_extend(a.value, width) >> shift),
			       (u64)(sign_extend(a.mask, width) >> shift)};

	return tnum_cast(shifted, width);
}

struct tnum tnum_byte_swap(struct tnum a, u32 width)
{
	return (struct tnum){__builtin_bswap64(a.value) >> (64 - width),
			     __builtin_bswap64(a.mask) >> (64 - width)};
}

struct tnum tnum_union(struct tnum a, struct tnum b)
{
	u64 unknown = a.mask | b.mask | (a.value ^ b.value);

	return (struct tnum){a.value & ~unknown, unknown};
}

bool tnum_intersect(struct tnum a, struct tnum b, struct tnum *out)
{
	u64 unknown = a.mask & b.mask;

	if ((a.value ^ b.value) & ~(a.mask | b.mask))
		return false;
	*out = (struct tnum){a.value | b.value, unknown};
	return true;
}

struct tnum tnum_range(u64 low, u64 high)
{
	u64 unknown = fill_below(low ^ high);

	return (struct tnum){low & ~unknown, unknown};
}

/*
 * Above the highest bit where `value` contradicts a known bit, the result keeps value's bits,
 * below it takes the smallest member's. Where the known bit is 0 and value's is 1, one unknown
 * bit above must go from 0 to 1 to make up for it: the lowest such.
 */
bool tnum_member_from(struct tnum a, u64 value, u64 *out)
{
	u64 conflict = (value ^ a.value) & ~a.mask;
	u64 below = fill_below(conflict);
	u64 top = conflict & ~(below >> 1);

	if (!conflict) {
		*out = value;
		return true;
	}
	if (value & top) {
		u64 raisable = a.mask & ~value & ~below;

		if (!raisable)
			return false;
		top = raisable & -raisable;
		below = top | (top - 1);
		*out = (value & ~below) | top | (a.value & below);
		return true;
	}
	*out = (value & ~below) | (a.value & below);
	return true;
}

/* Complementing every bit turns the order around. */
bool tnum_member_up_to(struct tnum a, u64 value, u64 *out)
{
	struct tnum mirrored = {~a.value & ~a.mask, a.mask};

	if (!tnum_member_from(mirrored, ~value, out))
		return false;
	*out = ~*out;
	return true;
}
