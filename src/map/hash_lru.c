/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LRU hash maps with BPF_F_NO_COMMON_LRU: each slot has its own part of the elements and evicts
 * from that part only, which elements and when being Linux's choice: two lists, new elements
 * enter the inactive one. Before an element is taken a few at the tails are looked at: those
 * that were referred to since move to the head of the active list, others at its tail become
 * inactive while it is the longer one. When no element is free, the oldest inactive ones go.
 *
 * Invariant: an element that is in use or is being prepared for a key is in one list of the
 * slot it belongs to, whoever put it into the table.
 *
 * Locks: a slot's lists are locked before a bucket, never the other way round.
 */
#include "map/hash.h"

#include <sched.h>

/* How many elements are looked at each time, and go at a time. */
#define SCANS 4

enum { ACTIVE, INACTIVE, LISTS, FREE = LISTS };

struct lru_node {
	u32 prev, next; /* FREE: `next` only */
	u32 list;
};

struct lru_lists {
	_Alignas(CACHE_LINE) u32 lock;
	u32 length[LISTS];
	u32 hand;	/* where the next look at the inactive list begins */
	u32 freed;	/* a stack; ELEMENT_NONE: empty */
	u32 fresh, end; /* elements that were never taken */
};

/* Behind the elements' nodes are the ends of the lists. */
static u32 end_of(const struct hash *hash, const struct lru_lists *lists, u32 list)
{
	return hash->element_count + (u32)(lists - hash->lru) * LISTS + list;
}

static u32 part_of(const struct hash *hash)
{
	return hash->map.desc.max_entries / hash->map.slots;
}

static struct lru_lists *lists_of(const struct hash *hash, u32 element)
{
	return &hash->lru[element / part_of(hash)];
}

int hash_lru_init(struct hash *hash)
{
	const u32 slots = hash->map.slots;
	const u64 nodes = (u64)hash->element_count + (u64)slots * LISTS;
	int err =
		region_new(hash->map.account, &hash->lru_region,
			   slots * sizeof(struct lru_lists) + nodes * sizeof(struct lru_node));

	if (err)
		return err;
	hash->lru = (struct lru_lists *)hash->lru_region.base;
	hash->nodes = (struct lru_node *)(hash->lru + slots);
	for (u32 slot = 0; slot < slots; slot++) {
		struct lru_lists *lists = &hash->lru[slot];

		for (u32 list = 0; list < LISTS; list++) {
			u32 end = end_of(hash, lists, list);

			hash->nodes[end] = (struct lru_node){end, end, list};
		}
		lists->hand = end_of(hash, lists, INACTIVE);
		lists->freed = ELEMENT_NONE;
		lists->fresh = slot * part_of(hash);
		lists->end = lists->fresh + part_of(hash);
	}
	return 0;
}

/* --- lists, with their lock held --- */

static void unlink_node(struct hash *hash, struct lru_lists *lists, u32 element)
{
	struct lru_node *node = &hash->nodes[element];

	if (lists->hand == element)
		lists->hand = node->prev;
	hash->nodes[node->prev].next = node->next;
	hash->nodes[node->next].prev = node->prev;
	lists->length[node->list]--;
}

/* To the head. */
static void link_node(struct hash *hash, struct lru_lists *lists, u32 element, u32 list)
{
	const u32 end = end_of(hash, lists, list);
	struct lru_node *head = &hash->nodes[end];

	hash->nodes[element] = (struct lru_node){end, head->next, list};
	hash->nodes[head->next].prev = element;
	head->next = element;
	lists->length[list]++;
}

static void move_node(struct hash *hash, struct lru_lists *lists, u32 element, u32 list)
{
	unlink_node(hash, lists, element);
	link_node(hash, lists, element, list);
	atomic_fetch_and_explicit(&hash->state[element], (u8)~ELEMENT_REFERENCED,
				  memory_order_relaxed);
}

static bool is_referenced(const struct hash *hash, u32 element)
{
	return atomic_load_explicit(&hash->state[element], memory_order_relaxed) &
	       ELEMENT_REFERENCED;
}

static void look_at_active(struct hash *hash, struct lru_lists *lists)
{
	const u32 end = end_of(hash, lists, ACTIVE), first = hash->nodes[end].next;
	u32 at = hash->nodes[end].prev, scans = 0;

	while (at != end) {
		const u32 element = at;

		at = hash->nodes[element].prev;
		move_node(hash, lists, element,
			  is_referenced(hash, element) ? ACTIVE : INACTIVE);
		if (++scans == SCANS || element == first)
			break;
	}
}

