/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/device.h"

#include "map/ops.h"
#include "map/pointer_table.h"
#include "map/region.h"

#include <stdlib.h>
#include <string.h>

/* Linux's bound on the length of a CPU's queue. */
#define QUEUE_MAX 16384
/* As CONFIG_NR_CPUS of large kernels. */
#define CPUS_MAX 8192

struct device_map {
	struct map map;
	/* by index */
	struct region region;
	_Atomic(struct map_device *) *entries;
	/* devmap_hash */
	struct pointer_table hash;
};

static struct device_map *devices_of(struct map *map)
{
	return container_of(map, struct device_map, map);
}

static bool is_hash(const struct map *map)
{
	return map->desc.type == BPF_MAP_TYPE_DEVMAP_HASH;
}

static bool is_cpumap(const struct map_desc *desc)
{
	return desc->type == BPF_MAP_TYPE_CPUMAP;
}

static u32 key_of(const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	return index;
}

/* Programs get the address of the entry itself: they may not write it. */
static int check(struct map_desc *desc, struct skep_error *err)
{
	if (!desc->max_entries || desc->key_size != 4 ||
	    (desc->value_size != 4 && desc->value_size != 8))
		return map_refuse(desc, err, -EINVAL, "4-byte keys, values of 4 or 8 bytes");
	if (is_cpumap(desc) && desc->max_entries > CPUS_MAX)
		return map_refuse(desc, err, -E2BIG, "more entries than CPUs");
	if (desc->type == BPF_MAP_TYPE_DEVMAP_HASH && desc->max_entries > 1U << 31)
		return map_refuse(desc, err, -EINVAL, "more than 2147483648 entries");
	if (!is_cpumap(desc))
		desc->flags |= BPF_F_RDONLY_PROG;
	return 0;
}

static int init(struct map *map)
{
	struct device_map *devices = devices_of(map);
	u64 size = (u64)map->desc.max_entries * sizeof(struct map_device *);
	int err;

	devices->region = REGION_NONE;
	if (is_hash(map)) {
		return pointer_table_init(&devices->hash, map->account, 4,
					  map->desc.max_entries, 0);
	}
	err = region_new(map->account, &devices->region, size);
	devices->entries = (_Atomic(struct map_device *) *)devices->region.base;
	return err;
}

static void device_free(struct rcu_head *head)
{
	struct map_device *device = container_of(head, struct map_device, rcu);

	object_put(device->prog);
	account_uncharge(device->account, sizeof(*device));
	account_put(device->account);
	free(device);
}

/* Readers may still hold it. */
static void device_retire(struct map_device *device)
{
	if (device)
		call_rcu(&device->rcu, device_free);
}

static void done(struct map *map)
{
	struct device_map *devices = devices_of(map);
	struct table_place place = {0};
	struct map_device *device;

	if (is_hash(map)) {
		while ((device = pointer_table_next(&devices->hash, &place)))
			device_free(&device->rcu);
		pointer_table_done(&devices->hash);
		return;
	}
	for (u32 i = 0; i < map->desc.max_entries; i++)
		if (devices->entries[i])
			device_free(&devices->entries[i]->rcu);
	region_free(&devices->region);
}

/* Acquire pairs with the exchange of the update. */
static struct map_device *find(struct map *map, u32 key)
{
	struct device_map *devices = devices_of(map);

	if (is_hash(map))
		return pointer_table_find(&devices->hash, &key);
	if (key >= map->desc.max_entries)
		return NULL;
	return atomic_load_explicit(&devices->entries[key], memory_order_acquire);
}

const struct map_device *map_device_find(struct map *map, u32 key)
{
	return find(map, key);
}

static void each_in_hash(struct map *map, bool (*call)(void *, const struct map_device *),
			 void *cookie)
{
	struct table_place place = {0};
	struct map_device *device;

	while ((device = pointer_table_next(&devices_of(map)->hash, &place)))
		if (call(cookie, device))
			return;
}

void map_device_each(struct map *map,
		     bool (*call)(void *cookie, const struct map_device *device), void *cookie)
{
	if (is_hash(map)) {
		each_in_hash(map, call, cookie);
		return;
	}
	for (u32 i = 0; i < map->desc.max_entries; i++) {
		struct map_device *device = find(map, i);

		if (device && call(cookie, device))
			return;
	}
}

static void *lookup(struct map *map, const void *key, u32 slot)
{
	return find(map, key_of(key));
}

bool map_holds_devices(const struct map *map)
{
	return map->ops->size == sizeof(struct device_map) && map->ops->lookup == lookup;
}

/* Value as user space writes it: target, then the program's file descriptor if it has one. */
static u32 target_of(const void *value)
{
	return key_of(value);
}

