/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of hash maps. */
#include "map/hash_owner.h"

#include <string.h>

/* `slot` of an update that brings the values of all slots. */
#define EVERY_SLOT SLOT_NONE

/* --- values --- */

/* `size`: of values without fields, which are copied with what lies behind them. */
static void store_slot(const struct map_desc *desc, u8 *to, const void *value, u32 size,
		       bool fresh)
{
	if (likely(!value_has_fields(desc))) {
		value_copy(to, value, size);
	} else if (fresh) {
		value_store_new(desc, to, value);
	} else {
		value_store(desc, to, value, false);
		value_release(desc, to);
	}
}

static void store_slots(struct hash *hash, u32 element, const void *value, u32 slot, bool fresh)
{
	const struct map_desc *desc = &hash->map.desc;

	for (u32 i = 0; i < hash->map.slots; i++) {
		u8 *to = hash_slot_value(hash, element, i);

		if (slot == EVERY_SLOT) {
			store_slot(desc, to, (const u8 *)value + i * hash->value_space,
				   hash->value_space, fresh);
		} else if (slot == i) {
			store_slot(desc, to, value, desc->value_size, fresh);
		} else if (fresh) {
			value_release(desc, to);
			memset(to, 0, hash->value_space);
		}
	}
}

static void fill_element(struct hash *hash, u32 element, const void *key, const void *value,
			 u32 slot)
{
	table_write_key(&hash->table, element, key);
	if (hash_is_per_cpu(hash))
		store_slots(hash, element, value, slot, true);
	else
		value_store_new(&hash->map.desc, table_payload(&hash->table, element), value);
}

/* --- in place, without a lock --- */

/* The key's element, which is the slot's to write to until `*writing` changes; ELEMENT_NONE:
 * the key is not in its home group, another slot owns the table, or the bucket changes just
 * now. The store is before the loads also for those who look at it after os_barrier(). */
static inline __attribute__((always_inline)) u32
claim(const struct table *table, atomic_uint *writing, const void *key, u32 slot, u32 key_size)
{
	const struct table_spot spot = table_spot(table, key, key_size);
	const struct group *home = spot.home;
	u32 version = atomic_load_explicit(&home->lock, memory_order_acquire);

	for (u32 match = group_match(home, spot.tag); match; match &= match - 1) {
		u32 content = atomic_load_explicit(&home->slot[__builtin_ctz(match)],
						   memory_order_acquire);
		u32 element = slot_element(table, content);

		atomic_store_explicit(writing, element, memory_order_release);
		if (unlikely(!table_bias_may_write(&table->bias, slot)))
			return ELEMENT_NONE;
		if (likely(entry_is_key(table, &spot, content, key, key_size)))
			return likely(group_is_at(home, version)) ? element : ELEMENT_NONE;
	}
	return ELEMENT_NONE;
}

/* Whether the key was there. The release is that of written_by(). */
static inline __attribute__((always_inline)) bool store_in_place(struct hash *hash,
								 const void *key,
								 const void *value, u32 slot,
								 u32 key_size, bool per_cpu)
{
	u32 value_size = hash->map.desc.value_size;
	atomic_uint *writing = &hash->writers[slot].element;
	u32 element = claim(&hash->table, writing, key, slot, key_size);

	if (likely(element != ELEMENT_NONE)) {
		if (hash->state)
			hash_refer(hash, element);
		if (!per_cpu)
			value_store_word(table_payload(&hash->table, element), value,
					 value_size);
		else if (likely(value_size == 8))
			value_store_word(hash_slot_value(hash, element, slot), value, 8);
		else
			value_copy(hash_slot_value(hash, element, slot), value, value_size);
	}
	atomic_store_explicit(writing, ELEMENT_NONE, memory_order_release);
	return element != ELEMENT_NONE;
}

static inline __attribute__((always_inline)) int
update_in_place(struct map *map, const void *key, const void *value, u64 flags, u32 slot,
		u32 key_size, bool per_cpu)
{
	struct hash *hash = hash_of(map);

	if (likely(!(flags & ~(u64)BPF_EXIST)) &&
	    likely(store_in_place(hash, key, value, slot, key_size, per_cpu)))
		return 0;
	if (!per_cpu && flags <= BPF_NOEXIST && owner_insert(hash, key, value, slot, key_size))
		return 0;
	return hash_update(map, key, value, flags, slot);
}

#define UPDATE(name, key_size, per_cpu)                                                  \
	static int name(struct map *map, const void *key, const void *value, u64 flags,  \
			u32 slot)                                                        \
	{                                                                                \
		return update_in_place(map, key, value, flags, slot, key_size, per_cpu); \
	}
