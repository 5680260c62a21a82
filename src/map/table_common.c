/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of maps in a region: their memory, and what is done when nobody else has them. */
#include "map/shared.h"
#include "map/table.h"

#include <errno.h>
#include <stdlib.h>

/* Overflow groups for each home group. */
#define OVERFLOW       2
#define OVERFLOW_LEAST 16

int table_init_common(struct table *table, struct map *map, u32 key_size, u64 payload,
		      u32 capacity, u32 elements, struct pool *overflow)
{
	u32 groups = table_home_groups(key_size, capacity, elements);
	u32 count = groups * OVERFLOW + OVERFLOW_LEAST;
	u64 bytes = ((u64)groups + count) * sizeof(struct group);
	int err = map_memory(map, &table->group_region, bytes + (u64)count * sizeof(u32));

	if (!err)
		err = map_memory(map, &table->element_region,
				 (round_up(key_size, 8) + payload) * elements);
	if (err)
		return err;
	table_lay_out(table, key_size, payload, groups, map_shared_seed(map));
	table->commons = map_commons(map);
	table->overflow_count = count;
	table->overflow_pool = overflow;
	if (map_is_new(map))
		pool_init(overflow, (atomic_uint *)(table->group_region.base + bytes), 0,
			  count);
	return 0;
}

/* --- recovery --- */

struct recovery {
	struct table *table;
	u32 elements;
	u8 *used;   /* by element */
	u8 *linked; /* by overflow group */
};

static bool is_sound_entry(struct recovery *recovery, const struct group *home,
			   const struct group *group, u32 index)
{
	const struct table *table = recovery->table;
	u32 content = atomic_load(&group->slot[index]), element = content & table->element_mask;
	struct table_spot spot;

	if (element >= recovery->elements || recovery->used[element])
		return false;
	recovery->used[element] = true;
	spot = table_element_spot(table, element);
	return spot.home == home && spot.tag == atomic_load(&group->tag[index]) &&
	       content == slot_content(table, &spot, element);
}

/* The group behind; NULL: none, or *sound is false. */
static struct group *follow(struct recovery *recovery, const struct group *group, bool *sound)
{
	u32 next = atomic_load(&group->next) & ~CHAIN_IS_EMPTY;

	if (!next)
		return NULL;
	*sound = next <= recovery->table->overflow_count && !recovery->linked[next - 1];
	if (!*sound)
		return NULL;
	recovery->linked[next - 1] = true;
	return &recovery->table->overflow[next - 1];
}

static bool recover_bucket(struct recovery *recovery, struct group *home)
{
	struct group *group = home;
	bool sound = true;

	home->owner = 0;
	atomic_store(&home->lock, (atomic_load(&home->lock) + 1) & ~1U);
	atomic_store(&home->next, atomic_load(&home->next) & ~CHAIN_IS_EMPTY);
	for (; group && sound; group = follow(recovery, group, &sound))
		for (u32 i = 0; i < GROUP_ENTRIES && sound; i++)
			if (atomic_load(&group->tag[i]))
				sound = is_sound_entry(recovery, home, group, i);
	return sound;
}

/* A group that was taken and not linked has what its taker wrote. */
static void recover_overflow(struct recovery *recovery)
{
	struct table *table = recovery->table;
	atomic_uint *links = (atomic_uint *)(table->overflow + table->overflow_count);
	u32 taken = 0;

	for (u32 i = 0; i < table->overflow_count; i++)
		if (recovery->linked[i])
			taken = i + 1;
	pool_init(table->overflow_pool, links, taken, table->overflow_count - taken);
	for (u32 i = 0; i < table->overflow_count; i++) {
		if (recovery->linked[i])
			continue;
		memset(&table->overflow[i], 0, sizeof(struct group));
		if (i < taken)
			pool_give(table->overflow_pool, i);
	}
}

int table_recover(struct table *table, u32 elements, u8 *used)
{
	struct recovery recovery = {.table = table, .elements = elements, .used = used};
	bool sound = true;

	recovery.linked = calloc(table->overflow_count, 1);
	if (!recovery.linked)
		return -ENOMEM;
	for (u32 i = 0; i <= table->mask && sound; i++)
		sound = recover_bucket(&recovery, &table->groups[i]);
	if (sound)
		recover_overflow(&recovery);
	free(recovery.linked);
	return sound ? 0 : -EINVAL;
}
