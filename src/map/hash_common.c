/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps in a region. Values are never written in place but per-CPU ones, and all free
 * elements are in two pools without locks: who dies takes at most the element with it that it
 * had in hand, until a process that is alone puts it back.
 */
#include "map/hash.h"
#include "map/shared.h"

#include <stdlib.h>

/* Elements beside max_entries: for new values of old keys, one for each update under way. */
#define SPARES 64

void hash_common_plan(struct hash *hash)
{
	hash->element_count = hash->map.desc.max_entries + SPARES;
}

int hash_common_init(struct hash *hash)
{
	struct map *map = &hash->map;
	const struct map_desc *desc = &map->desc;
	u64 payload = hash->slot_stride ? 0 : hash->value_space;
	int err = map_memory(map, &hash->supply_region, sizeof(struct hash_pools));

	if (err)
		return err;
	hash->pools = (struct hash_pools *)hash->supply_region.base;
	err = table_init_common(&hash->table, map, desc->key_size, payload, desc->max_entries,
				hash->element_count, &hash->pools->overflow);
	if (!err)
		err = map_memory(map, &hash->links, (u64)hash->element_count * sizeof(u32));
	table_bias_init(&hash->table.bias, &hash->pools->pool, NULL, 0);
	if (err || !map_is_new(map))
		return err;
	pool_init(&hash->pools->pool, (atomic_uint *)hash->links.base, 0, desc->max_entries);
	pool_init(&hash->pools->spares, (atomic_uint *)hash->links.base, desc->max_entries,
		  SPARES);
	return 0;
}

/* Exactly as many as max_entries are in the table or in the pool. */
static void fill_pools(struct hash *hash, const u8 *used)
{
	atomic_uint *links = (atomic_uint *)hash->links.base;
	u32 max_entries = hash->map.desc.max_entries, count = 0;

	for (u32 i = 0; i < hash->element_count; i++)
		count += used[i];
	pool_init(&hash->pools->pool, links, 0, 0);
	pool_init(&hash->pools->spares, links, 0, 0);
	for (u32 i = hash->element_count; i-- > 0;) {
		hash_set_state(hash, i, used[i] ? ELEMENT_IN_USE : 0);
		if (used[i])
			continue;
		if (count < max_entries)
			pool_give(&hash->pools->pool, i);
		else
			pool_give(&hash->pools->spares, i);
		count++;
	}
}

int hash_common_recover(struct map *map)
{
	struct hash *hash = hash_of(map);
	u8 *used = calloc(hash->element_count, 1);
	int err = used ? table_recover(&hash->table, hash->element_count, used) : -ENOMEM;

	if (!err)
		fill_pools(hash, used);
	free(used);
	return err;
}

/* The deaths of as many members as there are spares leave none. */
u32 hash_common_spare(struct hash *hash)
{
	u32 element = pool_take(&hash->pools->spares);

	return element != POOL_NONE ? element : pool_take(&hash->pools->pool);
}