int map_device_program(const struct map *map, const void *value)
{
	s32 fd = 0;

	/* A queue of length 0 is no entry, and Linux does not look at the rest. */
	if (!map_holds_devices(map) || (is_cpumap(&map->desc) && !target_of(value)))
		return 0;
	if (map->desc.value_size >= 8)
		memcpy(&fd, (const u8 *)value + 4, sizeof(fd));
	return max(fd, 0);
}

static int check_cpu(const struct map *map, u32 key, u32 length)
{
	if (length > QUEUE_MAX)
		return -EOVERFLOW;
	return key >= map->slots ? -ENODEV : 0;
}

int map_device_check(struct map *map, const void *key, const void *value, u64 flags)
{
	u32 index = key_of(key), target = target_of(value);

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (is_hash(map)) {
		if (!target)
			return -EINVAL;
		return find(map, index) && (flags & BPF_NOEXIST) ? -EEXIST : 0;
	}
	if (index >= map->desc.max_entries)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	if (is_cpumap(&map->desc))
		return check_cpu(map, index, target);
	return !target && map_device_program(map, value) ? -EINVAL : 0;
}

static struct map_device *device_new(struct account *account, u32 key, u32 target,
				     struct object *prog)
{
	struct map_device *device = calloc(1, sizeof(*device));

	if (!device || account_charge(account, sizeof(*device))) {
		free(device);
		return NULL;
	}
	device->account = account_get(account);
	device->key = key;
	device->target = target;
	device->prog = prog ? object_get(prog) : NULL;
	device->prog_id = prog ? prog->id : 0;
	return device;
}

static int store(struct map *map, const void *key, struct map_device *device)
{
	struct device_map *devices = devices_of(map);
	void *old;
	int err = 0;

	if (is_hash(map))
		err = pointer_table_set(&devices->hash, key, device, BPF_ANY, &old);
	else
		old = atomic_exchange_explicit(&devices->entries[key_of(key)], device,
					       memory_order_acq_rel);
	device_retire(err ? device : old);
	return err;
}

/* A target of 0 empties the entry of an array. */
int map_user_update_device(struct map *map, const void *key, const void *value,
			   struct object *prog, u64 flags)
{
	struct map_device *device = NULL;
	u32 target = target_of(value);
	int err = map->desc.frozen ? -EPERM : map_device_check(map, key, value, flags);

	if (err)
		return err;
	if (target) {
		device = device_new(map->account, key_of(key), target, prog);
		if (!device)
			return -ENOMEM;
	}
	rcu_read_lock();
	err = store(map, key, device);
	rcu_read_unlock();
	return err;
}

/* A program's file descriptor is for map_user_update_device(). */
static int user_update(struct map *map, const void *key, const void *value, u64 flags)
{
	int err = map_device_check(map, key, value, flags);

	if (!err && map_device_program(map, value))
		err = -EINVAL;
	return err ? err : map_user_update_device(map, key, value, NULL, flags);
}

static int delete (struct map *map, const void *key)
{
	struct device_map *devices = devices_of(map);
	u32 index = key_of(key);
	void *old = NULL;
	int err = 0;

	if (is_hash(map))
		err = pointer_table_remove(&devices->hash, key, &old);
	else if (index >= map->desc.max_entries)
		err = -EINVAL;
	else
		old = atomic_exchange_explicit(&devices->entries[index], NULL,
					       memory_order_acq_rel);
	if (!err)
		device_retire(old);
	return err;
}

void map_device_clear(struct map *map)
{
	struct device_map *devices = devices_of(map);
	u32 key;

	rcu_read_lock();
	while (is_hash(map) && !pointer_table_next_key(&devices->hash, NULL, &key))
		delete (map, &key);
	for (u32 index = 0; !is_hash(map) && index < map->desc.max_entries; index++)
		delete (map, &index);
	rcu_read_unlock();
}

static int hash_next_key(struct map *map, const void *key, void *next)
{
	return pointer_table_next_key(&devices_of(map)->hash, key, next);
}

#define DEVICES                                                                        \
	.size = sizeof(struct device_map), .check_btf = map_btf_refused, .init = init, \
	.done = done, .lookup = lookup, .user_delete = delete

const struct map_ops map_devmap = {
	DEVICES,
	.check = check,
	.equal = map_desc_equal,
	.user_update = user_update,
	.next_key = map_next_index,
};

const struct map_ops map_devmap_hash = {
	DEVICES,
	.check = check,
	.equal = map_desc_equal,
	.user_update = user_update,
	.next_key = hash_next_key,
};

const struct map_ops map_cpumap = {
	DEVICES,
	.check = check,
	.equal = map_desc_equal,
	.user_update = user_update,
	.next_key = map_next_index,
};
