/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/hash.h"

#include "base/os.h"
#include "base/slot.h"
#include <sched.h>

/* Elements between two barriers; small maps make do with one supply and fewer. */
#define BATCH	    256
#define SMALL_BATCH 64
#define SMALL_MAP   16384
/* Spares of a map that is not written in place: one for each update under way. */
#define SPARES 16
/* LRU: how many elements of the round a supply takes at a time. */
#define TURN 32
/* How far ahead of the hand buckets are asked for, which come from far. */
#define AHEAD 4

static u32 reserve_of(const struct hash *hash)
{
	if (!hash->in_place)
		return SPARES;
	/* Each slot may keep one of them from being used again. */
	return (hash->supply_count > 1 ? BATCH : SMALL_BATCH) + hash->map.slots;
}

void hash_supply_plan(struct hash *hash)
{
	u32 max_entries = hash->map.desc.max_entries;

	/* Each update has an element of its slot. */
	if (hash_has_parts(&hash->map.desc)) {
		hash->element_count = max_entries;
		return;
	}
	hash->supply_count =
		hash->in_place && max_entries < SMALL_MAP ? 1 : hash->map.slots + 1;
	hash->element_count = max_entries + hash->supply_count * reserve_of(hash);
}

static void fill_supply(struct hash *hash, u32 number, u32 *elements)
{
	u32 reserve = reserve_of(hash);

	hash->supplies[number] = (struct hash_supply){
		.clean = reserve, .count = reserve, .elements = elements + number * reserve};
	for (u32 i = 0; i < reserve; i++)
		elements[number * reserve + i] =
			hash->map.desc.max_entries + number * reserve + i;
}

int hash_supply_init(struct hash *hash)
{
	u64 supplies = (u64)hash->supply_count * sizeof(struct hash_supply);
	u64 slots = (u64)hash->map.slots * sizeof(struct table_writer);
	u64 elements = (u64)hash->supply_count * reserve_of(hash) * sizeof(u32);
	int err = region_new(hash->map.account, &hash->supply_region,
			     supplies + slots + elements);
	u8 *base = hash->supply_region.base;

	if (err)
		return err;
	err = region_new(hash->map.account, &hash->links,
			 (u64)hash->element_count * sizeof(u32));
	if (err)
		return err;
	hash->supplies = (struct hash_supply *)base;
	hash->writers = (struct table_writer *)(base + supplies);
	for (u32 i = 0; i < hash->supply_count; i++)
		fill_supply(hash, i, (u32 *)(base + supplies + slots));
	for (u32 i = 0; i < hash->map.slots; i++)
		atomic_init(&hash->writers[i].element, ELEMENT_NONE);
	hash->pools = &hash->own_pools;
	pool_init(&hash->pools->pool, (atomic_uint *)hash->links.base, 0,
		  hash->map.desc.max_entries);
	table_bias_init(&hash->table.bias, &hash->pools->pool, hash->writers, hash->map.slots);
	return 0;
}

void hash_supply_done(struct hash *hash)
{
	region_free(&hash->supply_region);
	region_free(&hash->links);
}

static bool is_shared(const struct hash *hash, const struct hash_supply *supply)
{
	return supply == &hash->supplies[hash->supply_count - 1];
}

static struct hash_supply *supply_enter(struct hash *hash, u32 slot)
{
	struct hash_supply *supply = &hash->supplies[min(slot, hash->supply_count - 1)];

	if (is_shared(hash, supply))
		value_spin_lock(&supply->lock);
	return supply;
}

static void supply_leave(struct hash *hash, struct hash_supply *supply)
{
	if (is_shared(hash, supply))
		value_spin_unlock(&supply->lock);
}

/* What the values of an element that left the table still hold. */
static void release_element(struct hash *hash, u32 element)
{
	u32 copies = hash_is_per_cpu(hash) ? hash->map.slots : 1;

	if (likely(!value_has_fields(&hash->map.desc)))
		return;
	for (u32 slot = 0; slot < copies; slot++)
		value_release(&hash->map.desc, hash_value(hash, element, slot));
}

