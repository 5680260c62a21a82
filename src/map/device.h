/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where bpf_redirect_map() sends packets: devmap, devmap_hash, cpumap. An entry begins as user
 * space and programs read it: struct bpf_devmap_val, struct bpf_cpumap_val.
 */
#ifndef SKEP_MAP_DEVICE_H
#define SKEP_MAP_DEVICE_H

#include "map/map.h"

struct map_device {
	u32 target; /* ifindex; cpumap: length of the queue */
	u32 prog_id;
	struct account *account; /* of the map; reference */
	struct object *prog;	 /* runs there on each packet; NULL; owned */
	u64 key;
	struct rcu_head rcu;
};

/* NULL: no entry (read-side section). Not for other types. */
const struct map_device *map_device_find(struct map *map, u32 key);
/* Each entry until `call` returns non-zero (read-side section): broadcasts. */
void map_device_each(struct map *map,
		     bool (*call)(void *cookie, const struct map_device *device), void *cookie);

bool map_holds_devices(const struct map *map);
/* Takes all entries out of a devmap, devmap_hash or cpumap: their programs may use the map. */
void map_device_clear(struct map *map);
/* What Linux answers before it looks for the device or the program: 0 or a negative errno. */
int map_device_check(struct map *map, const void *key, const void *value, u64 flags);
/* The descriptor of the program that a value as user space writes it names; 0: none, or no map
 * of devices. */
int map_device_program(const struct map *map, const void *value);
/* The caller looked up the device and the program (NULL: none). */
int map_user_update_device(struct map *map, const void *key, const void *value,
			   struct object *prog, u64 flags);

#endif
