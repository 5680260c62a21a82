/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct_ops maps: one structure of functions as the kernel's BTF describes it, whose functions
 * are programs. Nobody in an engine calls them: "registered" is a state that the map keeps.
 */
#ifndef SKEP_MAP_STRUCT_OPS_H
#define SKEP_MAP_STRUCT_OPS_H

#include "map/map.h"

/* The program that implements member `index` of the structure `type` (an id of the kernel's
 * BTF): a reference, NULL and 0 when the descriptor is 0. */
typedef int struct_ops_find(void *cookie, int fd, u32 type, u32 index, struct object **out);

/* Stores the structure, once. Registers it, unless the map was made for links. */
int map_struct_ops_update(struct map *map, const void *key, const void *value, u64 flags,
			  struct_ops_find *find, void *cookie);

/* Whether links may register it: it was made for them, and has its structure. */
bool map_struct_ops_is_ready(struct map *map);
/* 0 or what Linux says when a link changes from one to the other, both ready: -EOPNOTSUPP,
 * -EINVAL. */
int map_struct_ops_may_replace(struct map *map, struct map *old);
/* One link more (1) or fewer (-1) has it registered. */
void map_struct_ops_count_links(struct map *map, int change);

#endif
