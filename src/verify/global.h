/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Global functions: those that BTF calls so. Each is walked once, on its own, with what its
 * prototype promises; a call of it is checked against the prototype, not walked.
 */
#ifndef SKEP_VERIFY_GLOBAL_H
#define SKEP_VERIFY_GLOBAL_H

#include "verify/walk.h"

int global_init(struct walk *walk);

/* The call of the global function `callee` is allowed, its arguments fit. */
int global_prove_call(struct walk *walk, u32 callee);
void global_transfer_call(struct walk *walk, u32 callee);

/* Walks each global function that was called on some path, until no new one is. */
int global_walk_called(struct walk *walk);

/* effects.c: what running each subprogram may do (changes_packet, sleeps). 0 or -ENOMEM. */
int effects_compute(struct walk *walk);

/* The walk begins at the subprogram, with what its prototype promises. */
int global_enter(struct walk *walk, u32 subprog);

#endif
