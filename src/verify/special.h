/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of map values that only helpers may touch: locks, timers, kernel pointers. */
#ifndef SKEP_VERIFY_SPECIAL_H
#define SKEP_VERIFY_SPECIAL_H

#include "verify/memory.h"

/* The access that walk->access describes misses the value's special fields. */
int special_prove_untouched(struct walk *walk, const struct map_desc *map,
			    const struct extent *extent);
/* The register points to the map value's field of this kind: walk->call has its map. */
int special_prove_field(struct walk *walk, u32 regno, enum btf_field_kind kind);
/* The map's special fields may be used by this type of program. */
int special_prove_map(struct walk *walk, const struct map_desc *map);

/* The map argument: the one that the field `what` of an earlier argument is in, if there is
 * any. */
int special_prove_map_of_field(struct walk *walk, u32 regno, const char *what);

#endif
