/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: values that passes make are folded at once. */
#ifndef SKEP_IR_FOLD_H
#define SKEP_IR_FOLD_H

#include "ir/ir.h"

/* The bits of the value that may be set. */
u64 ir_bits(const struct ir_function *fn, ir_ref value);
ir_ref ir_const_before(struct ir_function *fn, ir_ref where, u64 value);
/* What the operation is equal to; new instructions stand before `where`. */
ir_ref ir_fold_before(struct ir_function *fn, ir_ref where, enum ir_op op, enum ir_width width,
		      ir_ref a, ir_ref b);

#endif
