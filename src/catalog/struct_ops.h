/* SPDX-License-Identifier: BSD-2-Clause */
/* Structures of functions that programs implement: rows of struct_ops.def. */
#ifndef SKEP_CATALOG_STRUCT_OPS_H
#define SKEP_CATALOG_STRUCT_OPS_H

#include "base/types.h"

struct struct_ops_row {
	const char *name; /* the structure's */
	const char *since;
	bool all_sleepable; /* or only members with STRUCT_OPS_SLEEPABLE */
	bool has_helpers;   /* those of struct_ops programs, or none at all */
};

/* NULL: no Linux lets programs implement it. */
const struct struct_ops_row *struct_ops_row(const char *structure);

enum struct_ops_member_flags {
	STRUCT_OPS_SLEEPABLE = 1 << 0,	 /* sleepable programs may implement it */
	STRUCT_OPS_UNSUPPORTED = 1 << 1, /* programs may not implement it */
	STRUCT_OPS_NO_SOCKOPT = 1 << 2,	 /* no bpf_setsockopt(), no bpf_getsockopt() */
};

/* enum struct_ops_member_flags of a member that is a pointer to a function. */
u32 struct_ops_member_flags(const struct struct_ops_row *row, const char *member);

/* The structure that programs get where a function's parameter points to `pointed`: Linux knows
 * more of some than their prototypes say. */
const char *struct_ops_argument(const struct struct_ops_row *row, const char *pointed);

#endif
