/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: a trie as its files see it, and what its keys say. */
#ifndef SKEP_MAP_LPM_H
#define SKEP_MAP_LPM_H

#include "map/lpm_node.h"
#include "map/ops.h"
#include "map/region.h"

#include <string.h>

#define LPM_DATA_MAX   256U
#define LPM_KEY_LENGTH sizeof(u32) /* struct bpf_lpm_trie_key: prefixlen, then the data */
/* Bits of a key that stand for a place in the front of a trie. */
#define LPM_FRONT_BITS 16
/* Nodes that go out of use in one change at most. */
#define LPM_OLD_MAX (LPM_DATA_MAX + 2)

struct lpm {
	struct map map;
	_Atomic(void *) root; /* a branch; NULL: nothing but `all` */
	_Atomic(void *) all;  /* the value of the prefix of no bits; NULL: none */
	/*
	 * Of a large trie: what a look-up of at least 16 bits has found, and where it goes on,
	 * when it is through the first 16. All of that is in the nodes, too.
	 */
	_Atomic(struct lpm_slot *) front;
	struct region front_region;
	struct slab *slab;
	u32 lock;
	u32 count;
	u32 data_size;
	u32 bits; /* longest prefix */
	/* Of the change under way: nodes that are out of use then, and the first bytes of keys,
	 * beside the one that changes, whose way is another. */
	struct lpm_node *old[LPM_OLD_MAX];
	u32 old_count;
	bool moved;
	u8 moved_to[2];
};

/* From the root to a prefix, or as far as there is a way. */
struct lpm_way {
	struct lpm_node *step[LPM_DATA_MAX];
	u32 count;
	/* The branch that follows the last node, or is the root, and is a leaf, or a node that
	 * the key is not in; NULL: none. */
	void *below;
	void *value; /* of the prefix; NULL: it is not there */
};

static inline struct lpm *lpm_of(struct map *map)
{
	return container_of(map, struct lpm, map);
}

static inline u32 lpm_length(const void *key)
{
	u32 length;

	memcpy(&length, key, sizeof(length));
	return length;
}

static inline const u8 *lpm_data(const void *key)
{
	return (const u8 *)key + LPM_KEY_LENGTH;
}

/* The data that a prefix came with, which get_next_key gives back, and then its length: behind
 * its value. */
static inline u8 *lpm_behind(const struct lpm *lpm, void *value)
{
	return (u8 *)value + lpm->map.desc.value_size;
}

static inline u32 lpm_value_length(const struct lpm *lpm, void *value, u32 data_size)
{
	u16 length;

	memcpy(&length, lpm_behind(lpm, value) + data_size, sizeof(length));
	return length;
}

/* How many bytes of the node's path are those of the key. */
static inline u32 lpm_path_match(const struct lpm_node *node, const u8 *data)
{
	const u8 *from = data + node->depth - node->path_length;
	u32 length = 0;

	while (length < node->path_length && from[length] == node->path[length])
		length++;
	return length;
}

static inline bool lpm_on_path(const struct lpm_node *node, const u8 *data)
{
	return !node->path_length || lpm_path_match(node, data) == node->path_length;
}

/* Whether the prefix covers the first `length` bits of the data. */
static inline __attribute__((always_inline)) bool
lpm_covers(const u8 *prefix, u32 own, const u8 *data, u32 length, u32 data_size)
{
	u64 high[2], low[2];
	u32 half[2];

	if (own > length)
		return false;
	if (data_size == 4) {
		memcpy(&half[0], prefix, 4);
		memcpy(&half[1], data, 4);
		return !(__builtin_bswap32(half[0] ^ half[1]) >> (32 - own));
	}
	if (data_size == 16) {
		memcpy(&high[0], prefix, 8);
		memcpy(&high[1], data, 8);
		if (own <= 64)
			return !(__builtin_bswap64(high[0] ^ high[1]) >> (64 - own));
		memcpy(&low[0], prefix + 8, 8);
		memcpy(&low[1], data + 8, 8);
		return high[0] == high[1] &&
		       !(__builtin_bswap64(low[0] ^ low[1]) >> (128 - own));
	}
	return !memcmp(prefix, data, own / 8) &&
	       (own % 8 == 0 || !((prefix[own / 8] ^ data[own / 8]) >> (8 - own % 8)));
}

/* --- keys of at least one bit --- */

static inline u32 lpm_depth_of(u32 length)
{
	return (length - 1) / 8;
}

static inline u32 lpm_depth(const void *key)
{
	return lpm_depth_of(lpm_length(key));
}

/* A prefix as an entry of the node at its depth. */
static inline struct lpm_entry lpm_entry_for(const u8 *data, u32 length, void *value)
{
	u32 bits = (length - 1) % 8 + 1;

	return (struct lpm_entry){
		.target = value,
		.byte = data[lpm_depth_of(length)] & (u8)(0xff00 >> bits),
		.length = (u8)bits,
	};
}

static inline struct lpm_entry lpm_entry_of(const void *key, void *value)
{
	return lpm_entry_for(lpm_data(key), lpm_length(key), value);
}

/* The way to the key's prefix. */
void lpm_find_way(struct lpm *lpm, const void *key, struct lpm_way *out);

/* --- lpm_lookup.c --- */

void *lpm_lookup(struct map *map, const void *key, u32 slot);
/* The fastest for the size of keys. */
map_lookup_op *lpm_lookup_op(const struct lpm *lpm);

/* --- lpm_front.c, under the lock --- */

/* Gives the trie a front when it became large enough to be worth one. */
void lpm_front_grow(struct lpm *lpm);
/* After what keys that begin with these bits find has changed. */
void lpm_front_refresh(struct lpm *lpm, const u8 *data, u32 length);
void lpm_front_done(struct lpm *lpm);

/* --- lpm_next.c --- */

int lpm_next_key(struct map *map, const void *key, void *next);

#endif
