/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks: buckets, a power of two of them, hold the number of an element of a pool. Who takes
 * an element out of its bucket owns it. As on Linux, user space takes it out to copy it and
 * puts it back; a stack that comes meanwhile takes the place, and is the one that goes.
 */
#include "map/stack_trace.h"

#include "map/ops.h"
#include "map/pool.h"
#include "map/region.h"
#include "map/value.h"

#include <string.h>

#define DEPTH_MAX   127 /* kernel.perf_event_max_stack, as it is after boot */
#define ENTRIES_MAX (1U << 31)

struct stack_map {
	struct map map;
	u64 bucket_cnt, element_size;
	atomic_uint *buckets; /* element + 1; 0: none */
	u8 *elements;
	struct pool pool;
	struct region bucket_region, element_region, link_region;
};

struct element {
	u32 hash, size;
	u8 frames[];
};

static struct stack_map *stack_map_of(struct map *map)
{
	return container_of(map, struct stack_map, map);
}

static struct element *element_at(const struct stack_map *stacks, u32 number)
{
	return (struct element *)(stacks->elements + (number - 1) * stacks->element_size);
}

static int check(struct map_desc *desc, struct skep_error *err)
{
	u32 frame = map_stack_frame_size(desc);

	if (!desc->max_entries || desc->key_size != sizeof(u32) || desc->value_size < 8 ||
	    desc->value_size % frame || desc->value_size / frame > DEPTH_MAX)
		return map_refuse(desc, err, -EINVAL,
				  "4-byte keys, and 1 to 127 frames as values only");
	if (desc->max_entries > ENTRIES_MAX)
		return map_refuse(desc, err, -E2BIG, "more than 2^31 stacks");
	return 0;
}

static void done(struct map *map)
{
	struct stack_map *stacks = stack_map_of(map);

	region_free(&stacks->bucket_region);
	region_free(&stacks->element_region);
	region_free(&stacks->link_region);
}

static u64 power_of_two_from(u32 count)
{
	u64 power = 1;

	while (power < count)
		power *= 2;
	return power;
}

static int init_memory(struct stack_map *stacks)
{
	const struct map_desc *desc = &stacks->map.desc;
	struct account *account = stacks->map.account;
	int err = region_new(account, &stacks->bucket_region,
			     stacks->bucket_cnt * sizeof(atomic_uint));

	err = err
		      ?: region_new(account, &stacks->element_region,
				    desc->max_entries * stacks->element_size);
	return err
		       ?: region_new(account, &stacks->link_region,
				     (u64)desc->max_entries * sizeof(atomic_uint));
}

static int init(struct map *map)
{
	struct stack_map *stacks = stack_map_of(map);
	int err;

	stacks->bucket_region = stacks->element_region = stacks->link_region = REGION_NONE;
	stacks->bucket_cnt = power_of_two_from(map->desc.max_entries);
	stacks->element_size = sizeof(struct element) + round_up(map->desc.value_size, 8);
	err = init_memory(stacks);
	if (err) {
		done(map);
		return err;
	}
	stacks->buckets = (atomic_uint *)stacks->bucket_region.base;
	stacks->elements = stacks->element_region.base;
	pool_init(&stacks->pool, (atomic_uint *)stacks->link_region.base, 0,
		  map->desc.max_entries);
	return 0;
}

/* --- elements --- */

static u32 take(struct stack_map *stacks)
{
	u32 index = pool_take(&stacks->pool);

	return index == POOL_NONE ? 0 : index + 1;
}

static void give(struct stack_map *stacks, u32 number)
{
	if (number)
		pool_give(&stacks->pool, number - 1);
}

/* Acquire: the element is complete; release: for the next who takes it. */
static u32 exchange(atomic_uint *bucket, u32 number)
{
	return atomic_exchange_explicit(bucket, number, memory_order_acq_rel);
}

/* --- from programs --- */

