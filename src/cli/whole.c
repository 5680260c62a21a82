/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether an object's BTF may be given to libbpf, which follows type ids without looking (1.1
 * crashes on an id out of range, and never ends on a typedef of itself). Not the validation of
 * src/btf: what libbpf completes before it loads the types (sections without sizes) is no
 * damage.
 */
#include "cli/session.h"

#include <bpf/btf.h>
#include <errno.h>

/* Longer chains of typedefs and qualifiers are cycles. */
#define CHAIN_MAX 64

static bool is_id(const struct btf *btf, u32 id)
{
	return id < btf__type_cnt(btf);
}

static bool is_name(const struct btf *btf, u32 offset)
{
	return btf__str_by_offset(btf, offset) != NULL;
}

static bool chain_ends(const struct btf *btf, const struct btf_type *type)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		if (!btf_is_mod(type) && !btf_is_typedef(type))
			return true;
		type = btf__type_by_id(btf, type->type);
		if (!type)
			return false;
	}
	return false;
}

static bool members_are_whole(const struct btf *btf, const struct btf_type *type)
{
	const struct btf_member *member = btf_members(type);

	for (u32 i = 0; i < btf_vlen(type); i++, member++)
		if (!is_id(btf, member->type) || !is_name(btf, member->name_off))
			return false;
	return true;
}

static bool parameters_are_whole(const struct btf *btf, const struct btf_type *type)
{
	const struct btf_param *parameter = btf_params(type);

	for (u32 i = 0; i < btf_vlen(type); i++, parameter++)
		if (!is_id(btf, parameter->type) || !is_name(btf, parameter->name_off))
			return false;
	return is_id(btf, type->type);
}

static bool section_is_whole(const struct btf *btf, const struct btf_type *type)
{
	const struct btf_var_secinfo *info = btf_var_secinfos(type);

	for (u32 i = 0; i < btf_vlen(type); i++, info++)
		if (!info->type || !is_id(btf, info->type))
			return false;
	return true;
}

static bool enumerators_are_whole(const struct btf *btf, const struct btf_type *type)
{
	for (u32 i = 0; i < btf_vlen(type); i++)
		if (!is_name(btf, btf_is_enum64(type) ? btf_enum64(type)[i].name_off
						      : btf_enum(type)[i].name_off))
			return false;
	return true;
}

static bool type_is_whole(const struct btf *btf, const struct btf_type *type)
{
	if (!is_name(btf, type->name_off))
		return false;
	switch (btf_kind(type)) {
	case BTF_KIND_ARRAY:
		return is_id(btf, btf_array(type)->type) &&
		       is_id(btf, btf_array(type)->index_type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return members_are_whole(btf, type);
	case BTF_KIND_FUNC_PROTO: return parameters_are_whole(btf, type);
	case BTF_KIND_DATASEC: return section_is_whole(btf, type);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: return enumerators_are_whole(btf, type);
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_FWD: return true;
	default: return is_id(btf, type->type) && chain_ends(btf, type);
	}
}

int check_object_types(const char *path, const struct btf *btf)
{
	for (u32 id = 1; btf && id < btf__type_cnt(btf); id++)
		if (!type_is_whole(btf, btf__type_by_id(btf, id)))
			return usage_error(
				"%s: its BTF is damaged: type %u refers to what is not there",
				path, id);
	return 0;
}
