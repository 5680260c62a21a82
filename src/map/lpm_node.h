/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One node of a longest-prefix-match trie (lpm.c): what there is at one byte of the keys, its
 * `depth`. Entries are prefixes that end in the byte, after 1 to 8 of its bits, and branches:
 * what follows a value of the byte. A branch is another node or, where only one prefix follows,
 * that prefix itself, a leaf. Bytes between the parent's and this one that all below share are
 * the node's path.
 *
 * A small node divides the 256 values of the byte into runs for which the longest prefix and
 * the branch are the same. One bit says of each value whether a run begins there: their number
 * up to a byte is the byte's run. A wide node has a slot for each value.
 *
 * Readers run at any time; changes are made under the trie's lock. A small node's version is
 * odd while it changes: who meets that looks at the entries themselves, which it sees or not,
 * and nothing between; who looked while it changed does so again. The node gets a new copy when
 * it has no place left.
 */
#ifndef SKEP_MAP_LPM_NODE_H
#define SKEP_MAP_LPM_NODE_H

#include "map/slab.h"
#include <stdatomic.h>

#define LPM_PATH_MAX  11
#define LPM_SMALL_MAX 128 /* entries */

struct lpm_node {
	u8 kind; /* of its piece */
	u8 depth;
	u8 path_length;
	u8 path[LPM_PATH_MAX];
};

/* Followed by the runs, then the targets, of which the first is NULL, then a code of each
 * further one. */
struct lpm_small {
	struct lpm_node node;
	u8 count;      /* of entries; under the lock */
	u8 targets_at; /* in words from the node's beginning */
	atomic_uint version;
	_Atomic u8 before[4]; /* runs that begin in the words of `starts` before */
	atomic_ullong starts[4];
	/* Targets by number: the prefix's value, and the branch << 8. */
	atomic_ushort runs[];
};

struct lpm_slot {
	_Atomic(void *) best; /* the longest prefix that ends in this value of the byte */
	_Atomic(void *) branch;
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
	void *target; /* a prefix's value, or a branch */
	u8 byte;      /* with zeros behind the prefix */
	u8 length;    /* 8: a branch */
	bool is_branch;
};

/* The kinds of pieces in the slab of a trie: values, small nodes by size, wide nodes. */
enum { LPM_VALUE, LPM_SMALL, LPM_WIDE = LPM_SMALL + 8 };
struct slab *lpm_slab_new(struct account *account, size_t value_size);

/* --- branches --- */

static inline void *lpm_leaf(void *value)
{
	return (u8 *)value + 1;
}

static inline bool lpm_is_leaf(const void *branch)
{
	return (uintptr_t)branch & 1;
}

static inline void *lpm_leaf_value(void *branch)
{
	return (u8 *)branch - 1;
}

/* --- readers --- */

static inline struct lpm_small *lpm_small(const struct lpm_node *node)
{
	return (struct lpm_small *)node;
}

static inline _Atomic(void *) *lpm_targets(const struct lpm_node *node)
{
	return (_Atomic(void *) *)node + lpm_small(node)->targets_at;
}

static inline struct lpm_wide *lpm_wide(const struct lpm_node *node)
{
	return (struct lpm_wide *)node;
}

static inline bool lpm_is_wide(const struct lpm_node *node)
{
	return node->kind == LPM_WIDE;
}

/* Acquire pairs with the release of whoever put the entry there. */
static inline void *lpm_target(_Atomic(void *) *place)
{
	return atomic_load_explicit(place, memory_order_acquire);
}

/* The number of the run that the byte is in. */
static inline __attribute__((always_inline)) u32 lpm_run_number(const struct lpm_node *node,
								u8 byte)
{
	const struct lpm_small *small = lpm_small(node);
	u64 starts = atomic_load_explicit(&small->starts[byte / 64], memory_order_relaxed);

	return atomic_load_explicit(&small->before[byte / 64], memory_order_relaxed) +
	       (u32)__builtin_popcountll(starts << (~byte & 63)) - 1;
}

/* What there is at a byte: prefix and branch, NULL: none. */
struct lpm_found {
	void *best, *branch;
};

