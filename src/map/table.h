/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash table under the hash maps: fixed capacity, readers without locks, writers that lock
 * one bucket. A key's bucket is its home group and the overflow groups chained to it; a group
 * is one cache line, and stays in its chain once it is there:
 *
 *	tag[11]  what the hash says of each entry, 0: no entry
 *	owner    in a region: the member that holds the lock      lock   version << 1 | held
 *	slot[11] element numbers, marks                           next   overflow group + 1,
 *	                                                                 CHAIN_IS_EMPTY
 *
 * An element is a key (padded to 8 bytes) and whatever the map keeps behind it. It never moves
 * from its place in the chain, so a reader that walks a chain sees every key that stays.
 *
 * Keys of 4 bytes are told by their entries alone: bucket, tag and mark, which is what the slot
 * has above the element's number, are the bits of a permutation of the key. So it takes no look
 * at the element to find it, or to know that another key is there.
 *
 * A reader may meet an element that was given back and serves another key by now. It finds out
 * by reading the slot again after the key: a slot that changed, or a lock word that changed
 * by the end of a walk without success, makes it walk again. It never waits: each new walk
 * means that some writer made progress.
 *
 * Machine code of programs looks keys up itself: jit/full_find.c is table_find_sized() again.
 */
#ifndef SKEP_MAP_TABLE_H
#define SKEP_MAP_TABLE_H

#include "base/commons.h"
#include "map/pool.h"
#include "map/region.h"
#include "map/table_bias.h"
#include <stdatomic.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

struct map;

#define GROUP_ENTRIES 11
/* In `next` of a home group: the groups behind have no entries, so that nobody need look there.
 * It is set after the last entry went, and cleared before one comes. */
#define CHAIN_IS_EMPTY (1U << 31)
#define ELEMENT_NONE   POOL_NONE

struct group {
	_Alignas(CACHE_LINE) union {
		struct {
			_Atomic u8 tag[GROUP_ENTRIES];
			u8 owner;
			atomic_uint lock;
		};
		_Atomic u64 words[2];
	};
	atomic_uint next;
	atomic_uint slot[GROUP_ENTRIES];
};

_Static_assert(sizeof(struct group) == CACHE_LINE, "a group is one cache line");

struct table {
	struct group *groups;	 /* home groups */
	u32 mask, bits;		 /* number of home groups - 1, and its logarithm */
	u32 element_mask;	 /* of the element's number in a slot; ~0: there are no marks */
	u32 key_size, key_space; /* key_space: key_size rounded up to 8 */
	u64 element_size, seed;
	u8 *elements;
	struct group *overflow;
	struct region group_region, element_region;
	struct pool *overflow_pool, own_pool; /* own_pool: of a private table */
	u32 overflow_count;
	/* Of a table in a region: locks outlive their owners. NULL: private. */
	const struct commons *commons;
	struct table_bias bias; /* of a private table */
};

/* `payload`: bytes of an element beside the key. Until table_bias_init() the table has no
 * owner. */
int table_init(struct table *table, struct account *account, u32 key_size, u64 payload,
	       u32 capacity, u32 elements, u64 seed);
/*
 * The table of a map in a region, where `overflow` is. Its overflow groups are fewer: twice the
 * home groups; a bucket keeps those that it once had.
 */
int table_init_common(struct table *table, struct map *map, u32 key_size, u64 payload,
		      u32 capacity, u32 elements, struct pool *overflow);
/*
 * Nobody else uses the table, whose content may be anything: puts it in order, and sets
 * used[i] of the elements that it has. -EINVAL: it cannot be.
 */
int table_recover(struct table *table, u32 elements, u8 *used);
void table_done(struct table *table);

/* What both kinds of tables have, whose memory is there. */
u32 table_home_groups(u32 key_size, u32 capacity, u32 elements);
void table_lay_out(struct table *table, u32 key_size, u64 payload, u32 groups, u64 seed);

/* --- elements --- */

static inline u8 *table_key(const struct table *table, u32 element)
{
	return table->elements + element * table->element_size;
}

