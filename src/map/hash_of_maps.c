/* SPDX-License-Identifier: BSD-2-Clause */
/* Hash maps whose values are maps. */
#include "map/ops.h"
#include "map/pointer_table.h"

#include <string.h>

struct hash_of_maps {
	struct map map;
	struct pointer_table maps; /* references to objects */
};

static struct pointer_table *maps_of(struct map *map)
{
	return &container_of(map, struct hash_of_maps, map)->maps;
}

static int check(struct map_desc *desc, struct skep_error *err)
{
	if (desc->value_size != sizeof(u32))
		return map_refuse(desc, err, -EINVAL, "the value is a file descriptor");
	return map_hash_check(desc, err);
}

static int init(struct map *map)
{
	return pointer_table_init(maps_of(map), map->account, map->desc.key_size,
				  map->desc.max_entries, map_hash_seed(&map->desc));
}

static void done(struct map *map)
{
	struct table_place place = {0};
	struct object *object;

	while ((object = pointer_table_next(maps_of(map), &place)))
		object_put(object);
	pointer_table_done(maps_of(map));
}

static void *lookup(struct map *map, const void *key, u32 slot)
{
	struct object *object = pointer_table_find(maps_of(map), key);

	return object ? map_of_object(object) : NULL;
}

static int user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	struct object *object = pointer_table_find(maps_of(map), key);

	if (!object)
		return -ENOENT;
	memcpy(value, &object->id, sizeof(object->id));
	return 0;
}

static int update_object(struct map *map, const void *key, struct object *object, u64 flags)
{
	void *old;
	int err;

	if (!object)
		return 0;
	err = map_check_inner(map, object);
	if (err)
		return err;
	if (map_flags_bad(flags))
		return -EINVAL;
	err = pointer_table_set(maps_of(map), key, object_get(object), flags, &old);
	object_put(err ? object : old);
	return err;
}

static int delete (struct map *map, const void *key)
{
	void *old;
	int err = pointer_table_remove(maps_of(map), key, &old);

	if (!err)
		object_put(old);
	return err;
}

static int next_key(struct map *map, const void *key, void *next)
{
	return pointer_table_next_key(maps_of(map), key, next);
}

static int next_slot(struct map *map, u32 *slot, void *key)
{
	return table_next_slot(&maps_of(map)->table, slot, key) ? 0 : -ENOENT;
}

const struct map_ops map_hash_of_maps = {
	.size = sizeof(struct hash_of_maps),
	.check = check,
	.check_btf = map_btf_refused,
	.init = init,
	.done = done,
	.lookup = lookup,
	.user_lookup = user_lookup,
	.update_object = update_object,
	.user_delete = delete,
	.next_key = next_key,
	.next_slot = next_slot,
};
