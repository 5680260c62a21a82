/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bias (bias.h) of a hash table: the slot that alone changes it locks buckets with plain
 * stores, and what it takes out of the table and puts back in goes through no pool.
 *
 * Locks of buckets stay what they are. Another thread locks its bucket with an atomic
 * instruction, looks at `owner` after that, and takes the bias away before it relies on the
 * lock; the owner takes a bucket that is locked for one that another thread had before the
 * bias came, and waits. So the owner can only have written over a lock that was not relied on,
 * which shows: the bucket's version is another then.
 *
 * Slots may write values in place without a lock: each says first which element it is at, then
 * looks at `owner`. There is no owner while one writes, and who finds one does not write. So
 * what the owner took out may serve another key at once.
 */
#ifndef SKEP_MAP_TABLE_BIAS_H
#define SKEP_MAP_TABLE_BIAS_H

#include "map/bias.h"
#include "map/pool.h"

/* One of so many changes of a bucket is noted. */
#define TABLE_BIAS_SAMPLE 64
#define TABLE_BIAS_FREE	  64

struct table_writer {				  /* of one slot */
	_Alignas(CACHE_LINE) atomic_uint element; /* POOL_NONE: it writes to none */
};

struct table_bias {
	_Alignas(CACHE_LINE) struct bias bias;
	/* The slot of the last changes that were noted, and how many they are. */
	atomic_uint last, in_a_row;
	u32 lock;	    /* guards changes of `owner` */
	atomic_uint wanted; /* so many in a row make the slot the owner; 0: nothing does */
	struct table_writer *writers;
	u32 writer_count;
	/* The owner's: free elements, which go to `pool` when the bias is taken away. */
	struct pool *pool;
	u32 count;
	u32 free[TABLE_BIAS_FREE];
};

/* `pool`: of free elements. `writers`: of all slots; NULL: there will be no owner. */
void table_bias_init(struct table_bias *bias, struct pool *pool, struct table_writer *writers,
		     u32 count);
void table_bias_take_away(struct table_bias *bias);
/* The slot made a change that is noted, without being the owner. */
void table_bias_note(struct table_bias *bias, u32 slot);

/* The slot said in its `writer` at which element it is: may it write? */
static inline bool table_bias_may_write(const struct table_bias *bias, u32 slot)
{
	/* os_barrier() puts the store before the load for who becomes the owner. */
	atomic_signal_fence(memory_order_seq_cst);
	return bias_is_free(&bias->bias) || bias_is_own(&bias->bias, slot);
}

/* A free element, POOL_NONE: there is none; and one back. `as_owner`: who calls is inside. */
static inline u32 table_bias_take(struct table_bias *bias, bool as_owner)
{
	if (likely(as_owner && bias->count))
		return bias->free[--bias->count];
	return pool_take(bias->pool);
}

static inline void table_bias_give(struct table_bias *bias, bool as_owner, u32 element)
{
	if (likely(as_owner && bias->count < TABLE_BIAS_FREE))
		bias->free[bias->count++] = element;
	else
		pool_give(bias->pool, element);
}

#endif
