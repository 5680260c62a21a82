/* SPDX-License-Identifier: BSD-2-Clause */
/* Map types: rows of maps.def. */
#ifndef SKEP_CATALOG_MAP_TYPE_H
#define SKEP_CATALOG_MAP_TYPE_H

#include "base/types.h"
#include "catalog/uapi.h"

#define MAP_TYPE_HELPERS 7

struct map_type_row {
	u32 type;	  /* enum bpf_map_type */
	const char *name; /* bpftool's: "percpu_array" */
	const char *since;
	u8 rights;		       /* enum skep_rights that creation needs */
	u32 flags;		       /* BPF_F_* that creation takes */
	u32 required_flags;	       /* of them those that must be given */
	const char *key;	       /* what a key is, in words */
	const char *value;	       /* what a value is, in words */
	bool only_helpers;	       /* no other helper than `helpers` takes it */
	bool for_sleepable;	       /* sleepable programs may use it */
	bool has_for_each;	       /* bpf_for_each_map_elem() takes it */
	u16 helpers[MAP_TYPE_HELPERS]; /* helpers made for this type; 0: end */
};

/* NULL: Linux has no such type. */
const struct map_type_row *map_type_row(u32 type);
const struct map_type_row *map_type_row_by_name(const char *name);
u32 map_type_last(void);

/* Whether a program may pass a map of this type to this helper. */
bool map_type_may_use_helper(u32 type, u32 helper_id);

#endif