static inline u8 *table_payload(const struct table *table, u32 element)
{
	return table_key(table, element) + table->key_space;
}

/* The same where the size of keys is known to the compiler. */
static inline __attribute__((always_inline)) u8 *
table_element_payload(const struct table *table, u32 element, u32 key_size)
{
	return table_key(table, element) + round_up(key_size, 8);
}

void table_read_key(const struct table *table, u32 element, void *key);

/* --- look-up, inside a read-side section --- */

/* Up to 8 bytes of a key from `at`, padded with zeros. */
static inline __attribute__((always_inline)) u64 key_word(const void *key, u32 key_size, u32 at)
{
	u64 word = 0;
	u32 half;

	if (key_size - at >= 8) {
		memcpy(&word, (const u8 *)key + at, 8);
		return word;
	}
	if (key_size - at == 4) {
		memcpy(&half, (const u8 *)key + at, 4);
		return half;
	}
	memcpy(&word, (const u8 *)key + at, key_size - at);
	return word;
}

#define HASH_FACTOR 0x9e3779b97f4a7c15ULL

/* One more word of a key: both halves of a 128-bit product. */
static inline __attribute__((always_inline)) u64 hash_word(u64 hash, u64 word)
{
	unsigned __int128 product = (unsigned __int128)(hash ^ word) * HASH_FACTOR;

	return (u64)product ^ (u64)(product >> 64);
}

static inline __attribute__((always_inline)) u64 table_hash(const struct table *table,
							    const void *key, u32 key_size)
{
	u64 hash = table->seed;

	for (u32 at = 0; at < key_size; at += 8)
		hash = hash_word(hash, key_word(key, key_size, at));
	return hash;
}

#define PERMUTE_FIRST  0x9e3779b1U
#define PERMUTE_SHIFT  15
#define PERMUTE_SECOND 0x85ebca77U

/* A permutation of all numbers of 32 bits, whose upper bits are mixed best. */
static inline u32 permute(u32 seed, u32 number)
{
	number = (number ^ seed) * PERMUTE_FIRST;
	return (number ^ number >> PERMUTE_SHIFT) * PERMUTE_SECOND;
}

/* What the table says of a key of 4 bytes: of a number that is permuted, the upper bits are the
 * bucket, the lower ones the tag, and those between the mark. They are rotated, so that the
 * mark is above the number of an element. */
struct table_spot {
	struct group *home;
	u32 mark; /* with whatever below; other keys: 0 */
	u8 tag;
};

#define TAG_BITS 7

static inline struct table_spot table_spot_of_half(const struct table *table, u32 key)
{
	u32 number = permute((u32)table->seed, key);
	u32 rotated = number << table->bits | number >> (-table->bits & 31);

	return (struct table_spot){
		.home = &table->groups[rotated & table->mask],
		.mark = rotated,
		.tag = 0x80 | (u8)number,
	};
}

static inline struct table_spot table_spot_of_hash(const struct table *table, u64 hash)
{
	return (struct table_spot){
		.home = &table->groups[hash & table->mask],
		.tag = 0x80 | (u8)(hash >> (64 - TAG_BITS)),
	};
}

static inline __attribute__((always_inline)) struct table_spot
table_spot(const struct table *table, const void *key, u32 key_size)
{
	return key_size == sizeof(u32)
		       ? table_spot_of_half(table, (u32)key_word(key, key_size, 0))
		       : table_spot_of_hash(table, table_hash(table, key, key_size));
}

/* The same of the key that an element has. */
struct table_spot table_element_spot(const struct table *table, u32 element);

/* The number of the group behind in the chain, + 1; 0: no entries. */
static inline u32 group_follower(const struct group *group)
{
	u32 next = atomic_load_explicit(&group->next, memory_order_acquire);

	return next & CHAIN_IS_EMPTY ? 0 : next;
}

/* The group behind in the chain; NULL: no entries. */
static inline struct group *group_next(const struct table *table, const struct group *group)
{
	u32 next = group_follower(group);

	return next ? &table->overflow[next - 1] : NULL;
}

