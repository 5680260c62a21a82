/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of skep for native code: the operations are called as compiled programs call them, by
 * their address and on one slot. The driver has the functions (bench/operations.c).
 */
#ifndef SKEPMAP_H
#define SKEPMAP_H

#include <linux/types.h>

struct skepmap {
	void *map;
	void *(*lookup)(void *map, const void *key, __u32 slot);
	int (*update)(void *map, const void *key, const void *value, __u64 flags, __u32 slot);
	int (*remove)(void *map, const void *key, __u32 slot);
};

void skepmap_new(struct skepmap *out, __u32 type, __u32 key_size, __u32 value_size,
		 __u32 max_entries, __u32 flags);
void skepmap_free(struct skepmap *map);
/* A record of a ring buffer, which is emptied when it is full. */
void *skepmap_reserve(struct skepmap *map, __u64 size);
void skepmap_submit(void *record, __u64 flags);

#endif
