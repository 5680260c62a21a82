/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lets a slot that changes something again and again do it without atomic instructions,
 * which would wait for all its stores before: it comes to be the owner. Whoever else wants to
 * change the thing takes that away first, with a barrier of all threads (os_barrier()).
 *
 * The owner sets `inside` and looks again at `owner`; whoever takes the bias away has the
 * barrier between its store to `owner` and its look at `inside`: one of them sees the other.
 * Until the owner has left, `owner` says that it is being taken away, so that no third thread
 * believes that nobody is inside. No program runs inside, so that a slot, which one thread has
 * at a time, never enters twice.
 *
 * Who may set and clear `owner` is up to those who have a bias: biased_lock.h, table_bias.h.
 */
#ifndef SKEP_MAP_BIAS_H
#define SKEP_MAP_BIAS_H

#include "map/map.h"
#include <stdatomic.h>

#define BIASED_TO_NOBODY   (SLOT_NONE - 1)
#define BIAS_IS_TAKEN_AWAY (SLOT_NONE - 2)

struct bias {
	atomic_uint owner;  /* a slot, or one of the two above */
	atomic_uint inside; /* of the owner */
};

/* With the owner's end: nobody is inside any more. */
void bias_take_away(struct bias *bias);

/* `slot` may be SLOT_NONE. */
static inline bool bias_is_own(const struct bias *bias, u32 slot)
{
	return atomic_load_explicit(&bias->owner, memory_order_relaxed) == slot;
}

/* Nobody owns it, and what the last owner did is seen. Acquire pairs with the release when that
 * one had left. */
static inline bool bias_is_free(const struct bias *bias)
{
	return atomic_load_explicit(&bias->owner, memory_order_acquire) == BIASED_TO_NOBODY;
}

/* Release pairs with the acquire of who takes the bias away. */
static inline void bias_leave(struct bias *bias)
{
	atomic_store_explicit(&bias->inside, 0, memory_order_release);
}

/* Whether the slot is inside as the owner, until bias_leave(). */
static inline bool bias_enter(struct bias *bias, u32 slot)
{
	if (!bias_is_own(bias, slot))
		return false;
	atomic_store_explicit(&bias->inside, 1, memory_order_relaxed);
	/* os_barrier() puts the store before the load for who takes the bias away. */
	atomic_signal_fence(memory_order_seq_cst);
	if (likely(bias_is_own(bias, slot)))
		return true;
	bias_leave(bias);
	return false;
}

#endif
