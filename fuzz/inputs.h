/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a random program is run on: numbers near those where something changes (0, 1, -1, powers
 * of two, the constants that the program names), and packets as long as it asks for, or one
 * byte less or more.
 */
#ifndef SKEP_FUZZ_INPUTS_H
#define SKEP_FUZZ_INPUTS_H

#include "fuzz/generate.h"

#include <stddef.h>

#define INPUTS_NAMED_MAX 64

struct inputs {
	u64 random;
	u64 named[INPUTS_NAMED_MAX]; /* by the program */
	u32 named_cnt;
};

/* The same seed gives the same inputs. */
void inputs_init(struct inputs *inputs, const struct generated *program, u64 seed);
void inputs_fill(struct inputs *inputs, u8 *bytes, size_t size);
/* From `least` to `most`. */
u32 inputs_length(struct inputs *inputs, u32 least, u32 most);

#endif
