/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrays: values side by side, at addresses that never change. A per-CPU array has one such
 * row of values for each slot.
 */
#include "base/os.h"
#include "btf/btf.h"
#include "map/ops.h"
#include "map/region.h"
#include "map/shared.h"
#include "map/value.h"

#include <limits.h>
#include <string.h>

struct array {
	struct map map;
	struct region region;
	u64 slot_stride; /* per-CPU: from one slot's values to the next's */
};

static struct array *array_of(struct map *map)
{
	return container_of(map, struct array, map);
}

static int array_check(struct map_desc *desc, struct skep_error *err)
{
	if (!desc->max_entries || desc->key_size != sizeof(u32) || !desc->value_size)
		return map_refuse(desc, err, -EINVAL, "an array has 4-byte keys, and values");
	if (desc->value_size > INT_MAX)
		return map_refuse(desc, err, -E2BIG, "values of more than 2 GiB");
	return 0;
}

static int percpu_array_check(struct map_desc *desc, struct skep_error *err)
{
	int code = array_check(desc, err);

	if (!code && round_up(desc->value_size, 8) > MAP_PER_CPU_MAX)
		code = map_refuse(desc, err, -E2BIG, "per-CPU values of more than 32 KiB");
	return code;
}

/* .data, .rodata, .bss: no key, one value that is a section. */
static bool is_section(const struct map_desc *desc)
{
	const struct btf_type *value =
		btf_type(desc->btf, btf_resolve(desc->btf, desc->value_type));

	return desc->type == BPF_MAP_TYPE_ARRAY && desc->max_entries == 1 && value &&
	       btf_kind(value) == BTF_KIND_DATASEC;
}

/* The key is a 32-bit int without an offset. */
static int array_check_btf(const struct map_desc *desc)
{
	if (!desc->key_type)
		return is_section(desc) ? 0 : -EINVAL;
	return map_btf_is_int(desc->btf, desc->key_type, sizeof(u32)) ? 0 : -EINVAL;
}

static bool array_equal(const struct map_desc *template, const struct map_desc *inner)
{
	return map_desc_equal(template, inner) && ((template->flags & BPF_F_INNER_MAP) ||
						   template->max_entries == inner->max_entries);
}

/* Any bytes are values. */
static int array_recover(struct map *map)
{
	return 0;
}

static void array_done(struct map *map)
{
	region_free(&array_of(map)->region);
}

static u32 index_of(const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	return index;
}

static void *array_lookup(struct map *map, const void *key, u32 slot)
{
	u32 index = index_of(key);

	if (unlikely(index >= map->desc.max_entries))
		return NULL;
	return map->desc.values + (u64)index * map->desc.value_stride;
}

/* The same where speculation must not use any index. */
static void *array_lookup_guarded(struct map *map, const void *key, u32 slot)
{
	u32 index = index_of(key);

	if (unlikely(index >= map->desc.max_entries))
		return NULL;
	index = map_index_guarded(index, map->desc.max_entries);
	return map->desc.values + (u64)index * map->desc.value_stride;
}

static void *percpu_array_lookup(struct map *map, const void *key, u32 slot)
{
	struct array *array = array_of(map);
	u32 index = index_of(key);

	if (unlikely(index >= map->desc.max_entries))
		return NULL;
	return array->region.base + slot * array->slot_stride +
	       (u64)index * map->desc.value_stride;
}

static void *percpu_array_lookup_guarded(struct map *map, const void *key, u32 slot)
{
	struct array *array = array_of(map);
	u32 index = index_of(key);

	if (unlikely(index >= map->desc.max_entries))
		return NULL;
	index = map_index_guarded(index, map->desc.max_entries);
	return array->region.base + slot * array->slot_stride +
	       (u64)index * map->desc.value_stride;
}

static struct map_rows array_rows(const struct map *map)
{
	const struct array *array = array_of((struct map *)map);

	return (struct map_rows){array->region.base, map->desc.value_stride, array->slot_stride,
				 map->desc.max_entries};
}

/* Elements of an array always exist and cannot be removed. */
static int check_update(const struct map *map, const void *key, u64 flags)
{
	if (unlikely(map_flags_bad(flags)))
		return -EINVAL;
	if (unlikely(index_of(key) >= map->desc.max_entries))
		return -E2BIG;
	if (unlikely(flags & BPF_NOEXIST))
		return -EEXIST;
	if (unlikely((flags & BPF_F_LOCK) &&
		     map_desc_field(&map->desc, BTF_FIELD_SPIN_LOCK) < 0))
		return -EINVAL;
	return 0;
}

static int array_update(struct map *map, const void *key, const void *value, u64 flags,
			u32 slot)
{
	int err = check_update(map, key, flags);
	u8 *at;

	if (err)
		return err;
	at = map->lookup(map, key, slot);
	value_store(&map->desc, at, value, flags & BPF_F_LOCK);
	value_release(&map->desc, at);
	return 0;
}

/* Of small values without fields: an update that needs no look at either. */
static inline __attribute__((always_inline)) int
update_word(struct map *map, const void *key, const void *value, u64 flags, u32 slot, u32 size)
{
	const struct array *array = array_of(map);
	u32 index = index_of(key);

	if (unlikely(flags & ~(u64)BPF_EXIST) || unlikely(index >= map->desc.max_entries))
		return array_update(map, key, value, flags, slot);
	value_store_word(array->region.base + slot * array->slot_stride +
				 (u64)index * map->desc.value_stride,
			 value, size);
	return 0;
}

static int array_update_4(struct map *map, const void *key, const void *value, u64 flags,
			  u32 slot)
{
	return update_word(map, key, value, flags, slot, 4);
}

