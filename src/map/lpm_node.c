/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/lpm_node.h"

#include <string.h>

/* Entries of small nodes. */
static const u8 capacities[] = {1, 4, 12, 24, 40, LPM_SMALL_MAX};

/* Kinds of pieces: values, small nodes by capacity, wide nodes. */
enum { WIDE_KIND = LPM_NODES + ARRAY_SIZE(capacities), KINDS };
/* A wide node whose entries are fewer becomes small. */
#define WIDE_LEAST 40

_Static_assert(KINDS <= SLAB_KINDS_MAX, "a kind of piece for each size of nodes");

static size_t small_size(u32 capacity)
{
	return sizeof(struct lpm_small) + (capacity + 7) / 8 * sizeof(struct lpm_lane) +
	       capacity * sizeof(_Atomic(void *));
}

struct slab *lpm_slab_new(struct account *account, size_t value_size)
{
	size_t sizes[KINDS] = {
		[LPM_VALUE] = round_up(value_size, 8), [WIDE_KIND] = sizeof(struct lpm_wide)};

	for (u32 i = 0; i < ARRAY_SIZE(capacities); i++)
		sizes[LPM_NODES + i] = small_size(capacities[i]);
	return slab_new(account, sizes, KINDS);
}

static bool is_wide(const struct lpm_node *node)
{
	return node->capacity == LPM_WIDE;
}

static u8 mask_of(u32 length)
{
	return (u8)(0xff00 >> length);
}

/* Of prefixes of 1 to 7 bits. */
static u32 shorter_index(u8 byte, u32 length)
{
	return 1u << length | byte >> (8 - length);
}

static bool is_whole(const struct lpm_wide *wide, u8 byte)
{
	return atomic_load_explicit(&wide->whole[byte / 64], memory_order_relaxed) >>
		       byte % 64 &
	       1;
}

void *lpm_node_shorter(const struct lpm_node *node, u8 byte, u32 length)
{
	void *found = NULL;
	u64 matches;

	if (is_wide(node)) {
		for (; length && !found; length--)
			found = lpm_target(
				&lpm_wide(node)->shorter[shorter_index(byte, length)]);
		return found;
	}
	matches = lpm_matches(node, byte);
	for (u64 rest = matches; rest; rest &= rest - 1)
		if (lpm_mask(node, (u32)__builtin_ctzll(rest)) > mask_of(length))
			matches &= ~(rest & -rest);
	return matches ? lpm_target(&lpm_entries(node)[lpm_longest(node, matches)]) : NULL;
}

static bool is_node(const struct lpm_node *node, u32 entry)
{
	return atomic_load_explicit(&node->nodes, memory_order_relaxed) >> entry & 1;
}

/* The entry of a small node; -1: there is none. */
static s32 find_small(const struct lpm_node *node, u8 byte, u32 length, bool node_wanted)
{
	for (u64 rest = lpm_matches(node, byte); rest; rest &= rest - 1) {
		u32 entry = (u32)__builtin_ctzll(rest);

		if (lpm_mask(node, entry) == mask_of(length) &&
		    is_node(node, entry) == node_wanted)
			return (s32)entry;
	}
	return -1;
}

_Atomic(void *) *lpm_find_prefix(const struct lpm_node *node, u8 byte, u32 length)
{
	struct lpm_wide *wide = lpm_wide(node);
	_Atomic(void *) *place;
	s32 entry;

	if (is_wide(node)) {
		if (length == 8)
			return is_whole(wide, byte) ? &wide->slot[byte].best : NULL;
		place = &wide->shorter[shorter_index(byte, length)];
		return lpm_target(place) ? place : NULL;
	}
	entry = find_small(node, byte, length, false);
	return entry < 0 ? NULL : &lpm_entries(node)[entry];
}

_Atomic(void *) *lpm_find_node(const struct lpm_node *node, u8 byte)
{
	_Atomic(void *) *place;
	s32 entry;

	if (is_wide(node)) {
		place = &lpm_wide(node)->slot[byte].node;
		return lpm_target(place) ? place : NULL;
	}
	entry = find_small(node, byte, 8, true);
	return entry < 0 ? NULL : &lpm_entries(node)[entry];
}