/* Goes on from where the last look ended, round and round. */
static void look_at_inactive(struct hash *hash, struct lru_lists *lists)
{
	const u32 end = end_of(hash, lists, INACTIVE);
	u32 at = lists->hand, last = hash->nodes[at].next, scans = 0, next = end;

	if (hash->nodes[end].next == end)
		return;
	if (last == end)
		last = hash->nodes[last].next;
	while (scans < SCANS) {
		const u32 element = at;

		if (element == end) {
			at = hash->nodes[end].prev;
			continue;
		}
		next = at = hash->nodes[element].prev;
		if (is_referenced(hash, element))
			move_node(hash, lists, element, ACTIVE);
		if (element == last)
			break;
		scans++;
	}
	lists->hand = next;
}

/* --- eviction --- */

/* Not one that is being prepared for a key. */
static bool evict(struct hash *hash, struct lru_lists *lists, u32 element, u32 slot)
{
	u8 state = atomic_load_explicit(&hash->state[element], memory_order_relaxed);
	bool as_owner;

	if (!(state & ELEMENT_IN_USE) || !hash_take_out(hash, element, slot, &as_owner))
		return false;
	unlink_node(hash, lists, element);
	hash->nodes[element].list = FREE;
	return true;
}

/* The oldest inactive ones that were not referred to, at most SCANS. */
static u32 evict_inactive(struct hash *hash, struct lru_lists *lists, u32 slot, u32 *victims)
{
	const u32 end = end_of(hash, lists, INACTIVE);
	u32 at = hash->nodes[end].prev, count = 0;

	for (u32 i = 0; i < SCANS && at != end; i++) {
		const u32 element = at;

		at = hash->nodes[element].prev;
		if (is_referenced(hash, element))
			move_node(hash, lists, element, ACTIVE);
		else if (evict(hash, lists, element, slot))
			victims[count++] = element;
	}
	return count;
}

/* The oldest, whatever was referred to. */
static u32 evict_any(struct hash *hash, struct lru_lists *lists, u32 slot, u32 *victims)
{
	const u32 list = lists->length[INACTIVE] ? INACTIVE : ACTIVE;
	const u32 end = end_of(hash, lists, list);

	for (u32 at = hash->nodes[end].prev; at != end; at = hash->nodes[at].prev)
		if (evict(hash, lists, at, slot)) {
			*victims = at;
			return 1;
		}
	return 0;
}

static u32 take_free(struct hash *hash, struct lru_lists *lists)
{
	const u32 element = lists->freed;

	if (element != ELEMENT_NONE) {
		lists->freed = hash->nodes[element].next;
		return element;
	}
	return lists->fresh < lists->end ? lists->fresh++ : ELEMENT_NONE;
}

/* Of a thread without a slot: the CPU's that it is on. */
static struct lru_lists *lists_of_slot(const struct hash *hash, u32 slot)
{
	const int cpu = slot == SLOT_NONE ? sched_getcpu() : (int)slot;

	return &hash->lru[(u32)max(cpu, 0) % hash->map.slots];
}

u32 hash_lru_take(struct hash *hash, u32 slot)
{
	struct lru_lists *lists = lists_of_slot(hash, slot);
	u32 victims[SCANS], count = 0, element;

	value_spin_lock(&lists->lock);
	if (lists->length[INACTIVE] < lists->length[ACTIVE])
		look_at_active(hash, lists);
	look_at_inactive(hash, lists);
	element = take_free(hash, lists);
	if (element == ELEMENT_NONE) {
		count = evict_inactive(hash, lists, slot, victims);
		if (!count)
			count = evict_any(hash, lists, slot, victims);
		if (count)
			element = victims[count - 1];
	}
	if (element != ELEMENT_NONE) {
		hash_set_state(hash, element, 0);
		link_node(hash, lists, element, INACTIVE);
	}
	value_spin_unlock(&lists->lock);
	for (u32 i = 0; i < count; i++) {
		hash_release_fields(hash, victims[i]);
		if (victims[i] != element)
			hash_lru_give(hash, victims[i]);
	}
	return element;
}

void hash_lru_give(struct hash *hash, u32 element)
{
	struct lru_lists *lists = lists_of(hash, element);
	struct lru_node *node = &hash->nodes[element];

	value_spin_lock(&lists->lock);
	if (node->list != FREE)
		unlink_node(hash, lists, element);
	*node = (struct lru_node){.next = lists->freed, .list = FREE};
	lists->freed = element;
	value_spin_unlock(&lists->lock);
}
