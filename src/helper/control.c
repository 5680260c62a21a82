/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops and locks. */
#include "helper/body.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

/* Linux's BPF_MAX_LOOPS */
#define LOOPS_MAX	   (8 * 1024 * 1024)
#define SPINS_BEFORE_YIELD 100

HELPER_BODY(loop)
{
	const u32 count = r1;

	if (r4)
		return -EINVAL;
	if (count > LOOPS_MAX)
		return -E2BIG;
	for (u32 i = 0; i < count; i++) {
		const u64 args[5] = {i, r3};

		if (run->call_back(run, r2, args))
			return i + 1;
	}
	return count;
}

/* struct bpf_spin_lock: 0 free, 1 taken. The holder runs on, so waiting ends. */
HELPER_BODY(spin_lock)
{
	_Atomic u32 *lock = u64_to_ptr(r1);
	u32 spins = 0;

	/* acquire: sees what the last holder wrote before its release in spin_unlock */
	while (atomic_exchange_explicit(lock, 1, memory_order_acquire))
		if (++spins % SPINS_BEFORE_YIELD == 0)
			sched_yield();
	return 0;
}

HELPER_BODY(spin_unlock)
{
	_Atomic u32 *lock = u64_to_ptr(r1);

	/* release: pairs with the acquire in spin_lock */
	atomic_store_explicit(lock, 0, memory_order_release);
	return 0;
}
