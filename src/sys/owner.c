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

	return 1ULL << 63 | (u64)prog->type << 32 | (u64)prog->attach_type << 16 |
	       (prog->verified->flags & environment);
}

int owner_admit(struct map *map, struct object *object)
{
	unsigned long long owner = 0;
	u64 own;

	if (map->desc.type != BPF_MAP_TYPE_PROG_ARRAY || object->kind != OBJECT_PROG)
		return 0;
	own = owner_key(container_of(object, struct prog, object));
	if (atomic_compare_exchange_strong_explicit(&map->owner, &owner, own,
						    memory_order_relaxed, memory_order_relaxed))
		return 0;
	return owner == own ? 0 : -EINVAL;
}
