/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/table.h"

#include <errno.h>
#include <sched.h>

/* A home group holds at most this many on average, so that few chains overflow. */
#define GROUP_LOAD 8
/* So many overflow groups are charged at a time. */
#define OVERFLOW_CHUNK 64
/* Spins between two tries of a lock whose owner may have lost its CPU. */
#define SPINS 64
/* Tries until it is asked whether the owner of a lock lives. */
#define PATIENCE (SPINS * 64)

u32 table_home_groups(u32 capacity)
{
	u32 groups = 1;

	while ((u64)groups * GROUP_LOAD < capacity)
		groups *= 2;
	return groups;
}

void table_lay_out(struct table *table, u32 key_size, u64 payload, u32 groups, u64 seed)
{
	table->key_size = key_size;
	table->key_space = round_up(key_size, 8);
	table->element_size = table->key_space + payload;
	table->groups = (struct group *)table->group_region.base;
	table->mask = groups - 1;
	table->overflow = table->groups + groups;
	table->elements = table->element_region.base;
	table->seed = seed ^ 0x2d358dccaa6c78a5ULL;
}

/* One memory: home groups, then one overflow group for each element (so that the pool never
 * runs dry; untouched groups cost nothing), then the links of the pool. */
int table_init(struct table *table, struct account *account, u32 key_size, u64 payload,
	       u32 capacity, u32 elements, u64 seed)
{
	u32 groups = table_home_groups(capacity);
	u64 bytes = ((u64)groups + elements) * sizeof(struct group);
	int err = region_reserve(account, &table->group_region,
				 bytes + (u64)elements * sizeof(u32),
				 (u64)groups * sizeof(struct group));

	if (err)
		return err;
	err = region_new(account, &table->element_region,
			 (round_up(key_size, 8) + payload) * elements);
	if (err) {
		region_free(&table->group_region);
		return err;
	}
	region_prefer_huge(table->group_region.base, groups * sizeof(struct group));
	region_prefer_huge(table->element_region.base, table->element_region.size);
	table_lay_out(table, key_size, payload, groups, seed);
	table->overflow_count = elements;
	table->overflow_pool = &table->own_pool;
	pool_init(table->overflow_pool, (atomic_uint *)(table->group_region.base + bytes), 0,
		  elements);
	return 0;
}

void table_done(struct table *table)
{
	region_free(&table->group_region);
	region_free(&table->element_region);
}

void table_write_key(const struct table *table, u32 element, const void *key)
{
	u8 *stored = table_key(table, element);

	for (u32 at = 0; at < table->key_size; at += 8)
		__atomic_store_n((u64 *)(stored + at), key_word(key, table->key_size, at),
				 __ATOMIC_RELAXED);
}

void table_read_key(const struct table *table, u32 element, void *key)
{
	const u8 *stored = table_key(table, element);

	for (u32 at = 0; at < table->key_size; at += 8) {
		u64 word = __atomic_load_n((const u64 *)(stored + at), __ATOMIC_RELAXED);

		memcpy((u8 *)key + at, &word, min(table->key_size - at, 8U));
	}
}

/* The key's element and its index in the group. `*changed` is set when a slot changed while
 * its key was read. */
static inline __attribute__((always_inline)) u32 group_find(const struct table *table,
							    const struct group *group, u8 tag,
							    const void *key, u32 key_size,
							    u32 *index, bool *changed)
{
	for (u32 match = group_match(group, tag); match; match &= match - 1) {
		const atomic_uint *slot = &group->slot[__builtin_ctz(match)];
		u32 element = atomic_load_explicit(slot, memory_order_acquire);
		bool equal = key_equal(table_key(table, element), key, key_size);

		/* Orders the key's bytes before the second look at the slot. */
		atomic_thread_fence(memory_order_acquire);
		if (unlikely(atomic_load_explicit(slot, memory_order_relaxed) != element))
			*changed = true;
		else if (likely(equal)) {
			*index = __builtin_ctz(match);
			return element;
		}
	}
	return ELEMENT_NONE;
}

static inline __attribute__((always_inline)) u32 chain_find(const struct table *table,
							    const struct group *group, u8 tag,
							    const void *key, u32 key_size,
							    bool *changed)
{
	for (;;) {
		u32 next, index;
		u32 element = group_find(table, group, tag, key, key_size, &index, changed);

		if (likely(element != ELEMENT_NONE))
			return element;
		next = atomic_load_explicit(&group->next, memory_order_acquire);
		if (likely(!next))
			return ELEMENT_NONE;
		group = &table->overflow[next - 1];
	}
}

