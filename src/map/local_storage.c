/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values that belong to a socket, inode, task or cgroup: each is in the list of its owner and
 * in that of its map, and leaves both when either goes. Programs find a value in the owner's
 * cache, where the map has a place that it may share with others, or by the owner's list.
 *
 * Locks: owner->lock, then storage->lock. Whoever has only found a value through the map's list
 * takes both again in this order, inside a read-side section that keeps the two.
 */
#include "map/local_storage.h"

#include "map/account.h"
#include "map/ops.h"
#include "map/own.h"
#include "map/socket.h"
#include "map/value.h"

#include <stdlib.h>
#include <string.h>

#define STORAGE_VALUE_MAX 65407 /* 64 KiB less what Linux keeps beside a value */

/* So many values are charged at a time. */
#define STOCK 64

/* What values need to give back what they hold; they may outlive the map. */
struct value_type {
	atomic_uint uses;
	struct btf_fields fields;
};

struct storage {
	struct map map;
	u32 place; /* in the owners' caches */
	u32 lock;  /* of all below */
	struct cds_list_head values;
	u32 count, charged;	 /* values there are, and are paid for */
	struct value_type *type; /* reference; NULL: values have no fields */
};

struct local_value {
	struct cds_list_head of_owner, of_map;
	struct storage *storage;
	struct owner *owner;
	struct value_type *type; /* reference; NULL: no fields */
	bool is_linked;		 /* under owner->lock */
	struct rcu_head rcu;
	_Alignas(8) u8 data[];
};

static struct storage *storage_of(struct map *map)
{
	return container_of(map, struct storage, map);
}

static int check(struct map_desc *desc, struct skep_error *err)
{
	if (desc->max_entries || desc->key_size != sizeof(u32) || !desc->value_size)
		return map_refuse(desc, err, -EINVAL, "4-byte keys and max_entries 0 only");
	if (!desc->key_type || !desc->value_type)
		return map_refuse(desc, err, -EINVAL, "key and value need BTF types");
	if (desc->value_size > STORAGE_VALUE_MAX)
		return map_refuse(desc, err, -E2BIG, "values that are too large");
	return 0;
}

static int check_btf(const struct map_desc *desc)
{
	return map_btf_is_int(desc->btf, desc->key_type, sizeof(u32)) ? 0 : -EINVAL;
}

static int init(struct map *map)
{
	static atomic_uint places;
	struct storage *storage = storage_of(map);

	CDS_INIT_LIST_HEAD(&storage->values);
	if (value_has_fields(&map->desc)) {
		storage->type = malloc(sizeof(*storage->type));
		if (!storage->type)
			return -ENOMEM;
		*storage->type = (struct value_type){1, map->desc.fields};
	}
	storage->place =
		atomic_fetch_add_explicit(&places, 1, memory_order_relaxed) % OWNER_CACHE;
	return 0;
}

/* --- one value --- */

static void type_put(struct value_type *type)
{
	if (type && atomic_fetch_sub_explicit(&type->uses, 1, memory_order_acq_rel) == 1)
		free(type);
}

static void drop_value(struct local_value *value)
{
	if (value->type)
		own_release_fields(&value->type->fields, value->data);
	type_put(value->type);
	free(value);
}

static void free_value(struct rcu_head *head)
{
	drop_value(container_of(head, struct local_value, rcu));
}

/* --- what values cost, under storage->lock --- */

static u64 stock_bytes(const struct storage *storage)
{
	return STOCK * (sizeof(struct local_value) + round_up(storage->map.desc.value_size, 8));
}

static int charge_value(struct storage *storage)
{
	if (storage->count == storage->charged) {
		if (account_charge(storage->map.account, stock_bytes(storage)))
			return -ENOMEM;
		storage->charged += STOCK;
	}
	storage->count++;
	return 0;
}

/* One stock is kept, so that values that come and go cost nothing here. */
static void uncharge_value(struct storage *storage)
{
	storage->count--;
	if (storage->charged - storage->count < 2 * STOCK)
		return;
	storage->charged -= STOCK;
	account_uncharge(storage->map.account, stock_bytes(storage));
}

static struct local_value *new_value(struct storage *storage, struct owner *owner,
				     const void *initial)
{
	const struct map_desc *desc = &storage->map.desc;
	struct local_value *value = calloc(1, sizeof(*value) + round_up(desc->value_size, 8));

	if (!value)
		return NULL;
	value->storage = storage;
	value->owner = owner;
	value->type = storage->type;
	if (value->type)
		atomic_fetch_add_explicit(&value->type->uses, 1, memory_order_relaxed);
	if (initial)
		value_store_new(desc, value->data, initial);
	return value;
}

