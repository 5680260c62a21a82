/* SPDX-License-Identifier: BSD-2-Clause */
/* The scalar members of a type, as columns: name, place, and how a cell is written. */
#ifndef SKEP_CLI_LEAF_H
#define SKEP_CLI_LEAF_H

#include "btf/btf.h"

#define LEAVES_MAX 16
#define CELL_MAX   64

struct leaf {
	char name[48];
	u32 type_id; /* before typedefs are resolved */
	u32 offset, size;
	bool is_number; /* can be summed and drawn as a bar */
};

/* The leaves of a type, in order; 0 when there are none or too many. */
u32 leaves_of(const struct btf_view *types, u32 type_id, struct leaf leaves[LEAVES_MAX]);

/* The number in `data`, for leaves that are numbers. */
u64 leaf_number(const struct leaf *leaf, const u8 *data);
void leaf_print(const struct btf_view *types, const struct leaf *leaf, const u8 *data,
		char out[CELL_MAX]);
void leaf_print_number(const struct btf_view *types, const struct leaf *leaf, u64 value,
		       char out[CELL_MAX]);

#endif
