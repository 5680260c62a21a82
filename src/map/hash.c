/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps: plain, per-CPU, LRU and LRU per-CPU, over one table (table.h).
 *
 * Elements: as many as max_entries are in the table or in `pool`; a few more are in `spares`.
 * An update of a value of more than 8 bytes writes into a spare element and puts it in the
 * old one's place, so that readers see the old value or the new one. Elements given back are
 * used again at once, as Linux uses its preallocated ones.
 *
 * LRU: a bit per element says that a program looked it up; a hand goes round over the elements
 * and takes the first without it (CLOCK).
 */
#include "map/ops.h"
#include "map/region.h"
#include "map/table.h"
#include "map/value.h"

#include <sched.h>
#include <string.h>
#include <sys/random.h>

/* More than writers will ever be in the middle of an update at once; each needs one. */
#define SPARES 64

/* Bytes that Linux keeps beside key and value in an element. */
#define LINUX_ELEMENT 48
/* Linux's bound on the number of buckets of 16 bytes, a power of two. */
#define MAX_ENTRIES (1U << 27)

/* How often a look-up from user space copies before it takes the lock. */
#define COPY_TRIES 3

/* `slot` of an update that brings the values of all slots. */
#define EVERY_SLOT UINT32_MAX

enum { ELEMENT_IN_USE = 1, ELEMENT_REFERENCED = 2 };

struct hash {
	struct map map;
	struct table table;
	struct pool pool, spares;
	struct region links;
	/* per-CPU */
	struct region values; /* slot_stride bytes for each slot */
	u64 slot_stride;
	u32 value_space; /* value_size rounded up to 8 */
	/* LRU */
	_Atomic u8 *state; /* per element; NULL: not LRU */
	struct region states;
	_Alignas(CACHE_LINE) atomic_uint hand;
};

static struct hash *hash_of(struct map *map)
{
	return container_of(map, struct hash, map);
}

static bool is_per_cpu(const struct hash *hash)
{
	return hash->slot_stride;
}

