/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: what the allocation of registers knows of values (live.c), and decides
 * (allocate.c). */
#ifndef SKEP_JIT_ALLOCATE_H
#define SKEP_JIT_ALLOCATE_H

#include "jit/full.h"

struct segment {
	u32 from, to; /* gaps, both included */
};

struct use {
	u32 block, position;
};

struct clobber {
	u32 position, mask;
};

struct interval {
	u32 first, count; /* segments */
	u32 end;	  /* the last gap */
	float weight;
};

struct allocation {
	struct full *full;
	struct ir_function *fn;
	struct arena arena;
	u32 usable; /* registers */
	u32 *taken; /* of each gap */
	u32 gaps;
	struct clobber *clobbers;
	u32 clobber_cnt;
	u32 *use_first; /* of each value, in `uses`; one more than there are values */
	struct use *uses;
	struct segment *segments;
	u32 segment_cnt, segment_room;
	struct interval *intervals; /* of each value */
	u32 *stamp, *segment_of;    /* of each block, for the value at hand */
	u32 *stack;
	ir_ref *active; /* values whose end is not passed yet */
	u32 active_cnt, expire_at;
	ir_ref *phi_of; /* a phi that the value is an argument of */
	s8 *wanted;	/* the register that a use would like; -1 */
};

/* Numbers the instructions. */
void live_number(struct allocation *allocation);
/* Notes what instructions change or forbid in passing. */
void live_note_clobbers(struct allocation *allocation);
/* Collects the uses of all values; false: out of memory. */
bool live_collect_uses(struct allocation *allocation);
/* Finds the segments of a value whose uses are collected. */
void live_find(struct allocation *allocation, ir_ref value);
/* Constants and addresses in the frame are made where they are used. */
bool live_needs_place(const struct ir_function *fn, ir_ref value);

#endif
