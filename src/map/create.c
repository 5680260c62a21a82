/* SPDX-License-Identifier: BSD-2-Clause */
/* Creation of maps: what all types check alike, then the type's own check, then its memory. */
#include "base/error.h"
#include "btf/btf.h"
#include "catalog/map_type.h"
#include "map/account.h"
#include "map/end.h"
#include "map/ops.h"
#include "map/reaper.h"
#include "map/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANY_NUMA_NODE UINT32_MAX

int map_refuse(const struct map_desc *desc, struct skep_error *err, int code, const char *why)
{
	return error_set(err, SKEP_STAGE_MAP, code, "map '%.*s' (type %u): %s",
			 BPF_OBJ_NAME_LEN, desc->name, desc->type, why);
}

bool map_desc_equal(const struct map_desc *template, const struct map_desc *inner)
{
	return template->type == inner->type && template->key_size == inner->key_size &&
	       template->value_size == inner->value_size && template->flags == inner->flags &&
	       btf_fields_equal(&template->fields, &inner->fields);
}

static bool numa_node_exists(u32 node)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u", node);
	return node == 0 || access(path, F_OK) == 0;
}

static int check_numa(const struct map_desc *desc, struct skep_error *err)
{
	if (!(desc->flags & BPF_F_NUMA_NODE) || desc->numa_node == ANY_NUMA_NODE)
		return 0;
	if ((map_desc_is_per_cpu(desc) && desc->type != BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE) ||
	    (desc->flags & BPF_F_NO_COMMON_LRU) || !numa_node_exists(desc->numa_node))
		return map_refuse(desc, err, -EINVAL, "no such NUMA node, or values per CPU");
	return 0;
}

static int check_flags(const struct map_desc *desc, const struct map_ops *ops,
		       struct skep_error *err)
{
	const struct map_type_row *row = map_type_row(desc->type);
	u32 user = desc->flags & MAP_FLAGS_USER, program = desc->flags & MAP_FLAGS_PROGRAM;
	u32 unknown = desc->flags & ~row->flags;

	/* "Any node" is not a wish; the types with values per CPU take it. */
	if (map_desc_is_per_cpu(desc) && desc->numa_node == ANY_NUMA_NODE)
		unknown &= ~BPF_F_NUMA_NODE;
	if (unknown)
		return map_refuse(desc, err,
				  unknown & ~ops->flags_not_supported ? -EINVAL : -ENOTSUPP,
				  "a flag that the type does not take");
	if (row->required_flags & ~desc->flags)
		return map_refuse(desc, err, -EINVAL, "a flag that the type needs is missing");
	if (user == MAP_FLAGS_USER || program == MAP_FLAGS_PROGRAM)
		return map_refuse(desc, err, -EINVAL, "both read-only and write-only");
	if (desc->extra && desc->type != BPF_MAP_TYPE_BLOOM_FILTER &&
	    desc->type != (u32)BPF_MAP_TYPE_ARENA)
		return map_refuse(desc, err, -EINVAL, "map_extra is not 0");
	return check_numa(desc, err);
}

