/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Longest prefix match: a trie over the bytes of the keys (lpm_node.h). A prefix of 1 to 2048
 * bits is an entry of the node at its last byte; that of no bits stands beside the trie. A node
 * is where two prefixes part or where one ends, so that a look-up of an IPv4 address visits at
 * most four and of an IPv6 address as many as the table tells apart.
 *
 * Readers follow pointers without a lock; writers hold the one lock of the trie. What goes out
 * of use waits for a grace period in the slab, and the slab goes in one piece with the map.
 */
#include "btf/btf.h"
#include "map/lpm_node.h"
#include "map/ops.h"
#include "map/value.h"

#include <string.h>

#define DATA_MAX 256U
/* Bytes that Linux keeps beside prefix and value in a node. */
#define LINUX_NODE 24U
#define KEY_LENGTH sizeof(u32) /* struct bpf_lpm_trie_key: prefixlen, then the data */

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
	} step[DATA_MAX];
	u32 count;
};

static struct lpm *lpm_of(struct map *map)
{
	return container_of(map, struct lpm, map);
}

static int lpm_check(struct map_desc *desc, struct skep_error *err)
{
	if (!desc->max_entries || desc->key_size <= KEY_LENGTH ||
	    desc->key_size > KEY_LENGTH + DATA_MAX)
		return map_refuse(desc, err, -EINVAL,
				  "keys are a 4-byte length and 1 to 256 bytes");
	if (!desc->value_size || desc->value_size > MAP_VALUE_MAX - DATA_MAX - LINUX_NODE)
		return map_refuse(desc, err, -EINVAL, "values of 1 byte to almost 4 MiB");
	return 0;
}

/* The key is a structure: its first member has the length. */
static int lpm_check_btf(const struct map_desc *desc)
{
	const struct btf_type *key =
		btf_type(desc->btf, btf_resolve(desc->btf, desc->key_type));

	return key && desc->key_type && btf_kind(key) == BTF_KIND_STRUCT ? 0 : -EINVAL;
}

static int lpm_init(struct map *map)
{
	struct lpm *lpm = lpm_of(map);

	lpm->data_size = map->desc.key_size - KEY_LENGTH;
	lpm->bits = lpm->data_size * 8;
	lpm->slab = lpm_slab_new(map->account, map->desc.value_size + lpm->data_size);
	return lpm->slab ? 0 : -ENOMEM;
}

static void lpm_done(struct map *map)
{
	slab_free(lpm_of(map)->slab);
}

static u32 length_of(const void *key)
{
	u32 length;

	memcpy(&length, key, sizeof(length));
	return length;
}

static const u8 *data_of(const void *key)
{
	return (const u8 *)key + KEY_LENGTH;
}

/* The data that a prefix came with, which get_next_key gives back: behind its value. */
static u8 *data_behind(const struct lpm *lpm, void *value)
{
	return (u8 *)value + lpm->map.desc.value_size;
}

/* How many bytes of the node's path are those of the key. */
static inline u32 path_match(const struct lpm_node *node, const u8 *data)
{
	const u8 *from = data + node->depth - node->path_length;
	u32 length = 0;

	while (length < node->path_length && from[length] == node->path[length])
		length++;
	return length;
}

static inline bool on_path(const struct lpm_node *node, const u8 *data)
{
	return !node->path_length || path_match(node, data) == node->path_length;
}

static void *lpm_lookup(struct map *map, const void *key, u32 slot)
{
	struct lpm *lpm = lpm_of(map);
	const struct lpm_node *node = lpm_target(&lpm->root);
	void *best = lpm_target(&lpm->all);
	u32 length = length_of(key), bytes = length / 8;
	const u8 *data = data_of(key);
	void *shorter;

	if (length > lpm->bits)
		return NULL;
	while (node && node->depth < bytes) {
		if (unlikely(!on_path(node, data)))
			return best;
		node = lpm_step(node, data[node->depth], &best);
	}
	if (likely(length % 8 == 0) || !node || node->depth > bytes || !on_path(node, data))
		return best;
	shorter = lpm_node_shorter(node, data[bytes], length % 8);
	return shorter ? shorter : best;
}

