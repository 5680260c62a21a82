/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A spin lock that a slot which takes it again and again comes to own: it then enters without
 * an atomic instruction, which would wait for all its stores before. Whoever else wants the
 * lock takes that away first, with a barrier of all threads (os_barrier()), after which the
 * lock is an ordinary one for a while, each time for longer.
 *
 * Invariant: inside is who holds `lock` while nobody owns it, or the owner with `inside` set.
 * The owner sets `inside` and looks again at `owner`; whoever clears `owner`, with `lock` held,
 * has the barrier between that and its look at `inside`: one of them sees the other. No program
 * runs inside, so that a slot, which one thread has at a time, never enters twice.
 */
#ifndef SKEP_MAP_BIASED_LOCK_H
#define SKEP_MAP_BIASED_LOCK_H

#include "map/map.h"
#include <stdatomic.h>

#define BIASED_TO_NOBODY (SLOT_NONE - 1)

struct biased_lock {
	_Alignas(CACHE_LINE) atomic_uint owner; /* a slot or BIASED_TO_NOBODY */
	atomic_uint inside;			/* of the owner */
	/* Under `lock`. */
	u32 lock;
	u32 last, in_a_row; /* the slot that had it last, and how often */
	u32 wanted;	    /* so often in a row makes it the owner; 0: nothing does */
};

void biased_lock_init(struct biased_lock *lock);
void biased_lock_enter_slow(struct biased_lock *lock, u32 slot);
void biased_lock_leave_slow(struct biased_lock *lock, u32 slot);

static inline bool biased_lock_is_own(const struct biased_lock *lock, u32 slot)
{
	return atomic_load_explicit(&lock->owner, memory_order_relaxed) == slot;
}

/* Whether the slot entered as the owner, which biased_lock_leave() wants to know. `slot` may be
 * SLOT_NONE. */
static inline bool biased_lock_enter(struct biased_lock *lock, u32 slot)
{
	if (likely(biased_lock_is_own(lock, slot))) {
		atomic_store_explicit(&lock->inside, 1, memory_order_relaxed);
		/* os_barrier() puts the store before the load for who takes the lock away. */
		atomic_signal_fence(memory_order_seq_cst);
		if (likely(biased_lock_is_own(lock, slot)))
			return true;
		atomic_store_explicit(&lock->inside, 0, memory_order_release);
	}
	biased_lock_enter_slow(lock, slot);
	return false;
}

static inline void biased_lock_leave(struct biased_lock *lock, u32 slot, bool as_owner)
{
	/* Release pairs with the acquire of who takes the lock away. */
	if (likely(as_owner))
		atomic_store_explicit(&lock->inside, 0, memory_order_release);
	else
		biased_lock_leave_slow(lock, slot);
}

#endif
