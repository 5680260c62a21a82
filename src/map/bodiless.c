/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map type of Linux that skep does not have yet: only what Linux asks when one is made, so
 * that a verify-only engine can make it. It has no operation, and map_new() refuses it once
 * Linux would have taken it.
 */
#include "map/ops.h"

#include <string.h>

/* A structure of functions as Linux registers it, with what Linux keeps in front of it. */
static bool is_operations(const struct btf_view *kernel, const struct btf_type *type)
{
	static const char prefix[] = "bpf_struct_ops_";
	const char *name = btf_string(kernel, type->name_off);
	const struct btf_member *member = btf_members(type);

	return btf_kind(type) == BTF_KIND_STRUCT && btf_vlen(type) == 2 &&
	       !strncmp(name, prefix, strlen(prefix)) &&
	       !strcmp(btf_type_name(kernel, member[0].type), "bpf_struct_ops_common_value") &&
	       !strcmp(btf_type_name(kernel, member[1].type), name + strlen(prefix));
}

static int struct_ops_check(struct map_desc *desc, struct skep_error *err)
{
	const struct btf_type *type;

	if (desc->key_size != sizeof(u32) || desc->max_entries != 1 ||
	    !desc->vmlinux_value_type)
		return map_refuse(desc, err, -EINVAL, "one element, of a kernel structure");
	if (desc->flags & BPF_F_VTYPE_BTF_OBJ_FD)
		return map_refuse(desc, err, -EINVAL, "skep has no kernel modules");
	type = desc->kernel ? btf_type(desc->kernel, desc->vmlinux_value_type) : NULL;
	if (!type || !is_operations(desc->kernel, type))
		return map_refuse(desc, err, -ENOTSUPP,
				  "the kernel registers no such structure of functions");
	if (desc->value_size != type->size)
		return map_refuse(desc, err, -EINVAL, "value_size is not the structure's");
	return 0;
}

const struct map_ops map_struct_ops = {
	.size = sizeof(struct map),
	.check = struct_ops_check,
};
