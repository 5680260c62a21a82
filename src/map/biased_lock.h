/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A spin lock that a slot which takes it again and again comes to own (bias.h). When that was
 * taken away, the lock is an ordinary one for a while, each time for longer.
 *
 * Invariant: inside is who holds `lock` while nobody owns it, or the owner. `owner` changes
 * with `lock` held.
 */
#ifndef SKEP_MAP_BIASED_LOCK_H
#define SKEP_MAP_BIASED_LOCK_H

#include "map/bias.h"

struct biased_lock {
	struct bias bias;
	/* Under `lock`. */
	u32 lock;
	u32 last, in_a_row; /* the slot that had it last, and how often */
	u32 wanted;	    /* so often in a row makes it the owner; 0: nothing does */
};

void biased_lock_init(struct biased_lock *lock);
void biased_lock_enter_slow(struct biased_lock *lock, u32 slot);
void biased_lock_leave_slow(struct biased_lock *lock, u32 slot);

/* Whether the slot entered as the owner, which biased_lock_leave() wants to know. `slot` may be
 * SLOT_NONE. */
static inline bool biased_lock_enter(struct biased_lock *lock, u32 slot)
{
	if (likely(bias_enter(&lock->bias, slot)))
		return true;
	biased_lock_enter_slow(lock, slot);
	return false;
}

static inline void biased_lock_leave(struct biased_lock *lock, u32 slot, bool as_owner)
{
	if (likely(as_owner))
		bias_leave(&lock->bias);
	else
		biased_lock_leave_slow(lock, slot);
}

#endif
