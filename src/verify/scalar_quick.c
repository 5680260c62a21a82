/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations whose result is quickly found, and is what the general way would find
 * (tests/verify/ test_scalar.c): where the known bits alone say it, as of constants and of what
 * comes out of memory, and where all numbers are below the sign bit of 32 bits.
 */
#include "verify/view.h"

#include <linux/bpf.h>

static inline bool low_is_by_bits(const struct scalar *scalar, struct shape shape)
{
	struct view low = view_by_bits(tnum_cast(scalar->bits, shape.low), shape.low);

	return scalar->umin32 == low.umin && scalar->umax32 == low.umax &&
	       scalar->smin32 == low.smin && scalar->smax32 == low.smax;
}

/* The ranges, of the low view only or of both, say what the bits say. */
static inline bool is_by_bits(const struct scalar *scalar, bool is_low, struct shape shape)
{
	struct view full;

	if (!scalar->bits.mask)
		return true;
	if (is_low)
		return low_is_by_bits(scalar, shape);
	full = view_by_bits(scalar->bits, shape.full);
	return scalar->umin == full.umin && scalar->umax == full.umax &&
	       scalar->smin == full.smin && scalar->smax == full.smax &&
	       low_is_by_bits(scalar, shape);
}

static inline void set_by_bits(struct scalar *dst, struct tnum bits, struct shape shape)
{
	struct view full = view_by_bits(bits, shape.full);
	struct view low = view_by_bits(tnum_cast(bits, shape.low), shape.low);

	scalar_set_full(dst, &full);
	scalar_set_low(dst, &low);
}

/* Nothing is known from some bit on. */
static inline bool is_open(struct tnum bits, u32 width)
{
	return bits.mask && bits.mask == (low_ones(width) & -(bits.mask & -bits.mask));
}

static inline u64 lowest_one(struct tnum bits)
{
	u64 may_be_one = bits.value | bits.mask;

	return may_be_one & -may_be_one;
}

/* Of multiples of a power of two, all of them. */
static inline bool product_bits(struct tnum a, struct tnum b, u32 width, struct tnum *out)
{
	if (!(a.mask | b.mask)) {
		*out = tnum_cast(tnum_const(a.value * b.value), width);
		return true;
	}
	*out = tnum_cast((struct tnum){0, -(lowest_one(a) * lowest_one(b))}, width);
	return (!a.value && is_open(a, width)) || (!b.value && is_open(b, width));
}

static inline bool shift_bits(struct tnum a, struct tnum by, u8 op, u32 width, struct tnum *out)
{
	if (by.mask || by.value >= width)
		return false;
	if (op == BPF_ARSH && a.mask & sign_bit(width))
		return false; /* that the upper bits are all the same is in the ranges */
	if (op == BPF_LSH)
		*out = tnum_cast(tnum_shl(a, (u32)by.value), width);
	else if (op == BPF_RSH)
		*out = tnum_shr(a, (u32)by.value);
	else
		*out = tnum_sar(a, (u32)by.value, width);
	return true;
}

/* Two constants, or all numbers with some low bits and others with the same of them known. */
static inline bool sum_is_by_bits(struct tnum a, struct tnum b, u32 width)
{
	struct tnum all = {0, a.mask | b.mask};

	return !all.mask || (is_open(all, width) && (all.mask == a.mask || all.mask == b.mask));
}

/* The bits of the result. False: they do not say all of it. */
static inline bool bits_say_all(struct tnum a, struct tnum b, u8 op, u32 width,
				struct tnum *out)
{
	switch (op) {
	case BPF_AND: *out = tnum_and(a, b); return true;
	case BPF_OR: *out = tnum_or(a, b); return true;
	case BPF_XOR: *out = tnum_xor(a, b); return true;
	case BPF_ADD:
		*out = tnum_cast(tnum_add(a, b), width);
		return sum_is_by_bits(a, b, width);
	case BPF_SUB:
		*out = tnum_cast(tnum_sub(a, b), width);
		return sum_is_by_bits(a, b, width);
	case BPF_MUL: return product_bits(a, b, width, out);
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH: return shift_bits(a, b, op, width, out);
	default: return false;
	}
}

/* --- small numbers: all four orders are one --- */

static inline bool small_shift(struct span a, struct tnum by, u8 op, u32 width, u64 limit,
			       struct span *out)
{
	u32 count = (u32)by.value;

