/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: division by constants without a division. */
#ifndef SKEP_IR_DIVIDE_H
#define SKEP_IR_DIVIDE_H

#include "ir/ir.h"

/*
 * n / divisor for all n of `bits` bits: (n * factor) >> shift; adds: the factor lacks its highest
 * bit, so that it is (((n - high) >> 1) + high) >> (shift - bits - 1), where high is
 * (n * factor) >> bits.
 */
struct ir_magic {
	u64 factor;
	u32 shift;
	bool adds;
};

struct ir_magic ir_magic(u64 divisor, u32 bits);
/* What the division by a constant is equal to; 0: it stays. */
ir_ref ir_divide(struct ir_function *fn, ir_ref at);

#endif
