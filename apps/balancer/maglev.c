/* SPDX-License-Identifier: BSD-2-Clause */
#include "maglev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FNV_BASIS 0xcbf29ce484222325
#define FNV_PRIME 0x100000001b3
#define NOBODY	  UINT32_MAX

/* A member and where its permutation stands. */
struct taker {
	const struct maglev_member *member;
	u64 at, step;
	u64 credit; /* it takes a place when this reaches the greatest weight */
};

static u64 hash_name(const struct maglev_member *member, u64 seed)
{
	u64 hash = FNV_BASIS ^ seed;

	for (u32 i = 0; i < member->name_size; i++)
		hash = (hash ^ member->name[i]) * FNV_PRIME;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93;
	return hash ^ hash >> 32;
}

static int by_name(const void *left, const void *right)
{
	const struct maglev_member *a = ((const struct taker *)left)->member;
	const struct maglev_member *b = ((const struct taker *)right)->member;
	const int order = memcmp(a->name, b->name, min(a->name_size, b->name_size));

	return order ?: (int)a->name_size - (int)b->name_size;
}

/* Those that may take places, in an order that does not depend on the caller's. */
static u32 begin_takers(const struct maglev_member *members, u32 count, u32 size,
			struct taker *out)
{
	u32 found = 0;

	for (u32 i = 0; i < count; i++)
		if (members[i].weight)
			out[found++] = (struct taker){
				.member = &members[i],
				.at = hash_name(&members[i], 1) % size,
				.step = hash_name(&members[i], 2) % (size - 1) + 1,
			};
	qsort(out, found, sizeof(*out), by_name);
	return found;
}

static void take_place(struct taker *taker, u32 index, u32 size, u32 *owners)
{
	while (owners[taker->at] != NOBODY)
		taker->at = (taker->at + taker->step) % size;
	owners[taker->at] = index;
}

/* The `left` free places go to takers in turn, by weight. */
static void share_places(struct taker *takers, u32 count, u32 size, u32 left, bool only_usable,
			 u32 *owners)
{
	u64 greatest = 0;

	for (u32 i = 0; i < count; i++)
		if (takers[i].member->is_usable || !only_usable)
			greatest = max(greatest, (u64)takers[i].member->weight);
	while (greatest && left)
		for (u32 i = 0; i < count && left; i++) {
			if (only_usable && !takers[i].member->is_usable)
				continue;
			takers[i].credit += takers[i].member->weight;
			if (takers[i].credit < greatest)
				continue;
			takers[i].credit -= greatest;
			take_place(&takers[i], i, size, owners);
			left--;
		}
}

/* Places whose owners are not usable are free again; how many. */
static u32 leave_places(const struct taker *takers, u32 size, u32 *owners)
{
	u32 left = 0;

	for (u32 i = 0; i < size; i++)
		if (owners[i] != NOBODY && !takers[owners[i]].member->is_usable) {
			owners[i] = NOBODY;
			left++;
		}
	return left;
}

int maglev_fill(const struct maglev_member *members, u32 count, u32 none, u32 size, u32 *places)
{
	struct taker *takers = calloc(max(count, 1u), sizeof(*takers));
	u32 left = size;

	if (!takers)
		return -ENOMEM;
	count = begin_takers(members, count, size, takers);
	for (u32 i = 0; i < size; i++)
		places[i] = NOBODY;
	share_places(takers, count, size, left, false, places);
	left = count ? leave_places(takers, size, places) : 0;
	share_places(takers, count, size, left, true, places);
	for (u32 i = 0; i < size; i++)
		places[i] = places[i] == NOBODY ? none : takers[places[i]].member->value;
	free(takers);
	return 0;
}
