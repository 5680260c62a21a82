/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: pages that programs and user space share. Both write user space's addresses into
 * them; desc.user_start says where these begin. Within one arena the low half of an address
 * names a page. A page that nobody allocated or, in user space, touched has none behind it:
 * programs read zeros there, and what they write is lost.
 */
#ifndef SKEP_MAP_ARENA_H
#define SKEP_MAP_ARENA_H

#include "map/map.h"

/* The engine's own view of `size` bytes at an address; NULL: a page is missing, or none of the
 * arena's. May enter the kernel when it is missing. */
void *map_arena_at(struct map *map, u64 address, u32 size);

/* bpf_arena_alloc_pages(): at `address`, or anywhere (0). The address for user space; 0: no
 * room, or not there. */
u64 map_arena_alloc(struct map *map, u64 address, u32 pages);
void map_arena_free_pages(struct map *map, u64 address, u32 pages);
/* bpf_arena_reserve_pages(): 0, -EINVAL, -EBUSY. */
int map_arena_reserve(struct map *map, u64 address, u32 pages);

#endif
