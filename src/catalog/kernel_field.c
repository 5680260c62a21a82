/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/kernel_field.h"
#include "catalog/helper.h"
#include <stdio.h>
#include <string.h>

#define TYPE_NAME_MAX 128

static const struct {
	const char *suffix;
	enum field_trust trust;
} lists[] = {
	{"__safe_trusted", FIELD_TRUSTED},
	{"__safe_trusted_or_null", FIELD_TRUSTED_OR_NULL},
	{"__safe_rcu", FIELD_RCU},
	{"__safe_rcu_or_null", FIELD_RCU_OR_NULL},
};

static const struct btf_member *find_member(const struct btf_view *kernel,
					    const struct btf_type *type, const char *name,
					    size_t length)
{
	const struct btf_member *members = btf_members(type);

	for (u32 i = 0; i < btf_vlen(type); i++) {
		const char *found = btf_string(kernel, members[i].name_off);

		if (!strncmp(found, name, length) && !found[length])
			return &members[i];
	}
	return NULL;
}

enum field_trust kernel_field_trust(const struct btf_view *kernel, u32 structure,
				    const char *member)
{
	char name[TYPE_NAME_MAX];

	for (u32 i = 0; i < ARRAY_SIZE(lists); i++) {
		u32 list;

		snprintf(name, sizeof(name), "%s%s", btf_type_name(kernel, structure),
			 lists[i].suffix);
		list = btf_find(kernel, name, BTF_KIND_STRUCT);
		if (list && find_member(kernel, btf_type(kernel, list), member, strlen(member)))
			return lists[i].trust;
	}
	return FIELD_PLAIN;
}

#define STRUCT_OPS PROG_BIT(BPF_PROG_TYPE_STRUCT_OPS)
#define CLS_XDP	   (PROG_BIT(BPF_PROG_TYPE_SCHED_CLS) | PROG_BIT(BPF_PROG_TYPE_XDP))

enum { START = false, ANYWHERE = true };

static const struct writable {
	u64 progs;
	const char *struct_ops; /* NULL: not for STRUCT_OPS */
	const char *structure;
	const char *path; /* members, joined by points; "": the whole structure */
	bool anywhere;
} writables[] = {
#define WRITABLE(types, ops, its_structure, member, where) \
	{types, ops, #its_structure, #member, where},
#include "catalog/writable_fields.def"
};

struct span {
	u32 start, end;
};

/* Where the member lies; false: this kernel's structure has none. */
static bool find_span(const struct btf_view *kernel, u32 structure, const char *path,
		      struct span *out)
{
	struct span span = {0, btf_type(kernel, structure)->size};

	while (*path) {
		const struct btf_type *type = btf_type(kernel, structure);
		size_t length = strcspn(path, ".");
		const struct btf_member *member = find_member(kernel, type, path, length);

		if (!member)
			return false;
		structure = btf_resolve(kernel, member->type);
		span.start += btf_member_bit_offset(type, member) / 8;
		span.end = span.start + btf_size(kernel, structure);
		path += length + (path[length] == '.');
	}
	*out = span;
	return true;
}

static bool is_for(const struct writable *row, const char *structure, u32 type,
		   const char *struct_ops)
{
	if (strcmp(row->structure, structure) || !(row->progs & PROG_BIT(type)))
		return false;
	return !row->struct_ops || (struct_ops && !strcmp(row->struct_ops, struct_ops));
}

enum field_write kernel_field_write(const struct btf_view *kernel, u32 structure,
				    enum bpf_prog_type type, const char *struct_ops, u32 offset,
				    u32 size, u32 *end)
{
	const char *name = btf_type_name(kernel, structure);
	enum field_write result = FIELD_READ_ONLY_STRUCTURE;

	for (u32 i = 0; i < ARRAY_SIZE(writables); i++) {
		struct span span;

		if (!is_for(&writables[i], name, type, struct_ops) ||
		    !find_span(kernel, structure, writables[i].path, &span))
			continue;
		if (offset == span.start ||
		    (writables[i].anywhere && offset > span.start && offset < span.end)) {
			*end = span.end;
			return offset + size <= span.end ? FIELD_WRITABLE : FIELD_WRITE_BEYOND;
		}
		result = FIELD_READ_ONLY_MEMBER;
	}
	return result;
}
