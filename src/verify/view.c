/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/view.h"

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
