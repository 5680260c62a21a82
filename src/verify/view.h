/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domain of numbers at one width: known bits with an unsigned and a signed range. A scalar
 * is two views, of its 64 and of its low 32 bits. The width is a parameter everywhere, so that
 * the very code that runs at 64 and 32 bits is proved by enumeration at few (proofs/).
 *
 * Unsigned numbers are in [0, 2^width), signed ones are sign-extended to 64 bits.
 */
#ifndef SKEP_VERIFY_VIEW_H
#define SKEP_VERIFY_VIEW_H

#include "verify/tnum.h"

typedef __int128 s128;

struct view {
	struct tnum bits;
	s64 smin, smax;
	u64 umin, umax;
};

/* Unsigned values from low to high; low > high: none. */
struct span {
	u64 low, high;
};

/*
 * A view's values below and from the sign bit on. Within one half the signed and the unsigned
 * order agree: this is the form in which facts are combined.
 */
struct halves {
	struct span lower, upper;
};

static inline bool span_is_empty(struct span span)
{
	return span.low > span.high;
}

static inline u64 sign_bit(u32 width)
{
	return 1ull << (width - 1);
}

static inline struct view view_unknown(u32 width)
{
	return (struct view){
		.bits = tnum_unknown(width),
		.smin = sign_extend(sign_bit(width), width),
		.smax = (s64)(sign_bit(width) - 1),
		.umin = 0,
		.umax = low_ones(width),
	};
}

static inline struct view view_const(u64 value, u32 width)
{
	s64 as_signed = sign_extend(value, width);

	return (struct view){tnum_const(value), as_signed, as_signed, value, value};
}

/* All numbers with these bits: their ranges are what the bits say. */
static inline struct view view_by_bits(struct tnum bits, u32 width)
{
	u64 unknown_sign = bits.mask & sign_bit(width), most = bits.value | bits.mask;

	return (struct view){
		.bits = bits,
		.smin = sign_extend(bits.value | unknown_sign, width),
		.smax = sign_extend(most & ~unknown_sign, width),
		.umin = bits.value,
		.umax = most,
	};
}

static inline bool view_has(const struct view *view, u64 value, u32 width)
{
	s64 as_signed = sign_extend(value, width);

	return tnum_has(view->bits, value) && view->umin <= value && value <= view->umax &&
	       view->smin <= as_signed && as_signed <= view->smax;
}

static inline bool view_contains(const struct view *outer, const struct view *inner)
{
	return tnum_contains(outer->bits, inner->bits) && outer->umin <= inner->umin &&
	       inner->umax <= outer->umax && outer->smin <= inner->smin &&
	       inner->smax <= outer->smax;
}

/* Both facts hold, not synchronised. False: the known bits contradict each other. */
static inline bool view_meet(struct view *dst, const struct view *other)
{
	dst->umin = max(dst->umin, other->umin);
	dst->umax = min(dst->umax, other->umax);
	dst->smin = max(dst->smin, other->smin);
	dst->smax = min(dst->smax, other->smax);
	return tnum_intersect(dst->bits, other->bits, &dst->bits);
}

static inline struct view view_join(const struct view *a, const struct view *b)
{
	return (struct view){
		.bits = tnum_union(a->bits, b->bits),
		.smin = min(a->smin, b->smin),
		.smax = max(a->smax, b->smax),
		.umin = min(a->umin, b->umin),
		.umax = max(a->umax, b->umax),
	};
}

static inline struct span span_fit_bits(struct span span, struct tnum bits)
{
	if (span_is_empty(span) || !tnum_member_from(bits, span.low, &span.low) ||
	    !tnum_member_up_to(bits, span.high, &span.high))
		return (struct span){1, 0};
	return span;
}

/* Halves with every bound at a value that the known bits allow. */
static inline struct halves view_halves(const struct view *view, u32 width)
{
	u64 ones = low_ones(width), sign = sign_bit(width);
	struct halves halves = {{1, 0}, {1, 0}};

	if (view->smax >= 0) {
		halves.lower.low = max(view->umin, (u64)max(view->smin, 0ll));
		halves.lower.high = min(view->umax, (u64)view->smax);
		halves.lower = span_fit_bits(halves.lower, view->bits);
	}
	if (view->smin < 0) {
		halves.upper.low = max(view->umin, max(sign, (u64)view->smin & ones));
		halves.upper.high = min(view->umax, (u64)min(view->smax, -1ll) & ones);
		halves.upper = span_fit_bits(halves.upper, view->bits);
	}
	return halves;
}

/* Narrows the view to the halves. False: both are empty. */
static inline bool view_narrow(struct view *view, const struct halves *halves, u32 width)
{
	bool has_lower = !span_is_empty(halves->lower),
	     has_upper = !span_is_empty(halves->upper);
	const struct span *first = has_lower ? &halves->lower : &halves->upper;
	const struct span *last = has_upper ? &halves->upper : &halves->lower;
	struct tnum bits;

	if (!has_lower && !has_upper)
		return false;
	view->umin = first->low;
	view->umax = last->high;
	view->smin = has_upper ? sign_extend(last->low, width) : (s64)first->low;
	view->smax = has_lower ? (s64)first->high : sign_extend(last->high, width);
	bits = tnum_union(tnum_range(first->low, first->high),
			  tnum_range(last->low, last->high));
	return tnum_intersect(view->bits, bits, &view->bits);
}

