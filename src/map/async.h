/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What runs later: timers and work queues in values. A field of a value points to a struct
 * async; one thread of the engine, started when first needed, calls what is due, one after the
 * other.
 *
 * Threads: any. Everything is guarded by the world's lock; nothing is called with it held.
 */
#ifndef SKEP_MAP_ASYNC_H
#define SKEP_MAP_ASYNC_H

#include "map/map.h"

/* Calls the program's function, inside a read-side section. */
typedef void async_call(void *engine, struct object *prog, u64 function, const u64 args[5]);

struct async_world;

/* NULL: no memory. */
struct async_world *async_world_new(async_call *call, void *engine);
/* Nothing is called from here on; the thread is gone. */
void async_world_free(struct async_world *world);
/* For tests: no thread, and time stands still but for this. Calls what becomes due. The first
 * call comes before any timer is started. */
void async_world_advance(struct async_world *world, u64 ns);

/*
 * The operations of bpf_timer_*() and bpf_wq_*() with Linux's errno. `field` is in a value of
 * `map`. A work queue is a timer without a clock.
 */
enum async_kind { ASYNC_TIMER, ASYNC_WORK };

long async_init(struct async_world *world, void *field, struct map *map, enum async_kind kind,
		u32 clock);
/* Takes a reference to the program. */
long async_set(void *field, u64 function, struct object *prog);
/* `at` ns from now, or on the timer's clock (is_absolute). */
long async_start(void *field, u64 at, bool is_absolute);
/* 1: it was going to run, 0: it was not. Waits for one that is running. */
long async_cancel(void *field);
/* The value ends. */
void async_release(void *field);

#endif
