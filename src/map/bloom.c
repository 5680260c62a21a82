/* SPDX-License-Identifier: BSD-2-Clause */
/* Bloom filters: bits only; a value that was pushed is always found. */
#include "map/ops.h"
#include "map/region.h"
#include "map/table.h"

#include <sys/random.h>

#define HASHES_DEFAULT 5
#define HASHES_MAX     15

struct bloom {
	struct map map;
	struct region region;
	u64 seed;
	u32 mask; /* number of bits - 1 */
	u32 hashes;
};

static struct bloom *bloom_of(struct map *map)
{
	return container_of(map, struct bloom, map);
}

static int bloom_check(struct map_desc *desc, struct skep_error *err)
{
	if (desc->value_size > MAP_VALUE_MAX)
		return map_refuse(desc, err, -E2BIG, "values of more than 4 MiB");
	if (!desc->max_entries || desc->key_size || !desc->value_size)
		return map_refuse(desc, err, -EINVAL, "bloom filters have values, no keys");
	if (desc->extra > HASHES_MAX)
		return map_refuse(desc, err, -EINVAL, "map_extra: at most 15 hash functions");
	return 0;
}

static int bloom_check_btf(const struct map_desc *desc)
{
	return desc->key_type ? -EINVAL : 0;
}

/* For the best rate of false positives a filter of n values and k hashes has n * k / ln 2 bits;
 * 7/5 is 1 / ln 2. */
static u32 bit_mask(u64 entries, u32 hashes)
{
	u64 bits = entries * hashes / 5 * 7, size = 64;

	while (size < bits && size <= UINT32_MAX)
		size *= 2;
	return size - 1;
}

static int bloom_init(struct map *map)
{
	struct bloom *bloom = bloom_of(map);
	int err;

	bloom->hashes = map->desc.extra ? map->desc.extra : HASHES_DEFAULT;
	bloom->mask = bit_mask(map->desc.max_entries, bloom->hashes);
	if (!(map->desc.flags & BPF_F_ZERO_SEED) &&
	    getrandom(&bloom->seed, sizeof(bloom->seed), 0) < 0)
		bloom->seed = ptr_to_u64(map);
	err = region_new(map->account, &bloom->region, ((u64)bloom->mask + 1) / 8);
	return err;
}

static void bloom_done(struct map *map)
{
	region_free(&bloom_of(map)->region);
}

static u64 value_hash(const struct bloom *bloom, const void *value)
{
	u64 hash = bloom->seed;

	for (u32 at = 0; at < bloom->map.desc.value_size; at += 8)
		hash = hash_word(hash, key_word(value, bloom->map.desc.value_size, at));
	return hash;
}

/* The bit of the hash function `i`: both halves of one hash make as many as are needed. */
static u32 bit_of(const struct bloom *bloom, u64 hash, u32 i)
{
	return ((u32)hash + i * ((u32)(hash >> 32) | 1)) & bloom->mask;
}

static atomic_ullong *word_of(const struct bloom *bloom, u32 bit)
{
	return &((atomic_ullong *)bloom->region.base)[bit / 64];
}

static int bloom_push(struct map *map, const void *value, u64 flags)
{
	struct bloom *bloom = bloom_of(map);
	u64 hash;

	if (flags != BPF_ANY)
		return -EINVAL;
	hash = value_hash(bloom, value);
	for (u32 i = 0; i < bloom->hashes; i++) {
		u32 bit = bit_of(bloom, hash, i);

		atomic_fetch_or_explicit(word_of(bloom, bit), 1ULL << bit % 64,
					 memory_order_relaxed);
	}
	return 0;
}

static int bloom_peek(struct map *map, void *value)
{
	struct bloom *bloom = bloom_of(map);
	u64 hash = value_hash(bloom, value);

	for (u32 i = 0; i < bloom->hashes; i++) {
		u32 bit = bit_of(bloom, hash, i);
		u64 word = atomic_load_explicit(word_of(bloom, bit), memory_order_relaxed);

		if (!(word >> bit % 64 & 1))
			return -ENOENT;
	}
	return 0;
}

static int no_delete(struct map *map, const void *key, u32 slot)
{
	return -EOPNOTSUPP;
}

static int no_next_key(struct map *map, const void *key, void *next)
{
	return -EOPNOTSUPP;
}

const struct map_ops map_bloom_filter = {
	.size = sizeof(struct bloom),
	.check = bloom_check,
	.check_btf = bloom_check_btf,
	.init = bloom_init,
	.done = bloom_done,
	.equal = map_desc_equal,
	.push = bloom_push,
	.peek = bloom_peek,
	.delete = no_delete,
	.next_key = no_next_key,
};
