/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a loop sums up, as an expression that is calculated for several elements at once. Lanes
 * have 32 or 64 bits: a lane is the low bits of the value that the loop calculated.
 */
#ifndef SKEP_IR_KERNEL_H
#define SKEP_IR_KERNEL_H

#include "base/types.h"

#define KERNEL_ROWS    12
#define KERNEL_STREAMS 4
#define KERNEL_ARGS	6
#define KERNEL_REGISTERS 11 /* that its rows need */
#define KERNEL_BYTES   32 /* of a vector */

/* The element's value of one operation; operands are earlier rows. */
struct ir_kernel_row {
	u8 op; /* enum ir_op: load, const, arg or a pure one */
	u8 a, b;
	u8 bytes; /* load: of an element, one behind the other */
	bool is_signed;
	s64 imm; /* load: displacement; const: the value */
};

struct ir_kernel {
	struct ir_kernel_row rows[KERNEL_ROWS]; /* the last one is summed up */
	u32 row_cnt;
	u8 op;	  /* that sums up: add, xor, or */
	u8 width; /* enum ir_width: of a lane */
	u32 count; /* of elements, a multiple of the lanes */
};

static inline u32 ir_kernel_lanes(const struct ir_kernel *kernel)
{
	return KERNEL_BYTES / (kernel->width ? 8 : 4);
}

#endif
