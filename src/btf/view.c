// SPDX-License-Identifier: BSD-2-Clause
/* The view: header and sections checked, types indexed, and the questions asked of it. */
#include "btf/view.h"

#include "base/error.h"
#include "btf/check.h"

#include <stdlib.h>
#include <string.h>

#define BTF_SIZE_MAX (16 << 20)

static int check_header(struct check *check)
{
	struct btf_view *btf = check->btf;
	struct btf_header *header = &btf->header;
	u32 length;

	if (btf->size < offsetof(struct btf_header, type_off))
		return check_fail(check, -EINVAL, "hdr_len not found");
	memcpy(&length, btf->data + offsetof(struct btf_header, hdr_len), sizeof(length));
	if (btf->size < length)
		return check_fail(check, -EINVAL, "btf_header not found");
	for (u32 i = sizeof(*header); i < length; i++)
		if (btf->data[i])
			return check_fail(check, -E2BIG, "Unsupported btf_header");
	memcpy(header, btf->data, min((size_t)length, sizeof(*header)));
	log_header(check);
	if (header->magic != BTF_MAGIC)
		return check_fail(check, -EINVAL, "Invalid magic");
	if (header->version != BTF_VERSION)
		return check_fail(check, -ENOTSUPP, "Unsupported version");
	if (header->flags)
		return check_fail(check, -ENOTSUPP, "Unsupported flags");
	if (btf->size == length)
		return check_fail(check, -EINVAL, "No data");
	return 0;
}

static int check_section(struct check *check, u32 offset, u32 length, u32 *done)
{
	u32 total = check->btf->size - check->btf->header.hdr_len;

	if (total < offset)
		return check_fail(check, -EINVAL, "Invalid section offset");
	if (*done < offset)
		return check_fail(check, -EINVAL, "Unsupported section found");
	if (*done > offset)
		return check_fail(check, -EINVAL, "Section overlap found");
	if (total - *done < length)
		return check_fail(check, -EINVAL, "Total section length too long");
	*done += length;
	return 0;
}

/* Types and strings follow each other without gaps and fill the blob. */
static int check_sections(struct check *check)
{
	const struct btf_header *header = &check->btf->header;
	s32 order = header->type_off - header->str_off;
	u32 done = 0;
	int err;

	if (!order)
		order = header->type_len - header->str_len;
	if (order <= 0) {
		err = check_section(check, header->type_off, header->type_len, &done);
		if (!err)
			err = check_section(check, header->str_off, header->str_len, &done);
	} else {
		err = check_section(check, header->str_off, header->str_len, &done);
		if (!err)
			err = check_section(check, header->type_off, header->type_len, &done);
	}
	if (!err && check->btf->size - header->hdr_len != done)
		return check_fail(check, -EINVAL, "Unsupported section found");
	return err;
}

static int check_strings(struct check *check)
{
	struct btf_view *btf = check->btf;
	const struct btf_header *header = &btf->header;

	btf->strings = (const char *)btf->data + header->hdr_len + header->str_off;
	if (btf->strings + header->str_len != (const char *)btf->data + btf->size)
		return check_fail(check, -EINVAL, "String section is not at the end");
	if (!header->str_len || header->str_len - 1 > BTF_MAX_NAME_OFFSET ||
	    btf->strings[header->str_len - 1] || btf->strings[0])
		return check_fail(check, -EINVAL, "Invalid string section");
	return 0;
}

/* The header may have any length, so the types may stand at any address. */
static int align_types(struct btf_view *btf)
{
	const u8 *types = btf->data + btf->header.hdr_len + btf->header.type_off;

	if ((uintptr_t)types % sizeof(u32))
		types = arena_copy(&btf->arena, types, btf->header.type_len);
	if (!types)
		return -ENOMEM;
	btf->types = types;
	/* No type is shorter than struct btf_type. */
	btf->offsets =
		arena_array(&btf->arena, btf->header.type_len / sizeof(struct btf_type) + 2,
			    sizeof(*btf->offsets));
	return btf->offsets ? 0 : -ENOMEM;
}

static int index_types(struct check *check)
{
	struct btf_view *btf = check->btf;
	u32 length = btf->header.type_len;
	int err;

	if (btf->header.type_off % sizeof(u32))
		return check_fail(check, -EINVAL, "Unaligned type_off");
	if (!length)
		return check_fail(check, -EINVAL, "No type found");
	err = align_types(btf);
	for (u32 offset = 0; !err && offset < length;) {
		const struct btf_type *type = (const void *)(btf->types + offset);
		s64 taken;

		check->type_id = btf->count + 1;
		taken = check_meta(check, type, length - offset);
		if (taken < 0)
			return taken;
		if (btf->count == BTF_MAX_TYPE)
			return check_fail(check, -E2BIG, "Exceeded max num of types: %u",
					  BTF_MAX_TYPE);
		btf->offsets[++btf->count] = offset;
		offset += taken;
	}
	return err;
}

