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

#endif