static inline __attribute__((always_inline)) u32 walk_sized(const struct table *table,
							    const void *key, u32 key_size,
							    const struct group *home, u8 tag)
{
	for (;;) {
		u32 version = atomic_load_explicit(&home->lock, memory_order_acquire);
		bool changed = false;
		u32 element = chain_find(table, home, tag, key, key_size, &changed);

		if (likely(element != ELEMENT_NONE))
			return element;
		atomic_thread_fence(memory_order_acquire);
		if (likely(!changed &&
			   atomic_load_explicit(&home->lock, memory_order_relaxed) == version))
			return ELEMENT_NONE;
	}
}

u32 table_walk(const struct table *table, const void *key, const struct group *home, u8 tag)
{
	switch (table->key_size) {
	case 4: return walk_sized(table, key, 4, home, tag);
	case 8: return walk_sized(table, key, 8, home, tag);
	case 16: return walk_sized(table, key, 16, home, tag);
	default: return walk_sized(table, key, table->key_size, home, tag);
	}
}

/* --- locks of tables in a region: the owner is written in the same exchange --- */

/* The lock word and its owner, in the second word of a group. */
#define WORD_LOCK  (1ULL << 32)
#define WORD_OWNER (0xffULL << 24)

static u64 owned_by(u64 word, u32 member)
{
	return (word & ~WORD_OWNER) | (u64)member << 24;
}

/* What a member that died had under way is to be seen or not; the lock is all that is left. */
static bool take_over(const struct commons *commons, struct group *home, u64 word)
{
	u32 owner = (u32)((word & WORD_OWNER) >> 24);

	return commons_is_dead(commons, owner) &&
	       atomic_compare_exchange_strong_explicit(
		       &home->words[1], &word, owned_by(word, commons_number(commons)),
		       memory_order_acquire, memory_order_relaxed);
}

/* Acquire pairs with the release in unlock_common(). */
static void lock_common(const struct commons *commons, struct group *home)
{
	u64 word = atomic_load_explicit(&home->words[1], memory_order_relaxed);

	for (u32 spins = 1;; spins++) {
		u64 held = owned_by(word + WORD_LOCK, commons_number(commons));

		if (!(word & WORD_LOCK) && atomic_compare_exchange_weak_explicit(
						   &home->words[1], &word, held,
						   memory_order_acquire, memory_order_relaxed))
			break;
		if (spins % PATIENCE == 0 && (word & WORD_LOCK) &&
		    take_over(commons, home, word))
			break;
		if (spins % SPINS == 0)
			sched_yield();
		word = atomic_load_explicit(&home->words[1], memory_order_relaxed);
	}
	/* As in group_lock(). */
	atomic_thread_fence(memory_order_release);
}

static void unlock_common(struct group *home)
{
	u64 word = atomic_load_explicit(&home->words[1], memory_order_relaxed);

	atomic_store_explicit(&home->words[1], owned_by(word + WORD_LOCK, 0),
			      memory_order_release);
}

/* --- locks of private tables --- */

