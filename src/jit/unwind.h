/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Call frame information (DWARF 5, section 6.4; the .eh_frame form of the Linux Standard Base)
 * of functions that keep the frame pointer (rbp, x29) as C does: how their callers' registers are found.
 */
#ifndef SKEP_JIT_UNWIND_H
#define SKEP_JIT_UNWIND_H

#include "jit/emit.h"

#define UNWIND_SAVED_MAX 10

struct unwind_function {
	u32 start, end; /* offsets in the code; at its start the frame pointer is saved and set */
	bool has_no_frame; /* not even that: the stack stays as the caller left it */
	u32 saved_by;	/* bytes from the start until all registers are saved */
	u32 saved_cnt;
	u8 saved[UNWIND_SAVED_MAX]; /* of the machine */
	s32 first_saved; /* where the first is, counted from the frame pointer; the others below it */
};

/* The records, behind the code in the same buffer and on a multiple of 8 bytes: first what is
 * common (its place is `common` of the others), one of each function, the end. 0 or -ENOMEM. */
int unwind_begin(struct emit *emit);
int unwind_add(struct emit *emit, u32 common, const struct unwind_function *function);
int unwind_end(struct emit *emit);

/* Makes it known to, and unknown to, the unwinder of this process. */
void unwind_register(const void *frames);
void unwind_unregister(const void *frames);

#endif
