/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrays of references: programs, perf events, maps. User space writes file descriptors; the
 * map holds a reference to the object behind. Readers load the pointer; what it points to is
 * freed after a grace period by its own release().
 */
#include "map/ops.h"
#include "map/region.h"

#include <string.h>

struct object_array {
	struct map map;
	struct region region;
	_Atomic(struct object *) *objects;
};

static struct object_array *array_of(struct map *map)
{
	return container_of(map, struct object_array, map);
}

/* The entry of a key; NULL: out of range. */
static _Atomic(struct object *) *entry_of(struct map *map, const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (index >= map->desc.max_entries)
		return NULL;
	return &array_of(map)->objects[map_index_guarded(index, map->desc.max_entries)];
}

/* Acquire pairs with the exchange of the update: the object is complete. */
static struct object *object_at(struct map *map, const void *key)
{
	_Atomic(struct object *) *entry = entry_of(map, key);

	return entry ? atomic_load_explicit(entry, memory_order_acquire) : NULL;
}

struct object *map_object_at(struct map *map, u64 index)
{
	if (index >= map->desc.max_entries)
		return NULL;
	return atomic_load_explicit(&array_of(map)->objects[index], memory_order_acquire);
}

struct object *map_prog_at(struct map *map, u64 index)
{
	if (index >= map->desc.max_entries)
		return NULL;
	return map_object_at(map, map_index_guarded((u32)index, map->desc.max_entries));
}

bool map_progs(const struct map *map, struct map_progs *out)
{
	const struct object_array *array = container_of(map, struct object_array, map);

	if (map->desc.type != BPF_MAP_TYPE_PROG_ARRAY)
		return false;
	*out = (struct map_progs){array->objects, map->desc.max_entries};
	return true;
}

static int check(struct map_desc *desc, struct skep_error *err)
{
	if (!desc->max_entries || desc->key_size != sizeof(u32) ||
	    desc->value_size != sizeof(u32))
		return map_refuse(desc, err, -EINVAL, "4-byte keys and 4-byte values only");
	return 0;
}

static int init(struct map *map)
{
	struct object_array *array = array_of(map);
	int err = region_new(map->account, &array->region,
			     (u64)map->desc.max_entries * sizeof(struct object *));

	if (err)
		return err;
	array->objects = (_Atomic(struct object *) *)array->region.base;
	return 0;
}

static struct object *exchange(_Atomic(struct object *) *entry, struct object *object)
{
	return atomic_exchange_explicit(entry, object, memory_order_acq_rel);
}

static void clear(struct map *map)
{
	struct object_array *array = array_of(map);

	/* Looks before it writes, so that pages never used stay untouched. */
	for (u32 i = 0; i < map->desc.max_entries; i++)
		if (atomic_load_explicit(&array->objects[i], memory_order_relaxed))
			object_put(exchange(&array->objects[i], NULL));
}

static void done(struct map *map)
{
	clear(map);
	region_free(&array_of(map)->region);
}

static int update_kind(struct map *map, const void *key, struct object *object, u64 flags,
		       enum object_kind kind)
{
	_Atomic(struct object *) *entry = entry_of(map, key);

	if (flags != BPF_ANY)
		return -EINVAL;
	if (!entry)
		return -E2BIG;
	if (!object)
		return 0;
	if (object->kind != kind)
		return -EINVAL;
	object_put(exchange(entry, object_get(object)));
	return 0;
}

static int update_prog(struct map *map, const void *key, struct object *object, u64 flags)
{
	return update_kind(map, key, object, flags, OBJECT_PROG);
}

static int update_event(struct map *map, const void *key, struct object *object, u64 flags)
{
	return update_kind(map, key, object, flags, OBJECT_PERF_EVENT);
}

static int update_map(struct map *map, const void *key, struct object *object, u64 flags)
{
	int err = update_kind(map, key, NULL, flags, OBJECT_MAP);

	if (err || !object)
		return err;
	err = map_check_inner(map, object);
	return err ? err : update_kind(map, key, object, flags, OBJECT_MAP);
}

static int delete (struct map *map, const void *key)
{
	_Atomic(struct object *) *entry = entry_of(map, key);
	struct object *old;

	if (!entry)
		return -E2BIG;
	old = exchange(entry, NULL);
	object_put(old);
	return old ? 0 : -ENOENT;
}

/* User space sees ids. */
static int user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	struct object *object = object_at(map, key);

	if (!object)
		return -ENOENT;
	memcpy(value, &object->id, sizeof(object->id));
	return 0;
}

static int event_user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	return -ENOTSUPP;
}

/* A program sees the map itself. */
static void *lookup_map(struct map *map, const void *key, u32 slot)
{
	struct object *object = object_at(map, key);

	return object ? map_of_object(object) : NULL;
}

#define OBJECT_ARRAY                                                                     \
	.size = sizeof(struct object_array), .check = check, .init = init, .done = done, \
	.user_delete = delete, .next_key = map_next_index

const struct map_ops map_prog_array = {
	OBJECT_ARRAY,
	.user_lookup = user_lookup,
	.update_object = update_prog,
	.user_gone = clear,
};

const struct map_ops map_perf_event_array = {
	OBJECT_ARRAY,
	.check_btf = map_btf_refused,
	.equal = map_desc_equal,
	.user_lookup = event_user_lookup,
	.update_object = update_event,
};

const struct map_ops map_array_of_maps = {
	OBJECT_ARRAY,
	.check_btf = map_btf_refused,
	.lookup = lookup_map,
	.user_lookup = user_lookup,
	.update_object = update_map,
};