static bool is_map_of_maps(const struct map_desc *desc)
{
	return desc->type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
	       desc->type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

static int check_inner(const struct map_desc *desc, const struct map *inner,
		       struct skep_error *err)
{
	if (!is_map_of_maps(desc))
		return 0;
	if (!inner)
		return map_refuse(desc, err, -EBADF, "no template of the inner maps");
	if (inner->desc.inner)
		return map_refuse(desc, err, -EINVAL, "the inner maps are maps of maps");
	if (!inner->ops->equal)
		return map_refuse(desc, err, -ENOTSUPP, "maps of the inner type cannot be");
	return 0;
}

bool map_btf_is_int(const struct btf_view *btf, u32 type_id, u32 size)
{
	const struct btf_type *type = btf_type(btf, btf_resolve(btf, type_id));
	u32 encoding;

	if (!type || btf_kind(type) != BTF_KIND_INT || type->size != size)
		return false;
	memcpy(&encoding, btf_extra(type), sizeof(encoding));
	return BTF_INT_BITS(encoding) == size * 8 && !BTF_INT_OFFSET(encoding);
}

int map_btf_refused(const struct map_desc *desc)
{
	return -ENOTSUPP;
}

static int check_btf(const struct map_desc *desc, const struct map_ops *ops,
		     struct skep_error *err)
{
	int code;

	if (!desc->btf || (!desc->key_type && !desc->value_type))
		return 0;
	if (!desc->value_type)
		return map_refuse(desc, err, -EINVAL, "the value has no BTF type");
	if (desc->key_type && btf_size(desc->btf, desc->key_type) != desc->key_size)
		return map_refuse(desc, err, -EINVAL, "key_size is not that of its BTF type");
	if (!desc->key_type && !ops->check_btf)
		return map_refuse(desc, err, -EINVAL, "the key has no BTF type");
	if (btf_size(desc->btf, desc->value_type) != desc->value_size)
		return map_refuse(desc, err, -EINVAL, "value_size is not that of its BTF type");
	code = ops->check_btf ? ops->check_btf(desc) : 0;
	return code ? map_refuse(desc, err, code, "BTF types that the type does not take") : 0;
}

static bool type_is(u32 type, u64 types)
{
	return type < 64 && (types >> type & 1);
}

#define TYPE(name) (1ULL << BPF_MAP_TYPE_##name)

/* Which maps may have values with fields of a meaning of their own. */
static int check_fields(const struct map_desc *desc, struct skep_error *err)
{
	const u32 lock = BTF_FIELD_BIT(BTF_FIELD_SPIN_LOCK);
	const u32 timer = BTF_FIELD_BIT(BTF_FIELD_TIMER) | BTF_FIELD_BIT(BTF_FIELD_WORKQUEUE);
	u32 kinds = desc->fields.kinds;
	const u64 timers = TYPE(HASH) | TYPE(LRU_HASH) | TYPE(ARRAY);
	const u64 locks = TYPE(HASH) | TYPE(ARRAY) | TYPE(CGROUP_STORAGE) | TYPE(SK_STORAGE) |
			  TYPE(INODE_STORAGE) | TYPE(TASK_STORAGE) | TYPE(CGRP_STORAGE);
	const u64 kptrs =
		locks | timers | TYPE(PERCPU_HASH) | TYPE(LRU_PERCPU_HASH) | TYPE(PERCPU_ARRAY);

	if (!kinds)
		return 0;
	if (desc->flags & MAP_FLAGS_PROGRAM)
		return map_refuse(desc, err, -EACCES, "special fields, read-only for programs");
	if ((kinds & lock && !type_is(desc->type, locks)) ||
	    (kinds & timer && !type_is(desc->type, timers)) ||
	    (kinds & ~(lock | timer) && !type_is(desc->type, kptrs)))
		return map_refuse(desc, err, -EOPNOTSUPP, "special fields not for this type");
	return 0;
}

#undef TYPE

struct map_desc map_desc_normal(const struct map_desc *desc)
{
	struct map_desc normal = *desc;

	if (!desc->btf)
		normal.fields = (struct btf_fields){};
	normal.inner = NULL;
	normal.values = NULL;
	normal.value_stride = 0;
	normal.frozen = false;
	return normal;
}

int map_check(struct map_desc *desc, const struct map_ops *ops, const struct map *inner,
	      struct skep_error *err)
{
	int code = check_flags(desc, ops, err);

	if (!code)
		code = ops->check(desc, err);
	if (!code)
		code = check_inner(desc, inner, err);
	if (!code)
		code = check_btf(desc, ops, err);
	return code ? code : check_fields(desc, err);
}

static void adopt_inner(struct map *map, const struct map *inner)
{
	map->inner = inner->desc;
	map->inner.values = NULL;
	map->desc.inner = &map->inner;
	if (inner->btf)
		map->inner_btf = object_get(inner->btf);
}

/* The structure alone; NULL: no memory. */
struct map *map_new_structure(const struct map_desc *desc, const struct map_ops *ops,
			      const struct map_world *world)
{
	struct map *map = aligned_alloc(CACHE_LINE, round_up(ops->size, CACHE_LINE));

	if (!map)
		return NULL;
	memset(map, 0, ops->size);
	object_init(&map->object, OBJECT_MAP, map_release);
	map->desc = *desc;
	map->ops = ops;
	map->lookup = desc->by_unprivileged && ops->lookup_guarded ? ops->lookup_guarded
								   : ops->lookup;
	map->update = ops->update;
	map->slots = world->slots;
	map->owners = world->owners;
	map->hook = world->hook;
	map->reaper = world->reaper ? reaper_get(world->reaper) : NULL;
	map->memfd = -1;
	return map;
}

int map_take_memory(struct map *map, const struct map_world *world)
{
	int code;

	map->account = account_new(world->budget);
	if (!map->account)
		return -ENOMEM;
	code = account_charge(map->account, map->ops->size);
	if (code)
		return code;
	code = map->ops->init(map);
	if (code)
		account_uncharge(map->account, map->ops->size);
	return code;
}

void map_drop(struct map *map)
{
	account_put(map->account);
	reaper_put(map->reaper);
	free(map);
}

/* In the region, when the world has one and the map can be there. */
static int take_place(struct map *map, const struct map_world *world, struct skep_error *err)
{
	int code = world->shared ? shared_check(&map->desc, err) : -EOPNOTSUPP;

	if (!world->shared || (code && world->private_rest)) {
		error_clear(err);
		return map_take_memory(map, world);
	}
	code = code ?: shared_begin(world->shared, map, err);
	return code ? code : shared_end(map, map_take_memory(map, world));
}

static int make(const struct map_desc *desc, const struct map_ops *ops,
		const struct map_world *world, struct map **out, struct skep_error *err)
{
	struct map *map = map_new_structure(desc, ops, world);
	struct skep_error why = {};
	int code;

	if (!map)
		return map_refuse(desc, err, -ENOMEM, "out of memory");
	code = take_place(map, world, &why);
	if (!code) {
		*out = map;
		return 0;
	}
	if (map->account && account_was_refused(map->account))
		account_refuse(map->account, desc->name, err);
	else if (why.code && err)
		*err = why;
	else
		map_refuse(desc, err, code,
			   code == -ENOSPC ? "the region is full" : "out of memory");
	map_drop(map);
	return code;
}

int map_prepare(struct map_desc *desc, const struct map_world *world, struct map **out,
		struct skep_error *err)
{
	const struct map_ops *ops = map_ops(desc->type);
	int code = map_check(desc, ops, NULL, err);

	if (code)
		return code;
	*out = map_new_structure(desc, ops, world);
	return *out ? 0 : map_refuse(desc, err, -ENOMEM, "out of memory");
}

int map_make(const struct map_desc *given, struct map *inner, const struct map_world *world,
	     struct map **out, struct skep_error *err)
{
	struct map_desc desc = map_desc_normal(given);
	const struct map_ops *ops = map_ops(desc.type);
	int code;

	if (!ops)
		return map_refuse(&desc, err, -EINVAL, "no such map type");
	code = map_check(&desc, ops, inner, err);
	if (!code)
		code = make(&desc, ops, world, out, err);
	if (!code && is_map_of_maps(&desc))
		adopt_inner(*out, inner);
	return code;
}

int map_new(const struct map_desc *desc, struct map *inner, u32 slots, struct map **out,
	    struct skep_error *err)
{
	const struct map_world world = {.slots = slots};

	return map_make(desc, inner, &world, out, err);
}