/* --- keys of at least one bit --- */

static u32 depth_of(const void *key)
{
	return (length_of(key) - 1) / 8;
}

/* The key's prefix as an entry of the node at its depth. */
static struct lpm_entry entry_of(const void *key, void *value)
{
	u32 length = (length_of(key) - 1) % 8 + 1;

	return (struct lpm_entry){
		.target = value,
		.byte = data_of(key)[depth_of(key)] & (u8)(0xff00 >> length),
		.length = (u8)length,
	};
}

/* The way to the node that holds the key's prefix: true; else as far as the key goes. */
static bool find_way(struct lpm *lpm, const void *key, struct lpm_way *out)
{
	_Atomic(void *) *place = &lpm->root;
	const struct lpm_entry entry = entry_of(key, NULL);
	u32 depth = depth_of(key);
	struct lpm_node *node;

	out->count = 0;
	while (place && (node = lpm_target(place)) && node->depth <= depth) {
		if (!on_path(node, data_of(key)))
			return false;
		out->step[out->count].place = place;
		out->step[out->count++].node = node;
		if (node->depth == depth)
			return lpm_find_prefix(node, entry.byte, entry.length);
		place = lpm_find_node(node, data_of(key)[node->depth]);
	}
	return false;
}

/* --- changes, under the lock --- */

static void set_target(_Atomic(void *) *place, void *target)
{
	/* Release pairs with the acquire of lpm_target(): readers see a complete node. */
	atomic_store_explicit(place, target, memory_order_release);
}

/* May one more prefix come in? */
static int check_new(const struct lpm *lpm, u64 flags)
{
	if (flags == BPF_EXIST)
		return -ENOENT;
	return lpm->count == lpm->map.desc.max_entries ? -ENOSPC : 0;
}

static void free_branch(struct lpm *lpm, struct lpm_node *node)
{
	struct lpm_entry entry;

	while (node && lpm_entry_at(node, 0, &entry)) {
		lpm_node_free(lpm->slab, node, false);
		node = entry.is_node ? entry.target : NULL;
	}
}

/* Nodes from the byte `from` to where the prefix ends, with nothing beside it; NULL: no
 * memory. */
static struct lpm_node *new_branch(struct lpm *lpm, u32 from, const void *key, void *value)
{
	struct lpm_entry entry = entry_of(key, value);
	const u8 *data = data_of(key);
	struct lpm_node *below = NULL;

	for (u32 depth = depth_of(key);; depth = depth - LPM_PATH_MAX - 1) {
		u32 path = min(depth - from, (u32)LPM_PATH_MAX);
		struct lpm_node *node =
			lpm_node_new(lpm->slab, depth, data + depth - path, path, 1);

		if (!node) {
			free_branch(lpm, below);
			return NULL;
		}
		lpm_add(node, &entry);
		if (depth - path == from)
			return node;
		entry = (struct lpm_entry){node, data[depth - path - 1], 8, true};
		below = node;
	}
}

/* Adds to the node at `place`, of which a copy is made when it is full. */
static int add_entry(struct lpm *lpm, _Atomic(void *) *place, const struct lpm_entry *entry)
{
	struct lpm_node *node = lpm_target(place), *copy;

	if (lpm_has_room(node)) {
		lpm_add(node, entry);
		return 0;
	}
	copy = lpm_node_copy(lpm->slab, node, 1);
	if (!copy)
		return -ENOMEM;
	lpm_add(copy, entry);
	set_target(place, copy);
	lpm_node_free(lpm->slab, node, true);
	return 0;
}

/* A copy whose path begins `cut` bytes later. */
static struct lpm_node *cut_path(struct lpm *lpm, const struct lpm_node *node, u32 cut)
{
	struct lpm_node *copy = lpm_node_copy(lpm->slab, node, 0);

