/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an obligation is written in: a C function that takes any operands, runs the code and
 * claims something of the result. The calls below are given their meaning by intrinsics.py.
 *
 * The numbers that an obligation follows are `left`, `right` and `outcome`: it gives the code
 * whatever says something true of the first two, and checks that the result is true of the
 * last. A contract says of a function that it does so; where an obligation relies on it, the
 * contract stands in for the function, and it is an obligation of its own.
 */
#ifndef SKEP_PROOFS_OBLIGATIONS_H
#define SKEP_PROOFS_OBLIGATIONS_H

#include "proofs/concrete.h"
#include "verify/scalar.h"
#include "verify/view.h"

/* Any number of `width` bits (a constant), zero- or sign-extended to 64. */
u64 any_unsigned(u32 width);
s64 any_signed(u32 width);
/* What follows is of interest only where `condition` holds. */
void assume(bool condition);
/* To be proved. */
void check(bool condition);
/* To be proved here, and relied on from here on. */
static inline void establish(bool condition)
{
	check(condition);
	assume(condition);
}

/* Loops are walked so many times; that they end by then is to be proved. */
void bound_loops(u32 rounds);
/* From here on calls of `function` are calls of `contract`. */
void rely_on(void *function, void *contract);

extern u64 left, right, outcome;
/* What synchronisations, one after the other, are to keep. */
extern u64 kept[2];
extern u32 kept_cnt;

static inline bool implies(bool condition, bool consequence)
{
	return !condition || consequence;
}

static inline struct tnum any_tnum(u32 width)
{
	struct tnum bits;

	bits.value = any_unsigned(width);
	bits.mask = any_unsigned(width);
	return bits;
}

static inline struct view any_view(u32 width)
{
	struct view view;

	view.bits = any_tnum(width);
	view.smin = any_signed(width);
	view.smax = any_signed(width);
	view.umin = any_unsigned(width);
	view.umax = any_unsigned(width);
	return view;
}

/* Facts at all widths that need not agree with each other. */
static inline struct scalar any_scalar(struct shape shape)
{
	struct view full = any_view(shape.full), low = any_view(shape.low);
	struct scalar scalar;

	scalar_set_full(&scalar, &full);
	scalar_set_low(&scalar, &low);
	return scalar;
}

static inline bool span_has(struct span span, u64 value)
{
	return span.low <= value && value <= span.high;
}

/* `value` is in its half. */
static inline bool halves_have(const struct halves *halves, u64 value, u32 width)
{
	return span_has(value >> (width - 1) ? halves->upper : halves->lower, value);
}

/* Each span is empty or lies in its half. */
static inline bool halves_are_apart(const struct halves *halves, u32 width)
{
	return (span_is_empty(halves->lower) || halves->lower.high < sign_bit(width)) &&
	       (span_is_empty(halves->upper) || (halves->upper.low >= sign_bit(width) &&
						 halves->upper.high <= low_ones(width)));
}

static inline bool scalar_has_shaped(const struct scalar *scalar, u64 value, struct shape shape)
{
	struct view full = scalar_full_view(scalar), low = scalar_low_view(scalar, shape);

	return view_has(&full, value, shape.full) &&
	       view_has(&low, value & low_ones(shape.low), shape.low);
}

static inline struct view any_view_with(u64 value, u32 width)
{
	struct view view = any_view(width);

	assume(view_has(&view, value, width));
	return view;
}

static inline struct scalar any_scalar_with(u64 value, struct shape shape)
{
	struct scalar scalar = any_scalar(shape);

	assume(scalar_has_shaped(&scalar, value, shape));
	return scalar;
}

static inline void establish_view_has(const struct view *view, u64 value, u32 width)
{
	s64 as_signed = sign_extend(value, width);

	establish(tnum_has(view->bits, value));
	establish(view->umin <= value);
	establish(value <= view->umax);
	establish(view->smin <= as_signed);
	establish(as_signed <= view->smax);
}

static inline void establish_scalar_has(const struct scalar *scalar, u64 value,
					struct shape shape)
{
	struct view full = scalar_full_view(scalar), low = scalar_low_view(scalar, shape);

	establish_view_has(&full, value, shape.full);
	establish_view_has(&low, value & low_ones(shape.low), shape.low);
}

static inline void keep(u64 first, u64 second)
{
	kept[0] = first;
	kept[1] = second;
	kept_cnt = 0;
}

/* One question per fact: each is easier than all together. */
static inline void check_view_has(const struct view *view, u64 value, u32 width)
{
	s64 as_signed = sign_extend(value, width);

	check(tnum_has(view->bits, value));
	check(view->umin <= value);
	check(value <= view->umax);
	check(view->smin <= as_signed);
	check(as_signed <= view->smax);
}

static inline void check_scalar_has(const struct scalar *scalar, u64 value, struct shape shape)
{
	struct view full = scalar_full_view(scalar), low = scalar_low_view(scalar, shape);

	check_view_has(&full, value, shape.full);
	check_view_has(&low, value & low_ones(shape.low), shape.low);
}

/* contracts.c */
bool contract_member_from(struct tnum a, u64 value, u64 *out);
bool contract_member_up_to(struct tnum a, u64 value, u64 *out);
struct tnum contract_range(u64 low, u64 high);
struct tnum contract_union(struct tnum a, struct tnum b);
struct halves contract_view_halves(const struct view *view, u32 width);
bool contract_view_narrow(struct view *view, const struct halves *halves, u32 width);
bool contract_view_sync(struct view *view, u32 width);
struct view contract_view_alu(const struct view *a, const struct view *b, u8 op, bool is_signed,
			      u32 width);
bool contract_view_refine(struct view *a, struct view *b, u8 op, bool taken, u32 width);
bool contract_scalar_sync(struct scalar *scalar, struct shape shape);

#endif
