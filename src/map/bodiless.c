/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map types of Linux that skep does not have yet: only what Linux asks when one is made, so
 * that a verify-only engine can make it. They have no operation, and map_new() refuses them
 * once Linux would have taken them.
 */
#include "base/os.h"
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

static int user_ringbuf_check(struct map_desc *desc, struct skep_error *err)
{
	if (desc->key_size || desc->value_size || !is_power_of_two(desc->max_entries) ||
	    desc->max_entries % os_page_size())
		return map_refuse(desc, err, -EINVAL, "a power of two of whole pages only");
	return 0;
}

#define BODILESS(check_function, ...)                                            \
	{                                                                        \
		.size = sizeof(struct map), .check = check_function, __VA_ARGS__ \
	}
#define TEMPLATE .equal = map_desc_equal /* may be an inner map */

const struct map_ops map_struct_ops = BODILESS(struct_ops_check);
const struct map_ops map_user_ringbuf = BODILESS(user_ringbuf_check, TEMPLATE);
