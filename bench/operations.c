/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of skep's maps for programs compiled for this machine: mode `ops`. */
#include "map/ops.h"
#include "map/ringbuf.h"
#include "programs/include/skepmap.h"

#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS 2

/* Called when a program's shared object is opened, which has no way to fail. */
SKEP_API void skepmap_new(struct skepmap *out, __u32 type, __u32 key_size, __u32 value_size,
			  __u32 max_entries, __u32 flags)
{
	struct map_desc desc = {.type = type,
				.key_size = key_size,
				.value_size = value_size,
				.max_entries = max_entries,
				.flags = flags};
	struct skep_error err = {0};
	struct map *map;

	if (map_new(&desc, NULL, SLOTS, &map, &err)) {
		fprintf(stderr, "bench: %s\n", err.text);
		abort();
	}
	*out = (struct skepmap){
		.map = map,
		.lookup = (void *)map->lookup,
		.update = (void *)map->update,
		.remove = (void *)map->ops->delete,
	};
}

SKEP_API void skepmap_free(struct skepmap *map)
{
	object_put(&((struct map *)map->map)->object);
}

SKEP_API void *skepmap_reserve(struct skepmap *map, __u64 size)
{
	void *record = map_ringbuf_reserve(map->map, size, 0, 0);
	struct ring_control *control;

	if (likely(record))
		return record;
	control = ring_of(map->map)->control;
	atomic_store(control->consumer, atomic_load(&control->producer->position));
	return map_ringbuf_reserve(map->map, size, 0, 0);
}

SKEP_API void skepmap_submit(void *record, __u64 flags)
{
	map_ringbuf_commit(record, flags, false, 0);
}
