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

struct tnum tnum_add(struct tnum a, struct tnum b);
struct tnum tnum_sub(struct tnum a, struct tnum b);
struct tnum tnum_mul(struct tnum a, struct tnum b);
struct tnum tnum_and(struct tnum a, struct tnum b);
struct tnum tnum_or(struct tnum a, struct tnum b);
struct tnum tnum_xor(struct tnum a, struct tnum b);
struct tnum tnum_shl(struct tnum a, u32 shift);
struct tnum tnum_shr(struct tnum a, u32 shift);
struct tnum tnum_sar(struct tnum a, u32 shift, u32 width);
struct tnum tnum_sign_extend(struct tnum a, u32 from, u32 to);
struct tnum tnum_byte_swap(struct tnum a, u32 width);

/* Smallest that contains both. */
struct tnum tnum_union(struct tnum a, struct tnum b);
/* Both hold; false: they contradict each other. */
bool tnum_intersect(struct tnum a, struct tnum b, struct tnum *out);
/* Smallest that contains every value from `low` to `high`. */
struct tnum tnum_range(u64 low, u64 high);

/* The member next to `value`, itself included; false: there is none on that side. */
bool tnum_member_from(struct tnum a, u64 value, u64 *out);
bool tnum_member_up_to(struct tnum a, u64 value, u64 *out);

#endif
