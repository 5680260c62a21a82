/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays of cgroups of the v2 tree, which hold their ids: an id is never given again. */
#include "map/cgroup.h"

#include "map/ops.h"
#include "map/owner.h"
#include "map/region.h"

#include <string.h>

struct cgroup_array {
	struct map map;
	struct region region;
	atomic_ullong *ids; /* 0: none */
};

static struct cgroup_array *array_of(struct map *map)
{
	return container_of(map, struct cgroup_array, map);
}

static int array_check(struct map_desc *desc, struct skep_error *err)
{
	if (desc->max_entries && desc->key_size == sizeof(u32) &&
	    desc->value_size == sizeof(u32))
		return 0;
	return map_refuse(desc, err, -EINVAL, "keys or values of another size");
}

static int array_init(struct map *map)
{
	struct cgroup_array *array = array_of(map);
	int err = region_new(map->account, &array->region,
			     (u64)map->desc.max_entries * sizeof(u64));

	if (err)
		return err;
	array->ids = (atomic_ullong *)array->region.base;
	return 0;
}

static void array_done(struct map *map)
{
	region_free(&array_of(map)->region);
}

/* NULL: out of range. */
static atomic_ullong *id_of(struct map *map, const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	return index < map->desc.max_entries ? &array_of(map)->ids[index] : NULL;
}

int map_cgroup_at(struct map *map, u64 index, u64 *out)
{
	u64 id;

	if (index >= map->desc.max_entries)
		return -E2BIG;
	id = atomic_load_explicit(&array_of(map)->ids[index], memory_order_relaxed);
	if (!id)
		return -EAGAIN;
	*out = id;
	return 0;
}

static int array_update(struct map *map, const void *key, const void *value, u64 flags)
{
	atomic_ullong *id = id_of(map, key);
	struct owner_key owner;
	int fd, err;

	if (flags != BPF_ANY)
		return -EINVAL;
	if (!id)
		return -E2BIG;
	memcpy(&fd, value, sizeof(fd));
	err = owner_key_of_fd(OWNER_CGROUP, fd, &owner);
	if (!err && !owner.id[2])
		err = -EBADF;
	if (!err)
		atomic_store_explicit(id, owner.id[0], memory_order_relaxed);
	return err;
}

static int array_delete(struct map *map, const void *key)
{
	atomic_ullong *id = id_of(map, key);

	if (!id)
		return -E2BIG;
	return atomic_exchange_explicit(id, 0, memory_order_relaxed) ? 0 : -ENOENT;
}

static int array_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	return -ENOTSUPP;
}

const struct map_ops map_cgroup_array = {
	.size = sizeof(struct cgroup_array),
	.check = array_check,
	.check_btf = map_btf_refused,
	.init = array_init,
	.done = array_done,
	.equal = map_desc_equal,
	.user_lookup = array_lookup,
	.user_update = array_update,
	.user_delete = array_delete,
	.next_key = map_next_index,
};
