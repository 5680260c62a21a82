/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs and user space ask of any map: the common rules, then the type's operation. */
#include "map/map.h"

#include "map/account.h"
#include "map/ops.h"
#include "map/value.h"

#include <skep/extend.h>
#include <string.h>

#define MAP(type, name, ...) extern const struct map_ops map_##name;
#include "catalog/maps.def"
#undef MAP

static const struct map_ops *const types[] = {
#define MAP(type, name, ...) [BPF_MAP_TYPE_##type] = &map_##name,
#include "catalog/maps.def"
#undef MAP
};

const struct map_ops *map_ops(u32 type)
{
	if (type >= SKEP_MAP_TYPE_FIRST)
		return &map_host;
	return type < ARRAY_SIZE(types) ? types[type] : NULL;
}

u64 map_bytes(const struct map *map)
{
	return account_bytes(map->account);
}

bool map_rows(const struct map *map, struct map_rows *out)
{
	if (!map->ops->rows || map->desc.by_unprivileged)
		return false;
	*out = map->ops->rows(map);
	return true;
}

void *map_lookup(struct map *map, const void *key, u32 slot)
{
	return map->lookup ? map->lookup(map, key, slot) : NULL;
}

long map_update(struct map *map, const void *key, const void *value, u64 flags, u32 slot)
{
	return map->update ? map->update(map, key, value, flags, slot) : -EINVAL;
}

long map_delete(struct map *map, const void *key, u32 slot)
{
	return map->ops->delete ? map->ops->delete (map, key, slot) : -EINVAL;
}

long map_push(struct map *map, const void *value, u64 flags)
{
	return map->ops->push ? map->ops->push(map, value, flags) : -EOPNOTSUPP;
}

long map_pop(struct map *map, void *value)
{
	return map->ops->pop ? map->ops->pop(map, value) : -EOPNOTSUPP;
}

long map_peek(struct map *map, void *value)
{
	return map->ops->peek ? map->ops->peek(map, value) : -EOPNOTSUPP;
}

void *map_lookup_slot(struct map *map, const void *key, u32 slot)
{
	if (!map->ops->lookup_slot || slot >= map->slots)
		return NULL;
	return map->ops->lookup_slot(map, key, slot);
}

long map_for_each(struct map *map, u32 slot, map_visit *visit, void *cookie)
{
	struct map_cursor at = {};

	return map->ops->walk ? map->ops->walk(map, &at, slot, UINT32_MAX, visit, cookie)
			      : -EINVAL;
}

/* --- user space --- */

static void user_begin(const struct map *map)
{
	if (!map->ops->waits)
		rcu_read_lock();
}

static void user_end(const struct map *map)
{
	if (!map->ops->waits)
		rcu_read_unlock();
}

u32 map_user_value_size(const struct map *map)
{
	if (map_desc_is_per_cpu(&map->desc))
		return round_up(map->desc.value_size, 8) * map->slots;
	return map->desc.value_size;
}

bool map_holds_objects(const struct map *map)
{
	return map->ops->update_object != NULL;
}

/* BPF_F_LOCK asks for a spin lock in the value. */
static bool lock_flag_bad(const struct map *map, u64 flags)
{
	return (flags & BPF_F_LOCK) && map_desc_field(&map->desc, BTF_FIELD_SPIN_LOCK) < 0;
}

static int lookup_copy(struct map *map, const void *key, void *value, u64 flags)
{
	void *found;

	if (!map->ops->lookup)
		return map->ops->peek ? map->ops->peek(map, value) : -ENOTSUPP;
	found = map->ops->lookup(map, key, 0);
	if (!found)
		return -ENOENT;
	value_load(&map->desc, value, found, flags & BPF_F_LOCK);
	return 0;
}

int map_user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	int err;

	if ((flags & ~(u64)BPF_F_LOCK) || lock_flag_bad(map, flags))
		return -EINVAL;
	user_begin(map);
	err = map->ops->user_lookup ? map->ops->user_lookup(map, key, value, flags)
				    : lookup_copy(map, key, value, flags);
	user_end(map);
	return err;
}

static int update_any(struct map *map, const void *key, const void *value, u64 flags)
{
	const struct map_ops *ops = map->ops;

	if (ops->user_update)
		return ops->user_update(map, key, value, flags);
	if (ops->push)
		return ops->push(map, value, flags);
	return ops->update ? ops->update(map, key, value, flags, 0) : -ENOTSUPP;
}

int map_user_update(struct map *map, const void *key, const void *value, u64 flags)
{
	int err;

	if (map->desc.frozen)
		return -EPERM;
	if (lock_flag_bad(map, flags))
		return -EINVAL;
	user_begin(map);
	err = update_any(map, key, value, flags);
	user_end(map);
	return err;
}

int map_user_update_object(struct map *map, const void *key, struct object *object, u64 flags)
{
	if (map->desc.frozen)
		return -EPERM;
	if (lock_flag_bad(map, flags) || !map->ops->update_object)
		return -EINVAL;
	return map->ops->update_object(map, key, object, flags);
}

int map_user_delete(struct map *map, const void *key)
{
	int err;

	if (map->desc.frozen)
		return -EPERM;
	if (map->ops->user_delete)
		return map->ops->user_delete(map, key);
	if (!map->ops->delete)
		return -ENOTSUPP;
	rcu_read_lock();
	err = map->ops->delete (map, key, SLOT_NONE);
	rcu_read_unlock();
	return err;
}

int map_user_lookup_and_delete(struct map *map, const void *key, void *value, u64 flags)
{
	int err;

	if (map->desc.frozen)
		return -EPERM;
	if (flags & ~(u64)BPF_F_LOCK)
		return -EINVAL;
	if (map->ops->pop && flags)
		return -EINVAL;
	if (lock_flag_bad(map, flags))
		return -EINVAL;
	if (map->ops->pop)
		return map->ops->pop(map, value);
	if (!map->ops->user_lookup_and_delete)
		return -ENOTSUPP;
	rcu_read_lock();
	err = map->ops->user_lookup_and_delete(map, key, value, flags);
	rcu_read_unlock();
	return err;
}

int map_user_next_key(struct map *map, const void *key, void *next)
{
	int err;

	if (!map->ops->next_key)
		return -ENOTSUPP;
	user_begin(map);
	err = map->ops->next_key(map, key, next);
	user_end(map);
	return err;
}

int map_user_next_slot(struct map *map, u32 *slot, void *key)
{
	int err;

	if (!map->ops->next_slot)
		return -ENOTSUPP;
	rcu_read_lock();
	err = map->ops->next_slot(map, slot, key);
	rcu_read_unlock();
	return err;
}

void map_user_gone(struct map *map)
{
	map_cancel(map);
	if (map->ops->user_gone)
		map->ops->user_gone(map);
}

bool map_owns(struct map *map, const void *address, size_t size)
{
	return map->ops->owns && map->ops->owns(map, address, size);
}

bool map_is_readable(const struct map *map)
{
	return map->ops->readable && map->ops->readable(map);
}

int map_check_inner(const struct map *map, const struct object *object)
{
	const struct map *inner;

	if (object->kind != OBJECT_MAP)
		return -EINVAL;
	inner = container_of(object, struct map, object);
	if (!inner->ops->equal || !inner->ops->equal(map->desc.inner, &inner->desc))
		return -EINVAL;
	return 0;
}

int map_check_presence(bool present, u64 flags)
{
	flags &= ~(u64)BPF_F_LOCK;
	if (present && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!present && flags == BPF_EXIST)
		return -ENOENT;
	return 0;
}
