/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which programs may share a prog array. A tail call hands its context over as it is: a
 * program of another type, or one that was verified for another environment, must not get it.
 */
#include "map/map.h"
#include "run/run.h"
#include "sys/map_value.h"

#include <errno.h>

/* Never 0, so that an array without an owner is told apart. */
static u64 owner_key(const struct prog *prog)
{
	const u32 environment = VERIFY_SLEEPABLE | VERIFY_XDP_FRAGS;

	return 1ULL << 63 | (u64)prog->verified->type << 32 | (u64)prog->attach_type << 16 |
	       (prog->verified->flags & environment);
}

/* The maps of its cgroup storage, by their ids; never 0. */
static u64 storage_key(const struct prog *prog)
{
	u64 key = 1ULL << 63;

	for (u32 i = 0; i < prog->map_cnt; i++) {
		if (prog->maps[i]->desc.type == BPF_MAP_TYPE_CGROUP_STORAGE)
			key |= prog->maps[i]->object.id;
		if (prog->maps[i]->desc.type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE)
			key |= (u64)prog->maps[i]->object.id << 32;
	}
	return key;
}

static bool is_part(u32 own, u32 all)
{
	return !own || own == all;
}

/* The values are those of the program that was called first: the same maps, or none. */
static bool admit_storage(struct map *map, u64 own)
{
	unsigned long long owner = 0;

	if (atomic_compare_exchange_strong_explicit(&map->owner_storage, &owner, own,
						    memory_order_relaxed, memory_order_relaxed))
		return true;
	return is_part((u32)own, (u32)owner) && is_part(own << 1 >> 33, (u64)owner << 1 >> 33);
}

static bool admit_kind(struct map *map, u64 own)
{
	unsigned long long owner = 0;

	return atomic_compare_exchange_strong_explicit(
		       &map->owner, &owner, own, memory_order_relaxed, memory_order_relaxed) ||
	       owner == own;
}

int owner_admit(struct map *map, struct object *object)
{
	const struct prog *prog;

	if (map->desc.type != BPF_MAP_TYPE_PROG_ARRAY || object->kind != OBJECT_PROG)
		return 0;
	prog = container_of(object, struct prog, object);
	return admit_kind(map, owner_key(prog)) && admit_storage(map, storage_key(prog))
		       ? 0
		       : -EINVAL;
}
