/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: loads that are put together. */
#ifndef SKEP_IR_COMBINE_H
#define SKEP_IR_COMBINE_H

#include "ir/ir.h"

/* What the sum of two loads is equal to; 0: it stays. */
ir_ref ir_combine(struct ir_function *fn, ir_ref at);

/* Which of two instructions of a block comes first. */
ir_ref ir_earlier(const struct ir_function *fn, ir_ref x, ir_ref y);
/* The two loads, of places that touch, as one where the first of them stands; they become parts of
 * it. */
ir_ref ir_wide_load(struct ir_function *fn, ir_ref low, ir_ref high);

#endif
