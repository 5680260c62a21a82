/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/pool.h"

void pool_init(struct pool *pool, atomic_uint *next, u32 first, u32 count)
{
	pool->next = next;
	pool->limit = first + count;
	atomic_init(&pool->fresh, first);
	for (u32 i = 0; i < POOL_SHARDS; i++)
		atomic_init(&pool->shard[i].head, 0);
}

static u32 own_shard(void)
{
	static atomic_uint threads;
	static _Thread_local u32 shard = UINT32_MAX;

	if (unlikely(shard == UINT32_MAX))
		shard = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) %
			POOL_SHARDS;
	return shard;
}

static u64 head_after(u64 head, u32 link)
{
	return ((head >> 32) + 1) << 32 | link;
}

/* Acquire pairs with the release in pool_give(): what was done with the index before. */
static u32 shard_pop(struct pool *pool, struct pool_shard *shard)
{
	u64 head = atomic_load_explicit(&shard->head, memory_order_acquire);
	u32 link, next;

	do {
		link = (u32)head;
		if (!link)
			return POOL_NONE;
		next = atomic_load_explicit(&pool->next[link - 1], memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(
		&shard->head, &head, head_after(head, next), memory_order_acquire,
		memory_order_acquire));
	return link - 1;
}

static u32 take_fresh(struct pool *pool)
{
	u32 index = atomic_load_explicit(&pool->fresh, memory_order_relaxed);

	while (index < pool->limit)
		if (atomic_compare_exchange_weak_explicit(&pool->fresh, &index, index + 1,
							  memory_order_relaxed,
							  memory_order_relaxed))
			return index;
	return POOL_NONE;
}

u32 pool_take(struct pool *pool)
{
	u32 own = own_shard(), index = shard_pop(pool, &pool->shard[own]);

	if (index == POOL_NONE)
		index = take_fresh(pool);
	for (u32 i = 1; i < POOL_SHARDS && index == POOL_NONE; i++)
		index = shard_pop(pool, &pool->shard[(own + i) % POOL_SHARDS]);
	return index;
}

void pool_give(struct pool *pool, u32 index)
{
	struct pool_shard *shard = &pool->shard[own_shard()];
	u64 head = atomic_load_explicit(&shard->head, memory_order_relaxed);

	do
		atomic_store_explicit(&pool->next[index], (u32)head, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
		&shard->head, &head, head_after(head, index + 1), memory_order_release,
		memory_order_relaxed));
}
