/* SPDX-License-Identifier: BSD-2-Clause */
#include "btf/builder.h"

#include "btf/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INFO(kind, vlen, flag) ((u32)(flag) << 31 | (kind) << 24 | (vlen))
#define NESTING_MAX	       64 /* what declarations refer to is no deeper */

void btf_builder_init(struct btf_builder *builder, const struct btf_view *base)
{
	*builder = (struct btf_builder){.base = base};
	arena_init(&builder->arena);
	strbuf_init(&builder->strings);
	if (base) {
		builder->base_count = base->count;
		builder->strings_start = base->header.str_len;
	} else {
		strbuf_add(&builder->strings, "", 1);
	}
}

void btf_builder_done(struct btf_builder *builder)
{
	arena_done(&builder->arena);
	strbuf_done(&builder->strings);
	free(builder->types);
}

/* --- adding --- */

u32 btf_builder_string(struct btf_builder *builder, const char *text)
{
	u32 offset = builder->strings_start + (u32)builder->strings.length;

	if (!*text)
		return 0;
	strbuf_add(&builder->strings, text, strlen(text) + 1);
	return offset;
}

static bool reserve(struct btf_builder *builder)
{
	u32 capacity = builder->capacity ? 2 * builder->capacity : 64;
	struct btf_type **types;

	if (builder->count < builder->capacity)
		return true;
	types = realloc(builder->types, capacity * sizeof(struct btf_type *));
	if (!types)
		return false;
	builder->types = types;
	builder->capacity = capacity;
	return true;
}

static struct btf_type *new_type(struct btf_builder *builder, const void *extra, size_t size)
{
	struct btf_type *type = arena_alloc(&builder->arena, sizeof(*type) + size);

	if (type && size)
		memcpy(type + 1, extra, size);
	builder->failed |= !type;
	return type;
}

u32 btf_builder_add(struct btf_builder *builder, u32 kind, const char *name, u32 vlen, u32 last,
		    const void *extra, size_t size)
{
	struct btf_type *type = new_type(builder, extra, size);

	if (!type || !reserve(builder)) {
		builder->failed = true;
		return 0;
	}
	type->name_off = btf_builder_string(builder, name);
	type->info = INFO(kind, vlen, 0);
	type->size = last;
	builder->types[builder->count++] = type;
	return builder->base_count + builder->count;
}

void btf_builder_complete(struct btf_builder *builder, u32 id, u32 vlen, bool kind_flag,
			  u32 type_size, const void *extra, size_t size)
{
	struct btf_type *type = new_type(builder, extra, size), **place;

	if (!type || !btf_builder_is_new(builder, id))
		return;
	place = &builder->types[id - builder->base_count - 1];
	type->name_off = (*place)->name_off;
	type->info = INFO(btf_kind(*place), vlen, kind_flag);
	type->size = type_size;
	*place = type;
}

u32 btf_builder_reference(struct btf_builder *builder, u32 kind, u32 to)
{
	for (u32 i = 0; i < builder->count; i++) {
		const struct btf_type *type = builder->types[i];

		if (btf_kind(type) == kind && type->type == to && !type->name_off)
			return builder->base_count + 1 + i;
	}
	return btf_builder_add(builder, kind, "", 0, to, NULL, 0);
}

/* --- asking --- */

const struct btf_type *btf_builder_type(const struct btf_builder *builder, u32 id)
{
	if (!btf_builder_is_new(builder, id))
		return builder->base ? btf_type(builder->base, id) : NULL;
	id -= builder->base_count + 1;
	return id < builder->count ? builder->types[id] : NULL;
}

const char *btf_builder_name(const struct btf_builder *builder, u32 offset)
{
	if (offset < builder->strings_start)
		return btf_string(builder->base, offset);
	return strbuf_text(&builder->strings) + (offset - builder->strings_start);
}