static bool is_lru(const struct map_desc *desc)
{
	return desc->type == BPF_MAP_TYPE_LRU_HASH ||
	       desc->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

int map_hash_check(struct map_desc *desc, struct skep_error *err)
{
	if (!desc->max_entries || !desc->key_size || !desc->value_size)
		return map_refuse(desc, err, -EINVAL,
				  "max_entries, key_size or value_size is 0");
	if ((u64)desc->key_size + desc->value_size >= MAP_VALUE_MAX - LINUX_ELEMENT)
		return map_refuse(desc, err, -E2BIG, "key and value of more than 4 MiB");
	if (map_desc_is_per_cpu(desc) && round_up(desc->value_size, 8) > MAP_PER_CPU_MAX)
		return map_refuse(desc, err, -E2BIG, "per-CPU values of more than 32 KiB");
	if (desc->max_entries > MAX_ENTRIES)
		return map_refuse(desc, err, -E2BIG, "more than 134217728 entries");
	return 0;
}

u64 map_hash_seed(const struct map_desc *desc)
{
	u64 seed = 0;

	if (!(desc->flags & BPF_F_ZERO_SEED) && getrandom(&seed, sizeof(seed), 0) < 0)
		seed = ptr_to_u64(desc);
	return seed;
}

static void hash_done(struct map *map)
{
	struct hash *hash = hash_of(map);

	table_done(&hash->table);
	region_free(&hash->links);
	region_free(&hash->values);
	region_free(&hash->states);
}

static int init_regions(struct hash *hash, u32 elements)
{
	const struct map_desc *desc = &hash->map.desc;
	u64 payload = hash->slot_stride ? 0 : hash->value_space;
	int err = table_init(&hash->table, desc->key_size, payload, desc->max_entries, elements,
			     map_hash_seed(desc));

	if (!err)
		err = region_new(&hash->links, (u64)elements * sizeof(u32));
	if (!err)
		err = region_new(&hash->values, hash->slot_stride * hash->map.slots);
	if (!err)
		err = region_new(&hash->states, is_lru(desc) ? elements : 0);
	return err;
}

static int hash_init(struct map *map)
{
	struct hash *hash = hash_of(map);
	u32 max_entries = map->desc.max_entries, elements = max_entries + SPARES;
	int err;

	hash->table.group_region = hash->table.element_region = REGION_NONE;
	hash->links = hash->values = hash->states = REGION_NONE;
	hash->value_space = round_up(map->desc.value_size, 8);
	if (map_desc_is_per_cpu(&map->desc))
		hash->slot_stride = round_up((u64)hash->value_space * elements, CACHE_LINE);
	err = init_regions(hash, elements);
	if (err) {
		hash_done(map);
		return err;
	}
	hash->state = (_Atomic u8 *)hash->states.base;
	pool_init(&hash->pool, (atomic_uint *)hash->links.base, 0, max_entries);
	pool_init(&hash->spares, (atomic_uint *)hash->links.base, max_entries, SPARES);
	map->desc.bytes_memlock = sizeof(*hash) + table_bytes(&hash->table) +
				  hash->values.size + hash->links.size + hash->states.size;
	return 0;
}

/* --- values --- */

static u8 *value_at(struct hash *hash, u32 element, u32 slot)
{
	if (is_per_cpu(hash))
		return hash->values.base + slot * hash->slot_stride +
		       (u64)element * hash->value_space;
	return table_payload(&hash->table, element);
}

static void store_slots(struct hash *hash, u32 element, const void *value, u32 slot, bool fresh)
{
	for (u32 i = 0; i < hash->map.slots; i++) {
		u8 *to = value_at(hash, element, i);

		if (slot == EVERY_SLOT)
			value_copy(to, (const u8 *)value + i * hash->value_space,
				   hash->value_space);
		else if (slot == i)
			value_copy(to, value, hash->map.desc.value_size);
		else if (fresh)
			memset(to, 0, hash->value_space);
	}
}

static void fill_element(struct hash *hash, u32 element, const void *key, const void *value,
			 u32 slot)
{
	table_write_key(&hash->table, element, key);
	if (is_per_cpu(hash))
		store_slots(hash, element, value, slot, true);
	else
		value_store_new(&hash->map.desc, value_at(hash, element, 0), value);
}

/* Values of up to 8 bytes change in one store. */
static void store_word(u8 *to, const void *value, u32 size)
{
	u64 word = 0;

	memcpy(&word, value, size);
	switch (size) {
	case 4: __atomic_store_n((u32 *)to, (u32)word, __ATOMIC_RELAXED); break;
	default: __atomic_store_n((u64 *)to, word, __ATOMIC_RELAXED);
	}
}

/* --- LRU --- */

static void set_state(struct hash *hash, u32 element, u8 state)
{
	if (hash->state)
		atomic_store_explicit(&hash->state[element], state, memory_order_relaxed);
}

/* Removes the element from the table if it is still there. */
static bool evict(struct hash *hash, u32 element)
{
	struct table_entry entry;
	bool found = table_lock_element(&hash->table, element, &entry);

	if (found) {
		table_remove(&entry);
		set_state(hash, element, 0);
	}
	table_unlock(&entry);
	return found;
}

static u32 next_victim(struct hash *hash)
{
	u32 elements = hash->map.desc.max_entries + SPARES;

	for (;;) {
		u32 hand = atomic_fetch_add_explicit(&hash->hand, 1, memory_order_relaxed);
		u32 element = hand % elements;
		u8 state = atomic_load_explicit(&hash->state[element], memory_order_relaxed);

		if (state == ELEMENT_IN_USE)
			return element;
		if (state & ELEMENT_REFERENCED)
			set_state(hash, element, ELEMENT_IN_USE);
	}
}

/* A free element, of an evicted key if need be. */
static u32 take_lru(struct hash *hash)
{
	u32 element = pool_take(&hash->pool);

	while (element == POOL_NONE) {
		u32 victim = next_victim(hash);

		element = evict(hash, victim) ? victim : pool_take(&hash->pool);
	}
	return element;
}

/* --- changes --- */

static u32 take_spare(struct hash *hash)
{
	u32 element = pool_take(&hash->spares);

	while (element == POOL_NONE) {
		sched_yield();
		element = pool_take(&hash->spares);
	}
	return element;
}

static void replace_element(struct hash *hash, struct table_entry *entry, const void *key,
			    const void *value)
{
	u32 element = take_spare(hash);

	fill_element(hash, element, key, value, 0);
	set_state(hash, entry->element, 0);
	table_replace(entry, element);
	set_state(hash, element, ELEMENT_IN_USE);
}

/* The element that is free now, to be given to `spares` after the unlock; ELEMENT_NONE: the
 * value was changed in place. */
static u32 overwrite(struct hash *hash, struct table_entry *entry, const void *key,
		     const void *value, u64 flags, u32 slot)
{
	const struct map_desc *desc = &hash->map.desc;
	u32 old = entry->element;

	if (is_per_cpu(hash)) {
		store_slots(hash, old, value, slot, false);
		return ELEMENT_NONE;
	}
	if (flags & BPF_F_LOCK) {
		value_store(desc, value_at(hash, old, 0), value, true);
		return ELEMENT_NONE;
	}
	if (desc->value_size <= sizeof(u64) && !value_has_fields(desc)) {
		store_word(value_at(hash, old, 0), value, desc->value_size);
		return ELEMENT_NONE;
	}
	replace_element(hash, entry, key, value);
	return old;
}

/* Under the bucket's lock. `*element`: a free one that may be used, then ELEMENT_NONE. */
static int insert(struct hash *hash, struct table_entry *entry, const void *key,
		  const void *value, u32 slot, u32 *element)
{
	u32 new = *element != ELEMENT_NONE ? *element : pool_take(&hash->pool);
	int err;

	if (new == ELEMENT_NONE)
		return -E2BIG;
	fill_element(hash, new, key, value, slot);
	err = table_insert(&hash->table, entry, new);
	*element = err ? new : ELEMENT_NONE;
	if (!err)
		set_state(hash, new, ELEMENT_IN_USE);
	return err;
}

/* One try; -E2BIG: no element is free. `*element` as for insert(). */
static int store(struct hash *hash, const void *key, const void *value, u64 flags, u32 slot,
		 u32 *element)
{
	struct table_entry entry;
	u32 freed = ELEMENT_NONE;
	int err;

	table_lock(&hash->table, key, &entry);
	err = map_check_presence(entry.element != ELEMENT_NONE, flags);
	if (!err && entry.element != ELEMENT_NONE)
		freed = overwrite(hash, &entry, key, value, flags, slot);
	else if (!err)
		err = insert(hash, &entry, key, value, slot, element);
	table_unlock(&entry);
	if (freed != ELEMENT_NONE)
		pool_give(&hash->spares, freed);
	return err;
}

static int store_any(struct hash *hash, const void *key, const void *value, u64 flags, u32 slot)
{
	u32 element = ELEMENT_NONE;
	int err = store(hash, key, value, flags, slot, &element);

	/* Eviction locks another bucket: never while this one is held. */
	while (hash->state && err == -E2BIG) {
		element = take_lru(hash);
		err = store(hash, key, value, flags, slot, &element);
	}
	if (unlikely(element != ELEMENT_NONE))
		pool_give(&hash->pool, element);
	return err;
}

static int hash_update(struct map *map, const void *key, const void *value, u64 flags, u32 slot)
{
	if (unlikely(map_flags_bad(flags)))
		return -EINVAL;
	if (unlikely((flags & BPF_F_LOCK) && map_desc_field(&map->desc, BTF_FIELD_SPIN_LOCK) < 0))
		return -EINVAL;
	return store_any(hash_of(map), key, value, flags, slot);
}

static int percpu_hash_user_update(struct map *map, const void *key, const void *value,
				   u64 flags)
{
	return hash_update(map, key, value, flags, EVERY_SLOT);
}

static void copy_out(struct hash *hash, u32 element, void *value, u64 flags)
{
	if (!is_per_cpu(hash)) {
		value_load(&hash->map.desc, value, value_at(hash, element, 0),
			   flags & BPF_F_LOCK);
		return;
	}
	for (u32 slot = 0; slot < hash->map.slots; slot++)
		value_copy((u8 *)value + slot * hash->value_space,
			   value_at(hash, element, slot), hash->value_space);
}

/* Deletes the key; its value goes to `value` first unless that is NULL. */
static int take_out(struct hash *hash, const void *key, void *value, u64 flags)
{
	struct table_entry entry;

	table_lock(&hash->table, key, &entry);
	if (entry.element != ELEMENT_NONE) {
		if (value)
			copy_out(hash, entry.element, value, flags);
		table_remove(&entry);
		set_state(hash, entry.element, 0);
	}
	table_unlock(&entry);
	if (entry.element == ELEMENT_NONE)
		return -ENOENT;
	pool_give(&hash->pool, entry.element);
	return 0;
}

static int hash_delete(struct map *map, const void *key)
{
	return take_out(hash_of(map), key, NULL, 0);
}

static int hash_user_lookup_and_delete(struct map *map, const void *key, void *value, u64 flags)
{
	return take_out(hash_of(map), key, value, flags);
}

/* --- look-ups --- */

static void *hash_lookup_slot(struct map *map, const void *key, u32 slot)
{
	struct hash *hash = hash_of(map);
	u32 element = table_find(&hash->table, key);

	return likely(element != ELEMENT_NONE) ? value_at(hash, element, slot) : NULL;
}

static void *hash_lookup(struct map *map, const void *key, u32 slot)
{
	struct hash *hash = hash_of(map);
	u32 element = table_find(&hash->table, key);

	return likely(element != ELEMENT_NONE) ? table_payload(&hash->table, element) : NULL;
}

static void *lru_lookup(struct map *map, const void *key, u32 slot)
{
	struct hash *hash = hash_of(map);
	u32 element = table_find(&hash->table, key);

	if (element == ELEMENT_NONE)
		return NULL;
	if (!(atomic_load_explicit(&hash->state[element], memory_order_relaxed) &
	      ELEMENT_REFERENCED))
		set_state(hash, element, ELEMENT_IN_USE | ELEMENT_REFERENCED);
	return value_at(hash, element, slot);
}

static int lookup_locked(struct hash *hash, const void *key, void *value, u64 flags)
{
	struct table_entry entry;

	table_lock(&hash->table, key, &entry);
	if (entry.element != ELEMENT_NONE)
		copy_out(hash, entry.element, value, flags);
	table_unlock(&entry);
	return entry.element == ELEMENT_NONE ? -ENOENT : 0;
}

/* A copy of one update's value, never of two: when the bucket changes again and again while
 * the value is copied, under its lock. A look-up from user space is no reason to keep an
 * element in an LRU map. */
static int hash_user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	struct hash *hash = hash_of(map);

	for (u32 i = 0; i < COPY_TRIES; i++) {
		struct table_moment moment = table_moment(&hash->table, key);
		u32 element = table_find(&hash->table, key);

		if (element == ELEMENT_NONE)
			return -ENOENT;
		copy_out(hash, element, value, flags);
		if (table_moment_holds(&moment))
			return 0;
	}
	return lookup_locked(hash, key, value, flags);
}

