/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of a map value that Linux knows by the name of their type (fields.def). */
#ifndef SKEP_BTF_FIELDS_H
#define SKEP_BTF_FIELDS_H

#include "btf/btf.h"

enum btf_field_kind {
#define FIELD(name, text, size, align, flags) BTF_FIELD_##name,
#include "btf/fields.def"
#undef FIELD
	BTF_FIELD_KINDS,
};

#define BTF_FIELD_BIT(kind) (1u << (kind))
/* Pointers to objects that a value holds. */
#define BTF_FIELDS_POINTERS                                                         \
	(BTF_FIELD_BIT(BTF_FIELD_KPTR_UNTRUSTED) | BTF_FIELD_BIT(BTF_FIELD_KPTR) | \
	 BTF_FIELD_BIT(BTF_FIELD_KPTR_PERCPU) | BTF_FIELD_BIT(BTF_FIELD_UPTR))
#define BTF_FIELDS_MAX	    11 /* in one value */

struct btf_field {
	u8 kind; /* enum btf_field_kind */
	u32 offset, size;
	const struct btf_view *btf; /* that type_id is in */
	u32 type_id;	       /* pointer: what it points to; list, tree: what it contains */
	const char *node_name; /* list, tree: the member of type_id that is the node */
	u32 node_offset;
};

struct btf_fields {
	u32 kinds; /* BTF_FIELD_BIT()s of what is there */
	u32 count;
	struct btf_field field[BTF_FIELDS_MAX]; /* by offset */
};

/*
 * The fields of a structure, or of all variables of a section, of the kinds asked for. 0, also
 * when there are none; else Linux's errno (-EINVAL, -E2BIG, -EEXIST, -ENOENT, ...).
 */
int btf_find_fields(const struct btf_view *btf, u32 type_id, u32 kinds, struct btf_fields *out);

/* The structure's name, or the type tag's: "bpf_spin_lock", "kptr". */
const char *btf_field_text(enum btf_field_kind kind);

/* Pointers to a structure that the kernel has, too, are pointers to the kernel's. `kernel` NULL:
 * there is none. */
void btf_fields_bind(struct btf_fields *fields, const struct btf_view *kernel);

/* The field of one of these kinds at `offset`; NULL: none is. */
const struct btf_field *btf_field_at(const struct btf_fields *fields, u32 kinds, u32 offset);

/* NULL: the value has no field of this kind. */
const struct btf_field *btf_field_of_kind(const struct btf_fields *fields,
					  enum btf_field_kind kind);

/* The same kinds at the same places, of the same types. */
bool btf_fields_equal(const struct btf_fields *a, const struct btf_fields *b);

#endif
