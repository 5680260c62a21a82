/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Precision: which numbers matter. A number that decided nothing (no branch, no offset, no
 * size) may differ between two states that are otherwise equal. Where one did decide something,
 * the need for it is carried backwards over the program, through moves, arithmetic, spills and
 * calls, as liveness is: per instruction a set of registers and slots that only grows.
 */
#ifndef SKEP_VERIFY_PRECISION_H
#define SKEP_VERIFY_PRECISION_H

#include "verify/walk.h"

int precision_init(struct walk *walk);

/* The numbers in these registers, before the current instruction, decided something. */
void precision_need(struct walk *walk, u16 regs);
/* The current instruction accessed stack slots (walk->access). */
void precision_note_stack(struct walk *walk);
/* The slot at `off` of a frame held a number that decided something. */
void precision_need_slots(struct walk *walk, u32 frame, s64 off);
/* What a branch said about one number was carried over to others (the frame's set). */
void precision_note_linked(struct walk *walk, u16 regs, u64 slots);

/* The registers whose numbers matter before `insn`. */
u16 precision_regs(struct walk *walk, u32 insn);
/* The numbers that matter before `insn` of the top frame, for every frame. */
void precision_set(struct walk *walk, const struct packed_state *state, u32 insn,
		   struct live_set *out);

#endif
