/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Longest prefix match: a trie over the bytes of the keys (lpm_node.h). A prefix of 1 to 2048
 * bits is an entry of the node at its last byte, or a leaf where it is alone; that of no bits
 * stands beside the trie. A node is where two prefixes part, so that a look-up visits as many
 * as the table tells apart; a large trie has for the first 16 bits one table (lpm_front.c).
 *
 *	lpm.c		creation and changes
 *	lpm_lookup.c	look-ups
 *	lpm_next.c	the order of the keys
 *
 * Readers follow pointers without a lock; writers hold the one lock of the trie. What goes out
 * of use waits for a grace period in the slab, and the slab goes in one piece with the map.
 */
#include "map/lpm.h"
#include "btf/btf.h"
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

	lpm->front_region = REGION_NONE;
	lpm->data_size = map->desc.key_size - LPM_KEY_LENGTH;
	lpm->bits = lpm->data_size * 8;
	lpm->slab =
		lpm_slab_new(map->account, map->desc.value_size + lpm->data_size + sizeof(u16));
	map->lookup = lpm_lookup_op(lpm);
	return lpm->slab ? 0 : -ENOMEM;
}

static void lpm_done(struct map *map)
{
	slab_free(lpm_of(map)->slab);
	lpm_front_done(lpm_of(map));
}

static bool is_prefix_of(const struct lpm *lpm, void *value, const void *key)
{
	u32 length = lpm_length(key);

	return lpm_value_length(lpm, value, lpm->data_size) == length &&
	       lpm_covers(lpm_behind(lpm, value), length, lpm_data(key), length, 0);
}

void lpm_find_way(struct lpm *lpm, const void *key, struct lpm_way *out)
{
	const struct lpm_entry entry = lpm_entry_of(key, NULL);
	void *branch = lpm_target(&lpm->root);
	u32 depth = lpm_depth(key);

	out->count = 0;
	out->value = NULL;
	for (; (out->below = branch);) {
		struct lpm_node *node = branch;

		if (lpm_is_leaf(branch)) {
			void *value = lpm_leaf_value(branch);

			out->value = is_prefix_of(lpm, value, key) ? value : NULL;
			return;
		}
		lpm_prefetch(node);
		if (node->depth > depth || !lpm_on_path(node, lpm_data(key)))
			return;
		out->step[out->count++] = node;
		if (node->depth == depth) {
			out->value = lpm_prefix(node, entry.byte, entry.length);
			out->below = NULL;
			return;
		}
		branch = lpm_branch(node, lpm_data(key)[node->depth]);
	}
}

/* --- changes, under the lock --- */

/* Where the pointer to the step of that number is, or to what is below the last one. */
static _Atomic(void *) *place_of(struct lpm *lpm, const struct lpm_way *way, u32 step,
				 const void *key)
{
	struct lpm_node *above = step ? way->step[step - 1] : NULL;

	return above ? lpm_branch_place(above, lpm_data(key)[above->depth]) : &lpm->root;
}

static void set_target(_Atomic(void *) *place, void *target)
{
	/* Release pairs with the acquire of lpm_target(): readers see a complete node. */
	atomic_store_explicit(place, target, memory_order_release);
}

/* The node, which readers may be at, is out of use when the change is through. */
static void put_away(struct lpm *lpm, struct lpm_node *node)
{
	lpm->old[lpm->old_count++] = node;
}

/* Whether all that has changed is behind the first 16 bits. */
static bool front_holds(const struct lpm *lpm, const struct lpm_way *way, const void *key)
{
	if (lpm->old_count || lpm->moved || lpm_length(key) <= LPM_FRONT_BITS)
		return false;
	for (u32 i = 0; i < way->count && i <= LPM_FRONT_BITS / 8; i++)
		if (way->step[i]->depth >= LPM_FRONT_BITS / 8)
			return true;
	return false;
}

