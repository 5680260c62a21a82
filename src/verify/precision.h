/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Precision: which numbers matter. A number that decided nothing (no branch, no offset, no
 * size) may differ between two states that are otherwise equal. Where one did decide something,
 * the need for it is carried back along the path that was walked, through moves, arithmetic,
 * spills and calls, and noted in each state kept on that path.
 */
#ifndef SKEP_VERIFY_PRECISION_H
#define SKEP_VERIFY_PRECISION_H

#include "verify/walk.h"

int precision_init(struct walk *walk);
void precision_done(struct walk *walk);

/* The walk comes to an instruction: the path gets longer. -ENOMEM is the only failure. */
int precision_step(struct walk *walk);
/* Memory that the path takes. */
u64 precision_bytes(const struct walk *walk);
/* How long the path is, for a path that is put off; and back to that length. */
u32 precision_path_length(const struct walk *walk);
void precision_resume(struct walk *walk, u32 length);

/* One step of the path. */
struct path_step {
	u32 insn;
	u32 depth;	  /* frames before it */
	u32 frame;	  /* whose slots it accesses */
	u64 slots;	  /* those that a load or store accesses, or may */
	bool is_callback; /* an exit to the call of a helper that called back */
};

/* `index` < precision_path_length(). */
struct path_step precision_step_at(const struct walk *walk, u32 index);

/* The numbers in these registers, before the current instruction, decided something. */
void precision_need(struct walk *walk, u16 regs);
/* The slot at `off` of a frame held a number that decided something. */
void precision_need_slot(struct walk *walk, u32 frame, s64 off);
/* All that mattered in a state that covers the present one matters here, too. */
void precision_need_all(struct walk *walk, const struct live_set *needs);

/* The current instruction accesses stack slots (walk->access). */
void precision_note_stack(struct walk *walk);
/* What a branch said about one number was carried over to others (of the top frame). */
void precision_note_linked(struct walk *walk, u16 regs, u64 slots);

/*
 * States here count as different whichever number differs: where facts of registers are kept, or
 * a loop of unknown length may be ahead. What matters in it is not known for good, as a round
 * that brings nothing new ends there, whatever matters of it later.
 */
bool precision_is_exact(const struct walk *walk);

#endif
