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
#include "map/lpm.h"
#include "map/ops.h"
#include "map/value.h"

#include <string.h>

/* Bytes that Linux keeps beside prefix and value in a node. */
#define LINUX_NODE 24U

static int lpm_check(struct map_desc *desc, struct skep_error *err)
{
	if (!desc->max_entries || desc->key_size <= LPM_KEY_LENGTH ||
	    desc->key_size > LPM_KEY_LENGTH + LPM_DATA_MAX)
		return map_refuse(desc, err, -EINVAL,
				  "keys are a 4-byte length and 1 to 256 bytes");
	if (!desc->value_size || desc->value_size > MAP_VALUE_MAX - LPM_DATA_MAX - LINUX_NODE)
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

	lpm->data_size = map->desc.key_size - LPM_KEY_LENGTH;
	lpm->bits = lpm->data_size * 8;
	lpm->slab = lpm_slab_new(map->account, map->desc.value_size + lpm->data_size);
	return lpm->slab ? 0 : -ENOMEM;
}

static void lpm_done(struct map *map)
{
	slab_free(lpm_of(map)->slab);
}

static void *lpm_lookup(struct map *map, const void *key, u32 slot)
{
	struct lpm *lpm = lpm_of(map);
	const struct lpm_node *node = lpm_target(&lpm->root);
	void *best = lpm_target(&lpm->all);
	u32 length = lpm_length(key), bytes = length / 8;
	const u8 *data = lpm_data(key);
	void *shorter;

	if (length > lpm->bits)
		return NULL;
	while (node && node->depth < bytes) {
		if (unlikely(!lpm_on_path(node, data)))
			return best;
		node = lpm_step(node, data[node->depth], &best);
	}
	if (likely(length % 8 == 0) || !node || node->depth > bytes || !lpm_on_path(node, data))
		return best;
	shorter = lpm_node_shorter(node, data[bytes], length % 8);
	return shorter ? shorter : best;
}

bool lpm_find_way(struct lpm *lpm, const void *key, struct lpm_way *out)
{
	_Atomic(void *) *place = &lpm->root;
	const struct lpm_entry entry = lpm_entry_of(key, NULL);
	u32 depth = lpm_depth(key);
	struct lpm_node *node;

	out->count = 0;
	while (place && (node = lpm_target(place)) && node->depth <= depth) {
		if (!lpm_on_path(node, lpm_data(key)))
			return false;
		out->step[out->count].place = place;
		out->step[out->count++].node = node;
		if (node->depth == depth)
			return lpm_find_prefix(node, entry.byte, entry.length);
		place = lpm_find_node(node, lpm_data(key)[node->depth]);
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
	struct lpm_entry entry = lpm_entry_of(key, value);
	const u8 *data = lpm_data(key);
	struct lpm_node *below = NULL;

	for (u32 depth = lpm_depth(key);; depth = depth - LPM_PATH_MAX - 1) {
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

	if (depth == lpm_depth(key)) {
		*out = lpm_entry_of(key, value);
		return 0;
	}
	branch = new_branch(lpm, depth + 1, key, value);
	*out = (struct lpm_entry){branch, lpm_data(key)[depth], 8, true};
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
	u32 matched = min(lpm_path_match(node, lpm_data(key)), lpm_depth(key) - first);
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
		below = node->depth < lpm_depth(key)
				? lpm_find_node(node, lpm_data(key)[node->depth])
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

/* The place of the prefix's value; NULL: not in the trie. `way` as lpm_find_way(). */
static void *find_value(struct lpm *lpm, const void *key, struct lpm_way *way)
{
	const struct lpm_entry entry = lpm_entry_of(key, NULL);

	if (!lpm_find_way(lpm, key, way))
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

	*old = lpm_length(key) ? find_value(lpm, key, &way) : lpm_target(&lpm->all);
	if (*old && flags == BPF_NOEXIST)
		return -EEXIST;
	err = *old ? 0 : check_new(lpm, flags);
	if (err)
		return err;
	if (!lpm_length(key)) {
		set_target(&lpm->all, value);
	} else if (*old) {
		entry = lpm_entry_of(key, value);
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

	if (flags > BPF_EXIST || lpm_length(key) > lpm->bits)
		return -EINVAL;
	new = slab_take(lpm->slab, LPM_VALUE);
	if (!new)
		return -ENOMEM;
	value_store_new(&map->desc, new, value);
	memcpy(lpm_behind(lpm, new), lpm_data(key), lpm->data_size);
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
	struct lpm_entry entry = lpm_entry_of(key, NULL);

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
		entry = (struct lpm_entry){NULL, lpm_data(key)[parent->depth], 8, true};
		lpm_node_free(lpm->slab, node, true);
	}
}

static void *remove_locked(struct lpm *lpm, const void *key)
{
	struct lpm_way way;
	void *value;

	if (lpm_length(key)) {
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

	if (lpm_length(key) > lpm->bits)
		return -EINVAL;
	value_spin_lock(&lpm->lock);
	value = remove_locked(lpm, key);
	value_spin_unlock(&lpm->lock);
	if (!value)
		return -ENOENT;
	slab_retire(lpm->slab, LPM_VALUE, value);
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
