/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on scalars: which views an operation may be done on, and how they come together.
 */
#include "verify/scalar.h"
#include "verify/view.h"

#include <linux/bpf.h>

/* Whether the low bits of the result depend on nothing but the low bits of the operands. */
static bool acts_on_low_bits(u8 op, const struct view *amount, u32 low_width)
{
	switch (op) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR: return true;
	case BPF_LSH: return amount->umax < low_width;
	default: return false;
	}
}

static inline void set_unknown(struct scalar *scalar, struct shape shape)
{
	struct view full = view_unknown(shape.full), low = view_unknown(shape.low);

	scalar_set_full(scalar, &full);
	scalar_set_low(scalar, &low);
}

/* A path on which no value is left is never executed: anything may be said of it. */
static __always_inline void sync_or_forget(struct scalar *scalar, struct shape shape)
{
	if (!scalar_sync_shaped(scalar, shape))
		set_unknown(scalar, shape);
}

/* The scalar whose upper bits are 0 and whose low bits are `low`. */
static __always_inline void set_zero_extended(struct scalar *dst, const struct view *low,
					      struct shape shape)
{
	struct view full = view_unknown(shape.full);

	full.bits = low->bits;
	full.umin = low->umin;
	full.umax = low->umax;
	scalar_set_full(dst, &full);
	scalar_set_low(dst, low);
	sync_or_forget(dst, shape);
}

/* --- through the views --- */

static bool is_low_unknown(const struct scalar *scalar, struct shape shape)
{
	u64 ones = low_ones(shape.low);
	s64 most = (s64)(ones >> 1);

	return !(~scalar->bits.mask & ones) && !scalar->umin32 && scalar->umax32 == ones &&
	       scalar->smin32 == -most - 1 && scalar->smax32 == most;
}

static bool is_unknown(const struct scalar *scalar, struct shape shape)
{
	u64 ones = low_ones(shape.full);
	s64 most = (s64)(ones >> 1);

	return scalar->bits.mask == ones && !scalar->umin && scalar->umax == ones &&
	       scalar->smin == -most - 1 && scalar->smax == most &&
	       is_low_unknown(scalar, shape);
}

/* What is added to anything gives anything. */
static bool is_sum(u8 op)
{
	return op == BPF_ADD || op == BPF_SUB || op == BPF_XOR;
}

static __always_inline void alu_low(struct scalar *dst, const struct scalar *src, u8 op,
				    bool is_signed, struct shape shape)
{
	struct view a = scalar_low_view(dst, shape), b = scalar_low_view(src, shape), low;

	if (is_sum(op) && (is_low_unknown(dst, shape) || is_low_unknown(src, shape)))
		low = view_unknown(shape.low);
	else
		low = view_alu(&a, &b, op, is_signed, shape.low);
	set_zero_extended(dst, &low, shape);
}

static __always_inline void alu_full(struct scalar *dst, const struct scalar *src, u8 op,
				     bool is_signed, struct shape shape)
{
	struct view a = scalar_full_view(dst), b = scalar_full_view(src);
	struct view full = view_alu(&a, &b, op, is_signed, shape.full);
	struct view low = view_unknown(shape.low);

	if (acts_on_low_bits(op, &b, shape.low)) {
		struct view low_a = scalar_low_view(dst, shape);
		struct view low_b = scalar_low_view(src, shape);

		low = view_alu(&low_a, &low_b, op, is_signed, shape.low);
	}
	scalar_set_full(dst, &full);
	scalar_set_low(dst, &low);
	sync_or_forget(dst, shape);
}

static __always_inline void alu(struct scalar *dst, const struct scalar *src, u8 op,
				bool is_low, bool is_signed, struct shape shape)
{
	if (is_low)
		alu_low(dst, src, op, is_signed, shape);
	else if (is_sum(op) && (is_unknown(dst, shape) || is_unknown(src, shape)))
		set_unknown(dst, shape);
	else
		alu_full(dst, src, op, is_signed, shape);
}

void scalar_alu_general(struct scalar *dst, const struct scalar *src, u8 op, bool is_low,
			bool is_signed, struct shape shape)
{
	if (shape_is_real(shape))
		alu(dst, src, op, is_low, is_signed, SCALAR_SHAPE);
	else
		alu(dst, src, op, is_low, is_signed, shape);
}

void scalar_alu_shaped(struct scalar *dst, const struct scalar *src, u8 op, bool is_low,
		       bool is_signed, struct shape shape)
{
	if (!scalar_alu_quick(dst, src, op, is_low, shape))
		scalar_alu_general(dst, src, op, is_low, is_signed, shape);
}

static void alu_move(struct scalar *dst, const struct scalar *src, bool is32, s16 off)
{
	*dst = *src;
	if (off)
		scalar_sign_extend(dst, (u32)off / 8);
	if (is32)
		scalar_zero_extend32(dst);
}

void scalar_alu(struct scalar *dst, const struct scalar *src, u8 op, bool is32, s16 off)
{
	struct scalar zero = scalar_const(0);

	if (op == BPF_MOV) {
		alu_move(dst, src, is32, off);
	} else if (op == BPF_NEG) {
		scalar_alu_shaped(&zero, dst, BPF_SUB, is32, false, SCALAR_SHAPE);
		*dst = zero;
	} else {
		scalar_alu_shaped(dst, src, op, is32, off == 1, SCALAR_SHAPE);
	}
}

/* The low `width` bits, up to 32 of them out of the low view. */
static struct view low_bits(const struct scalar *scalar, u32 width)
{
	struct view low = scalar_low_view(scalar, SCALAR_SHAPE);

	return width < 32 ? view_low(&low, 32, width) : low;
}

void scalar_zero_extend32(struct scalar *dst)
{
	scalar_truncate(dst, 4);
}

void scalar_truncate(struct scalar *dst, u32 bytes)
{
	struct view low, wide;

	if (bytes >= 8)
		return;
	low = low_bits(dst, 8 * bytes);
	wide = low;
	if (bytes < 4) {
		wide = view_unknown(32);
		wide.bits = low.bits;
		wide.umin = low.umin;
		wide.umax = low.umax;
	}
	set_zero_extended(dst, &wide, SCALAR_SHAPE);
}

void scalar_sign_extend(struct scalar *dst, u32 bytes)
{
	struct view low, full, unknown = view_unknown(32);

	if (bytes >= 8)
		return;
	low = low_bits(dst, 8 * bytes);
	full = view_sign_extend(&low, 8 * bytes, 64);
	scalar_set_full(dst, &full);
	scalar_set_low(dst, bytes == 4 ? &low : &unknown);
	sync_or_forget(dst, SCALAR_SHAPE);
}

void scalar_byte_swap(struct scalar *dst, u32 bits, bool swaps)
{
	struct tnum swapped;

	scalar_truncate(dst, bits / 8);
	if (!swaps)
		return;
	swapped = tnum_byte_swap(dst->bits, bits);
	set_unknown(dst, SCALAR_SHAPE);
	dst->bits = swapped;
	sync_or_forget(dst, SCALAR_SHAPE);
}
