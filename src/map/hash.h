/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps: plain, per-CPU, LRU and LRU per-CPU, over one table (table.h).
 *
 *	hash.c		creation, look-ups, what user space asks
 *	hash_update.c	changes
 *	hash_supply.c	elements: where they come from and when they serve another key
 *	hash_lru.c	the same of LRU maps with BPF_F_NO_COMMON_LRU
 *	hash_common.c	maps in a region
 *
 * Elements: as many as max_entries are in the table, in `pool` or in the hands of the slot that
 * owns the table (table_bias.h), so that counts are exact; a few more are in the supplies, of
 *which each slot has one and all other threads share the last.
 *
 * Values of up to 8 bytes, and a slot's own value of a per-CPU map, are written in place and
 * without the bucket's lock (`in_place`): the slot says in its `writer` which element it is at
 *and looks again whether the key still has it. An element that leaves the table, if not by the
 * owner of the table's bias, goes to a supply, and serves another key only after a barrier of
 *all threads (os_barrier()) and when no slot writes to it. There is one barrier for some
 *hundred elements. Other values are written into an element of the supply that then takes the
 *old one's place, so that readers see the old value or the new one; such elements serve again
 *at once, as Linux's preallocated ones.
 */
#ifndef SKEP_MAP_HASH_H
#define SKEP_MAP_HASH_H

#include "map/ops.h"
#include "map/region.h"
#include "map/table.h"
#include "map/value.h"

enum { ELEMENT_IN_USE = 1, ELEMENT_REFERENCED = 2 };

struct hash_supply {
	_Alignas(CACHE_LINE) u32 lock; /* of the shared one */
	u32 clean; /* so many of the elements may serve at once; the others left the table */
	u32 count; /* in_place: clean ones and others, always so many */
	u32 hand, hand_end; /* LRU: the elements that are this supply's turn */
	u32 *elements;
};

struct lru_lists; /* of one slot */
struct lru_node;
/* What changes beside the table. */
struct hash_pools {
	struct pool pool;
	_Alignas(CACHE_LINE) atomic_uint hand; /* LRU: goes round over the elements */
	/* In a region: elements beside max_entries, and the table's overflow groups. */
	struct pool spares, overflow;
};

struct hash {
	struct map map;
	_Alignas(CACHE_LINE) struct table table;
	bool in_place;
	/* per-CPU */
	u32 value_space; /* value_size rounded up to 8 */
	u64 slot_stride;
	struct region values; /* slot_stride bytes for each slot */
	_Atomic u8 *state;    /* LRU, per element; NULL: not LRU */
	struct region states;
	struct table_writer *writers; /* of each slot */
	struct hash_supply *supplies;
	u32 supply_count, element_count;
	struct region supply_region, links;
	struct hash_pools *pools, own_pools; /* own_pools: of a private map */
	struct region lru_region;
	struct lru_lists *lru; /* BPF_F_NO_COMMON_LRU; NULL: one LRU list, or none */
	struct lru_node *nodes;
};

static inline struct hash *hash_of(struct map *map)
{
	return container_of(map, struct hash, map);
}

/* Each slot has its own part of the elements. */
static inline bool hash_has_parts(const struct map_desc *desc)
{
	return desc->flags & BPF_F_NO_COMMON_LRU;
}

static inline bool hash_is_per_cpu(const struct hash *hash)
{
	return hash->slot_stride;
}

static inline __attribute__((always_inline)) u8 *hash_slot_value(const struct hash *hash,
								 u32 element, u32 slot)
{
	return hash->values.base + slot * hash->slot_stride + (u64)element * hash->value_space;
}

static inline u8 *hash_value(const struct hash *hash, u32 element, u32 slot)
{
	return hash_is_per_cpu(hash) ? hash_slot_value(hash, element, slot)
				     : table_payload(&hash->table, element);
}

/* --- for compilers, which look keys up themselves (jit/full_find.c) --- */

/* NULL: it is no such map, or its memory is not this engine's alone. */
const struct hash *hash_for_code(const struct map *map);

/* Whether what a look-up calculates with are constants of 32 bits, and keys few words that
 * processors load. */
