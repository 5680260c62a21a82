/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparisons: what a branch tells, and when it is decided. */
#include "proofs/obligations/obligations.h"

static bool any_compared(u8 op, u32 width, struct view *a, struct view *b)
{
	left = any_unsigned(width);
	right = any_unsigned(width);
	*a = any_view_with(left, width);
	*b = any_view_with(right, width);
	return concrete_jump(left, right, op, width);
}

static void view_branch_keeps(u8 op, u32 width)
{
	struct view a, b;
	bool taken = any_compared(op, width, &a, &b);
	int decided;

	rely_on(view_sync, contract_view_sync);
	decided = view_branch(&a, &b, op, width);
	check(implies(decided == 1, taken));
	check(implies(decided == 0, !taken));
}

static bool sync_of_left(struct view *view, u32 width)
{
	establish_view_has(view, left, width);
	*view = any_view_with(left, width);
	return true;
}

/* Equality is decided by whether both can be the same number, and whether by only one. */
static void view_equality_keeps(u8 op, u32 width, bool are_equal)
{
	struct view a, b;
	int decided;

	left = any_unsigned(width);
	right = are_equal ? left : any_unsigned(width);
	assume(are_equal || left != right);
	a = any_view_with(left, width);
	b = any_view_with(right, width);
	if (are_equal)
		rely_on(view_sync, sync_of_left);
	else
		rely_on(view_sync, contract_view_sync);
	decided = view_branch(&a, &b, op, width);
	check(decided != (are_equal ? op == BPF_JNE : op == BPF_JEQ));
}

#define EQUALITY(name, op, width)                           \
	void proof_branch_##name##_equal_##width(void);     \
	void proof_branch_##name##_equal_##width(void)      \
	{                                                   \
		view_equality_keeps(op, width, true);       \
	}                                                   \
	void proof_branch_##name##_different_##width(void); \
	void proof_branch_##name##_different_##width(void)  \
	{                                                   \
		view_equality_keeps(op, width, false);      \
	}

EQUALITY(jeq, BPF_JEQ, 64)
EQUALITY(jeq, BPF_JEQ, 32)
EQUALITY(jne, BPF_JNE, 64)
EQUALITY(jne, BPF_JNE, 32)

static void view_refine_keeps(u8 op, u32 width)
{
	struct view a, b;
	bool taken = any_compared(op, width, &a, &b);

	check(view_refine(&a, &b, op, taken, width));
	check_view_has(&a, left, width);
	check_view_has(&b, right, width);
}

static void scalar_compare_keeps(u8 op, bool is_low)
{
	u32 width = is_low ? 32 : 64;
	struct scalar a, b;
	bool taken;

	left = any_unsigned(64);
	right = any_unsigned(64);
	a = any_scalar_with(left, SCALAR_SHAPE);
	b = any_scalar_with(right, SCALAR_SHAPE);
	taken = concrete_jump(left & low_ones(width), right & low_ones(width), op, width);
	rely_on(view_refine, contract_view_refine);
	rely_on(scalar_sync_shaped, contract_scalar_sync);
	keep(left, right);
	check(scalar_refine(&a, &b, op, is_low, taken));
	check_scalar_has(&a, left, SCALAR_SHAPE);
	check_scalar_has(&b, right, SCALAR_SHAPE);
}

#define COMPARE(kind, name, op)                  \
	void proof_refine_##name##_64(void);     \
	void proof_refine_##name##_64(void)      \
	{                                        \
		view_refine_keeps(op, 64);       \
	}                                        \
	void proof_refine_##name##_32(void);     \
	void proof_refine_##name##_32(void)      \
	{                                        \
		view_refine_keeps(op, 32);       \
	}                                        \
	void kind##_scalar_##name##_64(void);    \
	void kind##_scalar_##name##_64(void)     \
	{                                        \
		scalar_compare_keeps(op, false); \
	}                                        \
	void kind##_scalar_##name##_32(void);    \
	void kind##_scalar_##name##_32(void)     \
	{                                        \
		scalar_compare_keeps(op, true);  \
	}

#define ORDER(kind, name, op)                \
	void proof_branch_##name##_64(void); \
	void proof_branch_##name##_64(void)  \
	{                                    \
		view_branch_keeps(op, 64);   \
	}                                    \
	void proof_branch_##name##_32(void); \
	void proof_branch_##name##_32(void)  \
	{                                    \
		view_branch_keeps(op, 32);   \
	}                                    \
	COMPARE(kind, name, op)

COMPARE(proof, jeq, BPF_JEQ)
COMPARE(proof, jne, BPF_JNE)
ORDER(proof, jset, BPF_JSET)
ORDER(proof, jlt, BPF_JLT)
ORDER(long, jle, BPF_JLE)
ORDER(long, jgt, BPF_JGT)
ORDER(long, jge, BPF_JGE)
ORDER(long, jslt, BPF_JSLT)
ORDER(long, jsle, BPF_JSLE)
ORDER(long, jsgt, BPF_JSGT)
ORDER(proof, jsge, BPF_JSGE)

/* --- the prover itself: each of these is false --- */

void refuted_add_never_wraps(void)
{
	left = any_unsigned(64);
	right = any_unsigned(64);
	check(left + right >= left);
}

void refuted_meet_is_always_possible(void)
{
	struct view a = any_view(64), b = any_view(64);

	check(view_meet(&a, &b));
}

void refuted_shift_is_defined(void)
{
	struct tnum a = tnum_shl(any_tnum(64), (u32)any_unsigned(7));

	check(!a.mask || a.mask);
}
