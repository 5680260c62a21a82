/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/own.h"

/* The fields of one of the program's types. */
struct own_type {
	struct own_type *next;
	u32 type_id;
	struct btf_fields fields;
};

static const struct btf_fields *fields_of_type(struct walk *walk, const struct btf_view *btf,
					       u32 type_id)
{
	struct own_type *type = walk->own_types;

	while (type && type->type_id != type_id)
		type = type->next;
	if (type)
		return &type->fields;
	type = arena_alloc(&walk->scratch, sizeof(*type));
	if (!type)
		return NULL;
	*type = (struct own_type){.next = walk->own_types, .type_id = type_id};
	if (btf_find_fields(btf, type_id, ~0u, &type->fields))
		type->fields = (struct btf_fields){};
	if (type->fields.kinds & BTF_FIELDS_POINTERS)
		btf_fields_bind(&type->fields, walk_kernel(walk));
	walk->own_types = type;
	return &type->fields;
}

bool own_is_object(const struct reg_state *reg)
{
	return reg->kind == REG_BTF && reg->flags & REG_ALLOCATED;
}

const struct btf_fields *own_fields(struct walk *walk, const struct reg_state *reg)
{
	if (reg->kind == REG_MAP_VALUE)
		return &reg->map->fields;
	return own_is_object(reg) ? fields_of_type(walk, reg->btf, reg->type_id) : NULL;
}

const void *own_owner(const struct reg_state *reg)
{
	return reg->kind == REG_MAP_VALUE ? (const void *)reg->map : reg->btf;
}

bool own_has_lock(struct walk *walk, const struct reg_state *reg)
{
	const struct btf_fields *fields = own_fields(walk, reg);

	return fields && fields->kinds & (BTF_FIELD_BIT(BTF_FIELD_SPIN_LOCK) |
					  BTF_FIELD_BIT(BTF_FIELD_RES_SPIN_LOCK));
}
