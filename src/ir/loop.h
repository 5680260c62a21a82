/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: loops of one block whose rounds are counted. */
#ifndef SKEP_IR_LOOP_H
#define SKEP_IR_LOOP_H

#include "ir/ir.h"

struct ir_loop {
	u32 block, before; /* the block that it is entered from, which goes nowhere else */
	u32 entry, back;   /* places among the block's predecessors, and so of phis' arguments */
	u64 rounds;
};

/* False: the block is no such loop. May make the block before it. */
bool ir_loop_find(struct ir_function *fn, u32 block, struct ir_loop *out);
/* A phi that is larger by a constant in each round. */
bool ir_loop_is_counter(const struct ir_function *fn, const struct ir_loop *loop, ir_ref phi,
			s64 *step);
/* By how much the value is larger in each round: a sum of counters and of what does not change. */
bool ir_loop_step(const struct ir_function *fn, const struct ir_loop *loop, ir_ref value,
		  s64 *step);
/* Such a value in the first round, calculated before the loop. */
ir_ref ir_loop_first(struct ir_function *fn, const struct ir_loop *loop, ir_ref value);

#endif
