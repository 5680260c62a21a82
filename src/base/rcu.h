/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-copy-update: the "bulletproof" flavour of liburcu, whose readers need no registration,
 * so that threads that skep did not start can run programs. Everything of skep includes this
 * file and not urcu's, so that the flavour is chosen once.
 *
 * A run of a program is one read-side section (rcu_read_lock .. rcu_read_unlock). What it can
 * reach is freed with call_rcu() or after synchronize_rcu(). Never wait for a grace period
 * inside a section.
 */
#ifndef SKEP_BASE_RCU_H
#define SKEP_BASE_RCU_H

#define URCU_INLINE_SMALL_FUNCTIONS
#include <urcu-bp.h>
#include <urcu/rculist.h>

/*
 * liburcu is not instrumented: ThreadSanitizer has to be told that a grace period orders the
 * sections before it, and call_rcu() itself, in front of the callback.
 */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
__attribute__((weak)) char rcu_sections;
#undef rcu_read_unlock
#define rcu_read_unlock() (__tsan_release(&rcu_sections), urcu_bp_read_unlock())
#undef call_rcu
#define call_rcu(head, callback) \
	(__tsan_release(&rcu_sections), urcu_bp_call_rcu(head, callback))
#define rcu_grace_period_passed() __tsan_acquire(&rcu_sections)
#else
/* What a callback starts with that puts memory to another use. */
#define rcu_grace_period_passed() ((void)0)
#endif

#endif
