/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Longest prefix match: a binary trie whose paths are compressed. A node stands for a prefix;
 * its children extend it by at least one bit. Nodes without a value exist only where two
 * prefixes part, and always have two children.
 *
 * Readers follow child pointers without a lock; writers hold the one lock of the trie, put
 * complete nodes in place with one store, and free the old ones after a grace period.
 */
#include "btf/btf.h"
#include "map/ops.h"
#include "map/table.h"
#include "map/value.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define DATA_MAX 256U
/* Bytes that Linux keeps beside prefix and value in a node. */
#define LINUX_NODE 24U
#define KEY_LENGTH sizeof(u32) /* struct bpf_lpm_trie_key: prefixlen, then the data */
#define BITS_MAX   (DATA_MAX * 8)

struct node {
	_Atomic(struct node *) child[2];
	struct rcu_head rcu;
	u32 length; /* bits of the prefix */
	atomic_bool has_value;
	_Alignas(8) u8 bytes[]; /* the prefix, padded to 8; then the value */
};

struct lpm {
	struct map map;
	_Atomic(struct node *) root;
	u32 lock;
	u32 count;
	u32 data_size, value_offset;
	u32 bits; /* longest prefix */
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
	lpm->value_offset = round_up(lpm->data_size, 8);
	lpm->bits = lpm->data_size * 8;
	map->desc.bytes_memlock = sizeof(*lpm);
	return 0;
}

static struct node *child_of(const struct node *node, u32 bit)
{
	return atomic_load_explicit(&node->child[bit], memory_order_acquire);
}

static void node_free(struct rcu_head *head)
{
	free(container_of(head, struct node, rcu));
}

