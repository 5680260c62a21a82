/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays of cgroups, and what programs of cgroups keep. */
#ifndef SKEP_MAP_CGROUP_H
#define SKEP_MAP_CGROUP_H

#include "map/map.h"

/* The id of the cgroup at `index`: 0, -E2BIG or, when there is none, -EAGAIN. */
int map_cgroup_at(struct map *map, u64 index, u64 *out);

/*
 * Of the old storage of cgroups (BPF_MAP_TYPE_CGROUP_STORAGE and its per-CPU twin): the value
 * that programs have which are attached to the cgroup, by the map's keys also only with the
 * attach type; made when it is not there. NULL: out of memory. In a read-side section.
 */
void *map_cgroup_value(struct map *map, u64 cgroup, u32 attach_type, u32 slot);

static inline bool map_is_cgroup_storage(const struct map *map)
{
	return map->desc.type == BPF_MAP_TYPE_CGROUP_STORAGE ||
	       map->desc.type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

#endif
