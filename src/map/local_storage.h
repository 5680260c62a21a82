/* SPDX-License-Identifier: BSD-2-Clause */
/* Local storage: maps whose values belong to an owner (owner.h) and end with it. */
#ifndef SKEP_MAP_LOCAL_STORAGE_H
#define SKEP_MAP_LOCAL_STORAGE_H

#include "map/map.h"
#include "map/owner.h"

/* The owner's value in the map; NULL: none. In a read-side section. */
void *local_storage_find(struct map *map, struct owner *owner);
/* The same, made when there is none; `initial` NULL: zeros. NULL: out of memory, or the owner
 * is gone. */
void *local_storage_get(struct map *map, struct owner *owner, const void *initial);
/* 0 or -ENOENT. */
int local_storage_delete(struct map *map, struct owner *owner);

#endif
