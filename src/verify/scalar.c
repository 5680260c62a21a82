/* SPDX-License-Identifier: BSD-2-Clause */
/* Scalars as pairs of views (view.h): making, comparing and synchronising them. */
#include "verify/scalar.h"
#include "verify/view.h"

#include <string.h>

/* One round carries a fact from one view to the other; more follow only while facts grow. */
#define SYNC_ROUNDS 4

struct scalar scalar_urange(u64 low, u64 high)
{
	struct scalar scalar = scalar_unknown();

	scalar.umin = low;
	scalar.umax = high;
	scalar_sync(&scalar);
	return scalar;
}

#define BELOW_SIGN_BIT(most)                                                                  \
	{                                                                                     \
		.bits = {0, most}, .smax = most, .umax = most, .smax32 = most, .umax32 = most \
	}

const struct scalar scalar_of_bytes[] = {
	[1] = BELOW_SIGN_BIT(UINT8_MAX),
	[2] = BELOW_SIGN_BIT(UINT16_MAX),
	[4] = {.bits = {0, UINT32_MAX},
	       .smax = UINT32_MAX,
	       .umax = UINT32_MAX,
	       .smin32 = INT32_MIN,
	       .smax32 = INT32_MAX,
	       .umax32 = UINT32_MAX},
	[8] = {.bits = {0, UINT64_MAX},
	       .smin = INT64_MIN,
	       .smax = INT64_MAX,
	       .umax = UINT64_MAX,
	       .smin32 = INT32_MIN,
	       .smax32 = INT32_MAX,
	       .umax32 = UINT32_MAX},
};

/* Moves the lower end up to the next value whose low bits are in `low`. */
static inline bool raise_to_low(struct span *span, const struct halves *low, u32 width)
{
	u64 ones = low_ones(width), block = span->low & ~ones, part = span->low & ones;
	bool has_lower = !span_is_empty(low->lower);

	if (has_lower && part <= low->lower.high) {
		part = max(part, low->lower.low);
	} else if (!span_is_empty(low->upper) && part <= low->upper.high) {
		part = max(part, low->upper.low);
	} else {
		if (block == (span->high & ~ones))
			return false;
		block += ones + 1;
		part = has_lower ? low->lower.low : low->upper.low;
	}
	span->low = block | part;
	return true;
}

static inline bool sink_to_low(struct span *span, const struct halves *low, u32 width)
{
	u64 ones = low_ones(width), block = span->high & ~ones, part = span->high & ones;
	bool has_upper = !span_is_empty(low->upper);

	if (has_upper && part >= low->upper.low) {
		part = min(part, low->upper.high);
	} else if (!span_is_empty(low->lower) && part >= low->lower.low) {
		part = min(part, low->lower.high);
	} else {
		if (block == (span->low & ~ones))
			return false;
		block -= ones + 1;
		part = has_upper ? low->upper.high : low->lower.high;
	}
	span->high = block | part;
	return true;
}

static inline void span_fit_low(struct span *span, const struct halves *low, u32 width)
{
	if (span_is_empty(*span))
		return;
	if (!raise_to_low(span, low, width) || !sink_to_low(span, low, width))
		*span = (struct span){1, 0};
}

/* One round: full view from the low one, low view from the full one. *settled: another one
 * would find the same. */
static __always_inline bool sync_round(struct scalar *scalar, struct shape shape, bool *settled)
{
	struct view full = scalar_full_view(scalar), low = scalar_low_view(scalar, shape);
	struct halves full_halves = view_halves(&full, shape.full);
	struct halves low_halves = view_halves(&low, shape.low), fitted = full_halves;
	struct view from_full, narrowed;

	if (!view_narrow(&low, &low_halves, shape.low))
		return false;
	narrowed = low;
	span_fit_low(&fitted.lower, &low_halves, shape.low);
	span_fit_low(&fitted.upper, &low_halves, shape.low);
	if (!view_narrow(&full, &fitted, shape.full))
		return false;

	from_full = view_low_of_halves(&fitted, shape.low);
	from_full.bits = tnum_cast(full.bits, shape.low);
	if (!view_meet(&low, &from_full) || !view_sync(&low, shape.low))
		return false;
	full.bits.value |= low.bits.value;
	full.bits.mask &= low.bits.mask | ~low_ones(shape.low);
	*settled = full.bits.mask == scalar->bits.mask &&
		   !memcmp(&fitted, &full_halves, sizeof(fitted)) &&
		   !memcmp(&low, &narrowed, sizeof(low));
	scalar_set_full(scalar, &full);
	scalar_set_low(scalar, &low);
	return true;
}

