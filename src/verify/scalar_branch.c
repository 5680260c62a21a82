/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/scalar.h"
#include "verify/view.h"

#include <linux/bpf.h>

/* Equal values agree in every view, not only in the one that is compared. */
static bool may_be_equal(const struct scalar *a, const struct scalar *b)
{
	struct scalar both;

	if (scalar_is_const(b))
		return scalar_has(a, b->bits.value);
	both = *a;
	return scalar_meet(&both, b);
}

int scalar_branch_shaped(const struct scalar *a, const struct scalar *b, u8 op, bool is_low,
			 struct shape shape)
{
	struct view view_a = is_low ? scalar_low_view(a, shape) : scalar_full_view(a);
	struct view view_b = is_low ? scalar_low_view(b, shape) : scalar_full_view(b);

	return view_branch(&view_a, &view_b, op, is_low ? shape.low : shape.full);
}

int scalar_branch(const struct scalar *a, const struct scalar *b, u8 op, bool is32)
{
	int taken = scalar_branch_shaped(a, b, op, is32, SCALAR_SHAPE);

	if (taken < 0 && !is32 && (op == BPF_JEQ || op == BPF_JNE) && !may_be_equal(a, b))
		return op == BPF_JNE;
	return taken;
}

static bool refine_low(struct scalar *a, struct scalar *b, u8 op, bool taken,
		       struct shape shape)
{
	struct view view_a = scalar_low_view(a, shape), view_b = scalar_low_view(b, shape);
	u64 ones = low_ones(shape.low);

	if (!view_refine(&view_a, &view_b, op, taken, shape.low))
		return false;
	a->bits = (struct tnum){(a->bits.value & ~ones) | view_a.bits.value,
				(a->bits.mask & ~ones) | view_a.bits.mask};
	b->bits = (struct tnum){(b->bits.value & ~ones) | view_b.bits.value,
				(b->bits.mask & ~ones) | view_b.bits.mask};
	scalar_set_low(a, &view_a);
	scalar_set_low(b, &view_b);
	return true;
}

static bool refine_full(struct scalar *a, struct scalar *b, u8 op, bool taken,
			struct shape shape)
{
	struct view view_a = scalar_full_view(a), view_b = scalar_full_view(b);

	if (!view_refine(&view_a, &view_b, op, taken, shape.full))
		return false;
	scalar_set_full(a, &view_a);
	scalar_set_full(b, &view_b);
	return true;
}

bool scalar_refine_shaped(struct scalar *a, struct scalar *b, u8 op, bool is_low, bool taken,
			  struct shape shape)
{
	bool possible = is_low ? refine_low(a, b, op, taken, shape)
			       : refine_full(a, b, op, taken, shape);

	return possible && scalar_sync_shaped(a, shape) && scalar_sync_shaped(b, shape);
}

bool scalar_refine(struct scalar *a, struct scalar *b, u8 op, bool is32, bool taken)
{
	bool are_equal = !is32 && ((op == BPF_JEQ && taken) || (op == BPF_JNE && !taken));

	if (are_equal && scalar_is_const(b)) {
		if (!scalar_has(a, b->bits.value))
			return false;
		*a = *b = scalar_const(b->bits.value);
		return true;
	}
	if (are_equal) {
		if (!scalar_meet(a, b))
			return false;
		*b = *a;
		return true;
	}
	return scalar_refine_shaped(a, b, op, is32, taken, SCALAR_SHAPE);
}
