/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of arenas. The map is r1. */
#include "helper/body.h"
#include "map/arena.h"

#include <errno.h>

static struct map *arena_of(u64 argument)
{
	struct map *map = u64_to_ptr(argument);

	return map->desc.type == (u32)BPF_MAP_TYPE_ARENA ? map : NULL;
}

/* r4: a NUMA node. */
KFUNC_BODY(bpf_arena_alloc_pages)
{
	struct map *arena = arena_of(r1);

	return arena && !r5 ? map_arena_alloc(arena, r2, (u32)r3) : 0;
}

KFUNC_BODY(bpf_arena_free_pages)
{
	struct map *arena = arena_of(r1);

	if (arena && r2)
		map_arena_free_pages(arena, r2, (u32)r3);
	return 0;
}

KFUNC_BODY(bpf_arena_reserve_pages)
{
	struct map *arena = arena_of(r1);

	return arena ? map_arena_reserve(arena, r2, (u32)r3) : -EINVAL;
}
