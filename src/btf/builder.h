/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types that are being made: they continue those of a base, whose ids they may refer to, as a
 * module's types continue the kernel's. An allocation that fails sets `failed`; a caller adds
 * as much as it likes and looks once at the end.
 */
#ifndef SKEP_BTF_BUILDER_H
#define SKEP_BTF_BUILDER_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "btf/btf.h"

struct btf_builder {
	const struct btf_view *base; /* NULL: none; outlives the builder */
	u32 base_count;
	struct arena arena;
	struct btf_type **types; /* added ones: id base_count + 1 + index */
	u32 count, capacity;
	struct strbuf strings; /* added ones */
	u32 strings_start;     /* offset of the first of them */
	bool failed;
};

void btf_builder_init(struct btf_builder *builder, const struct btf_view *base);
void btf_builder_done(struct btf_builder *builder);

/* A type and the `size` bytes behind it; `last` is btf_type.size or .type. The new id; what
 * it is when an allocation failed must only be added to further types. */
u32 btf_builder_add(struct btf_builder *builder, u32 kind, const char *name, u32 vlen, u32 last,
		    const void *extra, size_t size);
/* Gives a structure, union or enumeration that was added without members its own. */
void btf_builder_complete(struct btf_builder *builder, u32 id, u32 vlen, bool kind_flag,
			  u32 type_size, const void *extra, size_t size);
/* Offset for btf_member.name_off and its like; "" is 0. */
u32 btf_builder_string(struct btf_builder *builder, const char *text);

/* Whether the id was added. */
static inline bool btf_builder_is_new(const struct btf_builder *builder, u32 id)
{
	return id > builder->base_count;
}

/* NULL: no such id. Valid until the type is completed. */
const struct btf_type *btf_builder_type(const struct btf_builder *builder, u32 id);
const char *btf_builder_name(const struct btf_builder *builder, u32 offset);
/* Among those added, 0: none. */
u32 btf_builder_find_new(const struct btf_builder *builder, const char *name, u32 kind);
/* The same, and in the base. */
u32 btf_builder_find(const struct btf_builder *builder, const char *name, u32 kind);
/* An unnamed type of this kind that refers to another, added if there is none. */
u32 btf_builder_reference(struct btf_builder *builder, u32 kind, u32 to);

/* Bytes and alignment of a value; -EINVAL: there are no such values. */
s64 btf_builder_size(const struct btf_builder *builder, u32 id);
u32 btf_builder_align(const struct btf_builder *builder, u32 id);

/* A BTF blob, to be freed: of the base's types and what was added, or (a module's form) of
 * what was added alone. NULL: out of memory. */
void *btf_builder_whole(struct btf_builder *builder, size_t *size);
void *btf_builder_additions(struct btf_builder *builder, size_t *size);

#endif
