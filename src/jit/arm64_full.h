/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: the full tier on arm64. What arm64_fuse.c makes of values that the machine has
 * one instruction for stands in fields that other machines' code does not look at:
 *
 *	and, or, xor, add, sub	b is shifted by `scale`, as `cond` (enum a64_shift) says
 *	mul			with c: c plus the product, or (cond) less it
 *	shr, sar		`bytes`: so many bits are left of it; 0: all
 *	shl			`bytes`: so many bits are moved; 0: all
 *	and, or, xor		`is_signed`: with what b is not
 */
#ifndef SKEP_JIT_ARM64_FULL_H
#define SKEP_JIT_ARM64_FULL_H

#include "jit/arm64_base.h"
#include "jit/full.h"

/* Values have none of x13 to x17: what the machine has no place for comes to be there. */
#define S5 X13

/* A register with the value: its own, that of 0, or `scratch`. */
u8 arm64_reg(struct full *full, ir_ref value, u8 scratch);
bool arm64_number_of(const struct full *full, ir_ref value, machine_width width, u64 *out);
machine_condition arm64_condition(enum ir_cond cond);

static inline u8 arm64_bits(machine_width width)
{
	return width == W64 ? 64 : 32;
}

#endif