/* The change of what is at the end of the way is through, but for the front. */
static void finish(struct lpm *lpm, const struct lpm_way *way, const void *key)
{
	if (!front_holds(lpm, way, key))
		lpm_front_refresh(lpm, lpm_data(key), lpm_length(key));
	if (lpm->moved)
		lpm_front_refresh(lpm, lpm->moved_to, LPM_FRONT_BITS);
	lpm->moved = false;
	while (lpm->old_count) {
		struct lpm_node *node = lpm->old[--lpm->old_count];

		slab_retire(lpm->slab, node->kind, node);
	}
}

/* Keys through the node find a copy of it. `before`: their bytes before its path. */
static void note_moved(struct lpm *lpm, const struct lpm_node *node, const u8 *before)
{
	u32 first = node->depth - node->path_length;

	lpm->moved = node->depth >= sizeof(lpm->moved_to);
	for (u32 i = 0; i < sizeof(lpm->moved_to) && lpm->moved; i++)
		lpm->moved_to[i] = i < first ? before[i] : node->path[i - first];
}

/* May one more prefix come in? */
static int check_new(const struct lpm *lpm, u64 flags)
{
	if (flags == BPF_EXIST)
		return -ENOENT;
	return lpm->count == lpm->map.desc.max_entries ? -ENOSPC : 0;
}

/* A node with these entries, and as many above it as its path from the byte `from` takes; NULL:
 * no memory. */
