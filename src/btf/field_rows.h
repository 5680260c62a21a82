/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: the rows of fields.def. */
#ifndef SKEP_BTF_FIELD_ROWS_H
#define SKEP_BTF_FIELD_ROWS_H

#include "btf/fields.h"

enum field_flags {
	FIELD_UNIQUE = 1 << 0,
	FIELD_REPEATS = 1 << 1,
	FIELD_OBJECT = 1 << 2,
	FIELD_POINTER = 1 << 3,
};

struct field_row {
	const char *text;
	u8 size, align, flags;
};

extern const struct field_row field_rows[BTF_FIELD_KINDS];

#define LIST_OR_TREE (BTF_FIELD_BIT(BTF_FIELD_LIST_HEAD) | BTF_FIELD_BIT(BTF_FIELD_RB_ROOT))
#define NODES	     (BTF_FIELD_BIT(BTF_FIELD_LIST_NODE) | BTF_FIELD_BIT(BTF_FIELD_RB_NODE))
#define LOCKS	     (BTF_FIELD_BIT(BTF_FIELD_SPIN_LOCK) | BTF_FIELD_BIT(BTF_FIELD_RES_SPIN_LOCK))

/* Whether the type is a pointer with a tag of one of these kinds. */
bool field_is_pointer(const struct btf_view *btf, u32 id, u32 kinds);

#endif