/* Turns left children up until the top has none, frees it, and goes on with its right child. */
static void lpm_done(struct map *map)
{
	struct node *node = atomic_load(&lpm_of(map)->root);

	while (node) {
		struct node *left = child_of(node, 0), *right = child_of(node, 1);

		if (left) {
			atomic_store(&node->child[0], child_of(left, 1));
			atomic_store(&left->child[1], node);
			node = left;
		} else {
			free(node);
			node = right;
		}
	}
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

static u32 bit_at(const u8 *data, u32 index)
{
	return data[index / 8] >> (7 - index % 8) & 1;
}

/* How many of the first bits are those of the node's prefix. */
static u32 match_length(const struct lpm *lpm, const struct node *node, const void *key)
{
	u32 limit = min(node->length, length_of(key));

	for (u32 at = 0; at * 8 < limit; at += 8) {
		u64 stored, differs;

		memcpy(&stored, node->bytes + at, sizeof(stored));
		differs = be64toh(stored ^ key_word(data_of(key), lpm->data_size, at));
		if (differs)
			return min(limit, at * 8 + (u32)__builtin_clzll(differs));
	}
	return limit;
}

static bool has_value(const struct node *node)
{
	return atomic_load_explicit(&node->has_value, memory_order_relaxed);
}

static void *lpm_lookup(struct map *map, const void *key, u32 slot)
{
	struct lpm *lpm = lpm_of(map);
	struct node *node = atomic_load_explicit(&lpm->root, memory_order_acquire);
	struct node *best = NULL;

	if (length_of(key) > lpm->bits)
		return NULL;
	while (node) {
		if (match_length(lpm, node, key) < node->length)
			break;
		if (has_value(node))
			best = node;
		if (node->length == length_of(key) || node->length == lpm->bits)
			break;
		node = child_of(node, bit_at(data_of(key), node->length));
	}
	return best ? best->bytes + lpm->value_offset : NULL;
}

/* --- changes, under the lock --- */

static struct node *node_new(const struct lpm *lpm, u32 length, const u8 *data,
			     const void *value)
{
	size_t size = lpm->value_offset + (value ? lpm->map.desc.value_size : 0);
	struct node *node = calloc(1, sizeof(*node) + size);

	if (!node)
		return NULL;
	node->length = length;
	atomic_init(&node->has_value, value != NULL);
	memcpy(node->bytes, data, lpm->data_size);
	if (value)
		value_store_new(&lpm->map.desc, node->bytes + lpm->value_offset, value);
	return node;
}

/* Release pairs with the acquire in child_of(): readers see a complete node. */
static void set_node(_Atomic(struct node *) *place, struct node *node)
{
	atomic_store_explicit(place, node, memory_order_release);
}

static void retire(struct node *node)
{
	call_rcu(&node->rcu, node_free);
}

/* May one more prefix come in? Then it is counted. */
static int count_new(struct lpm *lpm, u64 flags)
{
	if (flags == BPF_EXIST)
		return -ENOENT;
	if (lpm->count == lpm->map.desc.max_entries)
		return -ENOSPC;
	lpm->count++;
	return 0;
}

/* The place where the key's node is or belongs; `*matched`: bits it shares with the node
 * there. */
static _Atomic(struct node *) *find_place(struct lpm *lpm, const void *key, u32 *matched)
{
	_Atomic(struct node *) *place = &lpm->root;
	struct node *node;

	*matched = 0;
	while ((node = atomic_load_explicit(place, memory_order_relaxed))) {
		*matched = match_length(lpm, node, key);
		if (*matched < node->length || node->length == length_of(key))
			break;
		place = &node->child[bit_at(data_of(key), node->length)];
	}
	return place;
}

static int replace(struct lpm *lpm, _Atomic(struct node *) *place, struct node *old,
		   struct node *new, u64 flags)
{
	int err = 0;

	if (!has_value(old))
		err = count_new(lpm, flags);
	else if (flags == BPF_NOEXIST)
		err = -EEXIST;
	if (err)
		return err;
	atomic_init(&new->child[0], child_of(old, 0));
	atomic_init(&new->child[1], child_of(old, 1));
	set_node(place, new);
	retire(old);
	return 0;
}

/* Between the place and the node there: as the node's parent, or beside it under a node for
 * what both share. */
static int insert_above(struct lpm *lpm, _Atomic(struct node *) *place, struct node *old,
			struct node *new, u32 matched, u64 flags)
{
	struct node *shared = NULL;
	int err;

	if (matched < new->length) {
		shared = node_new(lpm, matched, new->bytes, NULL);
		if (!shared)
			return -ENOMEM;
	}
	err = count_new(lpm, flags);
	if (err) {
		free(shared);
		return err;
	}
	atomic_init(&(shared ? shared : new)->child[bit_at(old->bytes, matched)], old);
	if (shared)
		atomic_init(&shared->child[bit_at(new->bytes, matched)], new);
	set_node(place, shared ? shared : new);
	return 0;
}

static int insert(struct lpm *lpm, const void *key, struct node *new, u64 flags)
{
	u32 matched;
	_Atomic(struct node *) *place = find_place(lpm, key, &matched);
	struct node *node = atomic_load_explicit(place, memory_order_relaxed);
	int err;

	if (node && node->length == matched)
		return replace(lpm, place, node, new, flags);
	if (node)
		return insert_above(lpm, place, node, new, matched, flags);
	err = count_new(lpm, flags);
	if (!err)
		set_node(place, new);
	return err;
}

static int lpm_update(struct map *map, const void *key, const void *value, u64 flags, u32 slot)
{
	struct lpm *lpm = lpm_of(map);
	struct node *new;
	int err;

	if (flags > BPF_EXIST || length_of(key) > lpm->bits)
		return -EINVAL;
	new = node_new(lpm, length_of(key), data_of(key), value);
	if (!new)
		return -ENOMEM;
	value_spin_lock(&lpm->lock);
	err = insert(lpm, key, new, flags);
	value_spin_unlock(&lpm->lock);
	if (err)
		free(new);
	return err;
}

/* A node without value and with at most one child has no reason to be. */
static void remove_node(_Atomic(struct node *) *place, struct node *node)
{
	struct node *left = child_of(node, 0);

	set_node(place, left ? left : child_of(node, 1));
	retire(node);
}

static int remove_locked(struct lpm *lpm, const void *key)
{
	_Atomic(struct node *) *place = &lpm->root, *above = NULL;
	struct node *node, *parent = NULL;

	while ((node = atomic_load_explicit(place, memory_order_relaxed))) {
		u32 matched = match_length(lpm, node, key);

		if (matched < node->length)
			return -ENOENT;
		if (node->length == length_of(key))
			break;
		above = place;
		parent = node;
		place = &node->child[bit_at(data_of(key), node->length)];
	}
	if (!node || !has_value(node))
		return -ENOENT;
	lpm->count--;
	if (child_of(node, 0) && child_of(node, 1)) {
		atomic_store_explicit(&node->has_value, false, memory_order_relaxed);
		return 0;
	}
	remove_node(place, node);
	if (parent && !has_value(parent) && !(child_of(parent, 0) && child_of(parent, 1)))
		remove_node(above, parent);
	return 0;
}

static int lpm_delete(struct map *map, const void *key, u32 slot)
{
	struct lpm *lpm = lpm_of(map);
	int err;

	if (length_of(key) > lpm->bits)
		return -EINVAL;
	value_spin_lock(&lpm->lock);
	err = remove_locked(lpm, key);
	value_spin_unlock(&lpm->lock);
	return err;
}

/* --- iteration: a prefix comes after all that extend it, 0 before 1 --- */

/* The first node with a value below and including `node`, in that order. */
static struct node *first_below(struct node *node)
{
	for (;;) {
		struct node *left = child_of(node, 0), *next = left ? left : child_of(node, 1);

		if (!next)
			return node;
		node = next;
	}
}

/* The path from the root to the key's node, as far as it goes; the number of nodes. */
static u32 path_to(const struct lpm *lpm, const void *key, struct node **path)
{
	struct node *node = atomic_load_explicit(&lpm->root, memory_order_acquire);
	u32 count = 0;

	while (node && count <= lpm->bits && match_length(lpm, node, key) == node->length) {
		path[count++] = node;
		if (node->length == length_of(key))
			return count;
		node = child_of(node, bit_at(data_of(key), node->length));
	}
	return 0;
}

/* NULL: the node at the end of the path is the last. */
static struct node *node_after(struct node **path, u32 count)
{
	for (; count > 1; count--) {
		struct node *node = path[count - 1], *parent = path[count - 2];
		struct node *right = child_of(parent, 1);

		/* By the bit and not by the pointer: the node may be replaced by now. */
		if (!bit_at(node->bytes, parent->length) && right)
			return first_below(right);
		if (has_value(parent))
			return parent;
	}
	return NULL;
}

static int lpm_next_key(struct map *map, const void *key, void *next)
{
	struct lpm *lpm = lpm_of(map);
	struct node *path[BITS_MAX + 1], *node;
	struct node *root = atomic_load_explicit(&lpm->root, memory_order_acquire);
	u32 count;

	if (!root)
		return -ENOENT;
	count = key && length_of(key) <= lpm->bits ? path_to(lpm, key, path) : 0;
	node = count && has_value(path[count - 1]) ? node_after(path, count)
						   : first_below(root);
	if (!node)
		return -ENOENT;
	memcpy(next, &node->length, KEY_LENGTH);
	memcpy((u8 *)next + KEY_LENGTH, node->bytes, lpm->data_size);
	return 0;
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
};