/* One bit per entry whose tag is `tag`. */
static inline __attribute__((always_inline)) u32 group_match(const struct group *group, u8 tag)
{
	u32 all = (1 << GROUP_ENTRIES) - 1;
#if defined(__SSE2__) && !defined(__SANITIZE_THREAD__)
	/* Each tag is one byte, so that it does not matter if the halves are of two moments. */
	__m128i tags = *(const volatile __m128i *)group->words;

	atomic_signal_fence(memory_order_acquire);
	return _mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag))) & all;
#else
	u64 low = atomic_load_explicit(&group->words[0], memory_order_acquire);
	u64 high = atomic_load_explicit(&group->words[1], memory_order_acquire);
	u64 pattern = tag * 0x0101010101010101ULL, ones = 0x7f7f7f7f7f7f7f7fULL;
	u64 a = low ^ pattern, b = high ^ pattern;

	/* The top bit of each byte that is zero, then those bits side by side. */
	a = ~(((a & ones) + ones) | a | ones) >> 7;
	b = ~(((b & ones) + ones) | b | ones) >> 7;
	return (a * 0x0102040810204080ULL >> 56 | b * 0x0102040810204080ULL >> 56 << 8) & all;
#endif
}

static inline __attribute__((always_inline)) bool key_equal(const u8 *stored, const void *key,
							    u32 key_size)
{
	for (u32 at = 0; at < key_size; at += 8)
		if (__atomic_load_n((const u64 *)(stored + at), __ATOMIC_RELAXED) !=
		    key_word(key, key_size, at))
			return false;
	return true;
}

void table_write_key(const struct table *table, u32 element, const void *key);
static inline __attribute__((always_inline)) void
table_write_key_sized(const struct table *table, u32 element, const void *key, u32 key_size)
{
	u8 *stored = table_key(table, element);

	for (u32 at = 0; at < key_size; at += 8)
		__atomic_store_n((u64 *)(stored + at), key_word(key, key_size, at),
				 __ATOMIC_RELAXED);
}

static inline u32 slot_content(const struct table *table, const struct table_spot *spot,
			       u32 element)
{
	return (spot->mark & ~table->element_mask) | element;
}

/* The element of a slot's content. */
static inline u32 slot_element(const struct table *table, u32 content)
{
	u32 element = content & table->element_mask;

	/* Those who look a key up ask no second time. */
	if (element == ELEMENT_NONE)
		__builtin_unreachable();
	return element;
}

/* Whether an entry with the key's tag is the key's. Without marks its element's key may change
 * meanwhile. */
static inline __attribute__((always_inline)) bool entry_is_key(const struct table *table,
							       const struct table_spot *spot,
							       u32 content, const void *key,
							       u32 key_size)
{
	if (key_size == sizeof(u32))
		return (content ^ spot->mark) <= table->element_mask;
	return key_equal(table_key(table, content), key, key_size);
}

/* Whether nothing in the bucket changed since the version was read, but for one change that was
 * under way. */
static inline bool group_is_at(const struct group *home, u32 version)
{
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&home->lock, memory_order_relaxed) == version;
}

/* The element of a key, or ELEMENT_NONE, where more than a look at one entry of its home group
 * is needed. */
u32 table_walk(const struct table *table, const void *key);

static inline __attribute__((always_inline)) u32 table_find_sized(const struct table *table,
								  const void *key, u32 key_size)
{
	const struct table_spot spot = table_spot(table, key, key_size);
	const struct group *home = spot.home;
	u32 version = atomic_load_explicit(&home->lock, memory_order_acquire);

	for (u32 match = group_match(home, spot.tag); likely(match); match &= match - 1) {
		const atomic_uint *slot = &home->slot[__builtin_ctz(match)];
		u32 content = atomic_load_explicit(slot, memory_order_acquire);

		if (unlikely(!entry_is_key(table, &spot, content, key, key_size)))
			continue;
		if (likely(group_is_at(home, version)))
			return slot_element(table, content);
		return table_walk(table, key);
	}
	if (likely(!group_follower(home) && group_is_at(home, version)))
		return ELEMENT_NONE;
	return table_walk(table, key);
}

