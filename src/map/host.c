/* SPDX-License-Identifier: BSD-2-Clause */
/* Map types of the host: its operations (skep/extend.h) behind those of maps. */
#include "map/ops.h"

#include <skep/extend.h>

struct host_map {
	struct map map;
	void *state;
};

static void *state_of(struct map *map)
{
	return container_of(map, struct host_map, map)->state;
}

static int host_check(struct map_desc *desc, struct skep_error *err)
{
	if (!desc->host)
		return map_refuse(desc, err, -EINVAL, "no such map type");
	if (desc->value_size > MAP_VALUE_MAX)
		return map_refuse(desc, err, -E2BIG, "values of more than 4 MiB");
	return 0;
}

/* Types of the value are for printers. */
static int host_check_btf(const struct map_desc *desc)
{
	return 0;
}

static int host_init(struct map *map)
{
	const struct map_desc *desc = &map->desc;
	const struct skep_map_attr attr = {.type = desc->type,
					   .key_size = desc->key_size,
					   .value_size = desc->value_size,
					   .max_entries = desc->max_entries,
					   .map_extra = desc->extra};

	return desc->host->create(desc->host_cookie, &attr,
				  &container_of(map, struct host_map, map)->state);
}

static void host_done(struct map *map)
{
	map->desc.host->destroy(state_of(map));
}

static void *host_lookup(struct map *map, const void *key, u32 slot)
{
	return map->desc.host->lookup ? map->desc.host->lookup(state_of(map), key) : NULL;
}

static int host_update(struct map *map, const void *key, const void *value, u64 flags, u32 slot)
{
	if (!map->desc.host->update)
		return -ENOTSUP;
	if (map_flags_bad(flags) || flags & BPF_F_LOCK)
		return -EINVAL;
	return map->desc.host->update(state_of(map), key, value, flags);
}

static int host_delete(struct map *map, const void *key, u32 slot)
{
	return map->desc.host->remove ? map->desc.host->remove(state_of(map), key) : -ENOTSUP;
}

static int host_next_key(struct map *map, const void *key, void *next)
{
	return map->desc.host->next_key ? map->desc.host->next_key(state_of(map), key, next)
					: -ENOTSUP;
}

/* Where its values are only the host knows. */
static bool host_owns(struct map *map, const void *address, size_t size)
{
	return true;
}

const struct map_ops map_host = {
	.size = sizeof(struct host_map),
	.check = host_check,
	.check_btf = host_check_btf,
	.init = host_init,
	.done = host_done,
	.lookup = host_lookup,
	.update = host_update,
	.delete = host_delete,
	.next_key = host_next_key,
	.owns = host_owns,
};
