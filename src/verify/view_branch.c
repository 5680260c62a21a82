/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a comparison tells of its operands. Each outcome of each comparison is one of eight
 * relations; `>` and `>=` are the others with the operands exchanged.
 */
#include "verify/view.h"

#include <linux/bpf.h>

enum relation {
	RELATION_EQUAL,
	RELATION_NOT_EQUAL,
	RELATION_LESS,
	RELATION_LESS_EQUAL,
	RELATION_SIGNED_LESS,
	RELATION_SIGNED_LESS_EQUAL,
	RELATION_COMMON_BIT,
	RELATION_NO_COMMON_BIT,
};

struct outcome {
	enum relation relation;
	bool exchanged;
};

static struct outcome outcome_taken(u8 op)
{
	switch (op) {
	case BPF_JEQ: return (struct outcome){RELATION_EQUAL, false};
	case BPF_JNE: return (struct outcome){RELATION_NOT_EQUAL, false};
	case BPF_JSET: return (struct outcome){RELATION_COMMON_BIT, false};
	case BPF_JLT: return (struct outcome){RELATION_LESS, false};
	case BPF_JLE: return (struct outcome){RELATION_LESS_EQUAL, false};
	case BPF_JGT: return (struct outcome){RELATION_LESS, true};
	case BPF_JGE: return (struct outcome){RELATION_LESS_EQUAL, true};
	case BPF_JSLT: return (struct outcome){RELATION_SIGNED_LESS, false};
	case BPF_JSLE: return (struct outcome){RELATION_SIGNED_LESS_EQUAL, false};
	case BPF_JSGT: return (struct outcome){RELATION_SIGNED_LESS, true};
	default: return (struct outcome){RELATION_SIGNED_LESS_EQUAL, true}; /* BPF_JSGE */
	}
}

static struct outcome outcome_opposite(struct outcome outcome)
{
	switch (outcome.relation) {
	case RELATION_EQUAL: return (struct outcome){RELATION_NOT_EQUAL, false};
	case RELATION_NOT_EQUAL: return (struct outcome){RELATION_EQUAL, false};
	case RELATION_COMMON_BIT: return (struct outcome){RELATION_NO_COMMON_BIT, false};
	case RELATION_NO_COMMON_BIT: return (struct outcome){RELATION_COMMON_BIT, false};
	case RELATION_LESS: outcome.relation = RELATION_LESS_EQUAL; break;
	case RELATION_LESS_EQUAL: outcome.relation = RELATION_LESS; break;
	case RELATION_SIGNED_LESS: outcome.relation = RELATION_SIGNED_LESS_EQUAL; break;
	case RELATION_SIGNED_LESS_EQUAL: outcome.relation = RELATION_SIGNED_LESS; break;
	}
	outcome.exchanged = !outcome.exchanged;
	return outcome;
}

/* Whether some pair of values is in the relation (true when in doubt). */
static bool relation_possible(enum relation relation, const struct view *a,
			      const struct view *b, u32 width)
{
	struct view both = *a;

	switch (relation) {
	case RELATION_EQUAL:
		if (!b->bits.mask)
			return view_has(a, b->bits.value, width);
		return view_meet(&both, b) && view_sync(&both, width);
	case RELATION_NOT_EQUAL:
		return a->umin != a->umax || b->umin != b->umax || a->umin != b->umin;
	case RELATION_LESS: return a->umin < b->umax;
	case RELATION_LESS_EQUAL: return a->umin <= b->umax;
	case RELATION_SIGNED_LESS: return a->smin < b->smax;
	case RELATION_SIGNED_LESS_EQUAL: return a->smin <= b->smax;
	case RELATION_COMMON_BIT:
		return (a->bits.value | a->bits.mask) & (b->bits.value | b->bits.mask);
	case RELATION_NO_COMMON_BIT: return !(a->bits.value & b->bits.value);
	}
	return true;
}

static bool outcome_possible(struct outcome outcome, const struct view *a, const struct view *b,
			     u32 width)
{
	return outcome.exchanged ? relation_possible(outcome.relation, b, a, width)
				 : relation_possible(outcome.relation, a, b, width);
}

int view_branch(const struct view *a, const struct view *b, u8 op, u32 width)
{
	struct outcome taken = outcome_taken(op);

	if (!outcome_possible(taken, a, b, width))
		return 0;
	return outcome_possible(outcome_opposite(taken), a, b, width) ? -1 : 1;
}

/* A value that is not `value`: a bound there moves by one. */
static bool exclude(struct view *view, u64 value, u32 width)
{
	s64 as_signed = sign_extend(value, width);

	if (view->umin == view->umax && view->umin == value)
		return false;
	if (view->umin == value)
		view->umin++;
	if (view->umax == value)
		view->umax--;
	if (view->smin == as_signed)
		view->smin++;
	if (view->smax == as_signed)
		view->smax--;
	return true;
}

static bool refine_less(struct view *a, struct view *b, bool or_equal)
{
	if (a->umin > b->umax || (!or_equal && a->umin == b->umax))
		return false;
	a->umax = min(a->umax, b->umax - !or_equal);
	b->umin = max(b->umin, a->umin + !or_equal);
	return true;
}

static bool refine_signed_less(struct view *a, struct view *b, bool or_equal)
{
	if (a->smin > b->smax || (!or_equal && a->smin == b->smax))
		return false;
	a->smax = min(a->smax, b->smax - !or_equal);
	b->smin = max(b->smin, a->smin + !or_equal);
	return true;
}

/* Where only one bit can be common, it is. */
static bool refine_common_bit(struct view *a, struct view *b)
{
	u64 common = (a->bits.value | a->bits.mask) & (b->bits.value | b->bits.mask);
	struct tnum bit = {common, ~common};

	if (!is_power_of_two(common))
		return common;
	return tnum_intersect(a->bits, bit, &a->bits) && tnum_intersect(b->bits, bit, &b->bits);
}

static bool refine_no_common_bit(struct view *a, struct view *b)
{
	struct tnum not_a = {0, ~a->bits.value}, not_b = {0, ~b->bits.value};

	return tnum_intersect(a->bits, not_b, &a->bits) &&
	       tnum_intersect(b->bits, not_a, &b->bits);
}

static bool relation_refine(enum relation relation, struct view *a, struct view *b, u32 width)
{
	struct view old = *a;

	switch (relation) {
	case RELATION_EQUAL: return view_meet(a, b) && view_meet(b, &old);
	case RELATION_NOT_EQUAL:
		return (b->umin != b->umax || exclude(a, b->umin, width)) &&
		       (old.umin != old.umax || exclude(b, old.umin, width));
	case RELATION_LESS: return refine_less(a, b, false);
	case RELATION_LESS_EQUAL: return refine_less(a, b, true);
	case RELATION_SIGNED_LESS: return refine_signed_less(a, b, false);
	case RELATION_SIGNED_LESS_EQUAL: return refine_signed_less(a, b, true);
	case RELATION_COMMON_BIT: return refine_common_bit(a, b);
	case RELATION_NO_COMMON_BIT: return refine_no_common_bit(a, b);
	}
	return true;
}

bool view_refine(struct view *a, struct view *b, u8 op, bool taken, u32 width)
{
	struct outcome outcome = outcome_taken(op);

	if (!taken)
		outcome = outcome_opposite(outcome);
	return outcome.exchanged ? relation_refine(outcome.relation, b, a, width)
				 : relation_refine(outcome.relation, a, b, width);
}
