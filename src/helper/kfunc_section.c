/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections. A run is one read-side section from its start to its end, no interrupt handler runs
 * programs, and a thread keeps its slot whatever takes its processor away: there is nothing to
 * enter. Resilient locks are real.
 */
#include "base/os.h"
#include "helper/body.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

KFUNC_BODY(bpf_rcu_read_lock)
{
	return 0;
}

KFUNC_BODY(bpf_rcu_read_unlock)
{
	return 0;
}

KFUNC_BODY(bpf_preempt_disable)
{
	return 0;
}

KFUNC_BODY(bpf_preempt_enable)
{
	return 0;
}

KFUNC_BODY(bpf_local_irq_save)
{
	*(u64 *)u64_to_ptr(r1) = 0;
	return 0;
}

KFUNC_BODY(bpf_local_irq_restore)
{
	return 0;
}

/* --- resilient locks: 0 free, else the owner's slot + 1 --- */
#define SPINS_BEFORE_YIELD 100
#define TIMEOUT_NS	   250000000ull /* Linux's RES_DEF_TIMEOUT */

static int wait_for(_Atomic u32 *lock, u32 me)
{
	const u64 start = os_time_ns(CLOCK_MONOTONIC);
	u32 spins = 0, owner = 0;

	/* acquire: sees what the last owner wrote before its release in unlock() */
	while (!atomic_compare_exchange_weak_explicit(lock, &owner, me, memory_order_acquire,
						      memory_order_relaxed)) {
		if (owner == me)
			return -EDEADLK;
		owner = 0;
		if (++spins % SPINS_BEFORE_YIELD)
			continue;
		if (os_time_ns(CLOCK_MONOTONIC) - start > TIMEOUT_NS)
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}

/* release: pairs with the acquire in wait_for() */
static u64 unlock(_Atomic u32 *lock)
{
	atomic_store_explicit(lock, 0, memory_order_release);
	return 0;
}

KFUNC_BODY(bpf_res_spin_lock)
{
	return wait_for(u64_to_ptr(r1), run->slot + 1);
}

KFUNC_BODY(bpf_res_spin_unlock)
{
	return unlock(u64_to_ptr(r1));
}

KFUNC_BODY(bpf_res_spin_lock_irqsave)
{
	*(u64 *)u64_to_ptr(r2) = 0;
	return wait_for(u64_to_ptr(r1), run->slot + 1);
}

KFUNC_BODY(bpf_res_spin_unlock_irqrestore)
{
	return unlock(u64_to_ptr(r1));
}
