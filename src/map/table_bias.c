/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/table_bias.h"

#include "base/os.h"
#include "map/value.h"

#define WANTED_FIRST 16
#define WANTED_LAST  (1U << 14)

void table_bias_init(struct table_bias *bias, struct pool *pool, struct table_writer *writers,
		     u32 count)
{
	*bias = (struct table_bias){.bias.owner = BIASED_TO_NOBODY,
				    .last = SLOT_NONE,
				    .wanted = writers && os_barrier_ready() ? WANTED_FIRST : 0,
				    .pool = pool,
				    .writers = writers,
				    .writer_count = count};
}

/* With `lock` held: whoever is to come next has to wait longer. */
static void want_more(struct table_bias *bias)
{
	u32 wanted = atomic_load_explicit(&bias->wanted, memory_order_relaxed);

	atomic_store_explicit(&bias->wanted, min(wanted * 2, WANTED_LAST),
			      memory_order_relaxed);
	atomic_store_explicit(&bias->in_a_row, 0, memory_order_relaxed);
}

void table_bias_take_away(struct table_bias *bias)
{
	value_spin_lock(&bias->lock);
	if (!bias_is_free(&bias->bias)) {
		bias_take_away(&bias->bias);
		while (bias->count)
			pool_give(bias->pool, bias->free[--bias->count]);
		want_more(bias);
	}
	value_spin_unlock(&bias->lock);
}

static bool is_written(const struct table_bias *bias)
{
	for (u32 i = 0; i < bias->writer_count; i++)
		/* Acquire pairs with the release when the slot is done. */
		if (atomic_load_explicit(&bias->writers[i].element, memory_order_acquire) !=
		    POOL_NONE)
			return true;
	return false;
}

/* After the barrier whoever locked a bucket, or began to write, and saw no owner is seen. */
static void give_to(struct table_bias *bias, u32 slot)
{
	value_spin_lock(&bias->lock);
	if (bias_is_free(&bias->bias)) {
		atomic_store_explicit(&bias->bias.owner, slot, memory_order_relaxed);
		os_barrier();
		if (is_written(bias)) {
			atomic_store_explicit(&bias->bias.owner, BIASED_TO_NOBODY,
					      memory_order_relaxed);
			want_more(bias);
		}
	}
	value_spin_unlock(&bias->lock);
}

/* Two slots may note at once: then one of the notes is lost. */
void table_bias_note(struct table_bias *bias, u32 slot)
{
	u32 wanted = atomic_load_explicit(&bias->wanted, memory_order_relaxed), count = 0;

	if (!wanted)
		return;
	if (atomic_load_explicit(&bias->last, memory_order_relaxed) == slot)
		count = atomic_load_explicit(&bias->in_a_row, memory_order_relaxed) + 1;
	atomic_store_explicit(&bias->last, slot, memory_order_relaxed);
	atomic_store_explicit(&bias->in_a_row, count, memory_order_relaxed);
	if (count >= wanted && slot != SLOT_NONE)
		give_to(bias, slot);
}
