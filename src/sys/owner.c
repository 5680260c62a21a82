/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which programs may share a prog array, or a map of devices with those that send there. A tail
 * call hands its context over as it is: a program of another type, or one that was verified for
 * another environment, must not get it.
 */
#include "map/device.h"
#include "run/run.h"
#include "sys/map_value.h"

#include <errno.h>

/* Never 0, so that an array without an owner is told apart. */
static u64 owner_key(const struct map *map, const struct prog *prog)
{
	const u32 environment = VERIFY_SLEEPABLE | VERIFY_XDP_FRAGS;
	const u64 attach_type = map_holds_devices(map) ? 0 : prog->attach_type;
	/* Another function has other arguments. */
	const u64 function = prog->type == BPF_PROG_TYPE_TRACING ? prog->attach_btf_id : 0;

	return 1ULL << 63 | (u64)(prog->verified->type & 0x7f) << 56 |
	       (attach_type & 0xff) << 48 | function << 16 |
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

/* Linux: what is in a map may run anywhere, so not what is for one device. */
int owner_admit(struct map *map, const struct prog *prog)
{
	return !prog->bound_ifindex && admit_kind(map, owner_key(map, prog)) && admit_storage(map, storage_key(prog))
		       ? 0
		       : -EINVAL;
}

/* Of the maps of devices Linux asks only those that are arrays. */
int owner_admit_user(struct map *map, const struct prog *prog)
{
	switch (map->desc.type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_CPUMAP: return owner_admit(map, prog);
	default: return 0;
	}
}
