/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cpu slots: what a program sees as a CPU. A thread that runs programs owns one slot for the
 * time of the run; bpf_get_smp_processor_id() and per-CPU map values mean the slot, so that no
 * two threads ever touch the same per-CPU value at once. By default there are as many slots as
 * possible CPUs (libbpf sizes per-CPU buffers by that number).
 */
#ifndef SKEP_BASE_SLOT_H
#define SKEP_BASE_SLOT_H

#include "base/types.h"

#define SLOTS_MAX 256

struct commons;
struct slots; /* one per engine */

struct slots *slots_new(u32 count); /* NULL: out of memory or count not in 1..SLOTS_MAX */
/* The slots of a region, which all its members share; `memory` in it has slots_bytes(), zeros
 * at first. A member's slots are the others' when it dies. NULL: out of memory. */
struct slots *slots_new_in(const struct commons *commons, void *memory);
size_t slots_bytes(u32 count);
void slots_free(struct slots *slots);
u32 slots_count(const struct slots *slots);

/*
 * Takes a slot for the calling thread: the one it had last when free, else any free one, else
 * waits for one. Nested calls of one thread return the slot it already owns.
 */
u32 slot_enter(struct slots *slots);
void slot_leave(struct slots *slots);

#endif
