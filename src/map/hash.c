/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/hash.h"

#include "base/os.h"
#include "map/shared.h"
#include <string.h>
#include <sys/random.h>

/* Bytes that Linux keeps beside key and value in an element. */
#define LINUX_ELEMENT 48
/* Linux's bound on the number of buckets of 16 bytes, a power of two. */
#define MAX_ENTRIES (1U << 27)

/* How often a look-up from user space copies before it takes the lock. */
#define COPY_TRIES 3

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

/* --- look-ups --- */

enum kind { PLAIN, PER_CPU, LRU, LRU_PER_CPU };

static inline __attribute__((always_inline)) void *
look_up(struct map *map, const void *key, u32 slot, enum kind kind, u32 key_size)
{
	struct hash *hash = hash_of(map);
	u32 element = table_find_sized(&hash->table, key, key_size);

	if (unlikely(element == ELEMENT_NONE))
		return NULL;
	if (kind == LRU || kind == LRU_PER_CPU)
		hash_refer(hash, element);
	if (kind == PER_CPU || kind == LRU_PER_CPU)
		return hash_slot_value(hash, element, slot);
	return table_element_payload(&hash->table, element, key_size);
}

#define LOOKUP(name, kind, key_size)                                  \
	static void *name(struct map *map, const void *key, u32 slot) \
	{                                                             \
		return look_up(map, key, slot, kind, key_size);       \
	}