static _Atomic(struct local_value *) *cache_of(const struct storage *storage,
					       struct owner *owner)
{
	return &owner->cache[storage->place];
}

/* Release pairs with the acquire of find(): the value is complete. */
static void set_cache(struct local_value *value, struct local_value *cached)
{
	atomic_store_explicit(cache_of(value->storage, value->owner), cached,
			      memory_order_release);
}

/* Under owner->lock. */
static int link_value(struct local_value *value)
{
	struct storage *storage = value->storage;
	int err;

	value_spin_lock(&storage->lock);
	err = charge_value(storage);
	if (!err)
		cds_list_add(&value->of_map, &storage->values);
	value_spin_unlock(&storage->lock);
	if (err)
		return err;
	cds_list_add_rcu(&value->of_owner, &value->owner->values);
	value->is_linked = true;
	set_cache(value, value);
	return 0;
}

/* Under owner->lock. */
static void unlink_value(struct local_value *value)
{
	struct storage *storage = value->storage;

	if (atomic_load_explicit(cache_of(storage, value->owner), memory_order_relaxed) ==
	    value)
		set_cache(value, NULL);
	value->is_linked = false;
	cds_list_del_rcu(&value->of_owner);
	value_spin_lock(&storage->lock);
	cds_list_del(&value->of_map);
	uncharge_value(storage);
	value_spin_unlock(&storage->lock);
	call_rcu(&value->rcu, free_value);
}

/* --- look-up --- */

static struct local_value *find_in_list(struct storage *storage, struct owner *owner)
{
	struct local_value *value;

	cds_list_for_each_entry_rcu (value, &owner->values, of_owner)
		if (value->storage == storage)
			return value;
	return NULL;
}

static void remember(struct local_value *value)
{
	value_spin_lock(&value->owner->lock);
	if (value->is_linked)
		set_cache(value, value);
	value_spin_unlock(&value->owner->lock);
}

static struct local_value *find(struct storage *storage, struct owner *owner)
{
	struct local_value *value =
		atomic_load_explicit(cache_of(storage, owner), memory_order_acquire);

	if (likely(value && value->storage == storage))
		return value;
	value = find_in_list(storage, owner);
	if (value)
		remember(value);
	return value;
}

void *local_storage_find(struct map *map, struct owner *owner)
{
	struct local_value *value = find(storage_of(map), owner);

	return value ? value->data : NULL;
}

/* --- changes --- */

/* Under owner->lock: `value` takes the place of the old one, if the flags allow. */
static int put(struct local_value *value, u64 flags)
{
	struct local_value *old = find_in_list(value->storage, value->owner);
	int err = value->owner->gone ? -ENOENT : map_check_presence(old, flags);

	if (!err)
		err = link_value(value);
	if (!err && old)
		unlink_value(old);
	return err;
}

static int replace(struct storage *storage, struct owner *owner, const void *from, u64 flags,
		   struct local_value **out)
{
	struct local_value *value = new_value(storage, owner, from);
	int err;

	if (!value)
		return -ENOMEM;
	value_spin_lock(&owner->lock);
	err = put(value, flags);
	value_spin_unlock(&owner->lock);
	if (err)
		drop_value(value);
	else
		*out = value;
	return err;
}

/* With BPF_F_LOCK a value that is there changes in its place. */
static int update(struct storage *storage, struct owner *owner, const void *from, u64 flags)
{
	struct local_value *value = flags & BPF_F_LOCK ? find(storage, owner) : NULL;

	if (!value)
		return replace(storage, owner, from, flags, &value);
	if (flags & BPF_NOEXIST)
		return -EEXIST;
	value_store(&storage->map.desc, value->data, from, true);
	return 0;
}

void *local_storage_get(struct map *map, struct owner *owner, const void *initial)
{
	struct storage *storage = storage_of(map);
	struct local_value *value = find(storage, owner);

	/* Another thread may be first: then its value is the one. */
	if (!value && replace(storage, owner, initial, BPF_NOEXIST, &value))
		value = find(storage, owner);
	return value ? value->data : NULL;
}

int local_storage_delete(struct map *map, struct owner *owner)
{
	struct local_value *value;

	value_spin_lock(&owner->lock);
	value = find_in_list(storage_of(map), owner);
	if (value)
		unlink_value(value);
	value_spin_unlock(&owner->lock);
	return value ? 0 : -ENOENT;
}

