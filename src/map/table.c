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

/* Numbers of elements leave marks the room that they need. */
u32 table_home_groups(u32 key_size, u32 capacity, u32 elements)
{
	u32 groups = 1;

	while ((u64)groups * GROUP_LOAD < capacity ||
	       (key_size == sizeof(u32) && (u64)groups << TAG_BITS < elements))
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
	table->bits = (u32)__builtin_ctz(groups);
	table->element_mask =
		key_size == sizeof(u32) ? (1U << (table->bits + TAG_BITS)) - 1 : ~0U;
	table->overflow = table->groups + groups;
	table->elements = table->element_region.base;
	table->seed = seed ^ 0x2d358dccaa6c78a5ULL;
	table_bias_init(&table->bias, NULL, NULL, 0);
}

/* One memory: home groups, then one overflow group for each element (so that the pool never
 * runs dry; untouched groups cost nothing), then the links of the pool. */
int table_init(struct table *table, struct account *account, u32 key_size, u64 payload,
	       u32 capacity, u32 elements, u64 seed)
{
	u32 groups = table_home_groups(key_size, capacity, elements);
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
	table_write_key_sized(table, element, key, table->key_size);
}

void table_read_key(const struct table *table, u32 element, void *key)
{
	const u8 *stored = table_key(table, element);

	for (u32 at = 0; at < table->key_size; at += 8) {
		u64 word = __atomic_load_n((const u64 *)(stored + at), __ATOMIC_RELAXED);

		memcpy((u8 *)key + at, &word, min(table->key_size - at, 8U));
	}
}

/* The key's element. `*changed` is set when a slot changed while its key was read. */
static inline __attribute__((always_inline)) u32 group_find(const struct table *table,
							    const struct group *group, u8 tag,
							    const void *key, u32 key_size,
							    bool *changed)
{
	for (u32 match = group_match(group, tag); match; match &= match - 1) {
		const atomic_uint *slot = &group->slot[__builtin_ctz(match)];
		u32 content = atomic_load_explicit(slot, memory_order_acquire);
		u32 element = slot_element(table, content);
		bool equal = key_equal(table_key(table, element), key, key_size);

		/* Orders the key's bytes before the second look at the slot. */
		atomic_thread_fence(memory_order_acquire);
		if (unlikely(atomic_load_explicit(slot, memory_order_relaxed) != content))
			*changed = true;
		else if (likely(equal))
			return element;
	}
	return ELEMENT_NONE;
}

static inline __attribute__((always_inline)) u32 chain_find(const struct table *table,
							    const struct group *group, u8 tag,
							    const void *key, u32 key_size,
							    bool *changed)
{
	for (;;) {
		u32 element = group_find(table, group, tag, key, key_size, changed), next;

		if (likely(element != ELEMENT_NONE))
			return element;
		next = group_follower(group);
		if (likely(!next))
			return ELEMENT_NONE;
		group = &table->overflow[next - 1];
	}
}

static inline __attribute__((always_inline)) u32 walk_sized(const struct table *table,
							    const void *key, u32 key_size)
{
	const struct table_spot spot = table_spot(table, key, key_size);

	for (;;) {
		u32 version = atomic_load_explicit(&spot.home->lock, memory_order_acquire);
		bool changed = false;
		u32 element = chain_find(table, spot.home, spot.tag, key, key_size, &changed);

		if (likely(element != ELEMENT_NONE))
			return element;
		if (likely(!changed && group_is_at(spot.home, version)))
			return ELEMENT_NONE;
	}
}