static struct lpm_node *new_branch(struct lpm *lpm, u32 from, u32 depth, const u8 *data,
				   const struct lpm_entry *entries, u32 count)
{
	struct lpm_node *made[LPM_OLD_MAX], *node;
	struct lpm_entry only;

	for (u32 i = 0;; i++) {
		u32 path = min(depth - from, (u32)LPM_PATH_MAX);

		node = lpm_node_new(lpm->slab, depth, data + depth - path, path, entries,
				    count);
		made[i] = node;
		while (!node && i--)
			slab_give(lpm->slab, made[i]->kind, made[i]);
		if (!node || depth - path == from)
			return node;
		depth -= path + 1;
		only = (struct lpm_entry){node, data[depth], 8, true};
		entries = &only;
		count = 1;
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
	put_away(lpm, node);
	return 0;
}

/* What a node at `depth` has of a prefix. */
static struct lpm_entry entry_at_depth(u32 depth, const u8 *data, u32 length, void *value)
{
	if (depth == lpm_depth_of(length))
		return lpm_entry_for(data, length, value);
	return (struct lpm_entry){lpm_leaf(value), data[depth], 8, true};
}

/* The key and a leaf part: a node there has both. */
static int split_leaf(struct lpm *lpm, _Atomic(void *) *place, u32 from, const void *key,
		      void *value)
{
	void *other = lpm_leaf_value(lpm_target(place));
	u32 length = lpm_value_length(lpm, other, lpm->data_size), depth = from;
	u32 last = min(lpm_depth(key), lpm_depth_of(length));
	const u8 *data = lpm_data(key), *other_data = lpm_behind(lpm, other);
	struct lpm_node *node;

	while (depth < last && data[depth] == other_data[depth])
		depth++;
	node = new_branch(
		lpm, from, depth, data,
		(const struct lpm_entry[]){entry_at_depth(depth, data, lpm_length(key), value),
					   entry_at_depth(depth, other_data, length, other)},
		2);
	if (!node)
		return -ENOMEM;
	set_target(place, node);
	return 0;
}

/* The key leaves the node's path, or ends on it: a node there has both. */
static int split_path(struct lpm *lpm, _Atomic(void *) *place, const void *key, void *value)
{
	struct lpm_node *node = lpm_target(place), *upper = NULL;
	struct lpm_node *lower = lpm_node_copy(lpm->slab, node, 0);
	u32 first = node->depth - node->path_length;
	u32 matched = min(lpm_path_match(node, lpm_data(key)), lpm_depth(key) - first);
	u32 depth = first + matched;
	const u8 *data = lpm_data(key);

	if (lower)
		upper = new_branch(lpm, first, depth, data,
				   (const struct lpm_entry[]){
					   {lower, node->path[matched], 8, true},
					   entry_at_depth(depth, data, lpm_length(key), value)},
				   2);
	if (!upper) {
		if (lower)
			slab_give(lpm->slab, lower->kind, lower);
		return -ENOMEM;
	}
	lower->path_length = (u8)(node->path_length - matched - 1);
	memcpy(lower->path, node->path + matched + 1, lower->path_length);
	set_target(place, upper);
	note_moved(lpm, node, data);
	put_away(lpm, node);
	return 0;
}

/* Where the way ends. */
static int insert_new(struct lpm *lpm, const struct lpm_way *way, const void *key, void *value)
{
	const struct lpm_node *node = way->count ? way->step[way->count - 1] : NULL;
	_Atomic(void *) *below = way->below ? place_of(lpm, way, way->count, key) : NULL;
	struct lpm_entry entry;

	if (below && lpm_is_leaf(way->below))
		return split_leaf(lpm, below, node ? node->depth + 1u : 0, key, value);
	if (below)
		return split_path(lpm, below, key, value);
	if (!node) {
		set_target(&lpm->root, lpm_leaf(value));
		return 0;
	}
	entry = entry_at_depth(node->depth, lpm_data(key), lpm_length(key), value);
	return add_entry(lpm, place_of(lpm, way, way->count - 1, key), &entry);
}

static void replace(struct lpm *lpm, const struct lpm_way *way, const void *key, void *value)
{
	struct lpm_entry entry = lpm_entry_of(key, value);

	if (way->below)
		set_target(place_of(lpm, way, way->count, key), lpm_leaf(value));
	else
		lpm_replace_prefix(way->step[way->count - 1], entry.byte, entry.length, value);
}

/* Of a prefix of at least one bit. */
static int store(struct lpm *lpm, const struct lpm_way *way, const void *key, void *value)
{
	int err = 0;

	if (way->value)
		replace(lpm, way, key, value);
	else
		err = insert_new(lpm, way, key, value);
	lpm->count += !way->value && !err;
	finish(lpm, way, key);
	lpm_front_grow(lpm);
	return err;
}

/* `*old`: the value that was there. */
static int insert(struct lpm *lpm, const void *key, void *value, u64 flags, void **old)
{
	struct lpm_way way;
	int err;

	if (lpm_length(key))
		lpm_find_way(lpm, key, &way);
	*old = lpm_length(key) ? way.value : lpm_target(&lpm->all);
	if (*old && flags == BPF_NOEXIST)
		return -EEXIST;
	err = *old ? 0 : check_new(lpm, flags);
	if (err || lpm_length(key))
		return err ? err : store(lpm, &way, key, value);
	set_target(&lpm->all, value);
	lpm->count += !*old;
	return 0;
}

static void *new_value(struct lpm *lpm, const void *key, const void *value)
{
	const u16 length = (u16)lpm_length(key);
	void *new = slab_take(lpm->slab, LPM_VALUE);

	if (!new)
		return NULL;
	value_store_new(&lpm->map.desc, new, value);
	memcpy(lpm_behind(lpm, new), lpm_data(key), lpm->data_size);
	memcpy(lpm_behind(lpm, new) + lpm->data_size, &length, sizeof(length));
	return new;
}

static int lpm_update(struct map *map, const void *key, const void *value, u64 flags, u32 slot)
{
	struct lpm *lpm = lpm_of(map);
	void *new, *old;
	int err;

	if (flags > BPF_EXIST || lpm_length(key) > lpm->bits)
		return -EINVAL;
	new = new_value(lpm, key, value);
	if (!new)
		return -ENOMEM;
	value_spin_lock(&lpm->lock);
	err = insert(lpm, key, new, flags, &old);
	value_spin_unlock(&lpm->lock);
	if (err)
		slab_give(lpm->slab, LPM_VALUE, new);
	else if (old)
		slab_retire(lpm->slab, LPM_VALUE, old);
	return err;
}

/* --- deletion, which needs no memory: where there is some, what is left becomes smaller --- */

static struct lpm_entry first_entry(const struct lpm_node *node)
{
	struct lpm_entry entry = {};
	u32 at = 0;

	while (!lpm_entry_at(node, at, &entry))
		at++;
	return entry;
}

/* A node that only leads to another becomes a part of that one's path, when it has room. */
static void merge(struct lpm *lpm, _Atomic(void *) *place, const struct lpm_entry *only,
		  const void *key)
{
	struct lpm_node *node = lpm_target(place), *below = only->target, *copy;
	u32 length = node->path_length + 1u + below->path_length;
	u8 before[LPM_DATA_MAX];

	if (length > LPM_PATH_MAX)
		return;
	copy = lpm_node_copy(lpm->slab, below, 0);
	if (!copy)
		return;
	memcpy(copy->path, node->path, node->path_length);
	copy->path[node->path_length] = only->byte;
	memcpy(copy->path + node->path_length + 1, below->path, below->path_length);
	copy->path_length = (u8)length;
	set_target(place, copy);
	memcpy(before, lpm_data(key), node->depth);
	before[node->depth] = only->byte;
	note_moved(lpm, below, before);
	put_away(lpm, node);
	put_away(lpm, below);
}

/* The branch stands for the last node of the way, and for those above it that only lead to it,
 * when it is a leaf. */
static void put_leaf(struct lpm *lpm, const struct lpm_way *way, const void *key, void *leaf)
{
	u32 step = way->count;

	do
		put_away(lpm, way->step[--step]);
	while (step && lpm_count(way->step[step - 1]) == 1);
	set_target(place_of(lpm, way, step, key), leaf);
}

/* Puts a copy in the node's place that is small enough for what it has; or leaves it. */
static void shrink(struct lpm *lpm, _Atomic(void *) *place)
{
	struct lpm_node *node = lpm_target(place);
	struct lpm_node *copy = lpm_node_copy(lpm->slab, node, 0);

	if (!copy)
		return;
	set_target(place, copy);
	put_away(lpm, node);
}

/* Of the last node of the way. */
static void tidy(struct lpm *lpm, const struct lpm_way *way, const void *key)
{
	_Atomic(void *) *place = place_of(lpm, way, way->count - 1, key);
	const struct lpm_node *node = way->step[way->count - 1];
	struct lpm_entry only;

	if (lpm_count(node) > 1) {
		if (lpm_is_sparse(node))
			shrink(lpm, place);
		return;
	}
	only = first_entry(node);
	if (!only.is_branch)
		put_leaf(lpm, way, key, lpm_leaf(only.target));
	else if (lpm_is_leaf(only.target))
		put_leaf(lpm, way, key, only.target);
	else
		merge(lpm, place, &only, key);
}

/* Takes the prefix out of the last node of the way, and nodes out that have none left. */
static void remove_prefix(struct lpm *lpm, struct lpm_way *way, const void *key)
{
	struct lpm_entry entry = lpm_entry_of(key, NULL);
	bool is_branch = way->below;

	for (; way->count; way->count--, is_branch = true) {
		struct lpm_node *node = way->step[way->count - 1];

		if (lpm_count(node) > 1) {
			if (is_branch)
				entry = (struct lpm_entry){NULL, lpm_data(key)[node->depth], 8,
							   true};
			lpm_remove(node, &entry);
			tidy(lpm, way, key);
			return;
		}
		put_away(lpm, node);
	}
	set_target(&lpm->root, NULL);
}

static void *remove_locked(struct lpm *lpm, const void *key)
{
	struct lpm_way way;

	if (!lpm_length(key)) {
		way.value = lpm_target(&lpm->all);
		set_target(&lpm->all, NULL);
	} else {
		lpm_find_way(lpm, key, &way);
		if (way.value)
			remove_prefix(lpm, &way, key);
		finish(lpm, &way, key);
	}
	lpm->count -= way.value != NULL;
	return way.value;
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
