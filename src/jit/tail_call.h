/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_JIT_TAIL_CALL_H
#define SKEP_JIT_TAIL_CALL_H

#include "jit/base.h"

struct map;

/*
 * A tail call, of both tiers: r1 to r3 are in rdi, rsi and rdx. `leave` makes the code that
 * leaves the frame, but for the return. `map` is the one of every run; NULL: that is not known.
 */
void tail_call(struct base *base, const struct map *map, void (*leave)(void *cookie), void *cookie);

#endif
