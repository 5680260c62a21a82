/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commonest instructions, proven and carried out at once: arithmetic on numbers, moves,
 * whole slots of the stack, loads from the packet. Nothing is known of these here that the
 * general way (prove.c, transfer.c) does not know: what is unusual in any way is left to it.
 */
#ifndef SKEP_VERIFY_QUICK_H
#define SKEP_VERIFY_QUICK_H

#include "verify/walk.h"

/* The loader's rights leave nothing to look at but what quick_step() looks at. */
bool quick_is_possible(const struct walk *walk);
/* False: the instruction is not of these, and nothing was done. */
bool quick_step(struct walk *walk);

#endif