	if (!copy)
		return NULL;
	copy->path_length = (u8)(node->path_length - cut);
	memcpy(copy->path, node->path + cut, copy->path_length);
	return copy;
}

/* The entry that the key has in a node at `depth`: its prefix, or a branch to it. */
static int new_entry(struct lpm *lpm, u32 depth, const void *key, void *value,
		     struct lpm_entry *out)
{
	struct lpm_node *branch;

	if (depth == depth_of(key)) {
		*out = entry_of(key, value);
		return 0;
	}
	branch = new_branch(lpm, depth + 1, key, value);
	*out = (struct lpm_entry){branch, data_of(key)[depth], 8, true};
	return branch ? 0 : -ENOMEM;
}

static void drop_entry(struct lpm *lpm, const struct lpm_entry *entry)
{
	if (entry->is_node)
		free_branch(lpm, entry->target);
}

/* The key leaves the node's path, or ends on it: a node there has both. */
static int split(struct lpm *lpm, _Atomic(void *) *place, const void *key, void *value)
{
	struct lpm_node *node = lpm_target(place), *lower, *upper;
	u32 first = node->depth - node->path_length;
	u32 matched = min(path_match(node, data_of(key)), depth_of(key) - first);
	u32 depth = first + matched;
	struct lpm_entry entry;
	int err = new_entry(lpm, depth, key, value, &entry);

	if (err)
		return err;
	lower = cut_path(lpm, node, matched + 1);
	upper = lpm_node_new(lpm->slab, depth, node->path, matched, 2);
	if (!lower || !upper) {
		drop_entry(lpm, &entry);
		if (lower)
			lpm_node_free(lpm->slab, lower, false);
		if (upper)
			lpm_node_free(lpm->slab, upper, false);
		return -ENOMEM;
	}
	lpm_add(upper, &(struct lpm_entry){lower, node->path[matched], 8, true});
	lpm_add(upper, &entry);
	set_target(place, upper);
	lpm_node_free(lpm->slab, node, true);
	return 0;
}

/* Where the way ends, or in what follows there. */
static int insert_new(struct lpm *lpm, const struct lpm_way *way, const void *key, void *value)
{
	_Atomic(void *) *place = &lpm->root, *below = &lpm->root;
	struct lpm_node *node = NULL;
	struct lpm_entry entry;
	int err;

	if (way->count) {
		place = way->step[way->count - 1].place;
		node = way->step[way->count - 1].node;
		below = node->depth < depth_of(key)
				? lpm_find_node(node, data_of(key)[node->depth])
				: NULL;
	}
	if (below && lpm_target(below))
		return split(lpm, below, key, value);
	if (!node) {
		node = new_branch(lpm, 0, key, value);
		set_target(&lpm->root, node);
		return node ? 0 : -ENOMEM;
	}
	err = new_entry(lpm, node->depth, key, value, &entry);
	if (err)
		return err;
	err = add_entry(lpm, place, &entry);
	if (err)
		drop_entry(lpm, &entry);
	return err;
}

/* The place of the prefix's value; NULL: not in the trie. `way` as find_way(). */
static void *find_value(struct lpm *lpm, const void *key, struct lpm_way *way)
{
	const struct lpm_entry entry = entry_of(key, NULL);

	if (!find_way(lpm, key, way))
		return NULL;
	return lpm_target(
		lpm_find_prefix(way->step[way->count - 1].node, entry.byte, entry.length));
}

