/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Known bits ("tristate numbers"): each bit of a value is 0, 1 or unknown. All operations are
 * modulo 2^64; a narrower value has zeros above its width, tnum_cast() cuts a result to it.
 */
#ifndef SKEP_VERIFY_TNUM_H
#define SKEP_VERIFY_TNUM_H

#include "verify/scalar.h"

/* The `width` low bits, 1 <= width <= 64. */
static inline u64 low_ones(u32 width)
{
	return ~0ull >> (64 - width);
}

static inline s64 sign_extend(u64 value, u32 width)
{
	return (s64)(value << (64 - width)) >> (64 - width);
}

static inline struct tnum tnum_const(u64 value)
{
	return (struct tnum){value, 0};
}

static inline struct tnum tnum_unknown(u32 width)
{
	return (struct tnum){0, low_ones(width)};
}

static inline struct tnum tnum_cast(struct tnum a, u32 width)
{
	return (struct tnum){a.value & low_ones(width), a.mask & low_ones(width)};
}

static inline bool tnum_has(struct tnum a, u64 value)
{
	return (value & ~a.mask) == a.value;
}

static inline bool tnum_contains(struct tnum outer, struct tnum inner)
{
	return !(inner.mask & ~outer.mask) && (inner.value & ~outer.mask) == outer.value;
}

/* All ones up to and including the highest bit of `value`. */
static inline u64 fill_below(u64 value)
{
	return value ? ~0ull >> __builtin_clzll(value) : 0;
}

/*
 * A carry into a bit may differ where the sum of all minima and the sum of all maxima have
 * different carries: there, and where an operand's bit is unknown, the result's bit is unknown.
 */
static inline struct tnum tnum_add(struct tnum a, struct tnum b)
{
	u64 lowest = a.value + b.value;
	u64 highest = lowest + a.mask + b.mask;
	u64 unknown = (lowest ^ highest) | a.mask | b.mask;

	return (struct tnum){lowest & ~unknown, unknown};
}

static inline struct tnum tnum_sub(struct tnum a, struct tnum b)
{
	u64 base = a.value - b.value;
	u64 highest = base + a.mask, lowest = base - b.mask;
	u64 unknown = (highest ^ lowest) | a.mask | b.mask;

	return (struct tnum){base & ~unknown, unknown};
}

static inline struct tnum tnum_and(struct tnum a, struct tnum b)
{
	u64 ones = a.value & b.value;
	u64 may_be_one = (a.value | a.mask) & (b.value | b.mask);

	return (struct tnum){ones, may_be_one & ~ones};
}

static inline struct tnum tnum_or(struct tnum a, struct tnum b)
{
	u64 ones = a.value | b.value;

	return (struct tnum){ones, (a.mask | b.mask) & ~ones};
}

static inline struct tnum tnum_xor(struct tnum a, struct tnum b)
{
	u64 unknown = a.mask | b.mask;

	return (struct tnum){(a.value ^ b.value) & ~unknown, unknown};
}

static inline struct tnum tnum_shl(struct tnum a, u32 shift)
{
	return (struct tnum){a.value << shift, a.mask << shift};
}

static inline struct tnum tnum_shr(struct tnum a, u32 shift)
{
	return (struct tnum){a.value >> shift, a.mask >> shift};
}

/* Smallest that contains both. */
static inline struct tnum tnum_union(struct tnum a, struct tnum b)
{
	u64 unknown = a.mask | b.mask | (a.value ^ b.value);

	return (struct tnum){a.value & ~unknown, unknown};
}

/* Both hold; false: they contradict each other. */
static inline bool tnum_intersect(struct tnum a, struct tnum b, struct tnum *out)
{
	u64 unknown = a.mask & b.mask;

	if ((a.value ^ b.value) & ~(a.mask | b.mask))
		return false;
	*out = (struct tnum){a.value | b.value, unknown};
	return true;
}

/* Smallest that contains every value from `low` to `high`. */
static inline struct tnum tnum_range(u64 low, u64 high)
{
	u64 unknown = fill_below(low ^ high);

	return (struct tnum){low & ~unknown, unknown};
}

/*
 * The member next to `value`, itself included; false: there is none on that side.
 *
 * Above the highest bit where `value` contradicts a known bit, the result keeps value's bits,
 * below it takes the smallest member's. Where the known bit is 0 and value's is 1, one unknown
 * bit above must go from 0 to 1 to make up for it: the lowest such.
 */
static inline bool tnum_member_from(struct tnum a, u64 value, u64 *out)
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
static inline bool tnum_member_up_to(struct tnum a, u64 value, u64 *out)
{
	struct tnum mirrored = {~a.value & ~a.mask, a.mask};

	if (!tnum_member_from(mirrored, ~value, out))
		return false;
	*out = ~*out;
	return true;
}

struct tnum tnum_mul(struct tnum a, struct tnum b);
struct tnum tnum_sar(struct tnum a, u32 shift, u32 width);
struct tnum tnum_sign_extend(struct tnum a, u32 from, u32 to);
struct tnum tnum_byte_swap(struct tnum a, u32 width);

#endif
