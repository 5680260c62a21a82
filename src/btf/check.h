/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the room: the check of a blob. First every type by itself, in the order of the blob
 * (meta.c); then the graph that the types make (graph.c); then what Linux knows by name
 * (fields.c). The log that this leaves is the one of the kernel's BTF_LOAD.
 */
#ifndef SKEP_BTF_CHECK_H
#define SKEP_BTF_CHECK_H

#include "btf/view.h"

#include <errno.h>

#define CHECK_DEPTH_MAX 32 /* of types that refer to each other */

enum visit { VISIT_NONE, VISIT_UNDER_WAY, VISIT_DONE };

/* Where following stops: it depends on the first type of a walk that is a pointer, or a
 * structure or array. A pointer ends the walk of a structure, so a list node may point to
 * itself. */
enum walk { WALK_UNDECIDED, WALK_POINTER, WALK_AGGREGATE };

struct check {
	struct btf_view *btf;
	struct strbuf *log; /* NULL: nobody asked */
	struct skep_error *err;
	u32 type_id;	 /* that the log names */
	bool in_graph;	 /* types were already logged: name them again with their members */
	u8 *visits;	 /* enum visit of each id */
	u32 *resolved;	 /* of a followed reference: what is left behind modifiers */
	u32 *array_size; /* of a followed array, bytes */
	enum walk walk;
	u32 depth;
};

/* Each logs, fills in the error record and returns `code`. */
int check_fail(struct check *check, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int check_fail_type(struct check *check, const struct btf_type *type, int code,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same for a type whose details cannot be shown. */
int check_fail_bare(struct check *check, const struct btf_type *type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int check_fail_member(struct check *check, const struct btf_type *type,
		      const struct btf_member *member, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
int check_fail_var(struct check *check, const struct btf_type *section,
		   const struct btf_var_secinfo *var, const char *text);

void log_header(struct check *check);
void log_type(struct check *check, const struct btf_type *type);
void log_member(struct check *check, const struct btf_type *type,
		const struct btf_member *member);
void log_enumerator(struct check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void log_var(struct check *check, const struct btf_type *section,
	     const struct btf_var_secinfo *var);

bool name_in_range(const struct check *check, u32 offset);
bool name_is_identifier(const struct check *check, u32 offset);
bool name_is_section(const struct check *check, u32 offset);

/* One type; what stands at `type` has `left` bytes. The bytes it takes, or a negative errno. */
s64 check_meta(struct check *check, const struct btf_type *type, u32 left);
int check_graph(struct check *check);
int check_modifier_chains(struct check *check);
int check_objects(struct check *check);

/* An integer of 1, 2, 4, 8 or 16 bytes that is no bit field. */
bool int_is_regular(const struct btf_type *type);
u32 int_data(const struct btf_type *type);

/* Follows what was resolved: the type that has the size of `id` (in *size), or NULL. *id
 * becomes the type's own. */
const struct btf_type *check_sized(const struct check *check, u32 *id, u32 *size);
int check_member(struct check *check, const struct btf_type *type,
		 const struct btf_member *member);

#endif
