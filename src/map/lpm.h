/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: a trie as both its files see it, and what its keys say. */
#ifndef SKEP_MAP_LPM_H
#define SKEP_MAP_LPM_H

#include "map/lpm_node.h"
#include "map/ops.h"

#include <string.h>

#define LPM_DATA_MAX 256U
#define LPM_KEY_LENGTH sizeof(u32) /* struct bpf_lpm_trie_key: prefixlen, then the data */

struct lpm {
	struct map map;
	_Atomic(void *) root; /* a struct lpm_node; NULL: nothing but `all` */
	_Atomic(void *) all;  /* the value of the prefix of no bits; NULL: none */
	struct slab *slab;
	u32 lock;
	u32 count;
	u32 data_size;
	u32 bits; /* longest prefix */
};

/* From the root to a node. */
struct lpm_way {
	struct {
		_Atomic(void *) *place; /* the pointer to the node */
		struct lpm_node *node;
	} step[LPM_DATA_MAX];
	u32 count;
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

/* The data that a prefix came with, which get_next_key gives back: behind its value. */
static inline u8 *lpm_behind(const struct lpm *lpm, void *value)
{
	return (u8 *)value + lpm->map.desc.value_size;
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

/* --- keys of at least one bit --- */

static inline u32 lpm_depth(const void *key)
{
	return (lpm_length(key) - 1) / 8;
}

/* The key's prefix as an entry of the node at its depth. */
static inline struct lpm_entry lpm_entry_of(const void *key, void *value)
{
	u32 length = (lpm_length(key) - 1) % 8 + 1;

	return (struct lpm_entry){
		.target = value,
		.byte = lpm_data(key)[lpm_depth(key)] & (u8)(0xff00 >> length),
		.length = (u8)length,
	};
}

/* The way to the node that holds the key's prefix: true; else as far as the key goes. */
bool lpm_find_way(struct lpm *lpm, const void *key, struct lpm_way *out);

/* lpm_next.c */
int lpm_next_key(struct map *map, const void *key, void *next);

#endif