#define LOOKUPS(name, kind)         \
	LOOKUP(name##_4, kind, 4)   \
	LOOKUP(name##_8, kind, 8)   \
	LOOKUP(name##_16, kind, 16) \
	LOOKUP(name##_any, kind, map->desc.key_size)
LOOKUPS(lookup, PLAIN)
LOOKUPS(lookup_per_cpu, PER_CPU)
LOOKUPS(lookup_lru, LRU)
LOOKUPS(lookup_lru_per_cpu, LRU_PER_CPU)

/* The look-up for the map's type and size of keys. */
static map_lookup_op *lookup_op(const struct hash *hash)
{
#define ROW(name)                                         \
	{                                                 \
		name##_4, name##_8, name##_16, name##_any \
	}
	static map_lookup_op *const ops[][4] = {[PLAIN] = ROW(lookup),
						[PER_CPU] = ROW(lookup_per_cpu),
						[LRU] = ROW(lookup_lru),
						[LRU_PER_CPU] = ROW(lookup_lru_per_cpu)};
#undef ROW
	u32 kind = is_lru(&hash->map.desc) * LRU + hash_is_per_cpu(hash);

	switch (hash->table.key_size) {
	case 4: return ops[kind][0];
	case 8: return ops[kind][1];
	case 16: return ops[kind][2];
	default: return ops[kind][3];
	}
}

static void *hash_lookup_slot(struct map *map, const void *key, u32 slot)
{
	struct hash *hash = hash_of(map);
	u32 element = table_find(&hash->table, key);

	return likely(element != ELEMENT_NONE) ? hash_slot_value(hash, element, slot) : NULL;
}

static int lookup_locked(struct hash *hash, const void *key, void *value, u64 flags)
{
	struct table_entry entry;

	table_lock(&hash->table, key, SLOT_NONE, &entry);
	if (entry.element != ELEMENT_NONE)
		hash_copy_out(hash, entry.element, value, flags);
	table_unlock(&hash->table, &entry);
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
		hash_copy_out(hash, element, value, flags);
		if (table_moment_holds(&moment))
			return 0;
	}
	return lookup_locked(hash, key, value, flags);
}

static u32 hash_walk(struct map *map, struct map_cursor *at, u32 slot, u32 limit,
		     map_visit *visit, void *cookie)
{
	struct hash *hash = hash_of(map);
	struct table_place place = {at->at[0], at->at[1], at->at[2]};
	u32 count = 0, element;

	while (count < limit && (element = table_next(&hash->table, &place)) != ELEMENT_NONE) {
		count++;
		if (visit(cookie, table_key(&hash->table, element),
			  hash_value(hash, element, slot)))
			break;
	}
	*at = (struct map_cursor){{place.home, place.group, place.index}};
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
		hash_is_per_cpu(hash) ? &hash->values : &hash->table.element_region;
	u64 offset = (const u8 *)address - region->base;

	if (!region_holds(region, address, size))
		return false;
	if (hash_is_per_cpu(hash))
		return offset % hash->slot_stride % hash->value_space + size <=
		       map->desc.value_size;
	offset %= hash->table.element_size;
	return offset >= hash->table.key_space &&
	       offset + size <= hash->table.key_space + map->desc.value_size;
}

/* --- the types --- */

static void hash_done(struct map *map)
{
	struct hash *hash = hash_of(map);

	table_done(&hash->table);
	hash_supply_done(hash);
	region_free(&hash->values);
	region_free(&hash->states);
	region_free(&hash->lru_region);
}

static int init_elements(struct hash *hash)
{
	const struct map_desc *desc = &hash->map.desc;
	u64 payload = hash->slot_stride ? 0 : hash->value_space;
	int err;

	if (hash->map.extent)
		return hash_common_init(hash);
	err = table_init(&hash->table, hash->map.account, desc->key_size, payload,
			 desc->max_entries, hash->element_count, map_hash_seed(desc));
	return err ? err : hash_supply_init(hash);
}

static int init_regions(struct hash *hash)
{
	struct map *map = &hash->map;
	int err = init_elements(hash);

	if (!err)
		err = map_memory(map, &hash->values, hash->slot_stride * map->slots);
	if (!err)
		err = map_memory(map, &hash->states,
				 is_lru(&map->desc) ? hash->element_count : 0);
	if (!err && hash_has_parts(&map->desc))
		err = hash_lru_init(hash);
	return err;
}

/* Fields with a meaning of their own are never written over; an LRU map with parts takes a new
 * element for each update, as Linux does. */
static bool may_write_in_place(const struct map_desc *desc)
{
	return !value_has_fields(desc) && !hash_has_parts(desc) &&
	       (map_desc_is_per_cpu(desc) || desc->value_size <= sizeof(u64)) &&
	       os_barrier_ready();
}

static int hash_init(struct map *map)
{
	struct hash *hash = hash_of(map);
	int err;

	hash->table.group_region = hash->table.element_region = REGION_NONE;
	hash->supply_region = hash->links = hash->values = hash->states = REGION_NONE;
	hash->lru_region = REGION_NONE;
	if (hash_has_parts(&map->desc))
		map->desc.max_entries +=
			(map->slots - map->desc.max_entries % map->slots) % map->slots;
	hash->in_place = !map->extent && may_write_in_place(&map->desc);
	if (map->extent)
		hash_common_plan(hash);
	else
		hash_supply_plan(hash);
	hash->value_space = round_up(map->desc.value_size, 8);
	if (map_desc_is_per_cpu(&map->desc))
		hash->slot_stride =
			round_up((u64)hash->value_space * hash->element_count, CACHE_LINE);
	err = init_regions(hash);
	if (err) {
		hash_done(map);
		return err;
	}
	if (!map->extent)
		region_prefer_huge(hash->values.base, hash->values.size);
	hash->state = (_Atomic u8 *)hash->states.base;
	map->lookup = lookup_op(hash);
	map->update = hash_update_op(hash);
	return 0;
}

#define HASH_COMMON                                                                       \
	.size = sizeof(struct hash), .check = map_hash_check, .init = hash_init,          \
	.done = hash_done, .recover = hash_common_recover, .equal = map_desc_equal,       \
	.update = hash_update, .delete = hash_delete, .walk = hash_walk,                  \
	.user_lookup = hash_user_lookup, .user_update = hash_user_update,                 \
	.user_lookup_and_delete = hash_user_lookup_and_delete, .next_key = hash_next_key, \
	.next_slot = hash_next_slot, .owns = hash_owns

const struct map_ops map_hash = {HASH_COMMON, .lookup = lookup_any};

const struct map_ops map_percpu_hash = {
	HASH_COMMON,
	.lookup = lookup_per_cpu_any,
	.lookup_slot = hash_lookup_slot,
};

const struct map_ops map_lru_hash = {
	HASH_COMMON,
	.flags_not_supported = BPF_F_NO_PREALLOC,
	.lookup = lookup_lru_any,
};

const struct map_ops map_lru_percpu_hash = {
	HASH_COMMON,
	.flags_not_supported = BPF_F_NO_PREALLOC,
	.lookup = lookup_lru_per_cpu_any,
	.lookup_slot = hash_lookup_slot,
};

const struct hash *hash_for_code(const struct map *map)
{
	if (map->ops != &map_hash && map->ops != &map_percpu_hash && map->ops != &map_lru_hash &&
	    map->ops != &map_lru_percpu_hash)
		return NULL;
	return map->extent || map->desc.by_unprivileged ? NULL : hash_of((struct map *)map);
}
