/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps in a region (base/commons.h): which there are, where their memory is, under which paths
 * they are pinned. Everything of such a map that changes is in the region; each process has a
 * struct map of its own that only looks at it.
 *
 * A map's memory is one extent. What a type allocates there (map_memory()) follows from the
 * map's description alone, so that opening a map walks through the same steps as making it.
 *
 * Changes of the directory are made under commons_lock() and in an order that leaves it whole
 * when a process dies between any two of them.
 */
#ifndef SKEP_MAP_SHARED_H
#define SKEP_MAP_SHARED_H

#include "base/commons.h"
#include "map/map.h"
#include "map/region.h"

struct shared; /* what one engine has of a region */
struct shared_entry;

/* Where a map's memory is taken from while it is made or opened. */
struct extent {
	struct shared *shared;
	struct shared_entry *entry;
	u8 *at, *end;
	bool is_new;
};

/* Joins; `params->alone` is set here. `budget` may be NULL. */
int shared_open(const struct commons_params *params, struct shared **out,
		struct skep_error *err);
/* No map of it is left in this process. NULL: nothing. */
void shared_close(struct shared *shared);

struct commons *shared_commons(const struct shared *shared);
/* The memory of the cpu slots. */
void *shared_slots(const struct shared *shared);

/* 0, or -EOPNOTSUPP with the reason why a map cannot be in a region. */
int shared_check(const struct map_desc *desc, struct skep_error *err);

/* --- pins: paths of maps in the region; terminated, normalised --- */
int shared_pin(struct shared *shared, struct map *map, const char *path);
/* The map as a reference; NULL and *err: -ENOENT: no such path. */
struct map *shared_get(struct shared *shared, const char *path, const struct map_world *world,
		       int *code, struct skep_error *err);
int shared_unpin(struct shared *shared, const char *path);

/* --- for the types --- */

/* Memory of a map: from its extent, or a region of its own. Zeros when it is new. */
int map_memory(struct map *map, struct region *out, u64 size);
/* The same from whole pages, which user space may map. */
int map_memory_mappable(struct map *map, struct region *out, const char *name, u64 size);
/* Whether what map_memory() gave is to be filled in: it is not when a map is opened. */
bool map_is_new(const struct map *map);
/* NULL: the map is this process's alone. */
const struct commons *map_commons(const struct map *map);
u64 map_shared_seed(const struct map *map);
void map_share_frozen(struct map *map);

/* A map that is made (create.c): finds its extent. Then its memory is taken; `code` is how that
 * went, and then the map is in the directory or not. */
int shared_begin(struct shared *shared, struct map *map, struct skep_error *err);
int shared_end(struct map *map, int code);
/* The map ends in this process. */
void shared_forget(struct map *map);

#endif