	if (by.mask || by.value >= width)
		return false;
	if (op == BPF_LSH)
		*out = (struct span){a.low << count, a.high << count};
	else
		*out = (struct span){a.low >> count, a.high >> count};
	return a.high <= limit >> (op == BPF_LSH ? count : 0);
}

/* What the ranges say of the result. False: it need not be small. */
static inline bool small_span(struct span a, struct span b, u8 op, u64 limit, struct span *out)
{
	switch (op) {
	case BPF_ADD: *out = (struct span){a.low + b.low, a.high + b.high}; break;
	case BPF_SUB:
		*out = (struct span){a.low - b.high, a.high - b.low};
		return a.low >= b.high;
	case BPF_MUL: *out = (struct span){a.low * b.low, a.high * b.high}; break;
	case BPF_AND: *out = (struct span){0, min(a.high, b.high)}; break;
	case BPF_OR: *out = (struct span){max(a.low, b.low), limit}; break;
	case BPF_XOR: *out = (struct span){0, limit}; break;
	default: return false;
	}
	return out->high <= limit;
}

static inline struct tnum small_bits(struct tnum a, struct tnum b, u8 op, u32 width)
{
	struct tnum bits = {0, low_ones(width)};

	if (op == BPF_MUL)
		return tnum_mul(a, b);
	bits_say_all(a, b, op, width, &bits);
	return bits;
}

static inline struct span span_of(const struct scalar *scalar, bool is_low)
{
	return is_low ? (struct span){scalar->umin32, scalar->umax32}
		      : (struct span){scalar->umin, scalar->umax};
}

static bool alu_small(struct scalar *dst, const struct scalar *src, u8 op, bool is_low,
		      struct shape shape)
{
	u32 width = is_low ? shape.low : shape.full;
	struct tnum a = tnum_cast(dst->bits, width), b = tnum_cast(src->bits, width);
	struct span left = span_of(dst, is_low), right = span_of(src, is_low), out;
	u64 limit = low_ones(shape.low - 1);
	bool is_shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;

	if (left.high > limit || right.high > limit)
		return false;
	if (is_shift ? !small_shift(left, b, op, width, limit, &out)
		     : !small_span(left, right, op, limit, &out))
		return false;
	return scalar_set_small(dst, small_bits(a, b, op, width), out, limit);
}

/* --- sums with what nothing is known of: nothing is known of them --- */

static inline bool is_sum(u8 op)
{
	return op == BPF_ADD || op == BPF_SUB || op == BPF_XOR;
}

static inline bool is_any(const struct scalar *scalar, bool is_low, struct shape shape)
{
	struct view full = view_unknown(shape.full), low = view_unknown(shape.low);

	if (~scalar->bits.mask & low.bits.mask || scalar->smin32 != low.smin ||
	    scalar->smax32 != low.smax || scalar->umin32 || scalar->umax32 != low.umax)
		return false;
	return is_low ||
	       (scalar->bits.mask == full.bits.mask && scalar->smin == full.smin &&
		scalar->smax == full.smax && !scalar->umin && scalar->umax == full.umax);
}

/* --- */

static inline bool alu_quick(struct scalar *dst, const struct scalar *src, u8 op, bool is_low,
			     struct shape shape)
{
	u32 width = is_low ? shape.low : shape.full;
	struct tnum bits;

	if (is_sum(op) && (is_any(dst, is_low, shape) || is_any(src, is_low, shape))) {
		set_by_bits(dst, tnum_unknown(width), shape);
		return true;
	}
	if (!bits_say_all(tnum_cast(dst->bits, width), tnum_cast(src->bits, width), op, width,
			  &bits) ||
	    !is_by_bits(dst, is_low, shape) || !is_by_bits(src, is_low, shape))
		return alu_small(dst, src, op, is_low, shape);
	set_by_bits(dst, bits, shape);
	return true;
}

bool scalar_alu_quick(struct scalar *dst, const struct scalar *src, u8 op, bool is_low,
		      struct shape shape)
{
	if (!shape_is_real(shape))
		return alu_quick(dst, src, op, is_low, shape);
	return is_low ? alu_quick(dst, src, op, true, SCALAR_SHAPE)
		      : alu_quick(dst, src, op, false, SCALAR_SHAPE);
}
