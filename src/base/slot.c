/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/slot.h"

#include "base/commons.h"
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The owner of slots that only one process has. */
#define ALONE 1
/* How long a thread sleeps until it asks whether the owners of shared slots live. */
#define PATIENCE_NS 50000000

/*
 * One lock-free owner word per slot, each on its own cache line. A thread remembers the slot it
 * had last, so that entering is one uncontended compare-and-swap; only when all are taken does
 * it sleep. Processes that share a region share the table in it, too.
 */
struct slot {
	_Alignas(CACHE_LINE) atomic_uint owner; /* a member's number; 0: it is free */
};

struct slot_table {
	_Alignas(CACHE_LINE) atomic_uint waiting;
	atomic_uint freed; /* changes when one became free while somebody waited */
	struct slot slot[];
};

struct slots {
	u32 count, number;
	const struct commons *commons; /* whose memory the table is in; NULL: private */
	struct slot_table *table;
};

static _Thread_local struct {
	struct slots *slots; /* whose slot this thread owns while depth > 0 */
	u32 index, depth;
} own;

size_t slots_bytes(u32 count)
{
	return sizeof(struct slot_table) + count * sizeof(struct slot);
}

struct slots *slots_new(u32 count)
{
	struct slots *slots = calloc(1, sizeof(*slots));
	size_t size = slots_bytes(count);

	if (!slots || !count || count > SLOTS_MAX) {
		free(slots);
		return NULL;
	}
	slots->table = aligned_alloc(CACHE_LINE, size);
	if (!slots->table) {
		free(slots);
		return NULL;
	}
	memset(slots->table, 0, size);
	slots->count = count;
	slots->number = ALONE;
	return slots;
}

struct slots *slots_new_in(const struct commons *commons, void *memory)
{
	struct slots *slots = calloc(1, sizeof(*slots));

	if (!slots)
		return NULL;
	slots->count = commons_slots(commons);
	slots->number = commons_number(commons);
	slots->commons = commons;
	slots->table = memory;
	return slots;
}

void slots_free(struct slots *slots)
{
	if (!slots)
		return;
	if (!slots->commons)
		free(slots->table);
	free(slots);
}

u32 slots_count(const struct slots *slots)
{
	return slots->count;
}

/* Acquire pairs with the release in slot_leave(): the last owner's per-CPU writes are seen. */
static bool slot_take(struct slots *slots, u32 index, u32 from)
{
	return atomic_compare_exchange_strong_explicit(&slots->table->slot[index].owner, &from,
						       slots->number, memory_order_acquire,
						       memory_order_relaxed);
}

static bool slot_take_any(struct slots *slots, u32 *index)
{
	for (u32 i = 0; i < slots->count; i++) {
		u32 candidate = (own.index + i) % slots->count;

		if (!slot_take(slots, candidate, 0))
			continue;
		*index = candidate;
		return true;
	}
	return false;
}

/* A slot of a process that ended. */
static bool slot_take_over(struct slots *slots, u32 *index)
{
	for (u32 i = 0; slots->commons && i < slots->count; i++) {
		u32 owner = atomic_load_explicit(&slots->table->slot[i].owner,
						 memory_order_relaxed);

		if (!owner || !commons_is_dead(slots->commons, owner) ||
		    !slot_take(slots, i, owner))
			continue;
		*index = i;
		return true;
	}
	return false;
}

static void sleep_until_freed(struct slots *slots, u32 seen)
{
	const struct timespec patience = {.tv_nsec = PATIENCE_NS};

	syscall(SYS_futex, &slots->table->freed,
		slots->commons ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE, seen,
		slots->commons ? &patience : NULL, NULL, 0);
}

static void slot_wait(struct slots *slots, u32 *index)
{
	struct slot_table *table = slots->table;

	atomic_fetch_add(&table->waiting, 1);
	for (;;) {
		u32 seen = atomic_load(&table->freed);

		if (slot_take_any(slots, index) || slot_take_over(slots, index))
			break;
		sleep_until_freed(slots, seen);
	}
	atomic_fetch_sub(&table->waiting, 1);
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
	struct slot_table *table = slots->table;

	if (--own.depth)
		return;
	/* Sequentially consistent, with the increment of `waiting`: either the waiter sees the
	 * slot free or this thread sees the waiter. */
	atomic_store(&table->slot[own.index].owner, 0);
	if (!atomic_load(&table->waiting))
		return;
	atomic_fetch_add(&table->freed, 1);
	syscall(SYS_futex, &table->freed, slots->commons ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE,
		INT32_MAX, NULL, NULL, 0);
}