static inline bool view_sync(struct view *view, u32 width)
{
	struct halves halves = view_halves(view, width);

	return view_narrow(view, &halves, width);
}

/* The values are among the integers low .. high, taken modulo 2^width: narrows the ranges. */
static inline void view_bound(struct view *view, s128 low, s128 high, u32 width)
{
	u64 ones = low_ones(width), ulow = (u64)low & ones, uhigh = (u64)high & ones;
	s64 slow = sign_extend(ulow, width), shigh = sign_extend(uhigh, width);

	if ((unsigned __int128)high - (unsigned __int128)low >= ones)
		return;
	if (ulow <= uhigh) {
		view->umin = max(view->umin, ulow);
		view->umax = min(view->umax, uhigh);
	}
	if (slow <= shigh) {
		view->smin = max(view->smin, slow);
		view->smax = min(view->smax, shigh);
	}
}

/* The integers low .. high, taken modulo 2^width. */
static inline struct view view_wrapped(s128 low, s128 high, u32 width)
{
	struct view view = view_unknown(width);

	view_bound(&view, low, high, width);
	return view;
}

static inline struct view view_low_of_halves(const struct halves *halves, u32 to)
{
	struct view lower = view_unknown(to), upper;

	if (!span_is_empty(halves->lower))
		lower = view_wrapped(halves->lower.low, halves->lower.high, to);
	if (span_is_empty(halves->upper))
		return lower;
	upper = view_wrapped(halves->upper.low, halves->upper.high, to);
	return span_is_empty(halves->lower) ? upper : view_join(&lower, &upper);
}

/* The low `to` bits of a view's values. */
struct view view_low(const struct view *view, u32 from, u32 to);
struct view view_sign_extend(const struct view *view, u32 from, u32 to);

/* a OP b: op is BPF_ADD .. BPF_ARSH; the results are not synchronised. */
struct view view_alu(const struct view *a, const struct view *b, u8 op, bool is_signed,
		     u32 width);

/* As scalar_branch() and scalar_refine(). Refined views are not synchronised. */
int view_branch(const struct view *a, const struct view *b, u8 op, u32 width);
bool view_refine(struct view *a, struct view *b, u8 op, bool taken, u32 width);

/* The two views of a scalar, and back. Proofs use fewer bits than 64 and 32. */
struct shape {
	u32 full, low;
};

#define SCALAR_SHAPE ((struct shape){64, 32})

/* What is compiled twice asks this: once for just these widths. */
static inline bool shape_is_real(struct shape shape)
{
	return shape.full == SCALAR_SHAPE.full && shape.low == SCALAR_SHAPE.low;
}

static inline struct view scalar_full_view(const struct scalar *scalar)
{
	return (struct view){scalar->bits, scalar->smin, scalar->smax, scalar->umin,
			     scalar->umax};
}

static inline struct view scalar_low_view(const struct scalar *scalar, struct shape shape)
{
	return (struct view){tnum_cast(scalar->bits, shape.low), scalar->smin32, scalar->smax32,
			     scalar->umin32, scalar->umax32};
}

static inline void scalar_set_full(struct scalar *scalar, const struct view *view)
{
	scalar->bits = view->bits;
	scalar->smin = view->smin;
	scalar->smax = view->smax;
	scalar->umin = view->umin;
	scalar->umax = view->umax;
}

/* The ranges only: the bits of the low view are those of the full one. */
static inline void scalar_set_low(struct scalar *scalar, const struct view *view)
{
	scalar->smin32 = (s32)view->smin;
	scalar->smax32 = (s32)view->smax;
	scalar->umin32 = (u32)view->umin;
	scalar->umax32 = (u32)view->umax;
}

/* It has these bits and is in the span, which is not above `limit`, the largest number that all
 * four orders have in common. False: no value is left, and it is as it was. */
bool scalar_set_small(struct scalar *scalar, struct tnum bits, struct span span, u64 limit);
bool scalar_sync_shaped(struct scalar *scalar, struct shape shape);
/* As scalar_alu_shaped(), for what is quickly found. False: this is not, and dst is as it was.
 */
bool scalar_alu_quick(struct scalar *dst, const struct scalar *src, u8 op, bool is_low,
		      struct shape shape);
/* The same for all else. */
void scalar_alu_general(struct scalar *dst, const struct scalar *src, u8 op, bool is_low,
			bool is_signed, struct shape shape);
void scalar_alu_shaped(struct scalar *dst, const struct scalar *src, u8 op, bool is_low,
		       bool is_signed, struct shape shape);
bool scalar_refine_shaped(struct scalar *a, struct scalar *b, u8 op, bool is_low, bool taken,
			  struct shape shape);
int scalar_branch_shaped(const struct scalar *a, const struct scalar *b, u8 op, bool is_low,
			 struct shape shape);

#endif
