/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of map values that only helpers may touch: locks, timers, kernel pointers. */
#ifndef SKEP_VERIFY_SPECIAL_H
#define SKEP_VERIFY_SPECIAL_H

#include "verify/memory.h"

/* The access that walk->access describes misses the value's special fields. */
int special_prove_untouched(struct walk *walk, const struct map_desc *map);
/* The map's special fields may be used by this type of program. */
int special_prove_map(struct walk *walk, const struct map_desc *map);

#endif