static inline bool hash_key_is_short(const struct hash *hash)
{
	const u32 rest = hash->table.key_size % 8;

	return hash->table.key_size <= 40 && !(rest & (rest - 1)) &&
	       hash->table.element_size <= INT32_MAX && hash->slot_stride <= INT32_MAX;
}

/* What the values of an element that left the table hold is given back. */
static inline void hash_release_fields(struct hash *hash, u32 element)
{
	const u32 copies = hash_is_per_cpu(hash) ? hash->map.slots : 1;

	if (unlikely(value_has_fields(&hash->map.desc)))
		for (u32 slot = 0; slot < copies; slot++)
			value_release(&hash->map.desc, hash_value(hash, element, slot));
}

static inline void hash_set_state(struct hash *hash, u32 element, u8 state)
{
	if (hash->state)
		atomic_store_explicit(&hash->state[element], state, memory_order_relaxed);
}

/* No store when it is set: the line stays shared. */
static inline __attribute__((always_inline)) void hash_refer(struct hash *hash, u32 element)
{
	if (!(atomic_load_explicit(&hash->state[element], memory_order_relaxed) &
	      ELEMENT_REFERENCED))
		atomic_store_explicit(&hash->state[element],
				      ELEMENT_IN_USE | ELEMENT_REFERENCED,
				      memory_order_relaxed);
}

/* --- hash_supply.c; `slot` SLOT_NONE: of a thread that owns none --- */

/* How many elements the supplies need beside max_entries. */
void hash_supply_plan(struct hash *hash);
int hash_supply_init(struct hash *hash);
void hash_supply_done(struct hash *hash);
/* A free element, ELEMENT_NONE: there is none; and one back, after the bucket was unlocked. */
u32 hash_free_take(struct hash *hash, u32 slot);
void hash_free_give(struct hash *hash, u32 slot, u32 element);
/* An element for a new value of an old key, and the old one back. Not for `in_place`. */
u32 hash_spare_take(struct hash *hash, u32 slot);
void hash_spare_give(struct hash *hash, u32 slot, u32 element);
/* After an element left the table, not by its owner: it, or another, may serve any key. */
u32 hash_renew(struct hash *hash, u32 slot, u32 removed);
/* Waits until no slot writes to an element that left the table. Not from programs. */
void hash_settle(struct hash *hash, u32 element);
/* LRU: a free element, of an evicted key if need be. */
u32 hash_take_lru(struct hash *hash, u32 slot);
/* LRU of the slot that is inside as the table's owner: a key is evicted, and its element among
 * the owner's free ones. */
bool hash_owner_evict(struct hash *hash, u32 slot);
/* LRU: removes the element from the table if it is still there; what its values hold stays.
 * `*as_owner`: by the table's owner. */
bool hash_take_out(struct hash *hash, u32 element, u32 slot, bool *as_owner);

/* --- hash_lru.c: of maps with BPF_F_NO_COMMON_LRU --- */

int hash_lru_init(struct hash *hash);
/* A free element of the slot, of an evicted key if need be; ELEMENT_NONE: all are being
 * prepared. */
u32 hash_lru_take(struct hash *hash, u32 slot);
/* Back to the slot it belongs to. */
void hash_lru_give(struct hash *hash, u32 element);

/* --- hash_common.c --- */

static inline bool hash_is_common(const struct hash *hash)
{
	return hash->table.commons;
}

void hash_common_plan(struct hash *hash);
int hash_common_init(struct hash *hash);
int hash_common_recover(struct map *map);
u32 hash_common_spare(struct hash *hash); /* POOL_NONE: none right now */

/* --- hash_update.c --- */

int hash_update(struct map *map, const void *key, const void *value, u64 flags, u32 slot);
int hash_user_update(struct map *map, const void *key, const void *value, u64 flags);
int hash_delete(struct map *map, const void *key, u32 slot);
int hash_user_lookup_and_delete(struct map *map, const void *key, void *value, u64 flags);
/* A value as user space sees it: all slots'. */
void hash_copy_out(struct hash *hash, u32 element, void *value, u64 flags);
/* The fastest update for the map's sizes. */
map_update_op *hash_update_op(const struct hash *hash);

#endif
