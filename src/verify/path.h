/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path that is being walked, as steps from the program's entry. The walk is depth first, so
 * a path that was put off continues one that is a prefix of the present one.
 *
 * Steps stand in a list at positions. While a cycle (cycle.h) is walked, what leads to its ends
 * must stay: a path taken up again then follows in the list, and a jump says where it comes
 * from.
 */
#ifndef SKEP_VERIFY_PATH_H
#define SKEP_VERIFY_PATH_H

#include "verify/walk.h"

/* One step of the path. */
struct path_step {
	u32 insn;
	u32 depth;	  /* frames before it */
	u32 frame;	  /* whose slots it accesses */
	u64 slots;	  /* those that a load or store accesses, or may */
	bool is_callback; /* an exit to the call of a helper that called back */
};

/* `keeps_steps`: they will be asked for, not only how many there are. 0 or -ENOMEM. */
int path_init(struct walk *walk, bool keeps_steps);
void path_done(struct walk *walk);

/* How long the path is. */
u32 path_length(const struct walk *walk);
/* Its position in the list. */
u32 path_position(const struct walk *walk);
/* For a path that is put off; and back to there. */
struct path_mark path_mark(const struct walk *walk);
void path_resume(struct walk *walk, struct path_mark mark);
/* What stands before the position stays, whatever is resumed. */
void path_pin(struct walk *walk, u32 position);
/* Memory that the path takes. */
u64 path_bytes(const struct walk *walk);

/* The current instruction accesses stack slots (walk->access). */
void path_note_stack(struct walk *walk);
/* What a branch said about one of these numbers was carried over to the others. */
void path_note_linked(struct walk *walk, const struct live_set *numbers);

/* The walk that was watched is over: leaves the present path alone, for path_step_at(). */
void path_unroll(struct walk *walk);
/* Where the step stood in the list until then. */
u32 path_listed_at(const struct walk *walk, u32 index);
/* `index` < path_length(). */
struct path_step path_step_at(const struct walk *walk, u32 index);

/* --- backwards, for precision.c --- */

/* A step, or (depth 0) a jump: what follows comes from behind the steps before `origin`. */
struct step {
	u32 insn : 24;
	u32 depth : 4; /* frames before the instruction */
	u32 frame : 4; /* whose slots it accesses */
	union {
		struct {
			u16 needed; /* registers of its frame that are known to matter before */
			u8 first_slot, slot_cnt;
		};
		u32 origin;
	};
};

/* Numbers of one frame, of which what a branch said was carried over to all linked ones: those
 * of the links at the same position. */
struct link {
	u32 position; /* of the step */
	u16 regs;
	u8 frame;
	u64 slots;
};

struct path {
	struct step *steps;
	u32 count, capacity;
	u32 length; /* of the present path; no jumps are counted */
	u32 pinned;
	u32 *listed_at;	    /* of each step, after path_unroll(); NULL: not known */
	struct link *links; /* by position */
	u32 link_cnt, link_cap;
	bool out_of_memory; /* something was lost */
	bool keeps_steps;
};

/* Room for more steps. False: out of memory. */
bool path_grow(struct walk *walk);

/* The walk comes to an instruction: the path gets longer. -ENOMEM is the only failure. */
static inline int path_advance(struct walk *walk)
{
	struct path *path = walk->path;

	path->length++;
	if (!path->keeps_steps)
		return 0;
	if (path->out_of_memory || (path->count == path->capacity && !path_grow(walk)))
		return -ENOMEM;
	path->steps[path->count++] =
		(struct step){.insn = walk->at, .depth = walk->state.frame_cnt};
	return 0;
}

/* The current instruction accesses these slots of a frame. */
static inline void path_note_slots(struct walk *walk, u32 frame, u32 first, u32 count)
{
	struct path *path = walk->path;
	struct step *step = &path->steps[path->count - 1];

	if (!path->keeps_steps)
		return;
	step->frame = frame;
	step->first_slot = (u8)first;
	step->slot_cnt = (u8)count;
}

static inline u64 step_slots(const struct step *step)
{
	return step->slot_cnt ? (~0ull >> (64 - step->slot_cnt)) << step->first_slot : 0;
}

#endif