/* --- free elements --- */

u32 hash_free_take(struct hash *hash, u32 slot)
{
	struct table_bias *bias = &hash->table.bias;
	bool as_owner = bias_enter(&bias->bias, slot);
	u32 element = table_bias_take(bias, as_owner);

	if (as_owner)
		bias_leave(&bias->bias);
	return element;
}

void hash_free_give(struct hash *hash, u32 slot, u32 element)
{
	struct table_bias *bias = &hash->table.bias;
	bool as_owner = bias_enter(&bias->bias, slot);

	table_bias_give(bias, as_owner, element);
	if (as_owner)
		bias_leave(&bias->bias);
}

/* --- spares --- */

static u32 take_clean(struct hash *hash, u32 slot)
{
	struct hash_supply *supply = supply_enter(hash, slot);
	u32 element = supply->clean ? supply->elements[--supply->clean] : ELEMENT_NONE;

	supply_leave(hash, supply);
	return element;
}

u32 hash_spare_take(struct hash *hash, u32 slot)
{
	u32 element;

	for (;;) {
		element =
			hash_is_common(hash) ? hash_common_spare(hash) : take_clean(hash, slot);
		if (element != ELEMENT_NONE)
			return element;
		sched_yield();
	}
}

void hash_spare_give(struct hash *hash, u32 slot, u32 element)
{
	struct hash_supply *supply;

	release_element(hash, element);
	if (hash_is_common(hash)) {
		pool_give(&hash->pools->spares, element);
		return;
	}
	supply = supply_enter(hash, slot);
	supply->elements[supply->clean++] = element;
	supply_leave(hash, supply);
}

/* --- elements that slots may still write to --- */

/* Acquire pairs with the release when the slot is done: its store to the value. */
static u32 written_by(const struct hash *hash, u32 slot)
{
	return atomic_load_explicit(&hash->writers[slot].element, memory_order_acquire);
}

static bool is_among(const u32 *elements, u32 count, u32 element)
{
	for (u32 i = 0; i < count; i++)
		if (elements[i] == element)
			return true;
	return false;
}

/* A slot that began to write before the barrier is seen by now; one that begins later finds
 * that the element left the table. */
static void clean_supply(struct hash *hash, struct hash_supply *supply)
{
	u32 written[SLOTS_MAX], count = 0, *elements = supply->elements;

	os_barrier();
	for (u32 slot = 0; slot < hash->map.slots; slot++) {
		written[count] = written_by(hash, slot);
		count += written[count] != ELEMENT_NONE;
	}
	for (u32 i = 0; i < supply->count; i++) {
		u32 element = elements[i];

		if (is_among(written, count, element))
			continue;
		elements[i] = elements[supply->clean];
		elements[supply->clean++] = element;
	}
}

/* What is written next of an element that will serve another key. */
static void prefetch_element(const struct hash *hash, u32 element)
{
	__builtin_prefetch(table_key(&hash->table, element), 1);
	__builtin_prefetch(&hash->pools->pool.next[element], 1);
}

u32 hash_renew(struct hash *hash, u32 slot, u32 removed)
{
	struct hash_supply *supply;
	u32 element;

	release_element(hash, removed);
	if (!hash->in_place)
		return removed;
	supply = supply_enter(hash, slot);
	if (unlikely(!supply->clean))
		clean_supply(hash, supply);
	element = supply->elements[--supply->clean];
	supply->elements[supply->clean] = removed;
	if (likely(supply->clean))
		prefetch_element(hash, supply->elements[supply->clean - 1]);
	supply_leave(hash, supply);
	return element;
}

void hash_settle(struct hash *hash, u32 element)
{
	if (!hash->in_place)
		return;
	os_barrier();
	for (u32 slot = 0; slot < hash->map.slots; slot++)
		while (written_by(hash, slot) == element)
			sched_yield();
}

