/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/bias.h"

#include "base/os.h"
#include <sched.h>

/* Acquire pairs with the release when the owner leaves. */
void bias_take_away(struct bias *bias)
{
	atomic_store_explicit(&bias->owner, BIAS_IS_TAKEN_AWAY, memory_order_relaxed);
	os_barrier();
	while (atomic_load_explicit(&bias->inside, memory_order_acquire))
		sched_yield();
	atomic_store_explicit(&bias->owner, BIASED_TO_NOBODY, memory_order_release);
}
