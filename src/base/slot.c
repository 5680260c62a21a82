/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/slot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/*
 * One lock-free owner word per slot, each on its own cache line. A thread remembers the slot it
 * had last, so that entering is one uncontended compare-and-swap; only when all are taken does
 * it sleep on the condition.
 */
struct slot {
	_Alignas(CACHE_LINE) atomic_bool taken;
};

struct slots {
	u32 count;
	atomic_uint waiting;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	struct slot slot[];
};

static _Thread_local struct {
	struct slots *slots; /* whose slot this thread owns while depth > 0 */
	u32 index, depth;
} own;

struct slots *slots_new(u32 count)
{
	struct slots *slots;

	if (!count || count > SLOTS_MAX)
		return NULL;
	slots = aligned_alloc(CACHE_LINE, sizeof(*slots) + count * sizeof(struct slot));
	if (!slots)
		return NULL;
	slots->count = count;
	atomic_init(&slots->waiting, 0);
	pthread_mutex_init(&slots->lock, NULL);
	pthread_cond_init(&slots->freed, NULL);
	for (u32 i = 0; i < count; i++)
		atomic_init(&slots->slot[i].taken, false);
	return slots;
}

void slots_free(struct slots *slots)
{
	if (!slots)
		return;
	pthread_cond_destroy(&slots->freed);
	pthread_mutex_destroy(&slots->lock);
	free(slots);
}

u32 slots_count(const struct slots *slots)
{
	return slots->count;
}

/* Acquire pairs with the release in slot_leave(): the last owner's per-CPU writes are seen. */
static bool slot_take(struct slots *slots, u32 index)
{
	bool expected = false;

	return atomic_compare_exchange_strong_explicit(&slots->slot[index].taken, &expected,
						       true, memory_order_acquire,
						       memory_order_relaxed);
}

static bool slot_take_any(struct slots *slots, u32 *index)
{
	for (u32 i = 0; i < slots->count; i++) {
		u32 candidate = (own.index + i) % slots->count;

		if (!slot_take(slots, candidate))
			continue;
		*index = candidate;
		return true;
	}
	return false;
}

static void slot_wait(struct slots *slots, u32 *index)
{
	pthread_mutex_lock(&slots->lock);
	atomic_fetch_add(&slots->waiting, 1);
	while (!slot_take_any(slots, index))
		pthread_cond_wait(&slots->freed, &slots->lock);
	atomic_fetch_sub(&slots->waiting, 1);
	pthread_mutex_unlock(&slots->lock);
}

u32 slot_enter(struct slots *slots)
{
	if (own.depth && own.slots == slots) {
		own.depth++;
		return own.index;
	}
	if (!slot_take_any(slots, &own.index))
		slot_wait(slots, &own.index);
	own.slots = slots;
	own.depth = 1;
	return own.index;
}

void slot_leave(struct slots *slots)
{
	if (--own.depth)
		return;
	/* Sequentially consistent, with the increment of `waiting`: either the waiter sees the
	 * slot free or this thread sees the waiter. */
	atomic_store(&slots->slot[own.index].taken, false);
	if (!atomic_load(&slots->waiting))
		return;
	pthread_mutex_lock(&slots->lock);
	pthread_cond_broadcast(&slots->freed);
	pthread_mutex_unlock(&slots->lock);
}
