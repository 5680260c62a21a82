/* SPDX-License-Identifier: BSD-2-Clause */
/* A program's machine code, as whoever runs the program sees it. Made once, never changed. */
#ifndef SKEP_RUN_NATIVE_H
#define SKEP_RUN_NATIVE_H

#include "base/types.h"

struct executor;

/* Runs the function at `target`, one of native->entry, with r1 to r5 = args. */
typedef u64 native_enter(const u64 args[5], struct executor *exec, const void *target);

struct native {
	native_enter *enter;
	const void *interpret; /* where a tail call to a program without machine code goes */
	const u8 *end;	       /* of the code of all subprograms, which begins at entry[0] */
	void (*free)(struct native *native);
	const void *entry[]; /* of each subprogram, as verified->subprogs */
};

static inline u32 native_bytes(const struct native *native)
{
	return (u32)(native->end - (const u8 *)native->entry[0]);
}

static inline u32 native_length(const struct native *native, u32 subprog, u32 subprog_cnt)
{
	const u8 *start = native->entry[subprog];

	return (u32)((subprog + 1 < subprog_cnt ? (const u8 *)native->entry[subprog + 1]
						: native->end) -
		     start);
}

#endif
