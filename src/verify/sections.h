/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stretches of a program in which not everything is allowed: RCU sections, disabled preemption
 * and interrupts, locks. What is entered must be left before the program ends.
 */
#ifndef SKEP_VERIFY_SECTIONS_H
#define SKEP_VERIFY_SECTIONS_H

#include "verify/walk.h"

struct kfunc;

/* RCU protects what is read here: in a section, under a lock, and in all that cannot sleep. */
bool section_has_rcu(const struct walk *walk);
/* Nothing is held: references, locks, sections. `what` is done next, as Linux names it.
 * `with_sections` false: only references count. */
int section_prove_left(struct walk *walk, const char *what, bool with_sections);
/* The same where all frames are left at once. */
int section_prove_all_left(struct walk *walk, const char *what);
/* A function that may sleep is called: no section that cannot is open. */
int section_prove_helper_sleeps(struct walk *walk, const char *name, u32 id);
/* The same for kernel functions, and what entering and leaving needs. */
int section_prove_kfunc(struct walk *walk, const struct kfunc *kfunc);
void section_transfer_kfunc(struct walk *walk, const struct kfunc *kfunc);

#endif