/* --- synchronising: most scalars are of one of four simple forms --- */

/*
 * The ranges say no more than the bits (constants, whole bytes, results of bit operations):
 * they become exactly those of the bits.
 */
static inline bool sync_by_bits(struct scalar *scalar, struct shape shape)
{
	struct view full = view_by_bits(scalar->bits, shape.full);
	struct view low = view_by_bits(tnum_cast(scalar->bits, shape.low), shape.low);

	if (scalar->smin > full.smin || scalar->smax < full.smax || scalar->umin > full.umin ||
	    scalar->umax < full.umax || scalar->smin32 > low.smin ||
	    scalar->smax32 < low.smax || scalar->umin32 > low.umin || scalar->umax32 < low.umax)
		return false;
	scalar_set_full(scalar, &full);
	scalar_set_low(scalar, &low);
	return true;
}

/* Below the sign bit of the low view all four orders are one: a single range. */
static bool is_small(const struct scalar *scalar, u64 limit)
{
	return scalar->umax <= limit || (scalar->smin >= 0 && scalar->smax <= (s64)limit);
}

bool scalar_set_small(struct scalar *scalar, struct tnum bits, struct span span, u64 limit)
{
	u64 low = span.low, high = span.high;

	if (!tnum_intersect(bits, (struct tnum){0, limit}, &bits) ||
	    !tnum_member_from(bits, low, &low) || !tnum_member_up_to(bits, high, &high) ||
	    low > high || !tnum_intersect(bits, tnum_range(low, high), &bits))
		return false;
	*scalar = (struct scalar){.bits = bits,
				  .smin = (s64)low,
				  .smax = (s64)high,
				  .umin = low,
				  .umax = high,
				  .smin32 = (s32)low,
				  .smax32 = (s32)high,
				  .umin32 = (u32)low,
				  .umax32 = (u32)high};
	return true;
}

static bool sync_small(struct scalar *scalar, u64 limit)
{
	u64 low = max(max(scalar->umin, (u64)max(scalar->smin, 0ll)),
		      max((u64)scalar->umin32, (u64)max(scalar->smin32, 0)));
	s64 signed_high = min(scalar->smax, (s64)scalar->smax32);
	u64 high = min(min(scalar->umax, (u64)scalar->umax32), (u64)signed_high);

	return signed_high >= 0 && low <= high &&
	       scalar_set_small(scalar, scalar->bits, (struct span){low, high}, limit);
}

/* Nothing is above the low view: it says it all. */
static inline bool sync_zero_extended(struct scalar *scalar, struct shape shape)
{
	struct view low = scalar_low_view(scalar, shape);

	if (scalar->bits.value & ~low_ones(shape.low) || scalar->smax < 0)
		return false;
	low.umin = max(low.umin, max(scalar->umin, (u64)max(scalar->smin, 0ll)));
	low.umax = min(low.umax, min(scalar->umax, (u64)scalar->smax));
	for (u32 round = 0; round < SYNC_ROUNDS; round++) {
		struct view before = low;

		if (!view_sync(&low, shape.low))
			return false;
		if (!memcmp(&before, &low, sizeof(low)))
			break;
	}
	scalar_set_low(scalar, &low);
	scalar->bits = low.bits;
	scalar->umin = low.umin;
	scalar->umax = low.umax;
	scalar->smin = (s64)low.umin;
	scalar->smax = (s64)low.umax;
	return true;
}

/* The full view is the sign-extended low one. */
static inline bool is_sign_extended(const struct scalar *scalar, u64 limit)
{
	return scalar->smax <= (s64)limit && scalar->smin >= ~(s64)limit;
}

