/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/leaf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* "__be16" and so on, when a typedef on the way says so; 0: host order. */
static u32 network_order_size(const struct btf_view *types, u32 type_id)
{
	const struct btf_type *type;
	unsigned bits;

	while ((type = btf_type(types, type_id)) && btf_kind(type) == BTF_KIND_TYPEDEF) {
		if (sscanf(btf_type_name(types, type_id), "__be%u", &bits) == 1)
			return bits / 8;
		type_id = type->type;
	}
	return 0;
}

static bool is_padding(const char *name)
{
	return !*name || !strncmp(name, "unused", 6) || !strncmp(name, "pad", 3) ||
	       !strncmp(name, "__pad", 5) || !strncmp(name, "_pad", 4);
}

static bool is_text(const struct btf_view *types, const struct btf_type *type)
{
	const struct btf_array *array = (const void *)(type + 1);
	const struct btf_type *element = btf_type(types, btf_resolve(types, array->type));

	return element && btf_kind(element) == BTF_KIND_INT && element->size == 1 &&
	       !strcmp(btf_type_name(types, btf_resolve(types, array->type)), "char");
}

static bool add_leaf(const struct btf_view *types, u32 type_id, u32 offset, const char *name,
		     struct leaf *leaves, u32 *count)
{
	const struct btf_type *type = btf_type(types, btf_resolve(types, type_id));
	s64 size = btf_size(types, type_id);
	struct leaf *leaf = &leaves[*count];

	if (*count == LEAVES_MAX || size < 0 || !type)
		return false;
	*leaf = (struct leaf){.type_id = type_id, .offset = offset, .size = size};
	snprintf(leaf->name, sizeof(leaf->name), "%s", name);
	leaf->is_number = btf_kind(type) == BTF_KIND_INT && size <= 8 &&
			  !network_order_size(types, type_id);
	(*count)++;
	return true;
}

static bool walk(const struct btf_view *types, u32 type_id, u32 offset, const char *name,
		 struct leaf *leaves, u32 *count, int depth);

static bool walk_members(const struct btf_view *types, const struct btf_type *type, u32 offset,
			 struct leaf *leaves, u32 *count, int depth)
{
	const struct btf_member *member = (const void *)(type + 1);

	for (u32 i = 0; i < btf_vlen(type); i++, member++) {
		const char *name = btf_string(types, member->name_off);
		u32 bits = BTF_INFO_KFLAG(type->info) ? BTF_MEMBER_BIT_OFFSET(member->offset)
						      : member->offset;

		if (is_padding(name) && *name)
			continue;
		if (bits % 8 ||
		    (BTF_INFO_KFLAG(type->info) && BTF_MEMBER_BITFIELD_SIZE(member->offset)) ||
		    !walk(types, member->type, offset + bits / 8, name, leaves, count,
			  depth + 1))
			return false;
	}
	return true;
}

static bool walk(const struct btf_view *types, u32 type_id, u32 offset, const char *name,
		 struct leaf *leaves, u32 *count, int depth)
{
	const struct btf_type *type = btf_type(types, btf_resolve(types, type_id));

	switch (type && depth < 8 ? btf_kind(type) : BTF_KIND_UNKN) {
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_PTR: return add_leaf(types, type_id, offset, name, leaves, count);
	case BTF_KIND_ARRAY:
		return btf_size(types, type_id) <= 32 &&
		       add_leaf(types, type_id, offset, name, leaves, count);
	case BTF_KIND_STRUCT: return walk_members(types, type, offset, leaves, count, depth);
	default: return false;
	}
}

u32 leaves_of(const struct btf_view *types, u32 type_id, struct leaf leaves[LEAVES_MAX])
{
	u32 count = 0;

	return walk(types, type_id, 0, "", leaves, &count, 0) ? count : 0;
}

u64 leaf_number(const struct leaf *leaf, const u8 *data)
{
	u64 value = 0;

	memcpy(&value, data + leaf->offset, min(leaf->size, (u32)sizeof(value)));
	return value;
}

static bool is_signed(const struct btf_view *types, u32 type_id)
{
	const struct btf_type *type = btf_type(types, btf_resolve(types, type_id));

	return btf_kind(type) == BTF_KIND_INT &&
	       BTF_INT_ENCODING(*(const u32 *)(type + 1)) & BTF_INT_SIGNED;
}

void leaf_print_number(const struct btf_view *types, const struct leaf *leaf, u64 value,
		       char out[CELL_MAX])
{
	u32 unused_bits = 64 - min(leaf->size, 8u) * 8;

	if (is_signed(types, leaf->type_id))
		snprintf(out, CELL_MAX, "%lld", (s64)(value << unused_bits) >> unused_bits);
	else
		snprintf(out, CELL_MAX, "%llu", value);
}

static void print_network_order(u32 size, const u8 *data, char out[CELL_MAX])
{
	u64 value = 0;

	if (size == 4) {
		inet_ntop(AF_INET, data, out, CELL_MAX);
		return;
	}
	for (u32 i = 0; i < size; i++)
		value = value << 8 | data[i];
	snprintf(out, CELL_MAX, "%llu", value);
}

static void print_bytes(const u8 *data, u32 size, char out[CELL_MAX])
{
	for (u32 i = 0; i < size && i * 3 + 3 < CELL_MAX; i++)
		snprintf(out + i * 3, 4, i + 1 < size ? "%02x:" : "%02x", data[i]);
}

/* What came in a packet must not drive the terminal. */
static void print_text(const u8 *data, u32 size, char out[CELL_MAX])
{
	u32 length = 0;

	for (; length < size && length + 1 < CELL_MAX && data[length]; length++)
		out[length] = iscntrl(data[length]) ? '?' : data[length];
	out[length] = '\0';
}

static void print_array(const struct btf_view *types, const struct leaf *leaf,
			const struct btf_type *type, const u8 *data, char out[CELL_MAX])
{
	if (is_text(types, type))
		print_text(data, leaf->size, out);
	else if (leaf->size == 16)
		inet_ntop(AF_INET6, data, out, CELL_MAX);
	else
		print_bytes(data, leaf->size, out);
}

static void print_enum(const struct btf_view *types, const struct btf_type *type, u64 value,
		       char out[CELL_MAX])
{
	const struct btf_enum *row = (const void *)(type + 1);

	for (u32 i = 0; i < btf_vlen(type); i++) {
		if ((u32)row[i].val != (u32)value)
			continue;
		snprintf(out, CELL_MAX, "%s", btf_string(types, row[i].name_off));
		return;
	}
	snprintf(out, CELL_MAX, "%llu", value);
}

void leaf_print(const struct btf_view *types, const struct leaf *leaf, const u8 *data,
		char out[CELL_MAX])
{
	const struct btf_type *type = btf_type(types, btf_resolve(types, leaf->type_id));
	u32 network = network_order_size(types, leaf->type_id);

	if (network)
		print_network_order(network, data + leaf->offset, out);
	else if (btf_kind(type) == BTF_KIND_ARRAY)
		print_array(types, leaf, type, data + leaf->offset, out);
	else if (btf_kind(type) == BTF_KIND_ENUM)
		print_enum(types, type, leaf_number(leaf, data), out);
	else if (btf_kind(type) == BTF_KIND_PTR)
		snprintf(out, CELL_MAX, "0x%llx", leaf_number(leaf, data));
	else
		leaf_print_number(types, leaf, leaf_number(leaf, data), out);
}
