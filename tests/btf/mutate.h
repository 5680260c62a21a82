/* SPDX-License-Identifier: BSD-2-Clause */
/* Blobs spoilt in a way that can be repeated: the n-th mutant of a blob is always the same. */
#ifndef SKEP_TESTS_BTF_MUTATE_H
#define SKEP_TESTS_BTF_MUTATE_H

#include "base/types.h"
#include <linux/btf.h>
#include <string.h>

static inline u64 mutate_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1d;
}

/* A word where words are: an id, a size, an offset, an info. */
static inline void mutate_word(u8 *types, u32 length, u64 *state)
{
	static const u32 odd[] = {0,  1,  2,	  3,	   4,	       8,	   0x80000000,
				  16, 32, 0xffff, 0xfffff, 0x7fffffff, 0xffffffff, 0x100000};
	u64 r = mutate_random(state);
	u32 *word = (u32 *)types + (r >> 32) % (length / 4);

	switch (r % 6) {
	case 0: *word = odd[(r >> 8) % ARRAY_SIZE(odd)]; break;
	case 1: *word = (r >> 8) % 70; break;
	case 2: *word += (int)((r >> 8) % 9) - 4; break;
	case 3: *word ^= 1u << ((r >> 8) % 32); break;
	case 4: *word = ((r >> 8) % 20) << 24 | ((r >> 16) % 4); break;
	case 5: *word ^= ((r >> 8) % 32) << 24; break;
	}
}

static inline void mutate(u8 *blob, u32 *size, u64 seed)
{
	struct btf_header *header = (struct btf_header *)blob;
	u64 state = seed * 0x9e3779b97f4a7c15 + 1, count = 1 + mutate_random(&state) % 3;
	u32 type_len = header->type_len, all = *size;

	while (count--) {
		u64 r = mutate_random(&state);

		if (r % 32 == 0)
			mutate_word(blob, sizeof(*header), &state);
		else if (r % 32 == 1)
			*size -= (r >> 32) % 16;
		else if (r % 32 < 4)
			blob[(r >> 32) % all] ^= 1 << ((r >> 8) % 8);
		else
			mutate_word(blob + sizeof(*header), type_len, &state);
	}
}

#endif
