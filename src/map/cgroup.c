/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrays of cgroups of the v2 tree, which hold their ids: an id is never given again. And the
 * old local storage of cgroups: its values come with programs that are attached to a cgroup, or
 * with one test run (src/run); by the map's descriptor only the former are found.
 */
#include "map/cgroup.h"

#include "map/ops.h"
#include "map/owner.h"
#include "map/region.h"

#include <string.h>

#define VALUE_MAX   65407 /* 64 KiB less what Linux keeps beside a value */
#define KEY_SIZE    sizeof(struct bpf_cgroup_storage_key)
#define ID_KEY_SIZE sizeof(u64)

/* --- arrays --- */

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

/* --- the old storage --- */

static int storage_check(struct map_desc *desc, struct skep_error *err)
{
	u32 limit = map_desc_is_per_cpu(desc) ? MAP_PER_CPU_MAX : VALUE_MAX;

	if ((desc->key_size != KEY_SIZE && desc->key_size != ID_KEY_SIZE) || !desc->value_size)
		return map_refuse(desc, err, -EINVAL, "keys name a cgroup, with 8 or 16 bytes");
	if (desc->value_size > limit)
		return map_refuse(desc, err, -E2BIG, "values that are too large");
	if (desc->max_entries)
		return map_refuse(desc, err, -EINVAL, "max_entries is not 0");
	return 0;
}

static bool is_int_member(const struct map_desc *desc, const struct btf_type *type, u32 index,
			  u32 bit_offset, u32 size)
{
	const struct btf_member *member = &btf_members(type)[index];

	return btf_member_bit_offset(type, member) == bit_offset &&
	       !btf_member_bits(type, member) && map_btf_is_int(desc->btf, member->type, size);
}

/* struct bpf_cgroup_storage_key, or the id of a cgroup. */
static int storage_check_btf(const struct map_desc *desc)
{
	const struct btf_type *key =
		btf_type(desc->btf, btf_resolve(desc->btf, desc->key_type));

	if (desc->key_size == ID_KEY_SIZE)
		return map_btf_is_int(desc->btf, desc->key_type, sizeof(u64)) ? 0 : -EINVAL;
	if (!desc->key_type || !key || btf_kind(key) != BTF_KIND_STRUCT || btf_vlen(key) < 2)
		return -EINVAL;
	return is_int_member(desc, key, 0, 0, sizeof(u64)) &&
			       is_int_member(desc, key, 1, 64, sizeof(u32))
		       ? 0
		       : -EINVAL;
}

static int storage_init(struct map *map)
{
	return 0;
}

static void storage_done(struct map *map)
{
}

/* No program of the engine is attached to a cgroup. */
static int storage_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	return -ENOENT;
}

static int storage_update(struct map *map, const void *key, const void *value, u64 flags)
{
	return flags & ~(u64)(BPF_F_LOCK | BPF_EXIST) ? -EINVAL : -ENOENT;
}

static int storage_delete(struct map *map, const void *key)
{
	return -EINVAL;
}

static int storage_next_key(struct map *map, const void *key, void *next)
{
	return -ENOENT;
}

#define CGROUP_STORAGE                                                                      \
	{                                                                                   \
		.size = sizeof(struct map), .check = storage_check,                         \
		.check_btf = storage_check_btf, .init = storage_init, .done = storage_done, \
		.user_lookup = storage_lookup, .user_update = storage_update,               \
		.user_delete = storage_delete, .next_key = storage_next_key                 \
	}

const struct map_ops map_cgroup_storage = CGROUP_STORAGE;
const struct map_ops map_percpu_cgroup_storage = CGROUP_STORAGE;
