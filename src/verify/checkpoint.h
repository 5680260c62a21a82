/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The states that are kept at prune points: for prune.c, cycle.c and precision.c.
 *
 * One is complete when all that follows it was walked. It is settled when, besides, it is known
 * for good which numbers in it matter: one from which a path led back to a state further up,
 * or to one that is not settled, waits for that one (cycle.h).
 */
#ifndef SKEP_VERIFY_CHECKPOINT_H
#define SKEP_VERIFY_CHECKPOINT_H

#include "verify/prune.h"

struct checkpoint {
	/* What prune_check() looks at comes first. */
	struct checkpoint *next; /* of the same place, or one with the same hash */
	u64 place;		 /* checkpoint_place() */
	bool is_complete, is_settled;
	bool is_asleep; /* not looked at until it is complete */
	bool has_news;	/* that cycle_leave() has to look at */
	u32 misses, hits;
	u32 open_rounds;
	struct difference last; /* from a state that it was compared with */

	struct checkpoint *older, *newer; /* while it is settled */
	struct checkpoint *parent;	  /* the last on the way to it; NULL: none */
	struct packed_state *state;	  /* NULL: it was of no use, only its needs still are */
	u32 position; /* of the path's list: behind the steps that led to it */
	u32 depth;    /* frames */
	u32 kept_at;  /* in prune.kept, until it is settled */
	u32 news;     /* how often more numbers turned out to matter */
	size_t log_length;
	struct live_set needs; /* the numbers that matter: precision.c */
	u32 pending_cnt;       /* paths put off when it was made: those above are its own */
	u32 last_end;	       /* of the paths that it covers the ends of (cycle.c); 0: none */
};

struct checkpoint_list {
	struct checkpoint **all;
	u32 count, capacity;
};

struct prune {
	struct checkpoint **points; /* by hash of the place */
	u32 hash_mask;
	struct checkpoint_list trail; /* those not complete, oldest first */
	struct checkpoint_list kept;  /* those not settled, oldest first */
	struct checkpoint *unused;
	struct checkpoint *oldest, *newest; /* of those that are settled */
	u64 settled_bytes;
	u64 last_insns, last_jumps, last_put_off;
	u32 states_kept;
	bool is_exact; /* states differ whichever number does */
};

/* An instruction and the calls that led to it: states of other places are never alike. In the
 * main program it is the instruction. */
u64 checkpoint_place(const struct walk *walk, u32 insn);
/* Those that are looked at there, newest first, and others between them. */
struct checkpoint *checkpoints_at(const struct walk *walk, u64 place);
/* False: out of memory. */
bool checkpoint_push(struct walk *walk, struct checkpoint_list *list, struct checkpoint *point);

/* How many of those not settled were kept before `position`. */
static inline u32 kept_before(const struct prune *prune, u32 position)
{
	u32 low = 0, high = prune->kept.count;

	if (high && prune->kept.all[high - 1]->position < position)
		return high;
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (prune->kept.all[middle]->position < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* These numbers matter in it. False: it was known already. */
static inline bool checkpoint_add_needs(struct checkpoint *point, const struct live_set *needs)
{
	u64 news = 0;

	for (u32 i = 0; i < point->depth; i++) {
		news |= (needs->regs[i] & ~point->needs.regs[i]) |
			(needs->slots[i] & ~point->needs.slots[i]);
		point->needs.regs[i] |= needs->regs[i];
		point->needs.slots[i] |= needs->slots[i];
	}
	point->news += !!news;
	return news;
}

#endif