/* Acquire pairs with the release in group_unlock(). */
static void group_lock(const struct table *table, struct group *home)
{
	u32 version = atomic_load_explicit(&home->lock, memory_order_relaxed);

	if (unlikely(table->commons)) {
		lock_common(table->commons, home);
		return;
	}
	for (u32 spins = 1;; spins++) {
		version &= ~1U;
		if (atomic_compare_exchange_weak_explicit(&home->lock, &version, version + 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			break;
		if (spins % SPINS == 0)
			sched_yield();
	}
	/* A reader that sees anything of what follows sees the new lock word too. */
	atomic_thread_fence(memory_order_release);
}

/* Only the owner changes a lock word that is held. */
static void group_unlock(struct group *home)
{
	u32 version = atomic_load_explicit(&home->lock, memory_order_relaxed);

	atomic_store_explicit(&home->lock, version + 1, memory_order_release);
}

static inline __attribute__((always_inline)) void
entry_find(const struct table *table, struct table_entry *entry, const void *key, u32 key_size)
{
	for (struct group *group = entry->home; group; group = group_next(table, group))
		for (u32 match = group_match(group, entry->tag); match; match &= match - 1) {
			u32 index = __builtin_ctz(match);
			u32 element =
				atomic_load_explicit(&group->slot[index], memory_order_relaxed);

			if (!key_equal(table_key(table, element), key, key_size))
				continue;
			entry->group = group;
			entry->index = index;
			entry->element = element;
			return;
		}
}

static inline __attribute__((always_inline)) void
lock_sized(struct table *table, const void *key, u32 key_size, struct table_entry *out)
{
	u64 hash = table_hash(table, key, key_size);

	*out = (struct table_entry){.home = table_home(table, hash),
				    .tag = hash_tag(hash),
				    .element = ELEMENT_NONE};
	group_lock(table, out->home);
	entry_find(table, out, key, key_size);
}

void table_lock(struct table *table, const void *key, struct table_entry *out)
{
	switch (table->key_size) {
	case 4: lock_sized(table, key, 4, out); break;
	case 8: lock_sized(table, key, 8, out); break;
	case 16: lock_sized(table, key, 16, out); break;
	default: lock_sized(table, key, table->key_size, out);
	}
}

static bool entry_find_element(const struct table *table, struct table_entry *entry,
			       u32 element)
{
	for (struct group *group = entry->home; group; group = group_next(table, group))
		for (u32 match = group_match(group, entry->tag); match; match &= match - 1) {
			u32 index = __builtin_ctz(match);

			if (atomic_load_explicit(&group->slot[index], memory_order_relaxed) !=
			    element)
				continue;
			entry->group = group;
			entry->index = index;
			entry->element = element;
			return true;
		}
	return false;
}

u64 table_element_hash(const struct table *table, u32 element)
{
	const u8 *stored = table_key(table, element);
	u64 hash = table->seed;

	for (u32 at = 0; at < table->key_size; at += 8)
		hash = hash_word(hash,
				 __atomic_load_n((const u64 *)(stored + at), __ATOMIC_RELAXED));
	return hash;
}

void table_prefetch_element(const struct table *table, u32 element)
{
	__builtin_prefetch(table_home(table, table_element_hash(table, element)), 1);
}

/* The element may serve another key by the time of the lock: then it is not found, or found
 * with that key, which has the same bucket. */
bool table_lock_element(struct table *table, u32 element, struct table_entry *out)
{
	u64 hash = table_element_hash(table, element);

	*out = (struct table_entry){.home = table_home(table, hash),
				    .tag = hash_tag(hash),
				    .element = ELEMENT_NONE};
	group_lock(table, out->home);
	return entry_find_element(table, out, element);
}

void table_unlock(const struct table *table, struct table_entry *entry)
{
	if (unlikely(table->commons))
		unlock_common(entry->home);
	else
		group_unlock(entry->home);
}

/* Release pairs with the acquire of the readers' slot: they see the element's key and value. */
void table_replace(struct table_entry *entry, u32 element)
{
	atomic_store_explicit(&entry->group->slot[entry->index], element, memory_order_release);
	entry->element = element;
}

static void group_put(struct table_entry *entry, struct group *group, u32 index, u32 element)
{
	atomic_store_explicit(&group->slot[index], element, memory_order_release);
	atomic_store_explicit(&group->tag[index], entry->tag, memory_order_release);
	entry->group = group;
	entry->index = index;
	entry->element = element;
}

static int insert_overflow(struct table *table, struct table_entry *entry, struct group *last,
			   u32 element)
{
	u32 number = pool_take(table->overflow_pool);

	if (number == POOL_NONE)
		return -ENOMEM;
	if (!table->commons && number % OVERFLOW_CHUNK == 0 &&
	    region_use(&table->group_region, OVERFLOW_CHUNK * sizeof(struct group))) {
		pool_give(table->overflow_pool, number);
		return -ENOMEM;
	}
	atomic_store_explicit(&table->overflow[number].next, 0, memory_order_relaxed);
	group_put(entry, &table->overflow[number], 0, element);
	atomic_store_explicit(&last->next, number + 1, memory_order_release);
	return 0;
}

int table_insert(struct table *table, struct table_entry *entry, u32 element)
{
	struct group *last = NULL;

	for (struct group *group = entry->home; group; group = group_next(table, group)) {
		u32 empty = group_match(group, 0);

		if (likely(empty)) {
			group_put(entry, group, __builtin_ctz(empty), element);
			return 0;
		}
		last = group;
	}
	return insert_overflow(table, entry, last, element);
}

void table_remove(struct table_entry *entry)
{
	atomic_store_explicit(&entry->group->tag[entry->index], 0, memory_order_release);
}
