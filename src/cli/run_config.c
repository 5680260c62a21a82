/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/run_config.h"

#include <bpf/btf.h>
#include <skep/attach.h>
#include <stdio.h>
#include <string.h>

static const char *const action_names[] = {"XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX",
					   "XDP_REDIRECT"};

/* A number is a pointer to an array of so many elements. */
static bool read_number(const struct btf *btf, const struct btf_member *member, u32 *out)
{
	const struct btf_type *type = btf__type_by_id(btf, member->type);

	if (!type || !btf_is_ptr(type))
		return false;
	type = btf__type_by_id(btf, type->type);
	if (!type || !btf_is_array(type))
		return false;
	*out = btf_array(type)->nelems;
	return true;
}

static void read_member(const struct btf *btf, const struct btf_member *member,
			struct run_config *out)
{
	const char *name = btf__name_by_offset(btf, member->name_off);
	u32 value;

	if (!name || !read_number(btf, member, &value))
		return;
	if (!strcmp(name, "priority"))
		out->priority = value;
	for (u32 action = 0; action < ARRAY_SIZE(action_names); action++) {
		if (strcmp(name, action_names[action]))
			continue;
		out->proceed_on &= ~(1u << action);
		out->proceed_on |= (u32) !!value << action;
	}
}

static const struct btf_type *find_struct(const struct btf *btf, const char *variable)
{
	const s32 section = btf__find_by_name_kind(btf, ".xdp_run_config", BTF_KIND_DATASEC);
	const struct btf_type *type = section > 0 ? btf__type_by_id(btf, section) : NULL;
	const struct btf_var_secinfo *vars = type ? btf_var_secinfos(type) : NULL;

	for (u32 i = 0; type && i < btf_vlen(type); i++) {
		const struct btf_type *var = btf__type_by_id(btf, vars[i].type);
		const char *name = btf__name_by_offset(btf, var->name_off);

		if (name && !strcmp(name, variable))
			return btf__type_by_id(btf, var->type);
	}
	return NULL;
}

bool run_config_read(const struct session *session, const char *program, struct run_config *out)
{
	const struct btf *btf = bpf_object__btf(session->object);
	const struct btf_type *type;
	char variable[256];

	*out = (struct run_config){SKEP_PRIORITY_DEFAULT, SKEP_PROCEED_DEFAULT};
	snprintf(variable, sizeof(variable), "_%s", program);
	type = btf ? find_struct(btf, variable) : NULL;
	if (!type || !btf_is_struct(type))
		return false;
	for (u32 i = 0; i < btf_vlen(type); i++)
		read_member(btf, &btf_members(type)[i], out);
	return true;
}
