/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the BTF of a function says of its arguments: what every caller must give, and all that
 * the function itself may rely upon. The decl tags "arg:..." refine what the types say.
 */
#ifndef SKEP_VERIFY_PROTOTYPE_H
#define SKEP_VERIFY_PROTOTYPE_H

#include "verify/walk.h"

#define PARAMS_MAX 5

enum param_tag {
	TAG_CONTEXT = 1 << 0,
	TAG_TRUSTED = 1 << 1,
	TAG_UNTRUSTED = 1 << 2,
	TAG_NONNULL = 1 << 3,
	TAG_NULLABLE = 1 << 4,
	TAG_ARENA = 1 << 5,
};

/* The tags of a function's argument. 0 or -EOPNOTSUPP: one is unknown. */
int param_tags(const struct btf_view *btf, u32 func, u32 index, u32 *out);

enum param_kind {
	PARAM_SCALAR,
	PARAM_CONTEXT,
	PARAM_MEMORY, /* `size` bytes that may be read and written */
	PARAM_DYNPTR, /* an initialised dynptr, which the function does not change */
	PARAM_OBJECT, /* of the kernel's type `type_id` */
	PARAM_ARENA,
	PARAM_ANYTHING, /* an address that is read with a guard, wherever it points */
};

struct param {
	u8 kind;   /* enum param_kind */
	u16 flags; /* of the register that holds it: REG_MAY_BE_NULL, REG_TRUSTED, ... */
	u32 size, type_id;
};

struct prototype {
	u32 param_cnt;
	struct param params[PARAMS_MAX];
};

/*
 * The prototype of a function that has one (func_info), found once. 0, or a negative errno
 * after reject() said what of it is not supported.
 */
int prototype_of(struct walk *walk, u32 subprog, const struct prototype **out);

/* --- contexts (prototype_context.c) --- */

/* The type of `btf`, a pointer, is what programs of this type have as context, by its name
 * alone. */
bool param_is_context(const struct prog_row *row, const struct btf_view *btf, u32 type_id);
/* Argument `index`, tagged "arg:ctx", may be of this type. */
int param_check_context(struct walk *walk, u32 index, u32 type_id);

#endif
