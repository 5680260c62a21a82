/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Global functions: those that BTF calls so. Each is walked once, on its own, with what its
 * prototype promises; a call of it is checked against the prototype, not walked.
 */
#ifndef SKEP_VERIFY_GLOBAL_H
#define SKEP_VERIFY_GLOBAL_H

#include "verify/walk.h"

/* What running a function may do, itself or through the functions that it calls. */
enum effect {
	EFFECT_CHANGES_PACKET = 1 << 0, /* pointers into the packet are void behind the call */
	EFFECT_SLEEPS = 1 << 1,
};

int global_init(struct walk *walk);

/* The call of the global function `callee` is allowed, its arguments fit. */
int global_prove_call(struct walk *walk, u32 callee);
void global_transfer_call(struct walk *walk, u32 callee);

/* Walks each global function that was called on some path, until no new one is. */
int global_walk_called(struct walk *walk);

/* effects.c: of each subprogram. 0 or -ENOMEM. */
int effects_compute(struct walk *walk, u8 **out);

#endif
