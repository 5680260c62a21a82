/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an operation makes of two views. Ranges are those of exact integer arithmetic, taken
 * modulo 2^width at the end (view_wrapped); known bits are computed beside them.
 */
#include "verify/view.h"

#include <linux/bpf.h>

struct interval {
	s128 low, high;
};

static struct interval unsigned_interval(const struct view *view)
{
	return (struct interval){view->umin, view->umax};
}

static struct interval signed_interval(const struct view *view)
{
	return (struct interval){view->smin, view->smax};
}

static inline void meet_interval(struct view *view, struct interval interval, u32 width)
{
	view_bound(view, interval.low, interval.high, width);
}

static struct interval interval_join(struct interval a, struct interval b)
{
	return (struct interval){min(a.low, b.low), max(a.high, b.high)};
}

/* An unknown view with these known bits. */
static inline struct view view_of_bits(struct tnum bits, u32 width)
{
	struct view view = view_unknown(width);

	view.bits = tnum_cast(bits, width);
	return view;
}

static __always_inline struct view view_add(const struct view *a, const struct view *b,
					    u32 width)
{
	struct view sum = view_of_bits(tnum_add(a->bits, b->bits), width);

	meet_interval(&sum, (struct interval){(s128)a->umin + b->umin, (s128)a->umax + b->umax},
		      width);
	meet_interval(&sum, (struct interval){(s128)a->smin + b->smin, (s128)a->smax + b->smax},
		      width);
	return sum;
}

static __always_inline struct view view_sub(const struct view *a, const struct view *b,
					    u32 width)
{
	struct view difference = view_of_bits(tnum_sub(a->bits, b->bits), width);

	meet_interval(&difference,
		      (struct interval){(s128)a->umin - b->umax, (s128)a->umax - b->umin},
		      width);
	meet_interval(&difference,
		      (struct interval){(s128)a->smin - b->smax, (s128)a->smax - b->smin},
		      width);
	return difference;
}

/* Smallest and largest of the products of the ends. */
static inline struct interval interval_mul(struct interval a, struct interval b)
{
	s128 products[4] = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
	struct interval result = {products[0], products[0]};

	for (u32 i = 1; i < ARRAY_SIZE(products); i++)
		result = interval_join(result, (struct interval){products[i], products[i]});
	return result;
}

/* Every multiple of a power of two. */
static bool is_any_multiple(struct tnum bits, u32 width)
{
	u64 lowest = bits.mask & -bits.mask;

	return !bits.value && bits.mask && bits.mask == (low_ones(width) & -lowest);
}

/* Any multiple of 2^m by a number whose lowest bit may be bit n: any multiple of 2^(m + n). */
static inline struct tnum product_bits(struct tnum a, struct tnum b, u32 width)
{
	u64 ones_a = a.value | a.mask, ones_b = b.value | b.mask;
	u64 lowest = (ones_a & -ones_a) * (ones_b & -ones_b);

	if (!is_any_multiple(a, width) && !is_any_multiple(b, width))
		return tnum_mul(a, b);
	return (struct tnum){0, -lowest};
}

static __always_inline struct view view_mul(const struct view *a, const struct view *b,
					    u32 width)
{
	struct view product = view_of_bits(product_bits(a->bits, b->bits, width), width);

	/* The product of two unsigned numbers of 64 bits each need not fit an s128. */
	if (!((a->umax & b->umax) >> 63))
		meet_interval(&product,
			      interval_mul(unsigned_interval(a), unsigned_interval(b)), width);
	meet_interval(&product, interval_mul(signed_interval(a), signed_interval(b)), width);
	return product;
}

static inline struct view view_and(const struct view *a, const struct view *b, u32 width)
{
	struct view result = view_of_bits(tnum_and(a->bits, b->bits), width);

	result.umax = min(a->umax, b->umax);
	result.smax = max(a->smax, b->smax);
	return result;
}

static inline struct view view_or(const struct view *a, const struct view *b, u32 width)
{
	struct view result = view_of_bits(tnum_or(a->bits, b->bits), width);

	result.umin = max(a->umin, b->umin);
	result.smin = min(a->smin, b->smin);
	return result;
}