UPDATE(update_4, 4, false)
UPDATE(update_8, 8, false)
UPDATE(update_16, 16, false)
UPDATE(update_any, map->desc.key_size, false)
UPDATE(update_slot_4, 4, true)
UPDATE(update_slot_8, 8, true)
UPDATE(update_slot_16, 16, true)
UPDATE(update_slot_any, map->desc.key_size, true)

map_update_op *hash_update_op(const struct hash *hash)
{
	bool per_cpu = hash_is_per_cpu(hash);

	if (!hash->in_place)
		return hash_update;
	switch (hash->table.key_size) {
	case 4: return per_cpu ? update_slot_4 : update_4;
	case 8: return per_cpu ? update_slot_8 : update_8;
	case 16: return per_cpu ? update_slot_16 : update_16;
	default: return per_cpu ? update_slot_any : update_any;
	}
}

/* --- under the bucket's lock --- */

/* The element that is free now; ELEMENT_NONE: the value was changed in place. */
static u32 overwrite(struct hash *hash, struct table_entry *entry, const void *key,
		     const void *value, u64 flags, u32 slot, u32 *element)
{
	const struct map_desc *desc = &hash->map.desc;
	u32 old = entry->element, new;

	if (hash_is_per_cpu(hash)) {
		store_slots(hash, old, value, slot, false);
		if (hash->state)
			hash_refer(hash, old);
		return ELEMENT_NONE;
	}
	if (flags & BPF_F_LOCK) {
		value_store(desc, table_payload(&hash->table, old), value, true);
		return ELEMENT_NONE;
	}
	if (hash->in_place) {
		value_store_word(table_payload(&hash->table, old), value, desc->value_size);
		return ELEMENT_NONE;
	}
	new = hash->lru ? *element : hash_spare_take(hash, slot);
	fill_element(hash, new, key, value, slot);
	hash_set_state(hash, old, 0);
	table_replace(&hash->table, entry, new);
	hash_set_state(hash, new, ELEMENT_IN_USE | ELEMENT_REFERENCED);
	if (hash->lru)
		*element = ELEMENT_NONE;
	return old;
}

/* `*element`: a free one that may be used, then ELEMENT_NONE. */
static int insert(struct hash *hash, struct table_entry *entry, const void *key,
		  const void *value, u32 slot, u32 *element)
{
	u32 new = *element != ELEMENT_NONE
			  ? *element
			  : table_bias_take(&hash->table.bias, entry->as_owner);
	int err;

	if (new == ELEMENT_NONE)
		return -E2BIG;
	fill_element(hash, new, key, value, slot);
	err = table_insert(&hash->table, entry, new);
	*element = err ? new : ELEMENT_NONE;
	if (!err)
		hash_set_state(hash, new, ELEMENT_IN_USE);
	return err;
}

/* One try; -E2BIG: no element is free. `*element` as for insert(). */
static int store(struct hash *hash, const void *key, const void *value, u64 flags, u32 slot,
		 u32 *element)
{
	struct table_entry entry;
	u32 freed = ELEMENT_NONE;
	int err;

	table_lock(&hash->table, key, slot, &entry);
	err = map_check_presence(entry.element != ELEMENT_NONE, flags);
	if (!err && entry.element != ELEMENT_NONE)
		freed = overwrite(hash, &entry, key, value, flags, slot, element);
	else if (!err)
		err = insert(hash, &entry, key, value, slot, element);
	table_unlock(&hash->table, &entry);
	if (freed != ELEMENT_NONE) {
		hash_release_fields(hash, freed);
		if (hash->lru)
			hash_lru_give(hash, freed);
		else
			hash_spare_give(hash, slot, freed);
	}
	return err;
}

/* Eviction locks another bucket: never while the key's is held. A key that is not there most
 * likely needs an element. */
static int store_lru(struct hash *hash, const void *key, const void *value, u64 flags, u32 slot)
{
	u32 element = ELEMENT_NONE;
	int err;

	if (flags != BPF_EXIST && table_find(&hash->table, key) == ELEMENT_NONE)
		element = hash_take_lru(hash, slot);
	err = store(hash, key, value, flags, slot, &element);
	while (err == -E2BIG) {
		element = hash_take_lru(hash, slot);
		err = store(hash, key, value, flags, slot, &element);
	}
	if (unlikely(element != ELEMENT_NONE))
		hash_free_give(hash, slot, element);
	return err;
}

