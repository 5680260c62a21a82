/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: what programs have no instruction for and machines have. */
#ifndef SKEP_IR_IDIOM_H
#define SKEP_IR_IDIOM_H

#include "ir/ir.h"

/* What the operation or load turns out to be; 0: it stays. */
ir_ref ir_idiom(struct ir_function *fn, ir_ref at);

#endif
