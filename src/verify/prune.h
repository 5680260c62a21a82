/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * States kept at prune points. A path whose state is covered by one that was walked to its end
 * without a rejection need not be walked again; a path that comes back to exactly the state it
 * had goes round forever.
 */
#ifndef SKEP_VERIFY_PRUNE_H
#define SKEP_VERIFY_PRUNE_H

#include "verify/walk.h"

int prune_init(struct walk *walk);
/* At a prune point: *covered when the path may end here. May reject (an infinite loop). */
int prune_check(struct walk *walk, bool *covered);
/* The walk goes on with the path put off last, if any: what was kept since is complete. More
 * paths may be put off. Changes walk->state. 0 or -ENOMEM. */
int prune_path_ended(struct walk *walk);

/*
 * One more round of a loop of unknown length, whose head is `insn`: numbers that differ from
 * those at the round that began last before position `before` of the path's list, and that
 * decided nothing so far, are forgotten (widen.c); after very many rounds, all that differ.
 */
void prune_widen(struct walk *walk, u32 insn, u32 before);
#define PRUNE_ANY_POSITION UINT32_MAX
/* The same, by the state of that round. */
void prune_widen_after(struct walk *walk, u32 insn, const struct checkpoint *round);

enum compare_how {
	COMPARE_COVERS, /* all that is true of `now` was allowed for in `old` */
	COMPARE_EXACT,	/* the same */
};

/* A register in which two states differ, and what it held in the older one. */
struct difference {
	bool is_known;
	u8 frame, reg;
	u8 kind; /* enum reg_kind */
	bool is_linked;
	u16 flags;
	s32 off;
	u64 umin, umax;
};

/* equal.c. `precise`: the numbers that matter in `old`. *last: where they were found to differ.
 */
bool states_equal(struct walk *walk, const struct packed_state *old,
		  const struct live_set *precise, enum compare_how how,
		  struct difference *last);

#endif
