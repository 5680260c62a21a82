/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the slot that owns a hash map's table (table_bias.h) does most: it takes a key out of
 * its home group, and puts one into it. False: it is not the owner, or it is not that simple;
 * nothing was done then.
 *
 * Locks are as in table.c.
 */
#ifndef SKEP_MAP_HASH_OWNER_H
#define SKEP_MAP_HASH_OWNER_H

#include "map/hash.h"

static inline __attribute__((always_inline)) bool
owner_remove(struct hash *hash, const void *key, u32 slot, u32 key_size)
{
	struct table *table = &hash->table;
	const struct table_spot spot = table_spot(table, key, key_size);
	struct group *group = spot.home;
	u32 version, match, index, content, element;
	bool done = false;

	if (unlikely(!bias_enter(&table->bias.bias, slot)))
		return false;
	version = atomic_load_explicit(&group->lock, memory_order_acquire);
	match = group_match(group, spot.tag);
	if (likely(match && !(version & 1))) {
		index = (u32)__builtin_ctz(match);
		content = atomic_load_explicit(&group->slot[index], memory_order_relaxed);
		done = entry_is_key(table, &spot, content, key, key_size);
	}
	if (likely(done)) {
		element = slot_element(table, content);
		/* It is the next to be written to. */
		__builtin_prefetch(table_key(table, element), 1);
		group_change_as_owner(group, version);
		atomic_store_explicit(&group->tag[index], 0, memory_order_release);
		atomic_store_explicit(&group->lock, version + 2, memory_order_release);
		hash_set_state(hash, element, 0);
		table_bias_give(&table->bias, true, element);
	}
	bias_leave(&table->bias.bias);
	return done;
}

/* Whether there is a free one, of an evicted key if need be. */
static inline bool owner_has_element(struct hash *hash, u32 slot)
{
	return likely(hash->table.bias.count) || (hash->state && hash_owner_evict(hash, slot));
}

/* A value of up to 8 bytes. */
static inline __attribute__((always_inline)) bool
owner_insert(struct hash *hash, const void *key, const void *value, u32 slot, u32 key_size)
{
	struct table *table = &hash->table;
	const struct table_spot spot = table_spot(table, key, key_size);
	struct group *group = spot.home;
	u32 version, empty, element;
	bool done;

	if (unlikely(!bias_enter(&table->bias.bias, slot)))
		return false;
	/* Who has the bucket since before the slot owned the table may still put the key in. */
	version = atomic_load_explicit(&group->lock, memory_order_acquire);
	done = !(version & 1) && !group_match(group, spot.tag) && !group_follower(group) &&
	       owner_has_element(hash, slot);
	/* An eviction may have changed the bucket. */
	version = atomic_load_explicit(&group->lock, memory_order_acquire);
	empty = group_match(group, 0);
	done = done && empty && !(version & 1);
	if (likely(done)) {
		element = table->bias.free[--table->bias.count];
		table_write_key_sized(table, element, key, key_size);
		value_store_word(table_element_payload(table, element, key_size), value,
				 hash->map.desc.value_size);
		group_change_as_owner(group, version);
		group_put(table, group, (u32)__builtin_ctz(empty), &spot, element);
		atomic_store_explicit(&group->lock, version + 2, memory_order_release);
		hash_set_state(hash, element, ELEMENT_IN_USE);
	}
	bias_leave(&table->bias.bias);
	return done;
}

#endif
