/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cycles of states: a path of a loop of unknown length ends where a state further up it covers
 * the present one. What matters in that one matters here, too, and that is known only when all
 * that follows it was walked. So such ends are remembered, and when the first state of the
 * cycle is complete, what matters is carried back from each of them until nothing is new.
 *
 * Until then a state of the cycle covers another as far as is known by then. Where they differ
 * in numbers that turn out to matter, the path that ended there is taken up again.
 */
#ifndef SKEP_VERIFY_CYCLE_H
#define SKEP_VERIFY_CYCLE_H

#include "verify/checkpoint.h"

int cycle_init(struct walk *walk);
void cycle_done(struct walk *walk);
/* Memory that ends of paths take. */
u64 cycle_bytes(const struct walk *walk);

/* It is kept, the last in prune.kept. 0 or -ENOMEM. */
int cycle_enter(struct walk *walk, const struct checkpoint *point);
/* The path ends in a state that is covered by one that is not settled, in these numbers, which
 * were carried back from here; `is_assumed`: not in all. 0 or -ENOMEM. */
int cycle_end(struct walk *walk, struct checkpoint *point, const struct live_set *numbers,
	      bool is_assumed);
/* More turned out to matter in a state that paths end at. False: out of memory. */
bool cycle_note_news(struct walk *walk, struct checkpoint *point);
/* Whether more may be assumed. */
bool cycle_may_assume(const struct walk *walk);

/* A path to be taken up again. */
struct reopened {
	struct checkpoint *parent; /* the last on the way there */
	struct pending path;
};

enum cycle_answer {
	CYCLE_WAITS,	/* for a state further up */
	CYCLE_SETTLED,	/* it and all that were kept behind it */
	CYCLE_REOPENED, /* a path from it goes on */
};

/* It is complete, the last that became so. Changes walk->state. */
enum cycle_answer cycle_leave(struct walk *walk, const struct checkpoint *point,
			      struct reopened *out);

#endif
