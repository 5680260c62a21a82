/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs at one hook, in the order in which they run. A chain is never changed: who
 * attaches or detaches makes another one, so that a reader sees all of the old or all of the
 * new. Only the program of an attachment is replaced in its place.
 *
 * An attachment owns the memory for the chain that is left when it goes: detaching needs none.
 */
#ifndef SKEP_HOOK_CHAIN_H
#define SKEP_HOOK_CHAIN_H

#include "base/rcu.h"
#include "run/run.h"
#include <stdatomic.h>

#define CHAIN_MAX 63 /* as Linux: of one hook */

/* So many results of programs are told apart: codes of tc and XDP, and one for all others. */
#define TALLY_RESULTS 16

struct link;

/* What a program did to the packets of one queue. */
struct program_tally {
	_Alignas(CACHE_LINE) atomic_ullong packets[TALLY_RESULTS];
	atomic_ullong bytes[TALLY_RESULTS], ns;
};

struct attachment {
	struct prog *prog; /* RCU-protected; the link's reference, or its own without one */
	struct link *link; /* NULL: attached without one */
	struct chain *for_less; /* owned */
	struct rcu_head rcu;
	u32 priority;
	u32 proceed_on;	 /* a bit for each place in tallies whose result hands on to the next */
	bool is_alone;	 /* no other may be beside it */
	bool is_generic; /* XDP: on a copy of the packet, not on the port's own memory */
	bool is_first;	 /* of a cgroup: before those of the groups below (BPF_F_PREORDER) */
	u32 queues;
	struct program_tally tallies[]; /* one a queue */
};

struct chain {
	struct rcu_head rcu;
	u32 count;
	struct attachment *at[CHAIN_MAX];
};

/* Where a program is to go. Zero: behind all others. */
struct chain_place {
	bool is_alone; /* there may be no other, and none may come */
	bool is_generic;
	bool is_first;
	bool may_repeat; /* the program may be there already */
	bool is_by_priority; /* before the first of a higher priority or, at the same one, of a
				later name; needs no relative */
	u32 priority, proceed_on;
	/* BPF_F_BEFORE, BPF_F_AFTER: of the relative or, without one, of all; BPF_F_REPLACE:
	 * in place of `replaced` */
	u32 flags;
	const struct prog *relative;
	const struct link *relative_link; /* of that program; NULL: whatever link it has */
	int relative_error; /* why there is no relative, told when one is needed; 0 */
	const struct prog *replaced;
	const struct link *replaced_link; /* NULL: what has no link */
};

/* The index where the program goes, or a negative errno, as Linux's bpf_mprog has it. */
int chain_index(const struct chain *chain, const struct prog *prog,
		const struct chain_place *place);
/* Which attachment PROG_DETACH names, of a chain that is not empty; `prog` may be NULL: the
 * relative says it. */
int chain_find(const struct chain *chain, const struct prog *prog,
	       const struct chain_place *place);

/* An attachment and the memory for both chains; NULL: none. */
struct attachment *attachment_new(u32 queues, struct chain **with_it);
void attachment_free(struct attachment *attachment);

/* `to` becomes `from` (NULL: empty) with the attachment, or without the one, at `index`. */
void chain_insert(struct chain *to, const struct chain *from, u32 index,
		  struct attachment *attachment);
void chain_remove(struct chain *to, const struct chain *from, u32 index);
#endif
