/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/scalar_memo.h"

#include "verify/view.h"

#include <linux/bpf.h>

/* Factors differ, so that the order of the words counts; none waits for another. */
static u64 mix(const struct scalar *number, u64 factor)
{
	u64 words[sizeof(*number) / sizeof(u64)], sum = 0;

	memcpy(words, number, sizeof(words));
	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		sum += words[i] * (factor * (2 * i + 1));
	return sum;
}

static u32 place_of(const struct scalar *dst, const struct scalar *src, u32 how)
{
	u64 hash = mix(dst, 0x9e3779b97f4a7c15ull) + mix(src, 0xc2b2ae3d27d4eb4full) + how;

	return (hash * 0x9e3779b97f4a7c15ull) >> 32 & (MEMO_ENTRIES - 1);
}

void scalar_alu_memo(struct scalar_memo *memo, struct scalar *dst, const struct scalar *src,
		     u8 op, bool is32, s16 off)
{
	u32 how = 1u << 31 | (u32)(u16)off << 16 | (u32)is32 << 8 | op;
	struct memo_entry *entry;
	u32 place;

	if (scalar_alu_quick(dst, src, op, is32, SCALAR_SHAPE))
		return;
	place = place_of(dst, src, how);
	entry = &memo->entries[place];
	if (memo->how[place] != how || memcmp(&entry->dst, dst, sizeof(*dst)) ||
	    memcmp(&entry->src, src, sizeof(*src))) {
		memo->how[place] = how;
		entry->dst = *dst;
		entry->src = *src;
		scalar_alu_general(dst, src, op, is32, off == 1, SCALAR_SHAPE);
		entry->result = *dst;
	}
	*dst = entry->result;
}
