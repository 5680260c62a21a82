/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of one product: many small allocations, freed all at once. Not thread-safe. */
#ifndef SKEP_BASE_ARENA_H
#define SKEP_BASE_ARENA_H

#include "base/types.h"

struct arena_chunk;
struct arena_adopted;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	u8 *next, *end;		    /* free part of the newest chunk */
	size_t bytes;		    /* taken from the heap, for accounting */
	struct arena_adopted *adopted;
};

void arena_init(struct arena *arena);
void arena_done(struct arena *arena);

/* Zeroed, aligned to 16; NULL when out of memory. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *data, size_t size);
/* The block, from malloc(), is freed with the arena. False: out of memory, and it is not. */
bool arena_adopt(struct arena *arena, void *block);
char *arena_string(struct arena *arena, const char *text);

/* `count` elements of `size` bytes, zeroed; NULL when out of memory or on overflow. */
void *arena_array(struct arena *arena, size_t count, size_t size);

#endif
