/* SPDX-License-Identifier: BSD-2-Clause */
/* What a trie has for the first 16 bits of its keys, for each of their values. */
#include "map/lpm.h"

#define SLOTS (1U << LPM_FRONT_BITS)
/* With so many prefixes a front costs at most 32 bytes for each. */
#define WORTH_FROM (1U << 15)

/* A leaf or a node at or behind byte 2: whether keys that begin with the two bytes lead to it.
 */
static bool leads_to(const struct lpm *lpm, void *branch, const u8 *data)
{
	const struct lpm_node *node = branch;
	u32 first, differs = 0;

	if (lpm_is_leaf(branch)) {
		u8 *leaf = lpm_behind(lpm, lpm_leaf_value(branch));

		return leaf[0] == data[0] && leaf[1] == data[1];
	}
	first = node->depth - node->path_length;
	for (u32 i = first; i < LPM_FRONT_BITS / 8; i++)
		differs |= node->path[i - first] ^ data[i];
	return !differs;
}

static bool is_short(const struct lpm *lpm, void *leaf)
{
	return lpm_value_length(lpm, lpm_leaf_value(leaf), lpm->data_size) <= LPM_FRONT_BITS;
}

static void *take_leaf(const struct lpm *lpm, void *branch, const u8 *data, void *best)
{
	void *value = lpm_leaf_value(branch);
	u32 length = lpm_value_length(lpm, value, lpm->data_size);

	return lpm_covers(lpm_behind(lpm, value), length, data, LPM_FRONT_BITS, 0) ? value
										   : best;
}

/* Prefixes of at most 16 bits are no branch: a slot's `best` changes with them alone, and its
 * branch with the longer ones that begin with its bits. */
static void set_slot(struct lpm *lpm, struct lpm_slot *slot, const u8 *data)
{
	void *branch = lpm_target(&lpm->root), *best = NULL;

	while (branch && !lpm_is_leaf(branch)) {
		const struct lpm_node *node = branch;

		if (node->depth >= LPM_FRONT_BITS / 8)
			break;
		branch = lpm_on_path(node, data) ? lpm_step(node, data[node->depth], &best)
						 : NULL;
	}
	if (branch && lpm_is_leaf(branch) && is_short(lpm, branch)) {
		best = take_leaf(lpm, branch, data, best);
		branch = NULL;
	}
	if (branch && !leads_to(lpm, branch, data))
		branch = NULL;
	/* Release pairs with the acquire of lpm_target(): the targets are complete. */
	atomic_store_explicit(&slot->branch, branch, memory_order_release);
	atomic_store_explicit(&slot->best, best, memory_order_release);
}

static void set_slots(struct lpm *lpm, struct lpm_slot *slots, u32 first, u32 count)
{
	for (u32 i = first; i < first + count; i++)
		set_slot(lpm, &slots[i], (const u8[]){(u8)(i >> 8), (u8)i});
}

void lpm_front_refresh(struct lpm *lpm, const u8 *data, u32 length)
{
	struct lpm_slot *front = atomic_load_explicit(&lpm->front, memory_order_relaxed);
	u32 count = length < LPM_FRONT_BITS ? SLOTS >> length : 1;

	if (front)
		set_slots(lpm, front, ((u32)data[0] << 8 | data[1]) & ~(count - 1), count);
}

void lpm_front_grow(struct lpm *lpm)
{
	struct lpm_slot *slots;

	if (likely(lpm->count != WORTH_FROM) || lpm->bits <= LPM_FRONT_BITS ||
	    atomic_load_explicit(&lpm->front, memory_order_relaxed) ||
	    region_new(lpm->map.account, &lpm->front_region, SLOTS * sizeof(*slots)))
		return;
	slots = (struct lpm_slot *)lpm->front_region.base;
	set_slots(lpm, slots, 0, SLOTS);
	/* Release pairs with the acquire of look-ups: the slots are complete. */
	atomic_store_explicit(&lpm->front, slots, memory_order_release);
}

void lpm_front_done(struct lpm *lpm)
{
	region_free(&lpm->front_region);
}
