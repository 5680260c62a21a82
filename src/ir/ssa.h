/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Variables to values (Braun and others, "Simple and Efficient Construction of Static Single
 * Assignment Form", 2013). All edges are there before the first variable is read. Phis are made
 * where paths meet, and get their arguments at the end; those that turn out to be of one value
 * are for ir_phis() to remove.
 */
#ifndef SKEP_IR_SSA_H
#define SKEP_IR_SSA_H

#include "base/arena.h"
#include "ir/ir.h"

#define SSA_GROUP 16

/* The values of neighbouring variables in a block; 0: none is known yet. */
struct ssa_group {
	struct ssa_group *next; /* of the same block; what was asked for last comes first */
	u32 number;		/* of the first variable / SSA_GROUP */
	ir_ref value[SSA_GROUP];
};

struct ssa_pending {
	ir_ref phi;
	u32 variable;
};

struct ssa {
	struct ir_function *fn;
	/* The value of a variable that nothing was written to. */
	ir_ref (*unwritten)(struct ssa *ssa, u32 variable);
	void *cookie;
	struct arena arena;
	struct ssa_group **groups; /* of each block */
	struct ssa_pending *pending;
	u32 pending_cnt, pending_room;
};

void ssa_done(struct ssa *ssa);
/* At the present end of the block. */
void ssa_write(struct ssa *ssa, u32 block, u32 variable, ir_ref value);
ir_ref ssa_read(struct ssa *ssa, u32 block, u32 variable);
/* Every block is complete: the phis get their arguments. */
void ssa_finish(struct ssa *ssa);

#endif