/* As Linux: an update takes a new element even when the key is there, and may evict for it. */
static int store_in_part(struct hash *hash, const void *key, const void *value, u64 flags,
			 u32 slot)
{
	u32 element = ELEMENT_NONE;
	int err;

	if (!hash_is_per_cpu(hash) || flags != BPF_EXIST) {
		element = hash_lru_take(hash, slot);
		if (element == ELEMENT_NONE)
			return -ENOMEM;
	}
	err = store(hash, key, value, flags, slot, &element);
	if (element != ELEMENT_NONE)
		hash_lru_give(hash, element);
	return err;
}

int hash_update(struct map *map, const void *key, const void *value, u64 flags, u32 slot)
{
	struct hash *hash = hash_of(map);
	u32 element = ELEMENT_NONE;
	int err;

	if (unlikely(map_flags_bad(flags)))
		return -EINVAL;
	if (unlikely((flags & BPF_F_LOCK) &&
		     map_desc_field(&map->desc, BTF_FIELD_SPIN_LOCK) < 0))
		return -EINVAL;
	if (hash->lru)
		return store_in_part(hash, key, value, flags, slot);
	if (hash->state)
		return store_lru(hash, key, value, flags, slot);
	err = store(hash, key, value, flags, slot, &element);
	if (unlikely(element != ELEMENT_NONE))
		hash_free_give(hash, slot, element);
	return err;
}

int hash_user_update(struct map *map, const void *key, const void *value, u64 flags)
{
	return hash_update(map, key, value, flags, SLOT_NONE);
}

/* --- deletion --- */

void hash_copy_out(struct hash *hash, u32 element, void *value, u64 flags)
{
	if (!hash_is_per_cpu(hash)) {
		value_load(&hash->map.desc, value, table_payload(&hash->table, element),
			   flags & BPF_F_LOCK);
		return;
	}
	for (u32 slot = 0; slot < hash->map.slots; slot++) {
		u8 *to = (u8 *)value + slot * hash->value_space;

		if (likely(!value_has_fields(&hash->map.desc)))
			value_copy(to, hash_slot_value(hash, element, slot), hash->value_space);
		else
			value_load(&hash->map.desc, memset(to, 0, hash->value_space),
				   hash_slot_value(hash, element, slot), false);
	}
}

/* The element, which nobody finds any more; ELEMENT_NONE: the key is not there. `*as_owner`: by
 * the table's owner. */
static u32 take_out(struct hash *hash, const void *key, u32 slot, bool *as_owner)
{
	struct table_entry entry;

	table_lock(&hash->table, key, slot, &entry);
	if (entry.element != ELEMENT_NONE) {
		table_remove(&hash->table, &entry);
		hash_set_state(hash, entry.element, 0);
	}
	table_unlock(&hash->table, &entry);
	*as_owner = entry.as_owner;
	return entry.element;
}

/* An element that left the table. */
static void give_back(struct hash *hash, u32 slot, u32 element, bool as_owner)
{
	if (hash->lru)
		hash_lru_give(hash, element);
	else
		hash_free_give(hash, slot,
			       as_owner ? element : hash_renew(hash, slot, element));
}

/* Where elements go straight back and hold nothing, as the table's owner, if it is that. */
static bool delete_as_owner(struct hash *hash, const void *key, u32 slot)
{
	if (unlikely(hash->lru || value_has_fields(&hash->map.desc)))
		return false;
	switch (hash->table.key_size) {
	case 4: return owner_remove(hash, key, slot, 4);
	case 8: return owner_remove(hash, key, slot, 8);
	case 16: return owner_remove(hash, key, slot, 16);
	default: return owner_remove(hash, key, slot, hash->table.key_size);
	}
}

int hash_delete(struct map *map, const void *key, u32 slot)
{
	struct hash *hash = hash_of(map);
	bool as_owner;
	u32 element;

	if (likely(delete_as_owner(hash, key, slot)))
		return 0;
	element = take_out(hash, key, slot, &as_owner);
	if (element == ELEMENT_NONE)
		return -ENOENT;
	hash_release_fields(hash, element);
	give_back(hash, slot, element, as_owner);
	return 0;
}

int hash_user_lookup_and_delete(struct map *map, const void *key, void *value, u64 flags)
{
	struct hash *hash = hash_of(map);
	bool as_owner;
	u32 element = take_out(hash, key, SLOT_NONE, &as_owner);

	if (element == ELEMENT_NONE)
		return -ENOENT;
	hash_settle(hash, element);
	hash_copy_out(hash, element, value, flags);
	hash_release_fields(hash, element);
	give_back(hash, SLOT_NONE, element, as_owner);
	return 0;
}
