/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: loads that are put together. */
#ifndef SKEP_IR_COMBINE_H
#define SKEP_IR_COMBINE_H

#include "ir/ir.h"

/* What the sum of two loads is equal to; 0: it stays. */
ir_ref ir_combine(struct ir_function *fn, ir_ref at);

#endif