/* Bits that differ from the sign bit in some value between `low` and `high`, filled downwards.
 */
static u64 magnitude(s64 low, s64 high)
{
	u64 bits = (u64)(low ^ (low >> 63)) | (u64)(high ^ (high >> 63));

	return bits ? ~0ull >> __builtin_clzll(bits) : 0;
}

/* What fits into n bits and a sign still does after and, or, xor. */
static inline void keep_signed_size(struct view *result, const struct view *a,
				    const struct view *b)
{
	u64 size = magnitude(a->smin, a->smax) | magnitude(b->smin, b->smax);

	result->smin = max(result->smin, (s64)~size);
	result->smax = min(result->smax, (s64)size);
}

static __always_inline struct view view_bitwise(const struct view *a, const struct view *b,
						u8 op, u32 width)
{
	struct view result;

	if (op == BPF_AND)
		result = view_and(a, b, width);
	else if (op == BPF_OR)
		result = view_or(a, b, width);
	else
		result = view_of_bits(tnum_xor(a->bits, b->bits), width);
	keep_signed_size(&result, a, b);
	return result;
}

static inline struct tnum tnum_shift(struct tnum bits, u8 op, u32 shift, u32 width)
{
	if (op == BPF_LSH)
		return tnum_cast(tnum_shl(bits, shift), width);
	if (op == BPF_RSH)
		return tnum_shr(bits, shift);
	return tnum_sar(bits, shift, width);
}

static inline struct tnum tnum_shift_any(const struct view *a, const struct view *by, u8 op,
					 u32 width)
{
	struct tnum bits = tnum_shift(a->bits, op, by->umin, width);

	for (u32 shift = by->umin + 1; shift <= by->umax; shift++) {
		if (tnum_has(by->bits, shift))
			bits = tnum_union(bits, tnum_shift(a->bits, op, shift, width));
	}
	return bits;
}

/* A number times 2^low .. 2^high is furthest from 0 with the larger. */
static inline struct interval interval_shl(struct interval a, u32 low, u32 high)
{
	return (struct interval){
		a.low * ((s128)1 << (a.low < 0 ? high : low)),
		a.high * ((s128)1 << (a.high < 0 ? low : high)),
	};
}

static inline struct interval interval_shr(struct interval a, u32 low, u32 high)
{
	return (struct interval){
		a.low >> (a.low < 0 ? low : high),
		a.high >> (a.high < 0 ? high : low),
	};
}

/* The result of shifting by the width or more differs between processors: anything. */
static __always_inline struct view view_shift(const struct view *a, const struct view *by,
					      u8 op, u32 width)
{
	u32 low = by->umin, high = by->umax;
	struct view result;

	if (by->umax >= width)
		return view_unknown(width);
	result = view_of_bits(tnum_shift_any(a, by, op, width), width);
	if (op == BPF_LSH) {
		meet_interval(&result, interval_shl(unsigned_interval(a), low, high), width);
		meet_interval(&result, interval_shl(signed_interval(a), low, high), width);
	} else if (op == BPF_RSH) {
		meet_interval(&result, interval_shr(unsigned_interval(a), low, high), width);
	} else {
		meet_interval(&result, interval_shr(signed_interval(a), low, high), width);
	}
	return result;
}

/* --- division: x / 0 is 0 and x % 0 is x --- */

static struct view view_udiv(const struct view *a, const struct view *b, u32 width)
{
	struct view quotient = view_unknown(width);

	if (!b->umax)
		return view_const(0, width);
	quotient.umin = b->umin ? a->umin / b->umax : 0;
	quotient.umax = a->umax / max(b->umin, 1ull);
	if (b->umin == b->umax && is_power_of_two(b->umin))
		quotient.bits = tnum_shr(a->bits, __builtin_ctzll(b->umin));
	return quotient;
}