static int array_update_8(struct map *map, const void *key, const void *value, u64 flags,
			  u32 slot)
{
	return update_word(map, key, value, flags, slot, 8);
}

static map_update_op *update_op(const struct map_desc *desc)
{
	if (value_has_fields(desc) || desc->by_unprivileged)
		return array_update;
	switch (desc->value_size) {
	case 4: return array_update_4;
	case 8: return array_update_8;
	default: return array_update;
	}
}

static int array_init(struct map *map)
{
	struct array *array = array_of(map);
	u64 stride = round_up(map->desc.value_size, 8), size = stride * map->desc.max_entries;
	bool shared = map->desc.flags & BPF_F_MMAPABLE;
	int err = shared ? map_memory_mappable(map, &array->region, "bpf-array", size)
			 : map_memory(map, &array->region, size);

	if (err)
		return err;
	map->update = update_op(&map->desc);
	map->memfd = array->region.fd;
	map->desc.values = array->region.base;
	map->desc.value_stride = stride;
	return 0;
}

static int percpu_array_init(struct map *map)
{
	struct array *array = array_of(map);
	u64 stride = round_up(map->desc.value_size, 8);

	map->update = update_op(&map->desc);
	array->slot_stride = round_up(stride * map->desc.max_entries, CACHE_LINE);
	map->desc.value_stride = stride;
	return map_memory(map, &array->region, array->slot_stride * map->slots);
}

static int array_delete(struct map *map, const void *key, u32 slot)
{
	return -EINVAL;
}

static u32 array_walk(struct map *map, struct map_cursor *at, u32 slot, u32 limit,
		      map_visit *visit, void *cookie)
{
	u32 count = 0;

	while (count < limit && at->at[0] < map->desc.max_entries) {
		u32 key = at->at[0]++;

		count++;
		if (visit(cookie, &key, map->ops->lookup(map, &key, slot)))
			break;
	}
	return count;
}

int map_next_index(struct map *map, const void *key, void *next)
{
	u32 index = key ? index_of(key) : UINT32_MAX;

	if (index == map->desc.max_entries - 1)
		return -ENOENT;
	index = index >= map->desc.max_entries ? 0 : index + 1;
	memcpy(next, &index, sizeof(index));
	return 0;
}

static int percpu_array_user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	u32 stride = map->desc.value_stride;

	if (index_of(key) >= map->desc.max_entries)
		return -ENOENT;
	for (u32 slot = 0; slot < map->slots; slot++) {
		u8 *to = (u8 *)value + slot * stride, *at = percpu_array_lookup(map, key, slot);

		if (unlikely(value_has_fields(&map->desc)))
			value_load(&map->desc, memset(to, 0, stride), at, false);
		else
			value_copy(to, at, stride);
	}
	return 0;
}

static int percpu_array_user_update(struct map *map, const void *key, const void *value,
				    u64 flags)
{
	u32 stride = map->desc.value_stride;
	int err = flags > BPF_EXIST ? -EINVAL : check_update(map, key, flags);

	if (err)
		return err;
	for (u32 slot = 0; slot < map->slots; slot++) {
		u8 *at = percpu_array_lookup(map, key, slot);

		const u8 *from = (const u8 *)value + slot * stride;

		if (unlikely(value_has_fields(&map->desc)))
			value_store(&map->desc, at, from, false);
		else
			value_copy(at, from, stride);
		value_release(&map->desc, at);
	}
	return 0;
}

static int array_mmap(struct map *map, void *address, size_t length, int prot, int flags,
		      u64 offset, void **out)
{
	const struct region *region = &array_of(map)->region;

	if (!(map->desc.flags & BPF_F_MMAPABLE) || offset > region->size ||
	    round_up(length, os_page_size()) > region->size - offset)
		return -EINVAL;
	return region_mmap(region, address, length, prot, flags, offset, out);
}

static bool array_has_writers(struct map *map)
{
	return region_has_writers(&array_of(map)->region);
}

static bool array_owns(struct map *map, const void *address, size_t size)
{
	struct array *array = array_of(map);
	u64 offset = (const u8 *)address - array->region.base;

	if (!region_holds(&array->region, address, size))
		return false;
	if (array->slot_stride)
		offset %= array->slot_stride;
	return offset / map->desc.value_stride < map->desc.max_entries &&
	       offset % map->desc.value_stride + size <= map->desc.value_size;
}

const struct map_ops map_array = {
	.size = sizeof(struct array),
	.check = array_check,
	.check_btf = array_check_btf,
	.init = array_init,
	.done = array_done,
	.recover = array_recover,
	.equal = array_equal,
	.lookup = array_lookup,
	.lookup_guarded = array_lookup_guarded,
	.update = array_update,
	.delete = array_delete,
	.walk = array_walk,
	.next_key = map_next_index,
	.rows = array_rows,
	.owns = array_owns,
	.mmap = array_mmap,
	.has_writers = array_has_writers,
};

const struct map_ops map_percpu_array = {
	.size = sizeof(struct array),
	.check = percpu_array_check,
	.check_btf = array_check_btf,
	.init = percpu_array_init,
	.done = array_done,
	.recover = array_recover,
	.equal = array_equal,
	.lookup = percpu_array_lookup,
	.lookup_guarded = percpu_array_lookup_guarded,
	.lookup_slot = percpu_array_lookup_guarded,
	.update = array_update,
	.delete = array_delete,
	.walk = array_walk,
	.user_lookup = percpu_array_user_lookup,
	.user_update = percpu_array_user_update,
	.next_key = map_next_index,
	.rows = array_rows,
	.owns = array_owns,
};
