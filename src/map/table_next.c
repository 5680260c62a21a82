/* SPDX-License-Identifier: BSD-2-Clause */
/* Iteration over tables: by place, by key, by number of slot. */
#include "map/table.h"

static u32 group_used(const struct group *group)
{
	return ~group_match(group, 0) & ((1 << GROUP_ENTRIES) - 1);
}

static const struct group *place_group(const struct table *table,
				       const struct table_place *place)
{
	return place->group ? &table->overflow[place->group - 1] : &table->groups[place->home];
}

/* False after the last group. */
static bool place_next_group(const struct table *table, struct table_place *place)
{
	place->group = group_follower(place_group(table, place));
	place->index = 0;
	if (place->group)
		return true;
	return ++place->home <= table->mask;
}

u32 table_next(const struct table *table, struct table_place *place)
{
	if (place->home > table->mask)
		return ELEMENT_NONE;
	do {
		const struct group *group = place_group(table, place);
		u32 used = group_used(group) & (~0U << place->index);

		if (used) {
			place->index = __builtin_ctz(used) + 1;
			return slot_element(table,
					    atomic_load_explicit(&group->slot[place->index - 1],
								 memory_order_acquire));
		}
	} while (place_next_group(table, place));
	return ELEMENT_NONE;
}

/* The group of a number, in the order of memory: the home groups, then the overflow groups that
 * were ever used; NULL behind the last. */
static const struct group *group_by_number(const struct table *table, u32 number)
{
	u32 homes = table->mask + 1;

	if (number < homes)
		return &table->groups[number];
	number -= homes;
	if (number < atomic_load_explicit(&table->overflow_pool->fresh, memory_order_acquire))
		return &table->overflow[number];
	return NULL;
}

/* False when the entry went while its key was read. */
static bool read_entry_key(const struct table *table, const struct group *group, u32 index,
			   void *key)
{
	u32 content = atomic_load_explicit(&group->slot[index], memory_order_acquire);

	table_read_key(table, slot_element(table, content), key);
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&group->slot[index], memory_order_relaxed) == content &&
	       (group_used(group) >> index & 1);
}

bool table_next_slot(const struct table *table, u32 *slot, void *key)
{
	const struct group *group;

	while ((group = group_by_number(table, *slot / GROUP_ENTRIES))) {
		u32 index = *slot % GROUP_ENTRIES;
		u32 used = group_used(group) & (~0U << index);

		if (!used) {
			*slot += GROUP_ENTRIES - index;
			continue;
		}
		*slot += __builtin_ctz(used) - index;
		if (read_entry_key(table, group, *slot % GROUP_ENTRIES, key))
			return true;
	}
	return false;
}

/*
 * Keys of a whole bucket are read between two looks at its lock word: an entry may be removed,
 * and its element serve a key of another bucket, while its key is read. When the bucket
 * changed they are read again; each time a writer made progress.
 */
static u32 bucket_version(const struct group *home)
{
	return atomic_load_explicit(&home->lock, memory_order_acquire);
}

static int compare_key(const struct table *table, u32 element, const void *key)
{
	const u8 *stored = table_key(table, element);

	for (u32 at = 0; at < table->key_size; at += 8) {
		u64 ours = __atomic_load_n((const u64 *)(stored + at), __ATOMIC_RELAXED);
		u64 theirs = key_word(key, table->key_size, at);

		if (ours != theirs)
			return ours < theirs ? -1 : 1;
	}
	return 0;
}

/* Takes the entry's key as the best so far if it is: behind `after`, before `*next`. */
static void consider(const struct table *table, const atomic_uint *slot, const void *after,
		     void *next, bool *found, bool *changed)
{
	u32 content = atomic_load_explicit(slot, memory_order_acquire);
	u32 element = slot_element(table, content);

	if ((!after || compare_key(table, element, after) > 0) &&
	    (!*found || compare_key(table, element, next) < 0)) {
		table_read_key(table, element, next);
		*found = true;
	}
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(slot, memory_order_relaxed) != content)
		*changed = true;
}

/* The least key of the bucket, or the least behind `after`. */
static bool bucket_next_key(const struct table *table, const struct group *home,
			    const void *after, void *next)
{
	bool found, changed;
	u32 version;

	do {
		version = bucket_version(home);
		found = changed = false;
		for (const struct group *group = home; group; group = group_next(table, group))
			for (u32 used = group_used(group); used; used &= used - 1)
				consider(table, &group->slot[__builtin_ctz(used)], after, next,
					 &found, &changed);
	} while (changed || !group_is_at(home, version));
	return found;
}

bool table_next_key(const struct table *table, const void *key, void *next)
{
	u32 number = 0;

	if (key && table_find(table, key) != ELEMENT_NONE) {
		number = (u32)(table_spot(table, key, table->key_size).home - table->groups);
		if (bucket_next_key(table, &table->groups[number++], key, next))
			return true;
	}
	for (; number <= table->mask; number++)
		if (bucket_next_key(table, &table->groups[number], NULL, next))
			return true;
	return false;
}