void local_storage_drop(struct owner *owner)
{
	struct local_value *value, *next;

	value_spin_lock(&owner->lock);
	owner->gone = true;
	cds_list_for_each_entry_safe (value, next, &owner->values, of_owner)
		unlink_value(value);
	value_spin_unlock(&owner->lock);
}

/* False: there is none. */
static bool drop_first(struct storage *storage)
{
	struct local_value *value = NULL;

	/* The section keeps value and owner between the two locks. */
	rcu_read_lock();
	value_spin_lock(&storage->lock);
	if (!cds_list_empty(&storage->values))
		value = cds_list_first_entry(&storage->values, struct local_value, of_map);
	value_spin_unlock(&storage->lock);
	if (value) {
		value_spin_lock(&value->owner->lock);
		if (value->is_linked)
			unlink_value(value);
		value_spin_unlock(&value->owner->lock);
	}
	rcu_read_unlock();
	return value;
}

static bool done_some(struct map *map, u32 limit)
{
	while (limit && drop_first(storage_of(map)))
		limit--;
	return !limit;
}

static void done(struct map *map)
{
	struct storage *storage = storage_of(map);

	account_uncharge(map->account, storage->charged / STOCK * stock_bytes(storage));
	type_put(storage->type);
}

/* --- user space: the key is a descriptor of the owner --- */

static enum owner_kind kind_of(const struct map *map)
{
	switch (map->desc.type) {
	case BPF_MAP_TYPE_SK_STORAGE: return OWNER_SOCKET;
	case BPF_MAP_TYPE_INODE_STORAGE: return OWNER_INODE;
	case BPF_MAP_TYPE_TASK_STORAGE: return OWNER_TASK;
	default: return OWNER_CGROUP;
	}
}

static int find_owner(struct map *map, const void *key, bool make, struct owner **out)
{
	struct owner_key owner;
	int fd, err;

	memcpy(&fd, key, sizeof(fd));
	if (map->hook && kind_of(map) == OWNER_SOCKET)
		fd = map->hook->real(map->hook, fd);
	err = owner_key_of_fd(kind_of(map), fd, &owner);
	if (err)
		return err;
	*out = make ? owner_make(map->owners, &owner, fd) : owner_find(map->owners, &owner);
	if (*out)
		return 0;
	return make ? -ENOMEM : -ENOENT;
}

static int user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	struct owner *owner = NULL;
	int err = find_owner(map, key, false, &owner);
	void *found = err ? NULL : local_storage_find(map, owner);

	if (found)
		value_load(&map->desc, value, found, flags & BPF_F_LOCK);
	return err ? err : found ? 0 : -ENOENT;
}

static int user_update(struct map *map, const void *key, const void *value, u64 flags)
{
	struct owner *owner = NULL;
	int err = find_owner(map, key, true, &owner);

	if (err)
		return err;
	return map_flags_bad(flags) ? -EINVAL : update(storage_of(map), owner, value, flags);
}

static int user_delete(struct map *map, const void *key)
{
	struct owner *owner = NULL;
	int err;

	rcu_read_lock();
	err = find_owner(map, key, false, &owner);
	if (!err)
		err = local_storage_delete(map, owner);
	rcu_read_unlock();
	return err;
}

static bool owns(struct map *map, const void *address, size_t size)
{
	struct storage *storage = storage_of(map);
	const struct local_value *value;
	const u8 *at = address;
	bool found = false;

	value_spin_lock(&storage->lock);
	cds_list_for_each_entry (value, &storage->values, of_map)
		found |= at >= value->data && at + size <= value->data + map->desc.value_size;
	value_spin_unlock(&storage->lock);
	return found;
}

#define LOCAL_STORAGE                                                                        \
	{                                                                                    \
		.size = sizeof(struct storage), .check = check, .check_btf = check_btf,      \
		.init = init, .done_some = done_some, .done = done, .equal = map_desc_equal, \
		.user_lookup = user_lookup, .user_update = user_update,                      \
		.user_delete = user_delete, .owns = owns                                     \
	}

const struct map_ops map_sk_storage = LOCAL_STORAGE;
const struct map_ops map_inode_storage = LOCAL_STORAGE;
const struct map_ops map_task_storage = LOCAL_STORAGE;
const struct map_ops map_cgrp_storage = LOCAL_STORAGE;