/* What the low view says of the full one, and the full one of the low one. */
static inline bool extend_low(struct view *full, const struct view *low, struct shape shape)
{
	u64 ones = low_ones(shape.full);

	full->smin = max(full->smin, low->smin);
	full->smax = min(full->smax, low->smax);
	full->umin = max(full->umin, (u64)sign_extend(low->umin, shape.low) & ones);
	full->umax = min(full->umax, (u64)sign_extend(low->umax, shape.low) & ones);
	return tnum_intersect(full->bits, tnum_sign_extend(low->bits, shape.low, shape.full),
			      &full->bits);
}

static inline bool narrow_low(struct view *low, const struct view *full, struct shape shape)
{
	u64 ones = low_ones(shape.low), limit = ones >> 1;
	u64 negative = low_ones(shape.full) - limit; /* the least one, extended */
	u64 umin = full->umin <= limit ? full->umin : max(full->umin, negative);
	u64 umax = full->umax >= negative ? full->umax : min(full->umax, limit);

	low->smin = max(low->smin, full->smin);
	low->smax = min(low->smax, full->smax);
	low->umin = max(low->umin, umin & ones);
	low->umax = min(low->umax, umax & ones);
	return tnum_intersect(low->bits, tnum_cast(full->bits, shape.low), &low->bits);
}

static inline bool sync_sign_extended(struct scalar *scalar, struct shape shape)
{
	struct view low = scalar_low_view(scalar, shape), full = scalar_full_view(scalar);

	for (u32 round = 0; round < SYNC_ROUNDS; round++) {
		struct view before = low;

		if (!view_sync(&low, shape.low) || !extend_low(&full, &low, shape) ||
		    !view_sync(&full, shape.full) || !narrow_low(&low, &full, shape))
			return false;
		if (!memcmp(&before, &low, sizeof(low)))
			break;
	}
	scalar_set_low(scalar, &low);
	scalar_set_full(scalar, &full);
	return true;
}

static __always_inline bool sync_shaped(struct scalar *scalar, struct shape shape)
{
	u64 limit = low_ones(shape.low - 1);

	for (u32 round = 0; round < SYNC_ROUNDS; round++) {
		bool settled;

		if (sync_by_bits(scalar, shape))
			return true;
		if (is_small(scalar, limit))
			return sync_small(scalar, limit);
		if (!scalar->bits.mask)
			return false;
		if (scalar->umax <= low_ones(shape.low))
			return sync_zero_extended(scalar, shape);
		if (is_sign_extended(scalar, limit))
			return sync_sign_extended(scalar, shape);
		if (!sync_round(scalar, shape, &settled))
			return false;
		if (settled)
			break;
	}
	return true;
}

bool scalar_sync_shaped(struct scalar *scalar, struct shape shape)
{
	return shape_is_real(shape) ? sync_shaped(scalar, SCALAR_SHAPE)
				    : sync_shaped(scalar, shape);
}

bool scalar_sync(struct scalar *scalar)
{
	return scalar_sync_shaped(scalar, SCALAR_SHAPE);
}

struct scalar scalar_join(const struct scalar *a, const struct scalar *b)
{
	struct view full_a = scalar_full_view(a), full_b = scalar_full_view(b);
	struct view low_a = scalar_low_view(a, SCALAR_SHAPE);
	struct view low_b = scalar_low_view(b, SCALAR_SHAPE);
	struct view full = view_join(&full_a, &full_b), low = view_join(&low_a, &low_b);
	struct scalar joined;

	if (!memcmp(a, b, sizeof(*a)))
		return *a;
	scalar_set_full(&joined, &full);
	scalar_set_low(&joined, &low);
	scalar_sync(&joined);
	return joined;
}

bool scalar_meet(struct scalar *dst, const struct scalar *other)
{
	struct view full = scalar_full_view(dst), full_other = scalar_full_view(other);
	struct view low = scalar_low_view(dst, SCALAR_SHAPE);
	struct view low_other = scalar_low_view(other, SCALAR_SHAPE);

	if (!view_meet(&full, &full_other) || !view_meet(&low, &low_other))
		return false;
	scalar_set_full(dst, &full);
	scalar_set_low(dst, &low);
	return scalar_sync(dst);
}

bool scalar_has(const struct scalar *scalar, u64 value)
{
	struct view full = scalar_full_view(scalar),
		    low = scalar_low_view(scalar, SCALAR_SHAPE);

	return view_has(&full, value, 64) && view_has(&low, (u32)value, 32);
}