static int follow_types(struct check *check)
{
	size_t ids = check->btf->count + 1;
	int err = -ENOMEM;

	check->visits = calloc(ids, sizeof(*check->visits));
	check->resolved = calloc(ids, sizeof(*check->resolved));
	check->array_size = calloc(ids, sizeof(*check->array_size));
	if (check->visits && check->resolved && check->array_size)
		err = check_graph(check);
	if (!err)
		err = check_modifier_chains(check);
	if (!err)
		err = check_objects(check);
	free(check->visits);
	free(check->resolved);
	free(check->array_size);
	return err;
}

static int check_all(struct check *check)
{
	int err = check_header(check);

	if (!err)
		err = check_sections(check);
	if (!err)
		err = check_strings(check);
	if (!err)
		err = index_types(check);
	if (!err)
		err = names_index(check->btf);
	if (!err)
		err = follow_types(check);
	return err;
}

static struct btf_view *view_alloc(const void *data, size_t size)
{
	struct btf_view *btf = calloc(1, sizeof(*btf));

	if (!btf)
		return NULL;
	arena_init(&btf->arena);
	btf->data = arena_copy(&btf->arena, data, size);
	btf->size = size;
	if (btf->data)
		return btf;
	btf_view_free(btf);
	return NULL;
}

int btf_view_new(const void *data, size_t size, struct btf_view **out, struct strbuf *log,
		 struct skep_error *err)
{
	struct check check = {.log = log, .err = err};
	int code;

	if (size > BTF_SIZE_MAX)
		return error_set(err, SKEP_STAGE_BTF, -E2BIG,
				 "BTF: %zu bytes, at most %u are allowed", size, BTF_SIZE_MAX);
	check.btf = view_alloc(data, size);
	code = check.btf ? check_all(&check) : -ENOMEM;
	if (!code) {
		*out = check.btf;
		return 0;
	}
	btf_view_free(check.btf);
	if (code == -ENOMEM)
		error_set(err, SKEP_STAGE_BTF, code, "BTF: out of memory");
	return code;
}

void btf_view_free(struct btf_view *btf)
{
	if (!btf)
		return;
	arena_done(&btf->arena);
	free(btf);
}

const void *btf_view_data(const struct btf_view *btf, size_t *size)
{
	*size = btf->size;
	return btf->data;
}

u32 btf_type_count(const struct btf_view *btf)
{
	return btf->count;
}

const struct btf_type *btf_type(const struct btf_view *btf, u32 id)
{
	static const struct btf_type void_type;

	if (!id)
		return &void_type;
	return id <= btf->count ? (const void *)(btf->types + btf->offsets[id]) : NULL;
}

const char *btf_string(const struct btf_view *btf, u32 offset)
{
	return offset < btf->header.str_len ? btf->strings + offset : "";
}

const char *btf_type_name(const struct btf_view *btf, u32 id)
{
	const struct btf_type *type = btf_type(btf, id);

	return type ? btf_string(btf, type->name_off) : "";
}

u32 btf_resolve(const struct btf_view *btf, u32 id)
{
	const struct btf_type *type = btf_type(btf, id);

	while (kind_has(type, KIND_MODIFIER)) {
		id = type->type;
		type = btf_type(btf, id);
	}
	return id;
}

s64 btf_size(const struct btf_view *btf, u32 id)
{
	const struct btf_type *type = btf_type(btf, btf_resolve(btf, id));
	u64 count = 1;
	bool empty = false;

	if (type && btf_kind(type) == BTF_KIND_VAR)
		type = btf_type(btf, btf_resolve(btf, type->type));
	while (type && btf_kind(type) == BTF_KIND_ARRAY) {
		/* May wrap only where an empty dimension or element makes it 0 in the end. */
		count *= btf_array(type)->nelems;
		empty |= !btf_array(type)->nelems;
		type = btf_type(btf, btf_resolve(btf, btf_array(type)->type));
	}
	if (type && btf_kind(type) == BTF_KIND_PTR)
		return empty ? 0 : count * sizeof(void *);
	if (!kind_has(type, KIND_SIZED))
		return -EINVAL;
	return empty || !type->size ? 0 : count * type->size;
}

const char *btf_kind_text(u32 kind)
{
	return kind < NR_BTF_KINDS && kind_rows[kind].text ? kind_rows[kind].text : "UNKNOWN";
}