/* --- all entries --- */

u32 lpm_places(const struct lpm_node *node)
{
	return is_wide(node) ? 3 * 256 : node->capacity;
}

/* Places of a wide node: what follows, whole bytes, shorter prefixes. */
static bool wide_at(const struct lpm_wide *wide, u32 place, struct lpm_entry *out)
{
	u32 number = place % 256;
	struct lpm_slot *slot = (struct lpm_slot *)&wide->slot[number];

	*out = (struct lpm_entry){.byte = (u8)number, .length = 8, .is_node = place < 256};
	if (place < 256)
		out->target = lpm_target(&slot->node);
	else if (place < 512)
		out->target = is_whole(wide, out->byte) ? lpm_target(&slot->best) : NULL;
	else if (number >= 2) {
		out->length = (u8)(31 - __builtin_clz(number));
		out->byte = (u8)(number << (8 - out->length));
		out->target = lpm_target((_Atomic(void *) *)&wide->shorter[number]);
	}
	return out->target != NULL;
}

bool lpm_entry_at(const struct lpm_node *node, u32 place, struct lpm_entry *out)
{
	u64 values;
	u8 mask;

	if (is_wide(node))
		return wide_at(lpm_wide(node), place, out);
	if (!(atomic_load_explicit(&node->used, memory_order_acquire) >> place & 1))
		return false;
	mask = lpm_mask(node, place);
	values = atomic_load_explicit(&lpm_lanes(node)[place / 8].value, memory_order_relaxed);
	*out = (struct lpm_entry){
		.target = lpm_target(&lpm_entries(node)[place]),
		.byte = (u8)(values >> place % 8 * 8),
		.length = (u8)__builtin_popcount(mask),
		.is_node = is_node(node, place),
	};
	return true;
}

u32 lpm_order(const struct lpm_entry *entry)
{
	u32 end = entry->byte | 0xffu >> entry->length;

	return end * 16 + (entry->is_node ? 1 : 10 - entry->length);
}

/* --- changes --- */

/* The kind of piece of a node with so many entries. */
static u32 kind_for(u32 entries)
{
	for (u32 i = 0; i < ARRAY_SIZE(capacities); i++)
		if (entries <= capacities[i])
			return LPM_NODES + i;
	return WIDE_KIND;
}

struct lpm_node *lpm_node_new(struct slab *slab, u32 depth, const u8 *path, u32 path_length,
			      u32 entries)
{
	u32 kind = kind_for(entries);
	u32 capacity = kind == WIDE_KIND ? LPM_WIDE : capacities[kind - LPM_NODES];
	struct lpm_node *node = slab_take(slab, kind);

	if (!node)
		return NULL;
	memset(node, 0, kind == WIDE_KIND ? sizeof(struct lpm_wide) : small_size(capacity));
	node->capacity = (u8)capacity;
	node->depth = (u8)depth;
	node->path_length = (u8)path_length;
	memcpy(node->path, path, path_length);
	return node;
}

struct lpm_node *lpm_node_copy(struct slab *slab, const struct lpm_node *node, u32 more)
{
	struct lpm_node *copy = lpm_node_new(slab, node->depth, node->path, node->path_length,
					     lpm_count(node) + more);
	struct lpm_entry entry;

	for (u32 i = 0, places = lpm_places(node); copy && i < places; i++)
		if (lpm_entry_at(node, i, &entry))
			lpm_add(copy, &entry);
	return copy;
}

bool lpm_has_room(const struct lpm_node *node)
{
	return is_wide(node) || node->next < node->capacity;
}

static void put(_Atomic(void *) *place, void *target)
{
	/* Release pairs with the acquire of lpm_target(): the target is complete. */
	atomic_store_explicit(place, target, memory_order_release);
}

