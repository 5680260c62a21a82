/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/pointer_table.h"

#include "map/ops.h"

int pointer_table_init(struct pointer_table *pointers, struct account *account, u32 key_size,
		       u32 max_entries, u64 seed)
{
	int err = table_init(&pointers->table, account, key_size, sizeof(void *), max_entries,
			     max_entries, seed);

	if (err)
		return err;
	err = region_new(account, &pointers->links, (u64)max_entries * sizeof(u32));
	if (err) {
		table_done(&pointers->table);
		return err;
	}
	pool_init(&pointers->pool, (atomic_uint *)pointers->links.base, 0, max_entries);
	return 0;
}

void pointer_table_done(struct pointer_table *pointers)
{
	table_done(&pointers->table);
	region_free(&pointers->links);
}

static _Atomic(void *) *pointer_at(const struct pointer_table *pointers, u32 element)
{
	return (_Atomic(void *) *)table_payload(&pointers->table, element);
}

void *pointer_table_find(const struct pointer_table *pointers, const void *key)
{
	u32 element = table_find(&pointers->table, key);

	if (element == ELEMENT_NONE)
		return NULL;
	return atomic_load_explicit(pointer_at(pointers, element), memory_order_acquire);
}

static int insert(struct pointer_table *pointers, struct table_entry *entry, const void *key,
		  void *pointer)
{
	u32 element = pool_take(&pointers->pool);
	int err;

	if (element == POOL_NONE)
		return -E2BIG;
	table_write_key(&pointers->table, element, key);
	atomic_store_explicit(pointer_at(pointers, element), pointer, memory_order_release);
	err = table_insert(&pointers->table, entry, element);
	if (err)
		pool_give(&pointers->pool, element);
	return err;
}

int pointer_table_set(struct pointer_table *pointers, const void *key, void *pointer, u64 flags,
		      void **old)
{
	struct table_entry entry;
	int err;

	table_lock(&pointers->table, key, SLOT_NONE, &entry);
	err = map_check_presence(entry.element != ELEMENT_NONE, flags);
	if (!err && entry.element != ELEMENT_NONE) {
		*old = atomic_exchange_explicit(pointer_at(pointers, entry.element), pointer,
						memory_order_acq_rel);
	} else if (!err) {
		err = insert(pointers, &entry, key, pointer);
		if (!err)
			*old = NULL;
	}
	table_unlock(&pointers->table, &entry);
	return err;
}

int pointer_table_remove(struct pointer_table *pointers, const void *key, void **old)
{
	struct table_entry entry;

	table_lock(&pointers->table, key, SLOT_NONE, &entry);
	if (entry.element != ELEMENT_NONE) {
		*old = atomic_load_explicit(pointer_at(pointers, entry.element),
					    memory_order_relaxed);
		table_remove(&pointers->table, &entry);
	}
	table_unlock(&pointers->table, &entry);
	if (entry.element == ELEMENT_NONE)
		return -ENOENT;
	pool_give(&pointers->pool, entry.element);
	return 0;
}

int pointer_table_next_key(const struct pointer_table *pointers, const void *key, void *next)
{
	return table_next_key(&pointers->table, key, next) ? 0 : -ENOENT;
}

void *pointer_table_next(const struct pointer_table *pointers, struct table_place *place)
{
	u32 element = table_next(&pointers->table, place);

	if (element == ELEMENT_NONE)
		return NULL;
	return atomic_load_explicit(pointer_at(pointers, element), memory_order_relaxed);
}
