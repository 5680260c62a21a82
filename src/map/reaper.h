/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work that nobody shall wait for, in small steps on a thread of the engine: large maps are
 * freed here. The thread starts with the first work. Behind a step of each of some pieces of
 * work it waits until what was handed to call_rcu() is done, so that the queue of frees stays
 * short, whatever it works on, and many small maps do not wait one behind the other.
 *
 * Any thread may call anything here. reaper_drain() and reaper_stop() wait: not from a
 * read-side section, a callback of call_rcu() or a step.
 */
#ifndef SKEP_MAP_REAPER_H
#define SKEP_MAP_REAPER_H

#include "base/types.h"

struct chore {
	struct chore *next;
	/* One step; true: it was the last, and the chore is gone. Outside read-side sections.
	 */
	bool (*step)(struct chore *chore);
};

struct reaper; /* counted: by the engine and by maps */

struct reaper *reaper_new(void); /* NULL: no memory */
struct reaper *reaper_get(struct reaper *reaper);
void reaper_put(struct reaper *reaper); /* NULL is allowed */

/* False: there is no thread (it was stopped, or cannot start), and the chore is the caller's.
 */
bool reaper_add(struct reaper *reaper, struct chore *chore);
/* Until there is nothing to do. */
void reaper_drain(struct reaper *reaper);
/* The thread does what there is, and ends. */
void reaper_stop(struct reaper *reaper);

#endif
