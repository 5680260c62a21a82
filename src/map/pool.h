/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Indexes to take and give back, without locks: stacks by thread, so that two threads rarely
 * meet; indexes that were never taken come last, so that memory is touched only when needed.
 * The pool knows exactly what it holds: when all were taken, taking fails.
 *
 * Invariant: `next[i]` belongs to whoever pops i. A head carries a count of changes in its
 * upper half, so that a pop does not mistake a stack for what it was before.
 */
#ifndef SKEP_MAP_POOL_H
#define SKEP_MAP_POOL_H

#include "base/types.h"
#include <stdatomic.h>

#define POOL_SHARDS 8
#define POOL_NONE   UINT32_MAX

struct pool_shard {
	_Alignas(CACHE_LINE) atomic_ullong head; /* changes << 32 | index + 1; 0: empty */
};

struct pool {
	atomic_uint *next;
	_Alignas(CACHE_LINE) atomic_uint fresh; /* the first that was never taken */
	u32 limit;				/* end of the indexes */
	struct pool_shard shard[POOL_SHARDS];
};

/* Indexes `first` .. `first + count - 1`. `next` has an entry for each index that may ever be
 * given to this pool. */
void pool_init(struct pool *pool, atomic_uint *next, u32 first, u32 count);
u32 pool_take(struct pool *pool); /* POOL_NONE: all are taken */
void pool_give(struct pool *pool, u32 index);

#endif
