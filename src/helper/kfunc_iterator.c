/* SPDX-License-Identifier: BSD-2-Clause */
/* Open-coded iterators over numbers and over bits: their state is on the program's stack. */
#include "helper/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- numbers --- */
#define LOOPS_MAX (8 * 1024 * 1024) /* Linux's BPF_MAX_LOOPS */

struct num_iterator {
	s32 current, end;
};

KFUNC_BODY(bpf_iter_num_new)
{
	struct num_iterator *it = u64_to_ptr(r1);
	const s32 start = r2, end = r3;

	*it = (struct num_iterator){};
	if (start > end)
		return -EINVAL;
	if ((s64)end - start > LOOPS_MAX)
		return -E2BIG;
	it->current = (s32)((u32)start - 1);
	it->end = end;
	return 0;
}

KFUNC_BODY(bpf_iter_num_next)
{
	struct num_iterator *it = u64_to_ptr(r1);
	const s32 next = (s32)((u32)it->current + 1);

	if (next >= it->end) {
		*it = (struct num_iterator){};
		return 0;
	}
	it->current = next;
	return ptr_to_u64(&it->current);
}

KFUNC_BODY(bpf_iter_num_destroy)
{
	*(struct num_iterator *)u64_to_ptr(r1) = (struct num_iterator){};
	return 0;
}

/* --- bits --- */
#define WORDS_MAX 511

struct bits_iterator {
	union {
		u64 *words; /* owned, when there are several */
		u64 word;
	};
	s32 count; /* of the bits */
	s32 bit;   /* the one that was seen last; -1: none */
};

static const u64 *words_of(const struct bits_iterator *it)
{
	return it->count == 64 ? &it->word : it->words;
}

KFUNC_BODY(bpf_iter_bits_new)
{
	struct bits_iterator *it = u64_to_ptr(r1);
	const u32 words = r3, bytes = words * sizeof(u64);
	void *copy;
	int ret;

	*it = (struct bits_iterator){.bit = -1};
	if (!r2 || !words)
		return -EINVAL;
	if (words > WORDS_MAX)
		return -E2BIG;
	copy = words == 1 ? &it->word : malloc(bytes);
	if (!copy)
		return -ENOMEM;
	ret = fault_safe_read(copy, bytes, r2);
	if (ret && words > 1)
		free(copy);
	if (ret)
		return ret;
	if (words > 1)
		it->words = copy;
	it->count = words * 64;
	return 0;
}

static s32 next_bit(const u64 *words, s32 from, s32 count)
{
	while (from < count) {
		const u64 left = words[from / 64] >> from % 64;

		if (left)
			return from + __builtin_ctzll(left);
		from = (from / 64 + 1) * 64;
	}
	return count;
}

KFUNC_BODY(bpf_iter_bits_next)
{
	struct bits_iterator *it = u64_to_ptr(r1);

	if (it->bit >= it->count)
		return 0;
	it->bit = next_bit(words_of(it), it->bit + 1, it->count);
	return it->bit >= it->count ? 0 : ptr_to_u64(&it->bit);
}

KFUNC_BODY(bpf_iter_bits_destroy)
{
	struct bits_iterator *it = u64_to_ptr(r1);

	if (it->count > 64)
		free(it->words);
	*it = (struct bits_iterator){};
	return 0;
}
