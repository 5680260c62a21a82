/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One node of a longest-prefix-match trie (lpm.c): what there is at one byte of the keys, its
 * `depth`. Entries are prefixes that end in the byte, after 1 to 8 of its bits, and nodes for
 * what follows a value of the byte. Bytes between the parent's and this one that all below
 * share are the node's path.
 *
 * A small node keeps its entries side by side in no order, and compares the byte with all of
 * them at once, eight in a word. A wide one has a slot for each value of the byte.
 *
 * Readers run at any time; changes are made under the trie's lock, in an order that lets
 * readers see the entry or not, and nothing between. An entry that was taken out leaves its
 * place unused: readers may be at it. The node gets a new copy when it has no place left.
 */
#ifndef SKEP_MAP_LPM_NODE_H
#define SKEP_MAP_LPM_NODE_H

#include "map/slab.h"
#include <stdatomic.h>

#define LPM_PATH_MAX  4
#define LPM_SMALL_MAX 64
#define LPM_WIDE      255 /* as a capacity */

struct lpm_node {
	/* Small: bits of the entries, and of those that are nodes. Wide: unused. */
	atomic_ullong used, nodes;
	u8 capacity; /* LPM_WIDE: a wide node */
	u8 next;     /* small, under the lock: the first place that was never used */
	u8 depth;
	u8 path_length;
	u8 path[LPM_PATH_MAX];
};

/* Of eight entries, one byte each: a byte matches when it is `value` in the bits of `mask`. */
struct lpm_lane {
	atomic_ullong value, mask;
};

/* Followed by `capacity` entries; both kinds are pointers. */
struct lpm_small {
	struct lpm_node node;
	struct lpm_lane lanes[];
};

struct lpm_slot {
	_Atomic(void *) best; /* the longest prefix that ends in this value of the byte */
	_Atomic(void *) node;
};

struct lpm_wide {
	struct lpm_node node;
	atomic_ullong whole[4]; /* the values of the byte that `best` is of with all 8 bits */
	u32 count;		/* of entries; under the lock */
	struct lpm_slot slot[256];
	/* Prefixes of 1 to 7 bits; that of `bits` is at 1 << length | bits. */
	_Atomic(void *) shorter[256];
};

struct lpm_entry {
	void *target; /* a prefix's value, or a node */
	u8 byte;      /* with zeros behind the prefix */
	u8 length;    /* 8: a node */
	bool is_node;
};

/* The kinds of pieces in the slab of a trie. */
enum { LPM_VALUE, LPM_NODES };
struct slab *lpm_slab_new(struct account *account, size_t value_size);

/* --- readers --- */

static inline u32 lpm_lane_count(const struct lpm_node *node)
{
	return (node->capacity + 7u) / 8;
}

static inline struct lpm_lane *lpm_lanes(const struct lpm_node *node)
{
	return ((struct lpm_small *)node)->lanes;
}

static inline _Atomic(void *) *lpm_entries(const struct lpm_node *node)
{
	return (_Atomic(void *) *)(lpm_lanes(node) + lpm_lane_count(node));
}

static inline struct lpm_wide *lpm_wide(const struct lpm_node *node)
{
	return (struct lpm_wide *)node;
}

/* Acquire pairs with the release of whoever put the entry there. */
static inline void *lpm_target(_Atomic(void *) *place)
{
	return atomic_load_explicit(place, memory_order_acquire);
}

#define LPM_BYTES(byte) ((byte)*0x0101010101010101ULL)

/* A bit for each of the lane's eight entries that the byte matches. */
static inline u64 lpm_lane_matches(const struct lpm_lane *lane, u64 bytes)
{
	u64 mask = atomic_load_explicit(&lane->mask, memory_order_relaxed);
	u64 value = atomic_load_explicit(&lane->value, memory_order_relaxed);
	u64 differs = (bytes & mask) ^ value, low = LPM_BYTES(0x7f);
	u64 tops = ~(((differs & low) + low) | differs | low);

	return (tops >> 7) * 0x0102040810204080ULL >> 56;
}

