/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The abstract domain of numbers: what is known of a 64-bit value.
 *
 * Three views are kept at once and made consistent with one another by scalar_sync(): known
 * bits (a bit is unknown where `mask` is 1, else it is that of `value`), signed and unsigned
 * ranges of the 64-bit value, and the same of its low 32 bits. Every function is sound: the
 * result contains each concrete result of each concrete operand (proofs/, tests/verify).
 */
#ifndef SKEP_VERIFY_SCALAR_H
#define SKEP_VERIFY_SCALAR_H

#include "base/types.h"

struct tnum {
	u64 value, mask; /* value & mask == 0 */
};

struct scalar {
	struct tnum bits;
	s64 smin, smax;
	u64 umin, umax;
	s32 smin32, smax32;
	u32 umin32, umax32;
};

static inline struct scalar scalar_const(u64 value)
{
	return (struct scalar){
		.bits = {value, 0},
		.smin = (s64)value,
		.smax = (s64)value,
		.umin = value,
		.umax = value,
		.smin32 = (s32)value,
		.smax32 = (s32)value,
		.umin32 = (u32)value,
		.umax32 = (u32)value,
	};
}

static inline struct scalar scalar_unknown(void)
{
	return (struct scalar){
		.bits = {0, ~0ull},
		.smin = INT64_MIN,
		.smax = INT64_MAX,
		.umin = 0,
		.umax = UINT64_MAX,
		.smin32 = INT32_MIN,
		.smax32 = INT32_MAX,
		.umin32 = 0,
		.umax32 = UINT32_MAX,
	};
}

struct scalar scalar_urange(u64 low, u64 high);
/* By size in bytes (1, 2, 4, 8): any number of that size. */
extern const struct scalar scalar_of_bytes[];

/* The zero-extended result of a load of `bytes`. */
static inline struct scalar scalar_unsigned_bytes(u32 bytes)
{
	return scalar_of_bytes[bytes];
}

static inline bool scalar_is_const(const struct scalar *scalar)
{
	return !scalar->bits.mask;
}

static inline bool scalar_is_unknown(const struct scalar *scalar)
{
	return !~scalar->bits.mask && !scalar->umin && !~scalar->umax &&
	       scalar->smin == INT64_MIN && scalar->smax == INT64_MAX && !scalar->umin32 &&
	       !~scalar->umax32 && scalar->smin32 == INT32_MIN && scalar->smax32 == INT32_MAX;
}

/* Narrows each view by the others. False: no value is left (the path cannot happen). */
bool scalar_sync(struct scalar *scalar);

/*
 * dst = dst OP src, `op` one of BPF_ADD .. BPF_ARSH, BPF_MOV, BPF_NEG with the instruction's
 * `off` (1: signed division; 8, 16, 32: sign-extending move). A 32-bit operation zero-extends.
 */
void scalar_alu(struct scalar *dst, const struct scalar *src, u8 op, bool is32, s16 off);
/* BPF_END: `bits` 16, 32, 64; to_le/to_be of the host's byte order, or an unconditional swap.
 */
void scalar_byte_swap(struct scalar *dst, u32 bits, bool swaps);

void scalar_zero_extend32(struct scalar *dst);
void scalar_truncate(struct scalar *dst, u32 bytes); /* keeps the low bytes, zero-extends */
void scalar_sign_extend(struct scalar *dst, u32 bytes);

/* Whether `a OP b` is taken: 1 always, 0 never, -1 not known. `op`: BPF_JEQ .. BPF_JSLE,
 * BPF_JSET. */
int scalar_branch(const struct scalar *a, const struct scalar *b, u8 op, bool is32);

/* Narrows both operands by the outcome of `a OP b`. False: the outcome cannot happen. */
bool scalar_refine(struct scalar *a, struct scalar *b, u8 op, bool is32, bool taken);

/* Smallest that contains both. */
struct scalar scalar_join(const struct scalar *a, const struct scalar *b);
/* Both facts hold. False: contradiction. */
bool scalar_meet(struct scalar *dst, const struct scalar *other);
/* Every value of `inner` is in `outer`. */
static inline bool scalar_contains(const struct scalar *outer, const struct scalar *inner)
{
	return outer->umin <= inner->umin && inner->umax <= outer->umax &&
	       outer->smin <= inner->smin && inner->smax <= outer->smax &&
	       outer->umin32 <= inner->umin32 && inner->umax32 <= outer->umax32 &&
	       outer->smin32 <= inner->smin32 && inner->smax32 <= outer->smax32 &&
	       !(inner->bits.mask & ~outer->bits.mask) &&
	       (inner->bits.value & ~outer->bits.mask) == outer->bits.value;
}
bool scalar_has(const struct scalar *scalar, u64 value);

#endif
