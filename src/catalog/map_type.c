/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in maps.def. */
#include "catalog/map_type.h"
#include <skep/extend.h>
#include <string.h>

enum { BPF = SKEP_RIGHT_BPF, NET_ADMIN = SKEP_RIGHT_NET_ADMIN };

enum {
	NO_PREALLOC = BPF_F_NO_PREALLOC,
	NO_COMMON_LRU = BPF_F_NO_COMMON_LRU,
	NUMA_NODE = BPF_F_NUMA_NODE,
	STACK_BUILD_ID = BPF_F_STACK_BUILD_ID,
	ZERO_SEED = BPF_F_ZERO_SEED,
	CLONE = BPF_F_CLONE,
	MMAPABLE = BPF_F_MMAPABLE,
	PRESERVE_ELEMS = BPF_F_PRESERVE_ELEMS,
	INNER_MAP = BPF_F_INNER_MAP,
	LINK = BPF_F_LINK,
	VTYPE_BTF_OBJ_FD = BPF_F_VTYPE_BTF_OBJ_FD,
	SEGV_ON_FAULT = BPF_F_SEGV_ON_FAULT,
	NO_USER_CONV = BPF_F_NO_USER_CONV,
	/* values that programs and user space may each be kept from */
	STORE = BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG,
	/* tables of objects: only user space reads and writes them */
	TABLE = BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_NUMA_NODE,
};

#define H(helper) BPF_FUNC_##helper
enum { ONLY = 1 << 0, SLEEPABLE = 1 << 1, FOR_EACH = 1 << 2 };

#define MAP(id, its_name, first, its_rights, its_flags, must, key_rule, value_rule, traits, \
	    ...)                                                                            \
	[BPF_MAP_TYPE_##id] = {                                                             \
		.type = BPF_MAP_TYPE_##id,                                                  \
		.name = #its_name,                                                          \
		.since = first,                                                             \
		.rights = its_rights,                                                       \
		.flags = its_flags,                                                         \
		.required_flags = must,                                                     \
		.key = key_rule,                                                            \
		.value = value_rule,                                                        \
		.only_helpers = (traits)&ONLY,                                              \
		.for_sleepable = (traits)&SLEEPABLE,                                        \
		.has_for_each = (traits)&FOR_EACH,                                          \
		.helpers = {__VA_ARGS__},                                                   \
	},

static const struct map_type_row rows[] = {
#include "catalog/maps.def"
};

/* Helpers for maps of many types: naming them in a row does not take them from other types. */
static bool is_general_helper(u32 helper_id)
{
	return helper_id == BPF_FUNC_map_lookup_elem || helper_id == BPF_FUNC_map_update_elem ||
	       helper_id == BPF_FUNC_map_delete_elem || helper_id == BPF_FUNC_kptr_xchg;
}

/* The host's types: ordinary stores, of which only their maker knows more. */
static const struct map_type_row host_row = {
	.type = SKEP_MAP_TYPE_FIRST,
	.name = "host",
	.since = "never",
	.rights = BPF,
	.flags = STORE | NO_PREALLOC,
	.key = "as its maker says",
	.value = "as its maker says",
	.for_sleepable = true,
};

const struct map_type_row *map_type_row(u32 type)
{
	if (type >= SKEP_MAP_TYPE_FIRST)
		return &host_row;
	return type < ARRAY_SIZE(rows) && rows[type].name ? &rows[type] : NULL;
}

const struct map_type_row *map_type_row_by_name(const char *name)
{
	for (u32 type = 1; type < ARRAY_SIZE(rows); type++)
		if (!strcmp(rows[type].name, name))
			return &rows[type];
	return NULL;
}

u32 map_type_last(void)
{
	return ARRAY_SIZE(rows) - 1;
}

static bool has_helper(const struct map_type_row *row, u32 helper_id)
{
	for (u32 i = 0; i < MAP_TYPE_HELPERS && row->helpers[i]; i++)
		if (row->helpers[i] == helper_id)
			return true;
	return false;
}

static bool is_made_for_some_type(u32 helper_id)
{
	for (u32 type = 1; type < ARRAY_SIZE(rows); type++)
		if (has_helper(&rows[type], helper_id))
			return true;
	return false;
}

bool map_type_may_use_helper(u32 type, u32 helper_id)
{
	const struct map_type_row *row = map_type_row(type);

	if (!row)
		return false;
	if (has_helper(row, helper_id))
		return true;
	return !row->only_helpers &&
	       (is_general_helper(helper_id) || !is_made_for_some_type(helper_id));
}
