/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands on one element and those on many share. */
#ifndef SKEP_SYS_MAP_VALUE_H
#define SKEP_SYS_MAP_VALUE_H

#include "sys/command.h"

/* An update from user space; a value that is a file descriptor becomes its object. */
int map_value_update(struct call *call, struct map *map, const void *key, const void *value,
		     u64 flags);

/*
 * Programs that call each other through one prog array must be alike (type, attach type,
 * sleepable, XDP fragments; cgroup storage, if they have any): the first one that uses or enters the array decides. 0 or -EINVAL.
 */
int owner_admit(struct map *map, struct object *object);

#endif