/* `*old`: the value that was there. */
static int insert(struct lpm *lpm, const void *key, void *value, u64 flags, void **old)
{
	struct lpm_way way;
	struct lpm_entry entry;
	int err;

	*old = length_of(key) ? find_value(lpm, key, &way) : lpm_target(&lpm->all);
	if (*old && flags == BPF_NOEXIST)
		return -EEXIST;
	err = *old ? 0 : check_new(lpm, flags);
	if (err)
		return err;
	if (!length_of(key)) {
		set_target(&lpm->all, value);
	} else if (*old) {
		entry = entry_of(key, value);
		lpm_replace_prefix(way.step[way.count - 1].node, entry.byte, entry.length,
				   value);
	} else {
		err = insert_new(lpm, &way, key, value);
	}
	lpm->count += !*old && !err;
	return err;
}

static int lpm_update(struct map *map, const void *key, const void *value, u64 flags, u32 slot)
{
	struct lpm *lpm = lpm_of(map);
	void *new, *old;
	int err;

	if (flags > BPF_EXIST || length_of(key) > lpm->bits)
		return -EINVAL;
	new = slab_take(lpm->slab, LPM_VALUE);
	if (!new)
		return -ENOMEM;
	value_store_new(&map->desc, new, value);
	memcpy(data_behind(lpm, new), data_of(key), lpm->data_size);
	value_spin_lock(&lpm->lock);
	err = insert(lpm, key, new, flags, &old);
	value_spin_unlock(&lpm->lock);
	if (err)
		slab_give(lpm->slab, LPM_VALUE, new);
	else if (old)
		slab_retire(lpm->slab, LPM_VALUE, old);
	return err;
}

/* Puts a copy in the node's place that is small enough for what it has; or leaves it. */
static void shrink(struct lpm *lpm, _Atomic(void *) *place)
{
	struct lpm_node *node = lpm_target(place), *copy = lpm_node_copy(lpm->slab, node, 0);

	if (!copy)
		return;
	set_target(place, copy);
	lpm_node_free(lpm->slab, node, true);
}

/* A node that only leads to another becomes a part of that one's path, when it has room. */
static bool merge(struct lpm *lpm, _Atomic(void *) *place, const struct lpm_entry *only)
{
	struct lpm_node *node = lpm_target(place), *below = only->target, *copy;
	u32 length = node->path_length + 1u + below->path_length;

	if (length > LPM_PATH_MAX)
		return false;
	copy = lpm_node_copy(lpm->slab, below, 0);
	if (!copy)
		return false;
	memcpy(copy->path, node->path, node->path_length);
	copy->path[node->path_length] = only->byte;
	memcpy(copy->path + node->path_length + 1, below->path, below->path_length);
	copy->path_length = (u8)length;
	set_target(place, copy);
	lpm_node_free(lpm->slab, node, true);
	lpm_node_free(lpm->slab, below, true);
	return true;
}

static void tidy(struct lpm *lpm, _Atomic(void *) *place)
{
	const struct lpm_node *node = lpm_target(place);
	struct lpm_entry entry;
	u32 at = 0;

	if (lpm_count(node) == 1) {
		while (!lpm_entry_at(node, at, &entry))
			at++;
		if (entry.is_node && merge(lpm, place, &entry))
			return;
	}
	if (lpm_is_sparse(node))
		shrink(lpm, place);
}

/* Takes the entry out of the last node of the way, and nodes out that have none left. */
static void remove_entry(struct lpm *lpm, struct lpm_way *way, const void *key)
{
	struct lpm_entry entry = entry_of(key, NULL);

	for (;;) {
		_Atomic(void *) *place = way->step[--way->count].place;
		struct lpm_node *node = way->step[way->count].node, *parent;

		lpm_remove(node, &entry);
		if (lpm_count(node)) {
			tidy(lpm, place);
			return;
		}
		if (!way->count) {
			set_target(place, NULL);
			lpm_node_free(lpm->slab, node, true);
			return;
		}
		parent = way->step[way->count - 1].node;
		entry = (struct lpm_entry){NULL, data_of(key)[parent->depth], 8, true};
		lpm_node_free(lpm->slab, node, true);
	}
}

