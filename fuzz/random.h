/* SPDX-License-Identifier: BSD-2-Clause */
/* The fuzzers' source of numbers: the same seed gives the same ones. */
#ifndef SKEP_FUZZ_RANDOM_H
#define SKEP_FUZZ_RANDOM_H

#include "base/types.h"

static inline u64 random_next(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline u64 random_seeded(u64 seed)
{
	u64 state = seed * 0x9e3779b97f4a7c15 + 1;

	for (u32 i = 0; i < 8; i++)
		random_next(&state);
	return state;
}

static inline u32 random_below(u64 *state, u32 limit)
{
	return (u32)(random_next(state) >> 11) % limit;
}

#endif
