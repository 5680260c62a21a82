/* SPDX-License-Identifier: BSD-2-Clause */
/* How a map ends: see end.c. */
#ifndef SKEP_MAP_END_H
#define SKEP_MAP_END_H

#include "map/map.h"

/* What object_put() calls for the last reference. */
void map_release(struct object *object);

#endif
