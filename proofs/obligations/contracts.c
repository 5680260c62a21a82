/* SPDX-License-Identifier: BSD-2-Clause */
/* What obligations of larger functions rely on. Each has an obligation that proves it. */
#include "proofs/obligations/obligations.h"

u64 left, right, outcome, kept[2];
u32 kept_cnt;

/* proof_tnum_member_from */
bool contract_member_from(struct tnum a, u64 value, u64 *out)
{
	bool is_found = any_unsigned(1);
	u64 found = any_unsigned(64);

	assume(implies(tnum_has(a, left) && value <= left, is_found && found <= left));
	assume(implies(is_found, value <= found));
	if (is_found)
		*out = found;
	return is_found;
}

/* proof_tnum_member_up_to */
bool contract_member_up_to(struct tnum a, u64 value, u64 *out)
{
	bool is_found = any_unsigned(1);
	u64 found = any_unsigned(64);

	assume(implies(tnum_has(a, left) && left <= value, is_found && left <= found));
	assume(implies(is_found, found <= value));
	if (is_found)
		*out = found;
	return is_found;
}

/* proof_tnum_range */
struct tnum contract_range(u64 low, u64 high)
{
	struct tnum bits = any_tnum(64);

	assume(implies(low <= left && left <= high, tnum_has(bits, left)));
	return bits;
}

/* proof_tnum_union_and_intersection; of `outcome` */
struct tnum contract_union(struct tnum a, struct tnum b)
{
	struct tnum bits = any_tnum(64);

	assume(implies(tnum_has(a, outcome) || tnum_has(b, outcome), tnum_has(bits, outcome)));
	return bits;
}

static struct span any_span(void)
{
	struct span span;

	span.low = any_unsigned(64);
	span.high = any_unsigned(64);
	return span;
}

/* proof_view_halves_* */
struct halves contract_view_halves(const struct view *view, u32 width)
{
	u64 value = left & low_ones(width);
	struct halves halves;

	halves.lower = any_span();
	halves.upper = any_span();
	assume(implies(view_has(view, value, width), halves_have(&halves, value, width)));
	assume(halves_are_apart(&halves, width));
	return halves;
}

/* proof_view_narrow_* */
bool contract_view_narrow(struct view *view, const struct halves *halves, u32 width)
{
	u64 value = left & low_ones(width);
	bool had_value = view_has(view, value, width) && halves_have(halves, value, width);
	bool is_possible = any_unsigned(1);

	establish(halves_are_apart(halves, width));
	*view = any_view(width);
	assume(implies(had_value, is_possible && view_has(view, value, width)));
	return is_possible;
}

/* proof_view_sync_*; of values that may be in the view */
bool contract_view_sync(struct view *view, u32 width)
{
	u64 value = left & low_ones(width);
	bool had_value = view_has(view, value, width), is_possible = any_unsigned(1);

	*view = any_view(width);
	assume(implies(had_value, is_possible && view_has(view, value, width)));
	return is_possible;
}

/* --- of what the caller shows to be there: one step of its proof at a time --- */

/* proof_view_*; of an operation's operands at the full or at a low width */
struct view contract_view_alu(const struct view *a, const struct view *b, u8 op, bool is_signed,
			      u32 width)
{
	u64 ones = low_ones(width), x = left & ones, y = right & ones;
	struct view result = any_view(width);

	establish_view_has(a, x, width);
	establish_view_has(b, y, width);
	if (!is_shift(op) || y < width)
		assume(view_has(&result, concrete_alu(x, y, op, is_signed, width), width));
	return result;
}

/* proof_refine_* */
bool contract_view_refine(struct view *a, struct view *b, u8 op, bool taken, u32 width)
{
	u64 ones = low_ones(width), x = left & ones, y = right & ones;

	establish_view_has(a, x, width);
	establish_view_has(b, y, width);
	establish(concrete_jump(x, y, op, width) == taken);
	*a = any_view_with(x, width);
	*b = any_view_with(y, width);
	return true;
}

/* proof_scalar_sync; the n-th call keeps kept[n] */
bool contract_scalar_sync(struct scalar *scalar, struct shape shape)
{
	u64 value = kept[kept_cnt++];

	establish_scalar_has(scalar, value, shape);
	*scalar = any_scalar_with(value, shape);
	return true;
}
