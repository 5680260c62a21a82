/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands on one element and those on many share. */
#ifndef SKEP_SYS_MAP_VALUE_H
#define SKEP_SYS_MAP_VALUE_H

#include "sys/command.h"

/* An update from user space; a value that is a file descriptor becomes its object. */
int map_value_update(struct call *call, struct map *map, const void *key, const void *value,
		     u64 flags);

/* The same for an entry of a device map that names a program. */
int map_value_update_device(struct call *call, struct map *map, const void *key,
			    const void *value, u64 flags);

/* The same for a structure of functions. */
int map_value_update_ops(struct call *call, struct map *map, const void *key, const void *value,
			 u64 flags);

/*
 * Programs that call each other through one prog array, or run where others send packets, must
 * be alike (type, attach type, sleepable, XDP fragments; cgroup storage, if they have any): the
 * first one that uses or enters the map decides. 0 or -EINVAL: whether the program may be in
 * the map.
 */
int owner_admit(struct map *map, const struct prog *prog);
/* Whether it may use the map. Maps that hold no programs take any. */
int owner_admit_user(struct map *map, const struct prog *prog);

#endif
