/* SPDX-License-Identifier: BSD-2-Clause */
/* A program's machine code, as whoever runs the program sees it. Made once, never changed. */
#ifndef SKEP_RUN_NATIVE_H
#define SKEP_RUN_NATIVE_H

#include "base/rcu.h"
#include "base/types.h"

struct executor;

/* Runs the function at `target`, one of native->entry, with r1 to r5 = args. */
typedef u64 native_enter(const u64 args[5], struct executor *exec, const void *target);
/* The same of the program itself, whose runs nothing stops in the middle. */
typedef u64 native_run(void *ctx, struct executor *exec);

/* From `offset` on, counted from `enter`, the code is of the instruction at `at`. */
struct native_place {
	u32 offset, at;
};

struct native {
	native_enter *enter; /* the first of its bytes */
	native_run *run;     /* NULL: it is entered as any function */
	bool leaves_no_trace; /* of a run in its executor */
	const void *interpret; /* where a tail call to a program without machine code goes */
	const u8 *end;	       /* of the code of all subprograms, which begins at entry[0] */
	u32 frames, size;      /* offsets of the unwinder's records behind it, and of their end */
	const struct native_place *places; /* by offset */
	u32 place_cnt;
	void (*free)(struct native *native);
	/* Called before it is freed, by whoever noted that it is there; NULL: nobody did. */
	void (*gone)(struct native *native);
	void *noted;
	struct rcu_head rcu; /* of who replaces it */
	const void *entry[]; /* of each subprogram, as verified->subprogs */
};

/* The whole program, with r1 = ctx. */
static inline u64 native_start(const struct native *native, void *ctx, struct executor *exec)
{
	const u64 args[5] = {ptr_to_u64(ctx)};

	return likely(native->run) ? native->run(ctx, exec)
				   : native->enter(args, exec, native->entry[0]);
}

static inline u32 native_bytes(const struct native *native)
{
	return (u32)(native->end - (const u8 *)native->entry[0]);
}

static inline u32 native_offset(const struct native *native, const void *pc)
{
	return (u32)((const u8 *)pc - (const u8 *)native->enter);
}

/* The instruction that the code at `pc` is of; false: it is none's. */
static inline bool native_insn_at(const struct native *native, const void *pc, u32 *at)
{
	const u8 *code = pc;
	u32 low = 0, high = native->place_cnt;

	if (code < (const u8 *)native->entry[0] || code >= native->end)
		return false;
	while (low < high) {
		u32 middle = (low + high) / 2;

		if (native->places[middle].offset <= native_offset(native, pc))
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	*at = native->places[low - 1].at;
	return true;
}

static inline u32 native_length(const struct native *native, u32 subprog, u32 subprog_cnt)
{
	const u8 *start = native->entry[subprog];

	return (u32)((subprog + 1 < subprog_cnt ? (const u8 *)native->entry[subprog + 1]
						: native->end) -
		     start);
}

#endif