/* --- LRU: a hand goes round over the elements and takes the first that was not used since it
 * came by (CLOCK) --- */

bool hash_take_out(struct hash *hash, u32 element, u32 slot, bool *as_owner)
{
	struct table_entry entry;
	bool found = table_lock_element(&hash->table, element, slot, &entry);

	if (found) {
		table_remove(&hash->table, &entry);
		hash_set_state(hash, element, 0);
	}
	table_unlock(&hash->table, &entry);
	*as_owner = entry.as_owner;
	return found;
}

static bool evict(struct hash *hash, u32 element, u32 slot, bool *as_owner)
{
	bool found = hash_take_out(hash, element, slot, as_owner);

	if (found)
		hash_release_fields(hash, element);
	return found;
}

static u32 next_in_round(struct hash *hash, struct hash_supply *supply)
{
	if (supply->hand == supply->hand_end) {
		u32 hand =
			atomic_fetch_add_explicit(&hash->pools->hand, 1, memory_order_relaxed);
		u32 turns = (hash->element_count + TURN - 1) / TURN;

		supply->hand = hand % turns * TURN;
		supply->hand_end = min(supply->hand + TURN, hash->element_count);
	}
	return supply->hand++;
}

/* Whether the element may be evicted; if it was used, it is the next time. */
static bool is_unused(struct hash *hash, u32 element)
{
	u8 state = atomic_load_explicit(&hash->state[element], memory_order_relaxed);

	if (state & ELEMENT_REFERENCED)
		hash_set_state(hash, element, ELEMENT_IN_USE);
	return state == ELEMENT_IN_USE;
}

/* No process has a turn of its own in a region: it could die in it. */
static u32 next_common_victim(struct hash *hash)
{
	for (u64 i = 0; i <= 2ULL * hash->element_count; i++) {
		u32 element =
			atomic_fetch_add_explicit(&hash->pools->hand, 1, memory_order_relaxed) %
			hash->element_count;

		if (is_unused(hash, element))
			return element;
	}
	return ELEMENT_NONE;
}

/* ELEMENT_NONE: two rounds found none, as when the only elements were just deleted. */
static u32 next_victim(struct hash *hash, u32 slot)
{
	struct hash_supply *supply;
	u32 element = ELEMENT_NONE;

	if (hash_is_common(hash))
		return next_common_victim(hash);
	supply = supply_enter(hash, slot);
	for (u64 i = 0; i <= 2ULL * hash->element_count; i++) {
		element = next_in_round(hash, supply);
		if (is_unused(hash, element))
			break;
		element = ELEMENT_NONE;
	}
	if (likely(supply->hand + AHEAD < supply->hand_end))
		table_prefetch_element(&hash->table, supply->hand + AHEAD);
	supply_leave(hash, supply);
	return element;
}

/* Elements that hold nothing, as those are of maps that are written in place, serve at once. */
bool hash_owner_evict(struct hash *hash, u32 slot)
{
	struct table_bias *bias = &hash->table.bias;
	u32 victim = pool_take(bias->pool);

	if (victim == POOL_NONE) {
		victim = next_victim(hash, slot);
		if (victim == ELEMENT_NONE || !table_take_element(&hash->table, victim))
			return false;
		hash_set_state(hash, victim, 0);
	}
	bias->free[bias->count++] = victim;
	return true;
}

u32 hash_take_lru(struct hash *hash, u32 slot)
{
	u32 element = hash_free_take(hash, slot);
	bool as_owner;

	while (element == POOL_NONE) {
		u32 victim = next_victim(hash, slot);

		if (victim != ELEMENT_NONE && evict(hash, victim, slot, &as_owner))
			return as_owner ? victim : hash_renew(hash, slot, victim);
		element = hash_free_take(hash, slot);
	}
	return element;
}
