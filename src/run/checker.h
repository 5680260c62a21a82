/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks of the checked interpreter. A check that fails fills in checker->found, and the
 * run ends with r0 = 0.
 */
#ifndef SKEP_RUN_CHECKER_H
#define SKEP_RUN_CHECKER_H

#include "run/code.h"

#define HELPER_REGIONS 64 /* the last regions that helpers returned in this run */

struct checker {
	struct run_violation found;
	u64 budget; /* instructions left; 0: unlimited */
	const struct run_region
		*regions; /* memory beside what the facts and the context name */
	u32 region_cnt;
	struct run_region helper_regions[HELPER_REGIONS];
	u32 helper_region_cnt; /* all so far; the newest overwrite the oldest */
};

/* Whether the instruction at `pc` may run with these registers: its operation, OP_dead if not.
 */
u16 checked_op(struct executor *exec, const struct code_insn *pc, const u64 *reg);
bool checked_access(struct executor *exec, const struct code_insn *pc, const u64 *reg,
		    u64 address, u32 size, bool write);
bool checked_atomic(struct executor *exec, const struct code_insn *pc, const u64 *reg,
		    u64 address, u32 size);
bool checked_branch(struct executor *exec, const struct code_insn *pc, bool taken);
bool checked_mask(struct executor *exec, const struct code_insn *pc, u64 offset, u64 masked);
bool checked_frame(struct executor *exec, const struct code_insn *pc, const u64 *reg,
		   const struct frame *frame);
bool checked_packet(struct executor *exec, const struct code_insn *pc, u64 ctx);
void checked_helper_result(struct executor *exec, const struct code_insn *pc, u64 result);

/* Runs with all checks; reports what they find to the environment. */
u64 checked_run(struct executor *exec, const u64 args[5]);
/* The same from the start of a callback that gets a map, a key and a value. */
void checked_call(struct executor *exec, u64 function, const u64 args[5]);

#endif