/* Read from the entries. */
struct lpm_found lpm_find_anew(const struct lpm_node *node, u8 byte);

/* In a small node. The number of a run that changes just now may be any, and the run another
 * byte's; what runs name are places of the node. */
static inline __attribute__((always_inline)) struct lpm_found
lpm_find(const struct lpm_node *node, u8 byte)
{
	const struct lpm_small *small = lpm_small(node);
	/* Acquire pairs with the release in end_change(). */
	u32 version = atomic_load_explicit(&small->version, memory_order_acquire);
	u32 number = lpm_run_number(node, byte), run;
	u32 end = small->targets_at * 4u - sizeof(*small) / 2;
	struct lpm_found found;

	run = atomic_load_explicit(&small->runs[number < end ? number : 0],
				   memory_order_relaxed);
	found.best = lpm_target(&lpm_targets(node)[run & 0xff]);
	found.branch = lpm_target(&lpm_targets(node)[run >> 8]);
	atomic_thread_fence(memory_order_acquire);
	if (likely(!(version & 1) &&
		   atomic_load_explicit(&small->version, memory_order_relaxed) == version))
		return found;
	return lpm_find_anew(node, byte);
}

/* What a small node's runs and targets are in is asked for with its beginning. */
static inline void lpm_prefetch(const struct lpm_node *node)
{
	__builtin_prefetch((const u8 *)node + CACHE_LINE);
	__builtin_prefetch((const u8 *)node + 2 * CACHE_LINE);
	__builtin_prefetch((const u8 *)node + 3 * CACHE_LINE);
}

/* One step of a look-up: the longest prefix in `byte`, if any, becomes *best; what follows. */
static inline __attribute__((always_inline)) void *lpm_step(const struct lpm_node *node,
							    u8 byte, void **best)
{
	struct lpm_found found;

	if (lpm_is_wide(node)) {
		struct lpm_slot *slot = &lpm_wide(node)->slot[byte];

		found.best = lpm_target(&slot->best);
		found.branch = lpm_target(&slot->branch);
	} else {
		lpm_prefetch(node);
		found = lpm_find(node, byte);
	}
	*best = found.best ? found.best : *best;
	return found.branch;
}

/* The value of the longest prefix of at most `length` bits, 1 to 7; NULL: none. */
void *lpm_node_shorter(const struct lpm_node *node, u8 byte, u32 length);

/* The value of the prefix, or what follows the byte; NULL: there is none. */
void *lpm_prefix(const struct lpm_node *node, u8 byte, u32 length);
void *lpm_branch(const struct lpm_node *node, u8 byte);

/* Entries by number, below lpm_places(); false: there is none. */
u32 lpm_places(const struct lpm_node *node);
bool lpm_entry_at(const struct lpm_node *node, u32 place, struct lpm_entry *out);
/*
 * The order of get_next_key: what ends earlier comes first, and a prefix after all that it
 * covers. Greater than 0, and different for all entries of a node.
 */
u32 lpm_order(const struct lpm_entry *entry);

/* --- changes, under the trie's lock --- */

/* With so many entries, which differ. NULL: no memory. */
struct lpm_node *lpm_node_new(struct slab *slab, u32 depth, const u8 *path, u32 path_length,
			      const struct lpm_entry *entries, u32 count);
/* A copy with room for so many more. */
struct lpm_node *lpm_node_copy(struct slab *slab, const struct lpm_node *node, u32 more);
bool lpm_has_room(const struct lpm_node *node);
/* Where the branch of the byte is, which there is. */
_Atomic(void *) *lpm_branch_place(struct lpm_node *node, u8 byte);
/* The node has room, and no such entry. */
void lpm_add(struct lpm_node *node, const struct lpm_entry *entry);
void lpm_replace_prefix(struct lpm_node *node, u8 byte, u32 length, void *value);
void lpm_remove(struct lpm_node *node, const struct lpm_entry *entry);
u32 lpm_count(const struct lpm_node *node);
/* Whether a copy would be a good deal smaller. */
bool lpm_is_sparse(const struct lpm_node *node);

#endif
