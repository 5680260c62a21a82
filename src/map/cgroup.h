/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays of cgroups. */
#ifndef SKEP_MAP_CGROUP_H
#define SKEP_MAP_CGROUP_H

#include "map/map.h"

/* The id of the cgroup at `index`: 0, -E2BIG or, when there is none, -EAGAIN. */
int map_cgroup_at(struct map *map, u64 index, u64 *out);

#endif