static long hash_for_each(struct map *map, u32 slot, map_visit *visit, void *cookie)
{
	struct hash *hash = hash_of(map);
	struct table_place place = {0};
	long count = 0;
	u32 element;

	while ((element = table_next(&hash->table, &place)) != ELEMENT_NONE) {
		count++;
		if (visit(cookie, table_key(&hash->table, element),
			  value_at(hash, element, slot)))
			break;
	}
	return count;
}

static int hash_next_key(struct map *map, const void *key, void *next)
{
	return table_next_key(&hash_of(map)->table, key, next) ? 0 : -ENOENT;
}

static int hash_next_slot(struct map *map, u32 *slot, void *key)
{
	return table_next_slot(&hash_of(map)->table, slot, key) ? 0 : -ENOENT;
}

static bool hash_owns(struct map *map, const void *address, size_t size)
{
	struct hash *hash = hash_of(map);
	const struct region *region =
		is_per_cpu(hash) ? &hash->values : &hash->table.element_region;
	u64 offset = (const u8 *)address - region->base;

	if (!region_holds(region, address, size))
		return false;
	if (is_per_cpu(hash))
		return offset % hash->slot_stride % hash->value_space + size <=
		       map->desc.value_size;
	offset %= hash->table.element_size;
	return offset >= hash->table.key_space &&
	       offset + size <= hash->table.key_space + map->desc.value_size;
}

#define HASH_COMMON                                                                        \
	.size = sizeof(struct hash), .check = map_hash_check, .init = hash_init,           \
	.done = hash_done, .equal = map_desc_equal, .update = hash_update,                 \
	.delete = hash_delete, .for_each = hash_for_each, .user_lookup = hash_user_lookup, \
	.user_lookup_and_delete = hash_user_lookup_and_delete, .next_key = hash_next_key,  \
	.next_slot = hash_next_slot, .owns = hash_owns

const struct map_ops map_hash = {
	HASH_COMMON,
	.lookup = hash_lookup,
};

const struct map_ops map_percpu_hash = {
	HASH_COMMON,
	.lookup = hash_lookup_slot,
	.lookup_slot = hash_lookup_slot,
	.user_update = percpu_hash_user_update,
};

const struct map_ops map_lru_hash = {
	HASH_COMMON,
	.flags_not_supported = BPF_F_NO_PREALLOC,
	.lookup = lru_lookup,
};

const struct map_ops map_lru_percpu_hash = {
	HASH_COMMON,
	.flags_not_supported = BPF_F_NO_PREALLOC,
	.lookup = lru_lookup,
	.lookup_slot = hash_lookup_slot,
	.user_update = percpu_hash_user_update,
};
