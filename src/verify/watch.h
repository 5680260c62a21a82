/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk that is watched: how often each instruction is looked at and how many states are kept
 * there; and in a second walk, what certain places hold along the path.
 */
#ifndef SKEP_VERIFY_WATCH_H
#define SKEP_VERIFY_WATCH_H

#include "verify/flow.h"

struct watch {
	u64 *processed, *states; /* insn_cnt each; NULL: not counted */
	u64 states_seen;
	u32 at; /* the instruction counted last: states kept since then are its own */
	/* The slice whose values are noted, NULL: none. A step of another path at the same
	 * place of the list is overwritten by the step that comes last: that of the slice. */
	const struct slice *slice;
	u32 *start;		   /* per position of the slice: its first value */
	struct stack_slot *values; /* a register is the slot's spilled one */
};

/* 0 or -ENOMEM; what is allocated lives in `arena`. */
int watch_count(struct watch *watch, u32 insn_cnt, struct arena *arena);
int watch_slice(struct watch *watch, const struct slice *slice, struct arena *arena);

/* The walk comes to an instruction. */
void watch_visit(struct walk *walk);
/* It goes over it: the instruction is the path's last step. */
void watch_step(struct walk *walk);

/* What was in `place` before the step at this position of the slice; NULL: not noted. */
const struct stack_slot *watch_value(const struct watch *watch, u32 position,
				     struct value_place place);

#endif