/* A bit for each entry of a small node that the byte matches. */
static inline u64 lpm_matches(const struct lpm_node *node, u8 byte)
{
	/* Acquire pairs with the release in publish(): such an entry is complete. */
	u64 used = atomic_load_explicit(&node->used, memory_order_acquire), matches = 0;

	for (u32 i = 0, lanes = lpm_lane_count(node); i < lanes; i++)
		matches |= lpm_lane_matches(&lpm_lanes(node)[i], LPM_BYTES(byte)) << 8 * i;
	return matches & used;
}

static inline u8 lpm_mask(const struct lpm_node *node, u32 entry)
{
	return (u8)(atomic_load_explicit(&lpm_lanes(node)[entry / 8].mask,
					 memory_order_relaxed) >>
		    entry % 8 * 8);
}

/* Of the entries in `matches`, prefixes of one byte, the one with most bits. */
static inline u32 lpm_longest(const struct lpm_node *node, u64 matches)
{
	u32 longest = (u32)__builtin_ctzll(matches);

	while (unlikely(matches &= matches - 1)) {
		u32 entry = (u32)__builtin_ctzll(matches);

		if (lpm_mask(node, entry) > lpm_mask(node, longest))
			longest = entry;
	}
	return longest;
}

/* The entries of a small node lie behind what says which of them to take: their lines are asked
 * for at once. */
static inline void lpm_prefetch(const struct lpm_node *node)
{
	__builtin_prefetch((const u8 *)node + CACHE_LINE);
	__builtin_prefetch((const u8 *)node + 2 * CACHE_LINE);
	__builtin_prefetch((const u8 *)node + 3 * CACHE_LINE);
}

/* One step of a look-up: the longest prefix in `byte`, if any, becomes *best; what follows. */
static inline struct lpm_node *lpm_step(const struct lpm_node *node, u8 byte, void **best)
{
	u64 matches, nodes, prefixes;

	if (node->capacity == LPM_WIDE) {
		struct lpm_slot *slot = &lpm_wide(node)->slot[byte];
		void *found = lpm_target(&slot->best);

		*best = found ? found : *best;
		return lpm_target(&slot->node);
	}
	lpm_prefetch(node);
	matches = lpm_matches(node, byte);
	nodes = matches & atomic_load_explicit(&node->nodes, memory_order_relaxed);
	prefixes = matches & ~nodes;
	if (prefixes)
		*best = lpm_target(&lpm_entries(node)[lpm_longest(node, prefixes)]);
	return nodes ? lpm_target(&lpm_entries(node)[__builtin_ctzll(nodes)]) : NULL;
}

/* The value of the longest prefix of at most `length` bits, 1 to 7; NULL: none. */
void *lpm_node_shorter(const struct lpm_node *node, u8 byte, u32 length);

/* Where the prefix, or the node that follows the byte, is; NULL: nowhere. */
_Atomic(void *) *lpm_find_prefix(const struct lpm_node *node, u8 byte, u32 length);
_Atomic(void *) *lpm_find_node(const struct lpm_node *node, u8 byte);

/* Entries by number, below lpm_places(); false: there is none. */
u32 lpm_places(const struct lpm_node *node);
bool lpm_entry_at(const struct lpm_node *node, u32 place, struct lpm_entry *out);
/*
 * The order of get_next_key: what ends earlier comes first, and a prefix after all that it
 * covers. Greater than 0, and different for all entries of a node.
 */
u32 lpm_order(const struct lpm_entry *entry);

/* --- changes, under the trie's lock --- */

struct lpm_node *lpm_node_new(struct slab *slab, u32 depth, const u8 *path, u32 path_length,
			      u32 entries);
/* A copy with room for more entries. */
struct lpm_node *lpm_node_copy(struct slab *slab, const struct lpm_node *node, u32 more);
bool lpm_has_room(const struct lpm_node *node);
/* The node has room, and no such entry. */
void lpm_add(struct lpm_node *node, const struct lpm_entry *entry);
void lpm_replace_prefix(struct lpm_node *node, u8 byte, u32 length, void *value);
void lpm_remove(struct lpm_node *node, const struct lpm_entry *entry);
u32 lpm_count(const struct lpm_node *node);
/* Whether a copy would be a good deal smaller. */
bool lpm_is_sparse(const struct lpm_node *node);
/* `seen`: readers may be at it. */
void lpm_node_free(struct slab *slab, struct lpm_node *node, bool seen);

#endif