/* The element of a key, or ELEMENT_NONE. */
static inline u32 table_find(const struct table *table, const void *key)
{
	switch (table->key_size) {
	case 4: return table_find_sized(table, key, 4);
	case 8: return table_find_sized(table, key, 8);
	case 16: return table_find_sized(table, key, 16);
	default: return table_find_sized(table, key, table->key_size);
	}
}

/* A moment of a key's bucket: what was read since is one consistent state if it still holds. */
struct table_moment {
	const struct group *home;
	u32 version;
};

static inline struct table_moment table_moment(const struct table *table, const void *key)
{
	const struct group *home = table_spot(table, key, table->key_size).home;

	return (struct table_moment){home,
				     atomic_load_explicit(&home->lock, memory_order_acquire)};
}

static inline bool table_moment_holds(const struct table_moment *moment)
{
	atomic_thread_fence(memory_order_acquire);
	return !(moment->version & 1) &&
	       atomic_load_explicit(&moment->home->lock, memory_order_relaxed) ==
		       moment->version;
}

/* --- changes, under the lock of the key's bucket --- */

/*
 * Locks the bucket that had this even version after the slot went inside as the table's owner.
 * What it wants to know of the tags it has read before: the processor would make it wait for
 * this store to their line. A version that another thread wrote meanwhile is not relied upon.
 */
static inline void group_change_as_owner(struct group *home, u32 version)
{
	atomic_store_explicit(&home->lock, version + 1, memory_order_relaxed);
	/* A reader that sees anything of what follows sees the new lock word too. */
	atomic_thread_fence(memory_order_release);
}

/* At an empty place. Release pairs with the acquire of readers: they see the element's key and
 * value. */
static inline void group_put(const struct table *table, struct group *group, u32 index,
			     const struct table_spot *spot, u32 element)
{
	atomic_store_explicit(&group->slot[index], slot_content(table, spot, element),
			      memory_order_release);
	atomic_store_explicit(&group->tag[index], spot->tag, memory_order_release);
}

struct table_entry {
	struct table_spot spot;
	struct group *group; /* where `element` is */
	u32 index;	     /* in the group */
	u32 element;	     /* ELEMENT_NONE: the key is not there */
	u32 slot;	     /* that has the lock; SLOT_NONE: a thread without one */
	bool as_owner;	     /* of the table's bias */
};

/* Locks the key's bucket and finds the key. Exactly one change may follow. */
void table_lock(struct table *table, const void *key, u32 slot, struct table_entry *out);
/* Locks the bucket of the key that the element holds; whether the element is in it. */
bool table_lock_element(struct table *table, u32 element, u32 slot, struct table_entry *out);
/* The bucket of the key that the element holds is going to be locked. */
void table_prefetch_element(const struct table *table, u32 element);
void table_unlock(struct table *table, struct table_entry *entry);
/* Another element takes the place; its key is written already. */
void table_replace(const struct table *table, struct table_entry *entry, u32 element);
/* A key that is not there; the element's key is written already. 0 or -ENOMEM. */
int table_insert(struct table *table, struct table_entry *entry, u32 element);
/* The element may be given back only after the unlock. */
void table_remove(const struct table *table, struct table_entry *entry);
/* Who is inside as the table's owner locks no more than that: takes the element out. False: it
 * is not in the table, or another thread still has its bucket. */
bool table_take_element(struct table *table, u32 element);

/* --- iteration: every key that stays is met once --- */

struct table_place {
	u32 home;
	u32 group; /* 0: the home group; else overflow group + 1 */
	u32 index; /* the next to look at */
};

/* The element at the place or after it, and moves the place behind it; ELEMENT_NONE at the
 * end. */
u32 table_next(const struct table *table, struct table_place *place);
/* get_next_key: buckets in order, and in a bucket the keys in order, so that it does not matter
 * where a key was put meanwhile. `key` NULL or not there: the first. False: `key` was the last.
 */
bool table_next_key(const struct table *table, const void *key, void *next);
/* The key in slot *slot or behind it, by number: see map_user_next_slot(). */
bool table_next_slot(const struct table *table, u32 *slot, void *key);

#endif
