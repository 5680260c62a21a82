/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/view.h"

static const struct span empty_span = {1, 0};

static struct span span_fit_bits(struct span span, struct tnum bits)
{
	if (span_is_empty(span) || !tnum_member_from(bits, span.low, &span.low) ||
	    !tnum_member_up_to(bits, span.high, &span.high))
		return empty_span;
	return span;
}

struct halves view_halves(const struct view *view, u32 width)
{
	u64 ones = low_ones(width), sign = sign_bit(width);
	struct halves halves = {empty_span, empty_span};

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

bool view_narrow(struct view *view, const struct halves *halves, u32 width)
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

bool view_sync(struct view *view, u32 width)
{
	struct halves halves = view_halves(view, width);

	return view_narrow(view, &halves, width);
}

struct view view_wrapped(s128 low, s128 high, u32 width)
{
	struct view view = view_unknown(width);

	view_bound(&view, low, high, width);
	return view;
}

struct view view_low_of_halves(const struct halves *halves, u32 to)
{
	struct view lower = view_unknown(to), upper;

	if (!span_is_empty(halves->lower))
		lower = view_wrapped(halves->lower.low, halves->lower.high, to);
	if (span_is_empty(halves->upper))
		return lower;
	upper = view_wrapped(halves->upper.low, halves->upper.high, to);
	return span_is_empty(halves->lower) ? upper : view_join(&lower, &upper);
}

struct view view_low(const struct view *view, u32 from, u32 to)
{
	struct halves halves = view_halves(view, from);
	struct view low = view_low_of_halves(&halves, to);

	low.bits = tnum_cast(view->bits, to);
	return low;
}

struct view view_sign_extend(const struct view *view, u32 from, u32 to)
{
	struct view wide = view_unknown(to);

	wide.smin = view->smin;
	wide.smax = view->smax;
	wide.bits = tnum_sign_extend(view->bits, from, to);
	return wide;
}