static void set_byte(atomic_ullong *word, u32 index, u8 byte)
{
	u64 old = atomic_load_explicit(word, memory_order_relaxed);
	u32 shift = index % 8 * 8;

	atomic_store_explicit(word, (old & ~(0xffULL << shift)) | (u64)byte << shift,
			      memory_order_relaxed);
}

static void set_bit(atomic_ullong *word, u32 index, bool value)
{
	u64 old = atomic_load_explicit(word, memory_order_relaxed), bit = 1ULL << index;

	/* Release pairs with the acquire of lpm_matches(): the entry is complete. */
	atomic_store_explicit(word, value ? old | bit : old & ~bit, memory_order_release);
}

static void add_small(struct lpm_node *node, const struct lpm_entry *entry)
{
	u32 place = node->next++;
	struct lpm_lane *lane = &lpm_lanes(node)[place / 8];

	set_byte(&lane->value, place, entry->byte);
	set_byte(&lane->mask, place, mask_of(entry->length));
	put(&lpm_entries(node)[place], entry->target);
	if (entry->is_node)
		set_bit(&node->nodes, place, true);
	set_bit(&node->used, place, true);
}

/* Gives the byte its longest prefix of fewer than 8 bits. */
static void refresh(struct lpm_wide *wide, u8 byte)
{
	if (!is_whole(wide, byte))
		put(&wide->slot[byte].best, lpm_node_shorter(&wide->node, byte, 7));
}

static void set_wide_prefix(struct lpm_wide *wide, const struct lpm_entry *entry)
{
	u32 last = entry->byte | 0xffu >> entry->length;

	if (entry->length == 8) {
		if (entry->target)
			put(&wide->slot[entry->byte].best, entry->target);
		set_bit(&wide->whole[entry->byte / 64], entry->byte % 64,
			entry->target != NULL);
	} else {
		put(&wide->shorter[shorter_index(entry->byte, entry->length)], entry->target);
	}
	for (u32 byte = entry->byte; byte <= last; byte++)
		refresh(wide, (u8)byte);
}

static void set_wide(struct lpm_wide *wide, const struct lpm_entry *entry)
{
	if (entry->is_node)
		put(&wide->slot[entry->byte].node, entry->target);
	else
		set_wide_prefix(wide, entry);
}

void lpm_add(struct lpm_node *node, const struct lpm_entry *entry)
{
	if (!is_wide(node)) {
		add_small(node, entry);
		return;
	}
	set_wide(lpm_wide(node), entry);
	lpm_wide(node)->count++;
}

void lpm_replace_prefix(struct lpm_node *node, u8 byte, u32 length, void *value)
{
	if (is_wide(node))
		set_wide_prefix(lpm_wide(node),
				&(struct lpm_entry){value, byte, (u8)length, 0});
	else
		put(lpm_find_prefix(node, byte, length), value);
}

void lpm_remove(struct lpm_node *node, const struct lpm_entry *entry)
{
	struct lpm_entry nothing = *entry;

	if (!is_wide(node)) {
		s32 place = find_small(node, entry->byte, entry->length, entry->is_node);

		set_bit(&node->used, (u32)place, false);
		return;
	}
	nothing.target = NULL;
	set_wide(lpm_wide(node), &nothing);
	lpm_wide(node)->count--;
}

u32 lpm_count(const struct lpm_node *node)
{
	if (is_wide(node))
		return lpm_wide(node)->count;
	return (u32)__builtin_popcountll(
		atomic_load_explicit(&node->used, memory_order_relaxed));
}

bool lpm_is_sparse(const struct lpm_node *node)
{
	u32 count = lpm_count(node);

	return is_wide(node) ? count < WIDE_LEAST
			     : node->capacity > capacities[0] && count < node->capacity / 4u;
}

void lpm_node_free(struct slab *slab, struct lpm_node *node, bool seen)
{
	u32 kind = is_wide(node) ? WIDE_KIND : kind_for(node->capacity);

	if (seen)
		slab_retire(slab, kind, node);
	else
		slab_give(slab, kind, node);
}
