/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz/inputs.h"

#include <string.h>

static u32 below(struct inputs *inputs, u32 limit)
{
	return (u32)(random_next(&inputs->random) >> 20) % limit;
}

void inputs_init(struct inputs *inputs, const struct generated *program, u64 seed)
{
	*inputs = (struct inputs){.random = seed * 0x9e3779b97f4a7c15 + 1};
	for (u32 i = 0; i < program->count && inputs->named_cnt < INPUTS_NAMED_MAX; i++) {
		if (program->insns[i].imm)
			inputs->named[inputs->named_cnt++] = (u64)(s64)program->insns[i].imm;
	}
	if (!inputs->named_cnt)
		inputs->named[inputs->named_cnt++] = 0;
}

static u64 named(struct inputs *inputs)
{
	return inputs->named[below(inputs, inputs->named_cnt)];
}

static u64 pick_number(struct inputs *inputs)
{
	u64 nudge = below(inputs, 3) - 1ull;

	switch (below(inputs, 8)) {
	case 0: return nudge; /* -1, 0, 1 */
	case 1: return (1ull << below(inputs, 64)) + nudge;
	case 2: return -(1ull << below(inputs, 64)) + nudge;
	case 3:
	case 4: return named(inputs) + nudge;
	case 5: return below(inputs, 64);
	case 6: return random_next(&inputs->random) >> below(inputs, 64);
	default: return random_next(&inputs->random);
	}
}

void inputs_fill(struct inputs *inputs, u8 *bytes, size_t size)
{
	for (size_t at = 0; at < size; at += sizeof(u64)) {
		u64 number = pick_number(inputs);
		size_t left = size - at;

		memcpy(&bytes[at], &number, left < sizeof(number) ? left : sizeof(number));
	}
}

u32 inputs_length(struct inputs *inputs, u32 least, u32 most)
{
	u64 wish = below(inputs, 2) ? named(inputs) + below(inputs, 3) - 1 : most;

	return wish >= least && wish <= most ? (u32)wish : least + below(inputs, most - least + 1);
}
