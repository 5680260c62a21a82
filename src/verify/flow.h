/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a value came from: registers and stack slots followed backwards along the path that
 * was walked, one step at a time.
 */
#ifndef SKEP_VERIFY_FLOW_H
#define SKEP_VERIFY_FLOW_H

#include "verify/path.h"

/* Where a value is: a register, or a stack slot, of a frame. */
struct value_place {
	u8 frame;
	bool is_slot;
	u8 index; /* of the register, of the slot */
};

enum origin_kind {
	ORIGIN_SAME,	  /* the step does not write it */
	ORIGIN_COPY,	  /* it is what `from` was, all or part of it */
	ORIGIN_CHANGED,	  /* it is what it was, and perhaps `from`, put through an operator */
	ORIGIN_BORN,	  /* the step made it */
	ORIGIN_DESTROYED, /* the step (a call) left nothing in it */
};

struct origin {
	enum origin_kind kind;
	bool has_from;
	struct value_place from;
};

/* Where what is in `place` behind a step was before it. `depth_after`: frames behind it. */
struct origin flow_origin(const struct walk *walk, const struct path_step *step,
			  u32 depth_after, struct value_place place);

/* Visits the places of a set: false when there are no more. Begin with a zeroed cursor. */
struct place_cursor {
	u32 frame, index;
};
bool flow_next_place(const struct live_set *set, struct place_cursor *cursor,
		     struct value_place *out);
void flow_add_place(struct live_set *set, struct value_place place);
bool flow_has_place(const struct live_set *set, struct value_place place);

/* What matters before each step of the last part of the path, [first, first + count). */
struct slice {
	u32 first, count;
	u32 *listed_at; /* of each step: path_listed_at() */
	struct live_set *before;
};

/* A slice over at most the last `steps_max` steps, empty; in the walk's scratch memory. 0 or
 * -ENOMEM. */
int flow_slice(struct walk *walk, u32 steps_max, struct slice *out);
/* Adds what the places in it come from, all the way back. */
void flow_follow(const struct walk *walk, struct slice *slice);
/* One step backwards: what matters before it. */
void flow_back(const struct walk *walk, const struct path_step *step, u32 depth_after,
	       const struct live_set *after, struct live_set *before);

#endif
