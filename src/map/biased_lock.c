/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/biased_lock.h"

#include "base/os.h"
#include "map/value.h"

#define WANTED_FIRST 64
#define WANTED_LAST  (1U << 20)

void biased_lock_init(struct biased_lock *lock)
{
	*lock = (struct biased_lock){.bias.owner = BIASED_TO_NOBODY,
				     .last = SLOT_NONE,
				     .wanted = os_barrier_ready() ? WANTED_FIRST : 0};
}

static void take_away(struct biased_lock *lock)
{
	bias_take_away(&lock->bias);
	lock->wanted = min(lock->wanted * 2, WANTED_LAST);
	lock->in_a_row = 0;
}

void biased_lock_enter_slow(struct biased_lock *lock, u32 slot)
{
	value_spin_lock(&lock->lock);
	if (!bias_is_free(&lock->bias))
		take_away(lock);
	if (lock->last == slot) {
		lock->in_a_row++;
	} else {
		lock->last = slot;
		lock->in_a_row = 1;
	}
}

void biased_lock_leave_slow(struct biased_lock *lock, u32 slot)
{
	if (lock->wanted && slot != SLOT_NONE && lock->in_a_row >= lock->wanted)
		atomic_store_explicit(&lock->bias.owner, slot, memory_order_relaxed);
	value_spin_unlock(&lock->lock);
}
