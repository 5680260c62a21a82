/* SPDX-License-Identifier: BSD-2-Clause */
/* A short rest of who waits for another thread's store, which leaves it the cache line. */
#ifndef SKEP_BASE_PAUSE_H
#define SKEP_BASE_PAUSE_H

#include "base/types.h"
#include <stdatomic.h>

static inline void pause_times(u32 times)
{
	for (u32 i = 0; i < times; i++)
#if defined(__x86_64__)
		__builtin_ia32_pause();
#elif defined(__aarch64__)
		__asm__ volatile("isb" ::: "memory");
#else
		atomic_signal_fence(memory_order_seq_cst);
#endif
}

#endif
