// SPDX-License-Identifier: BSD-2-Clause
/*
 * Structures that a program may allocate are those with a field that fields.def marks OBJECT.
 * Linux checks their fields when the BTF is loaded, and that none of them owns itself through
 * lists and trees.
 */
#include "base/error.h"
#include "btf/check.h"
#include "btf/field_rows.h"

#include <stdlib.h>

/* Marks the ids of types that make a structure such an object. */
static void mark_object_types(const struct btf_view *btf, u32 pointers, u8 *marks)
{
	for (u32 kind = 0; kind < BTF_FIELD_KINDS; kind++)
		if ((field_rows[kind].flags & (FIELD_OBJECT | FIELD_POINTER)) == FIELD_OBJECT)
			marks[btf_find(btf, field_rows[kind].text, BTF_KIND_STRUCT)] = true;
	for (u32 id = 1; id <= btf_type_count(btf); id++)
		if (field_is_pointer(btf, id, pointers))
			marks[id] = true;
	marks[0] = false;
}

static bool has_marked_member(const struct btf_type *type, const u8 *marks)
{
	const struct btf_member *member = btf_members(type);

	for (u32 i = 0; btf_kind(type) == BTF_KIND_STRUCT && i < btf_vlen(type); i++)
		if (marks[member[i].type])
			return true;
	return false;
}

/* A structure that is itself in lists must not contain structures that contain others. */
static int check_ownership(const struct btf_view *btf, const u8 *marks, u32 id, u32 kinds)
{
	struct btf_fields fields, inner;

	if (btf_find_fields(btf, id, kinds, &fields) || !(fields.kinds & LIST_OR_TREE))
		return 0;
	for (u32 i = 0; i < fields.count; i++) {
		u32 owned = fields.field[i].type_id;

		if (!(BTF_FIELD_BIT(fields.field[i].kind) & LIST_OR_TREE))
			continue;
		if (!has_marked_member(btf_type(btf, owned), marks))
			return -EFAULT;
		if ((fields.kinds & NODES) && !btf_find_fields(btf, owned, kinds, &inner) &&
		    (inner.kinds & LIST_OR_TREE))
			return -ELOOP;
	}
	return 0;
}

static int check_marked(struct check *check, const u8 *marks, u32 kinds)
{
	struct btf_fields fields;
	int err = 0;

	for (u32 id = 1; !err && id <= btf_type_count(check->btf); id++) {
		if (!has_marked_member(btf_type(check->btf, id), marks))
			continue;
		check->type_id = id;
		err = btf_find_fields(check->btf, id, kinds, &fields);
		if (!err && !fields.count)
			err = -EFAULT;
	}
	for (u32 id = 1; !err && id <= btf_type_count(check->btf); id++) {
		check->type_id = id;
		if (has_marked_member(btf_type(check->btf, id), marks))
			err = check_ownership(check->btf, marks, id, kinds);
	}
	return err;
}

int check_objects(struct check *check)
{
	u32 kinds = BTF_FIELD_BIT(BTF_FIELD_RES_SPIN_LOCK), pointers = 0;
	u8 *marks = calloc(btf_type_count(check->btf) + 1, sizeof(*marks));
	int err;

	if (!marks)
		return -ENOMEM;
	for (u32 kind = 0; kind < BTF_FIELD_KINDS; kind++) {
		if (!(field_rows[kind].flags & FIELD_OBJECT))
			continue;
		kinds |= BTF_FIELD_BIT(kind);
		if (field_rows[kind].flags & FIELD_POINTER)
			pointers |= BTF_FIELD_BIT(kind);
	}
	mark_object_types(check->btf, pointers, marks);
	err = check_marked(check, marks, kinds);
	free(marks);
	if (err)
		error_set(check->err, SKEP_STAGE_BTF, err,
			  "BTF type [%u] STRUCT %s: its bpf_* fields are not as they must be",
			  check->type_id, btf_type_name(check->btf, check->type_id));
	return err;
}
