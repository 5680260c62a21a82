/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in struct_ops.def. */
#include "catalog/struct_ops.h"
#include <string.h>

enum {
	LISTED = false,
	ALL = true,
	HELPERS = true,
	NO_HELPERS = false,
	SLEEPABLE = STRUCT_OPS_SLEEPABLE,
	UNSUPPORTED = STRUCT_OPS_UNSUPPORTED,
	NO_SOCKOPT = STRUCT_OPS_NO_SOCKOPT,
};

static const struct struct_ops_row rows[] = {
#define STRUCT_OPS(its_name, first, sleepable, helpers) \
	{.name = #its_name, .since = first, .all_sleepable = sleepable, .has_helpers = helpers},
#define MEMBER(structure, member, flags)
#include "catalog/struct_ops.def"
#undef STRUCT_OPS
#undef MEMBER
};

static const struct {
	const char *structure, *member;
	u32 flags;
} members[] = {
#define STRUCT_OPS(name, since, sleepable, helpers)
#define MEMBER(its_structure, its_member, its_flags) {#its_structure, #its_member, its_flags},
#include "catalog/struct_ops.def"
};

const struct struct_ops_row *struct_ops_row(const char *structure)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, structure))
			return &rows[i];
	return NULL;
}

u32 struct_ops_member_flags(const struct struct_ops_row *row, const char *member)
{
	u32 flags = row->all_sleepable ? STRUCT_OPS_SLEEPABLE : 0;

	for (u32 i = 0; i < ARRAY_SIZE(members); i++)
		if (!strcmp(members[i].structure, row->name) &&
		    !strcmp(members[i].member, member))
			return flags | members[i].flags;
	return flags;
}

const char *struct_ops_argument(const struct struct_ops_row *row, const char *pointed)
{
	if (!strcmp(row->name, "tcp_congestion_ops") && !strcmp(pointed, "sock"))
		return "tcp_sock";
	return pointed;
}