u32 map_stack_hash(const u64 *addresses, u32 count)
{
	u64 hash = count;

	for (u32 i = 0; i < count; i++) {
		hash = (hash ^ addresses[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	return (u32)(hash >> 32);
}

static int put(struct stack_map *stacks, atomic_uint *bucket, u32 hash, const void *frames,
	       u32 size)
{
	u32 number = take(stacks);
	struct element *element;

	if (!number)
		return -ENOMEM;
	element = element_at(stacks, number);
	element->hash = hash;
	element->size = size;
	memcpy(element->frames, frames, size);
	give(stacks, exchange(bucket, number));
	return 0;
}

long map_stack_id(struct map *map, u32 hash, const void *frames, u32 size, u64 flags)
{
	struct stack_map *stacks = stack_map_of(map);
	u32 id = hash & (stacks->bucket_cnt - 1);
	atomic_uint *bucket = &stacks->buckets[id];
	u32 number = atomic_load_explicit(bucket, memory_order_acquire);
	const struct element *element = number ? element_at(stacks, number) : NULL;
	int err;

	if (element && element->hash == hash &&
	    (flags & BPF_F_FAST_STACK_CMP ||
	     (element->size == size && !memcmp(element->frames, frames, size))))
		return id;
	if (element && !(flags & BPF_F_REUSE_STACKID))
		return -EEXIST;
	err = put(stacks, bucket, hash, frames, size);
	return err ? err : (long)id;
}

/* --- from user space --- */

/* The bucket of a key; NULL: out of range. */
static atomic_uint *bucket_of(struct stack_map *stacks, const void *key)
{
	u32 id;

	memcpy(&id, key, sizeof(id));
	return id < stacks->bucket_cnt ? &stacks->buckets[id] : NULL;
}

static int copy_out(struct stack_map *stacks, const void *key, void *value, bool keep)
{
	atomic_uint *bucket = bucket_of(stacks, key);
	u32 number = bucket ? exchange(bucket, 0) : 0;
	const struct element *element;

	if (!number)
		return -ENOENT;
	element = element_at(stacks, number);
	memcpy(value, element->frames, element->size);
	memset((u8 *)value + element->size, 0, stacks->map.desc.value_size - element->size);
	give(stacks, keep ? exchange(bucket, number) : number);
	return 0;
}

static int user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	return copy_out(stack_map_of(map), key, value, true);
}

static int user_lookup_and_delete(struct map *map, const void *key, void *value, u64 flags)
{
	return copy_out(stack_map_of(map), key, value, false);
}

static int user_update(struct map *map, const void *key, const void *value, u64 flags)
{
	return -EINVAL;
}

static int user_delete(struct map *map, const void *key)
{
	struct stack_map *stacks = stack_map_of(map);
	atomic_uint *bucket = bucket_of(stacks, key);
	u32 number;

	if (!bucket)
		return -E2BIG;
	number = exchange(bucket, 0);
	give(stacks, number);
	return number ? 0 : -ENOENT;
}

static int next_key(struct map *map, const void *key, void *next)
{
	struct stack_map *stacks = stack_map_of(map);
	u32 id = 0;

	if (key) {
		memcpy(&id, key, sizeof(id));
		id = id < stacks->bucket_cnt && stacks->buckets[id] ? id + 1 : 0;
	}
	while (id < stacks->bucket_cnt && !stacks->buckets[id])
		id++;
	if (id >= stacks->bucket_cnt)
		return -ENOENT;
	memcpy(next, &id, sizeof(id));
	return 0;
}

const struct map_ops map_stack_trace = {
	.size = sizeof(struct stack_map),
	.check = check,
	.check_btf = map_btf_refused,
	.init = init,
	.done = done,
	.equal = map_desc_equal,
	.user_lookup = user_lookup,
	.user_lookup_and_delete = user_lookup_and_delete,
	.user_update = user_update,
	.user_delete = user_delete,
	.next_key = next_key,
};