u32 btf_builder_find_new(const struct btf_builder *builder, const char *name, u32 kind)
{
	for (u32 i = 0; i < builder->count; i++) {
		const struct btf_type *type = builder->types[i];

		if (btf_kind(type) == kind &&
		    !strcmp(btf_builder_name(builder, type->name_off), name))
			return builder->base_count + 1 + i;
	}
	return 0;
}

u32 btf_builder_find(const struct btf_builder *builder, const char *name, u32 kind)
{
	u32 id = btf_builder_find_new(builder, name, kind);

	return id || !builder->base ? id : btf_find(builder->base, name, kind);
}

/* What a value of the type is, and how many of it an array has. */
static const struct btf_type *element_of(const struct btf_builder *builder, u32 id, u64 *count)
{
	*count = 1;
	for (u32 depth = 0; depth < NESTING_MAX; depth++) {
		const struct btf_type *type = id ? btf_builder_type(builder, id) : NULL;

		if (!type)
			return NULL;
		if (btf_kind(type) == BTF_KIND_ARRAY) {
			*count *= btf_array(type)->nelems;
			id = btf_array(type)->type;
		} else if (kind_has(type, KIND_MODIFIER)) {
			id = type->type;
		} else {
			return type;
		}
	}
	return NULL;
}

s64 btf_builder_size(const struct btf_builder *builder, u32 id)
{
	u64 count;
	const struct btf_type *type = element_of(builder, id, &count);

	if (type && btf_kind(type) == BTF_KIND_PTR)
		return (s64)(count * sizeof(void *));
	return kind_has(type, KIND_SIZED) ? (s64)(count * type->size) : -EINVAL;
}

static u32 align_of(const struct btf_builder *builder, u32 id, u32 depth)
{
	u64 count;
	const struct btf_type *type = element_of(builder, id, &count);
	u32 align = 1;

	if (!type || btf_kind(type) == BTF_KIND_PTR)
		return sizeof(void *);
	if (!kind_is_composite(type))
		return min(type->size, 16u) ?: 1;
	for (u32 i = 0; depth < NESTING_MAX && i < btf_vlen(type); i++)
		align = max(align, align_of(builder, btf_members(type)[i].type, depth + 1));
	return align;
}

u32 btf_builder_align(const struct btf_builder *builder, u32 id)
{
	return align_of(builder, id, 0);
}

/* --- the result --- */

static size_t type_bytes(const struct btf_type *type)
{
	const struct kind_row *row = &kind_rows[btf_kind(type)];

	return sizeof(*type) + row->fixed + (size_t)row->each * btf_vlen(type);
}

static size_t added_bytes(const struct btf_builder *builder)
{
	size_t bytes = 0;

	for (u32 i = 0; i < builder->count; i++)
		bytes += type_bytes(builder->types[i]);
	return bytes;
}

static u8 *put(u8 *to, const void *from, size_t size)
{
	if (size)
		memcpy(to, from, size);
	return to + size;
}

static void *make(struct btf_builder *builder, const struct btf_view *before, size_t *size)
{
	const size_t old_types = before ? before->header.type_len : 0;
	const size_t old_strings = before ? before->header.str_len : 0;
	struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(header),
		.type_len = (u32)(old_types + added_bytes(builder)),
		.str_len = (u32)(old_strings + builder->strings.length),
	};
	u8 *data, *at;

	header.str_off = header.type_len;
	*size = sizeof(header) + header.type_len + header.str_len;
	data = builder->failed || builder->strings.failed ? NULL : malloc(*size);
	if (!data)
		return NULL;
	at = put(data, &header, sizeof(header));
	at = put(at, before ? before->types : NULL, old_types);
	for (u32 i = 0; i < builder->count; i++)
		at = put(at, builder->types[i], type_bytes(builder->types[i]));
	at = put(at, before ? before->strings : NULL, old_strings);
	put(at, builder->strings.text, builder->strings.length);
	return data;
}

void *btf_builder_whole(struct btf_builder *builder, size_t *size)
{
	return make(builder, builder->base, size);
}

void *btf_builder_additions(struct btf_builder *builder, size_t *size)
{
	return make(builder, NULL, size);
}