/* The low bits that are 0 in the divisor are the dividend's in the remainder. */
static struct tnum tnum_umod(struct tnum a, struct tnum b, u32 width)
{
	u64 may_be_one = b.value | b.mask;
	u32 zeros = may_be_one ? __builtin_ctzll(may_be_one) : width;
	u64 above = zeros < width ? low_ones(width) & ~((1ull << zeros) - 1) : 0;

	return (struct tnum){a.value & ~above, a.mask | above};
}

static struct view view_umod(const struct view *a, const struct view *b, u32 width)
{
	struct view rest = view_of_bits(tnum_umod(a->bits, b->bits, width), width);

	if (a->umax < b->umin || !b->umax)
		return *a;
	rest.umax = b->umin ? min(a->umax, b->umax - 1) : a->umax;
	if (b->umin == b->umax && a->umin / b->umin == a->umax / b->umin) {
		rest.umin = a->umin % b->umin;
		rest.umax = a->umax % b->umin;
	}
	return rest;
}

/* Quotients by divisors of one sign. */
static struct interval interval_div(struct interval a, struct interval b)
{
	struct interval result = {a.low / b.low, a.low / b.low};
	s128 others[3] = {a.low / b.high, a.high / b.low, a.high / b.high};

	for (u32 i = 0; i < ARRAY_SIZE(others); i++)
		result = interval_join(result, (struct interval){others[i], others[i]});
	return result;
}

static struct view view_sdiv(const struct view *a, const struct view *b, u32 width)
{
	bool has_zero = b->smin <= 0 && b->smax >= 0;
	struct interval dividend = signed_interval(a), quotient = {0, 0}, part;
	bool is_first = !has_zero;

	if (b->smin < 0) {
		part = interval_div(dividend, (struct interval){b->smin, min(b->smax, -1ll)});
		quotient = is_first ? part : interval_join(quotient, part);
		is_first = false;
	}
	if (b->smax > 0) {
		part = interval_div(dividend, (struct interval){max(b->smin, 1ll), b->smax});
		quotient = is_first ? part : interval_join(quotient, part);
	}
	return view_wrapped(quotient.low, quotient.high, width);
}

/* The remainder has the dividend's sign and is nearer to 0 than both operands. */
static struct view view_smod(const struct view *a, const struct view *b, u32 width)
{
	s128 farthest = max(-(s128)b->smin, (s128)b->smax) - 1;
	struct view rest = view_unknown(width);

	rest.smin = min(a->smin, 0ll);
	rest.smax = max(a->smax, 0ll);
	if (b->smin <= 0 && b->smax >= 0)
		return rest;
	rest.smin = max((s128)rest.smin, -farthest);
	rest.smax = min((s128)rest.smax, farthest);
	return rest;
}

static struct view view_divide(const struct view *a, const struct view *b, u8 op,
			       bool is_signed, u32 width)
{
	if (op == BPF_DIV)
		return is_signed ? view_sdiv(a, b, width) : view_udiv(a, b, width);
	/* For two numbers that are not negative both remainders are the same. */
	if (!is_signed || (a->smin >= 0 && b->smin >= 0))
		return view_umod(a, b, width);
	return view_smod(a, b, width);
}

static __always_inline struct view alu(const struct view *a, const struct view *b, u8 op,
				       bool is_signed, u32 width)
{
	switch (op) {
	case BPF_ADD: return view_add(a, b, width);
	case BPF_SUB: return view_sub(a, b, width);
	case BPF_MUL: return view_mul(a, b, width);
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR: return view_bitwise(a, b, op, width);
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH: return view_shift(a, b, op, width);
	case BPF_DIV:
	case BPF_MOD: return view_divide(a, b, op, is_signed, width);
	default: return view_unknown(width);
	}
}

struct view view_alu(const struct view *a, const struct view *b, u8 op, bool is_signed,
		     u32 width)
{
	switch (width) { /* compiled once for each */
	case 64: return alu(a, b, op, is_signed, 64);
	case 32: return alu(a, b, op, is_signed, 32);
	default: return alu(a, b, op, is_signed, width);
	}
}
