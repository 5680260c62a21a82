/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types: a read-only view of a BTF blob, made only after the whole blob was validated as
 * Linux's BTF_LOAD validates it (hostile input). Type ids are those of the blob; 0 is void.
 */
#ifndef SKEP_BTF_BTF_H
#define SKEP_BTF_BTF_H

#include "base/strbuf.h"
#include "base/types.h"
#include <linux/btf.h>
#include <skep/error.h>

struct btf_view;
struct json;

/*
 * Validates `size` bytes (copied) and indexes them. `log` (may be NULL) receives Linux-style
 * lines. 0 or a negative errno with `err` filled in.
 */
int btf_view_new(const void *data, size_t size, struct btf_view **out, struct strbuf *log,
		 struct skep_error *err);
void btf_view_free(struct btf_view *btf);

const void *btf_view_data(const struct btf_view *btf, size_t *size);
u32 btf_type_count(const struct btf_view *btf);			     /* ids are 1 .. count */
const struct btf_type *btf_type(const struct btf_view *btf, u32 id); /* NULL: no such id */
const char *btf_string(const struct btf_view *btf, u32 offset);	     /* "" when out of range */
const char *btf_type_name(const struct btf_view *btf, u32 id);

const char *btf_kind_text(u32 kind); /* "INT", "STRUCT", ... */

static inline u32 btf_kind(const struct btf_type *type)
{
	return BTF_INFO_KIND(type->info);
}

static inline u32 btf_vlen(const struct btf_type *type)
{
	return BTF_INFO_VLEN(type->info);
}

static inline bool btf_kind_flag(const struct btf_type *type)
{
	return BTF_INFO_KFLAG(type->info);
}

/* What stands behind a type, by its kind; btf_vlen() elements where there are several. */
static inline const void *btf_extra(const struct btf_type *type)
{
	return type + 1;
}

static inline const struct btf_member *btf_members(const struct btf_type *type)
{
	return btf_extra(type);
}

static inline const struct btf_param *btf_params(const struct btf_type *type)
{
	return btf_extra(type);
}

static inline const struct btf_array *btf_array(const struct btf_type *type)
{
	return btf_extra(type);
}

static inline const struct btf_var_secinfo *btf_var_secinfos(const struct btf_type *type)
{
	return btf_extra(type);
}

static inline u32 btf_member_bit_offset(const struct btf_type *type,
					const struct btf_member *member)
{
	return btf_kind_flag(type) ? BTF_MEMBER_BIT_OFFSET(member->offset) : member->offset;
}

/* 0: not a bit field (of the new form, with kind_flag). */
static inline u32 btf_member_bits(const struct btf_type *type, const struct btf_member *member)
{
	return btf_kind_flag(type) ? BTF_MEMBER_BITFIELD_SIZE(member->offset) : 0;
}

/* Strips typedefs, const, volatile, restrict and type tags; the id left. */
u32 btf_resolve(const struct btf_view *btf, u32 id);
/* Size in bytes of a value of the type; negative errno when it has none. */
s64 btf_size(const struct btf_view *btf, u32 id);
/* The first type of this kind and name, 0 when there is none. */
u32 btf_find(const struct btf_view *btf, const char *name, u32 kind);
/* Whether a declaration tag of this name is on the type, or on a member or parameter of it. */
bool btf_has_tag(const struct btf_view *btf, u32 id, const char *name);

/* The type as C writes it in a cast: "struct node *[2]". Qualifiers are left out. */
void btf_print_type(const struct btf_view *btf, u32 type_id, struct strbuf *out);
/* A value printed as libbpf's btf_dump does: lines with casts, without members that are 0. */
void btf_print_value(const struct btf_view *btf, u32 type_id, const void *data, size_t size,
		     struct strbuf *out);
/* As Linux's bpf_snprintf_btf() shows it; flags: BTF_F_*. */
void btf_show_value(const struct btf_view *btf, u32 type_id, const void *data, size_t size,
		    u64 flags, struct strbuf *out);
/* A value on one line, for people: {.port = 80, .name = "eth0", .list = {1, 2}}. */
void btf_print_line(const struct btf_view *btf, u32 type_id, const void *data, size_t size,
		    struct strbuf *out);
/* A value as bpftool's JSON. What cannot be shown is null. */
void btf_json_value(const struct btf_view *btf, u32 type_id, const void *data, size_t size,
		    struct json *json, const char *name);

#endif