u32 table_walk(const struct table *table, const void *key)
{
	switch (table->key_size) {
	case 4: return walk_sized(table, key, 4);
	case 8: return walk_sized(table, key, 8);
	case 16: return walk_sized(table, key, 16);
	default: return walk_sized(table, key, table->key_size);
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

/* What a member that died had under way is to be seen or not; the lock is all that is left. The
 * version is another one for readers: there is one change to each. */
static bool take_over(const struct commons *commons, struct group *home, u64 word)
{
	u32 owner = (u32)((word & WORD_OWNER) >> 24);

	return commons_is_dead(commons, owner) &&
	       atomic_compare_exchange_strong_explicit(
		       &home->words[1], &word,
		       owned_by(word + 2 * WORD_LOCK, commons_number(commons)),
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
}

static void unlock_common(struct group *home)
{
	u64 word = atomic_load_explicit(&home->words[1], memory_order_relaxed);

	atomic_store_explicit(&home->words[1], owned_by(word + WORD_LOCK, 0),
			      memory_order_release);
}

/* --- locks of private tables: see table_bias.h --- */

/* The lock word, which is held now. Acquire pairs with the release in group_unlock(). */
static u32 lock_among_others(struct group *home)
{
	u32 version = atomic_load_explicit(&home->lock, memory_order_relaxed);

	for (u32 spins = 1;; spins++) {
		version &= ~1U;
		if (atomic_compare_exchange_weak_explicit(&home->lock, &version, version + 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			return version + 1;
		if (spins % SPINS == 0)
			sched_yield();
	}
}

/* Whether the lock that was just taken is one to rely on: nobody owns the table any more, and
 * who did has not written over it. */
static bool lock_holds(struct table *table, struct group *home, u32 word)
{
	/* os_barrier() puts the lock before the load for who becomes the owner. */
	atomic_signal_fence(memory_order_seq_cst);
	if (unlikely(!bias_is_free(&table->bias.bias)))
		table_bias_take_away(&table->bias);
	return atomic_load_explicit(&home->lock, memory_order_relaxed) == word;
}

static void lock_private(struct table *table, struct group *home)
{
	while (unlikely(!lock_holds(table, home, lock_among_others(home))))
		;
}

static void group_lock(struct table *table, struct group *home)
{
	if (unlikely(table->commons))
		lock_common(table->commons, home);
	else
		lock_private(table, home);
	/* A reader that sees anything of what follows sees the new lock word too. */
	atomic_thread_fence(memory_order_release);
}

/* Whether the entry's slot owns the table, which nobody else changes then. Who has the bucket
 * since before that is waited for. Acquire pairs with the release in group_unlock(). */
static inline bool owner_enters(struct table *table, const struct table_entry *entry,
				u32 *version)
{
	while (bias_enter(&table->bias.bias, entry->slot)) {
		*version = atomic_load_explicit(&entry->spot.home->lock, memory_order_acquire);
		if (likely(!(*version & 1)))
			return true;
		bias_leave(&table->bias.bias);
		sched_yield();
	}
	return false;
}

/* Nobody else changes a lock word that is held, and relied on. */
static void group_unlock(struct table *table, const struct table_entry *entry)
{
	u32 version = atomic_load_explicit(&entry->spot.home->lock, memory_order_relaxed);

	atomic_store_explicit(&entry->spot.home->lock, version + 1, memory_order_release);
	if (likely(entry->as_owner))
		bias_leave(&table->bias.bias);
	else if (unlikely(version / 2 % TABLE_BIAS_SAMPLE == TABLE_BIAS_SAMPLE - 1))
		table_bias_note(&table->bias, entry->slot);
}

static inline __attribute__((always_inline)) void
entry_find(const struct table *table, struct table_entry *entry, const void *key, u32 key_size)
{
	for (struct group *group = entry->spot.home; group; group = group_next(table, group))
		for (u32 match = group_match(group, entry->spot.tag); match;
		     match &= match - 1) {
			u32 index = __builtin_ctz(match);
			u32 content =
				atomic_load_explicit(&group->slot[index], memory_order_relaxed);

			if (!entry_is_key(table, &entry->spot, content, key, key_size))
				continue;
			entry->group = group;
			entry->index = index;
			entry->element = slot_element(table, content);
			return;
		}
}

static inline __attribute__((always_inline)) void lock_sized(struct table *table,
							     const void *key, u32 key_size,
							     u32 slot, struct table_entry *out)
{
	u32 version;

	*out = (struct table_entry){.spot = table_spot(table, key, key_size),
				    .element = ELEMENT_NONE,
				    .slot = slot};
	if (likely(owner_enters(table, out, &version))) {
		entry_find(table, out, key, key_size);
		group_change_as_owner(out->spot.home, version);
		out->as_owner = true;
	} else {
		group_lock(table, out->spot.home);
		entry_find(table, out, key, key_size);
	}
}

void table_lock(struct table *table, const void *key, u32 slot, struct table_entry *out)
{
	switch (table->key_size) {
	case 4: lock_sized(table, key, 4, slot, out); break;
	case 8: lock_sized(table, key, 8, slot, out); break;
	case 16: lock_sized(table, key, 16, slot, out); break;
	default: lock_sized(table, key, table->key_size, slot, out);
	}
}

static bool entry_find_element(const struct table *table, struct table_entry *entry,
			       u32 element)
{
	for (struct group *group = entry->spot.home; group; group = group_next(table, group))
		for (u32 match = group_match(group, entry->spot.tag); match;
		     match &= match - 1) {
			u32 index = __builtin_ctz(match);

			if (atomic_load_explicit(&group->slot[index], memory_order_relaxed) !=
			    slot_content(table, &entry->spot, element))
				continue;
			entry->group = group;
			entry->index = index;
			entry->element = element;
			return true;
		}
	return false;
}

struct table_spot table_element_spot(const struct table *table, u32 element)
{
	const u64 *stored = (const u64 *)table_key(table, element);
	u64 hash = table->seed;

	if (table->key_size == sizeof(u32))
		return table_spot_of_half(table,
					  (u32)__atomic_load_n(stored, __ATOMIC_RELAXED));
	for (u32 at = 0; at < table->key_size; at += 8)
		hash = hash_word(hash, __atomic_load_n(stored++, __ATOMIC_RELAXED));
	return table_spot_of_hash(table, hash);
}

void table_prefetch_element(const struct table *table, u32 element)
{
	__builtin_prefetch(table_element_spot(table, element).home, 1);
}

/* The element may serve another key by the time of the lock: then it is not found, or found
 * with that key, which has the same bucket. */
bool table_lock_element(struct table *table, u32 element, u32 slot, struct table_entry *out)
{
	u32 version;
	bool found;

	*out = (struct table_entry){.spot = table_element_spot(table, element),
				    .element = ELEMENT_NONE,
				    .slot = slot};
	if (likely(owner_enters(table, out, &version))) {
		found = entry_find_element(table, out, element);
		group_change_as_owner(out->spot.home, version);
		out->as_owner = true;
	} else {
		group_lock(table, out->spot.home);
		found = entry_find_element(table, out, element);
	}
	return found;
}

void table_unlock(struct table *table, struct table_entry *entry)
{
	if (unlikely(table->commons))
		unlock_common(entry->spot.home);
	else
		group_unlock(table, entry);
}

/* Release pairs with the acquire of the readers' slot: they see the element's key and value. */
void table_replace(const struct table *table, struct table_entry *entry, u32 element)
{
	atomic_store_explicit(&entry->group->slot[entry->index],
			      slot_content(table, &entry->spot, element), memory_order_release);
	entry->element = element;
}

static void entry_put(const struct table *table, struct table_entry *entry, struct group *group,
		      u32 index, u32 element)
{
	group_put(table, group, index, &entry->spot, element);
	entry->group = group;
	entry->index = index;
	entry->element = element;
}

static void set_next(struct group *group, u32 next)
{
	atomic_store_explicit(&group->next, next, memory_order_release);
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
	entry_put(table, entry, &table->overflow[number], 0, element);
	set_next(last, number + 1);
	return 0;
}

int table_insert(struct table *table, struct table_entry *entry, u32 element)
{
	struct group *home = entry->spot.home, *last = NULL;

	if (unlikely(!group_match(home, 0)))
		set_next(home, atomic_load_explicit(&home->next, memory_order_relaxed) &
				       ~CHAIN_IS_EMPTY);
	for (struct group *group = home; group; group = group_next(table, group)) {
		u32 empty = group_match(group, 0);

		if (likely(empty)) {
			entry_put(table, entry, group, __builtin_ctz(empty), element);
			return 0;
		}
		last = group;
	}
	return insert_overflow(table, entry, last, element);
}

static bool chain_is_empty(const struct table *table, const struct group *home)
{
	const u32 all = (1 << GROUP_ENTRIES) - 1;

	for (struct group *group = group_next(table, home); group;
	     group = group_next(table, group))
		if (group_match(group, 0) != all)
			return false;
	return true;
}

void table_remove(const struct table *table, struct table_entry *entry)
{
	struct group *home = entry->spot.home;

	atomic_store_explicit(&entry->group->tag[entry->index], 0, memory_order_release);
	if (unlikely(entry->group != home) && chain_is_empty(table, home))
		set_next(home, atomic_load_explicit(&home->next, memory_order_relaxed) |
				       CHAIN_IS_EMPTY);
}

bool table_take_element(struct table *table, u32 element)
{
	struct table_entry entry = {.spot = table_element_spot(table, element)};
	struct group *home = entry.spot.home;
	u32 version = atomic_load_explicit(&home->lock, memory_order_acquire);

	if (version & 1 || !entry_find_element(table, &entry, element))
		return false;
	group_change_as_owner(home, version);
	table_remove(table, &entry);
	atomic_store_explicit(&home->lock, version + 2, memory_order_release);
	return true;
}