static void *remove_locked(struct lpm *lpm, const void *key)
{
	struct lpm_way way;
	void *value;

	if (length_of(key)) {
		value = find_value(lpm, key, &way);
		if (value)
			remove_entry(lpm, &way, key);
	} else {
		value = lpm_target(&lpm->all);
		set_target(&lpm->all, NULL);
	}
	lpm->count -= value != NULL;
	return value;
}

static int lpm_delete(struct map *map, const void *key, u32 slot)
{
	struct lpm *lpm = lpm_of(map);
	void *value;

	if (length_of(key) > lpm->bits)
		return -EINVAL;
	value_spin_lock(&lpm->lock);
	value = remove_locked(lpm, key);
	value_spin_unlock(&lpm->lock);
	if (!value)
		return -ENOENT;
	slab_retire(lpm->slab, LPM_VALUE, value);
	return 0;
}

/* --- iteration: a prefix comes after all that extend it, 0 before 1 --- */

/* The entry that comes first of those behind `order`. */
static bool next_entry(const struct lpm_node *node, u32 order, struct lpm_entry *out)
{
	u32 least = UINT32_MAX;
	struct lpm_entry entry;

	for (u32 i = 0, places = lpm_places(node); i < places; i++) {
		if (!lpm_entry_at(node, i, &entry))
			continue;
		if (lpm_order(&entry) > order && lpm_order(&entry) < least) {
			least = lpm_order(&entry);
			*out = entry;
		}
	}
	return least != UINT32_MAX;
}

/* The first prefix of the node behind `order`, or of what is below: its value and length. A
 * node may have lost its last entry meanwhile: what comes behind it is still there. */
static void *first_behind(const struct lpm_node *node, u32 order, u32 *length)
{
	struct lpm_entry entry;

	while (next_entry(node, order, &entry)) {
		void *value =
			entry.is_node ? first_behind(entry.target, 0, length) : entry.target;

		if (value && !entry.is_node)
			*length = node->depth * 8u + entry.length;
		if (value)
			return value;
		order = lpm_order(&entry);
	}
	return NULL;
}

/* The first prefix behind the key's, which is in the last node of the way. */
static void *next_on_way(const struct lpm_way *way, const void *key, u32 *length)
{
	struct lpm_entry entry = entry_of(key, NULL);
	void *value = NULL;

	for (u32 i = way->count; i-- && !value;) {
		value = first_behind(way->step[i].node, lpm_order(&entry), length);
		if (i)
			entry = (struct lpm_entry){
				NULL, data_of(key)[way->step[i - 1].node->depth], 8, true};
	}
	return value;
}

static int lpm_next_key(struct map *map, const void *key, void *next)
{
	struct lpm *lpm = lpm_of(map);
	const struct lpm_node *root = lpm_target(&lpm->root);
	void *all = lpm_target(&lpm->all), *value;
	struct lpm_way way;
	u32 length = 0;

	if (key && !length_of(key) && all)
		return -ENOENT;
	if (key && length_of(key) && length_of(key) <= lpm->bits && find_way(lpm, key, &way))
		value = next_on_way(&way, key, &length);
	else
		value = root ? first_behind(root, 0, &length) : NULL;
	if (!value && !all)
		return -ENOENT;
	memcpy(next, &length, KEY_LENGTH);
	memcpy((u8 *)next + KEY_LENGTH, data_behind(lpm, value ? value : all), lpm->data_size);
	return 0;
}

static bool lpm_owns(struct map *map, const void *address, size_t size)
{
	return slab_owns(lpm_of(map)->slab, address, size);
}

const struct map_ops map_lpm_trie = {
	.size = sizeof(struct lpm),
	.check = lpm_check,
	.check_btf = lpm_check_btf,
	.init = lpm_init,
	.done = lpm_done,
	.equal = map_desc_equal,
	.lookup = lpm_lookup,
	.update = lpm_update,
	.delete = lpm_delete,
	.next_key = lpm_next_key,
	.owns = lpm_owns,
};
