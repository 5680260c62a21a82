/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Precision: which numbers matter. A number that decided nothing (no branch, no offset, no
 * size) may differ between two states that are otherwise equal. Where one did decide something,
 * the need for it is carried back along the path that was walked, through moves, arithmetic,
 * spills and calls, and noted in each state kept on that path.
 */
#ifndef SKEP_VERIFY_PRECISION_H
#define SKEP_VERIFY_PRECISION_H

#include "verify/path.h"

int precision_init(struct walk *walk);

/* The numbers in these registers, before the current instruction, decided something. */
void precision_need(struct walk *walk, u16 regs);
/* The slot at `off` of a frame held a number that decided something. */
void precision_need_slot(struct walk *walk, u32 frame, s64 off);
/* All that mattered in a state that covers the present one matters here, too. */
void precision_need_all(struct walk *walk, const struct live_set *needs);

/*
 * The same from a position of the path's list, where `depth` frames were active. It stops where
 * nothing is needed any more, or where the same was told before. `needs` is used up.
 */
void precision_carry_back(struct walk *walk, u32 position, u32 depth, struct live_set *needs);

#endif
