/* SPDX-License-Identifier: BSD-2-Clause */
/* Structures, unions and enumerations, with their layout as the x86-64 and arm64 ABIs have it.
 */
#include "btf/declarer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STRUCT_BYTES_MAX (1u << 24)
#define NESTING_MAX	 16

struct layout {
	bool is_union, has_bit_fields;
	u32 count, align;
	u64 bits;	       /* up to where it is taken; of a union: the longest */
	struct strbuf members; /* struct btf_member, offset and width apart */
};

/* --- members --- */

static u64 place(struct layout *layout, u64 start, u64 bits)
{
	layout->bits = layout->is_union ? max(layout->bits, bits) : start + bits;
	return start;
}

/* A bit field does not cross what its type would be aligned to. */
static u64 place_bits(struct layout *layout, u32 size, u32 width)
{
	const u64 unit = 8ull * size;
	u64 start = layout->is_union ? 0 : layout->bits;

	layout->has_bit_fields = true;
	if (!width || start / unit != (start + width - 1) / unit)
		start = round_up(start, unit);
	return place(layout, start, width);
}

static u64 place_whole(struct layout *layout, u64 size, u32 align)
{
	return place(layout, layout->is_union ? 0 : round_up(layout->bits, 8ull * align),
		     8 * size);
}

static int take_width(struct declarer *declarer, u64 size, u32 *width)
{
	if (declarer->lexer.kind != TOKEN_NUMBER || (u64)declarer->lexer.number > 8 * size ||
	    !is_power_of_two(size) || size > 8)
		return declare_expected(declarer, "the width of a bit field");
	*width = (u32)declarer->lexer.number;
	c_lexer_next(&declarer->lexer);
	return 0;
}

static void keep_member(struct declarer *declarer, struct layout *layout,
			const struct declarator *declared, u64 start, u32 width)
{
	struct btf_member member = {
		.name_off = btf_builder_string(declarer->builder, declared->name),
		.type = declared->type,
		.offset = (u32)start | width << 24,
	};

	strbuf_add(&layout->members, (const char *)&member, sizeof(member));
	layout->count++;
}

static int add_member(struct declarer *declarer, struct layout *layout,
		      const struct declarator *declared)
{
	const s64 size = btf_builder_size(declarer->builder, declared->type);
	const u32 align = btf_builder_align(declarer->builder, declared->type);
	u32 width = 0;
	u64 start;
	int ret = 0;

	if (declarer->builder->failed)
		return -ENOMEM;
	if (size < 0)
		return declare_failed(declarer, "is of a type without a size", declared->name);
	if (c_lexer_take(&declarer->lexer, ":")) {
		ret = take_width(declarer, (u64)size, &width);
		if (ret)
			return ret;
		start = place_bits(layout, (u32)size, width);
		if (!width)
			return 0; /* only moves the next */
	} else {
		start = place_whole(layout, (u64)size, align);
	}
	if (start / 8 + (u64)size > STRUCT_BYTES_MAX || layout->count == BTF_MAX_VLEN)
		return declare_failed(declarer, "makes the structure too large",
				      declared->name);
	layout->align = max(layout->align, align);
	keep_member(declarer, layout, declared, start, width);
	return 0;
}

static bool is_anonymous(const struct declarer *declarer, u32 id)
{
	const struct btf_type *type = id ? btf_builder_type(declarer->builder, id) : NULL;

	return type && !type->name_off &&
	       (btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION);
}

static int take_members(struct declarer *declarer, struct layout *layout)
{
	struct declarator declared = {""};
	u32 type;
	int ret = declare_specifiers(declarer, &type);

	if (!ret && is_anonymous(declarer, type) && c_lexer_take(&declarer->lexer, ";")) {
		declared.type = type;
		return add_member(declarer, layout, &declared);
	}
	while (!ret) {
		ret = declare_declarator(declarer, type, &declared);
		if (!ret && !declared.name[0] && !c_lexer_is(&declarer->lexer, ":"))
			ret = declare_expected(declarer, "the member's name");
		if (!ret)
			ret = add_member(declarer, layout, &declared);
		if (!c_lexer_take(&declarer->lexer, ","))
			break;
	}
	return ret ? ret : declare_expect(declarer, ";");
}

/* In a structure without bit fields the upper byte of an offset belongs to the offset. */
static int check_offsets(struct declarer *declarer, const struct layout *layout)
{
	if (layout->has_bit_fields && layout->bits > BTF_MEMBER_BIT_OFFSET(~0u))
		return declare_expected(declarer, "a smaller structure with bit fields");
	return 0;
}

static int take_body(struct declarer *declarer, u32 kind, u32 id)
{
	struct layout layout = {.is_union = kind == BTF_KIND_UNION, .align = 1};
	int ret =
		declarer->depth < NESTING_MAX ? 0 : declare_expected(declarer, "less nesting");

	declarer->depth++;
	strbuf_init(&layout.members);
	while (!ret && !c_lexer_take(&declarer->lexer, "}"))
		ret = take_members(declarer, &layout);
	if (!ret)
		ret = check_offsets(declarer, &layout);
	declarer->builder->failed |= layout.members.failed;
	if (!ret && !layout.members.failed)
		btf_builder_complete(declarer->builder, id, layout.count, layout.has_bit_fields,
				     (u32)round_up((layout.bits + 7) / 8, layout.align),
				     layout.members.text, layout.members.length);
	strbuf_done(&layout.members);
	declarer->depth--;
	return ret;
}

/* --- enumerations --- */

static int take_number(struct declarer *declarer, s64 *out)
{
	bool negative = c_lexer_take(&declarer->lexer, "-");

	if (declarer->lexer.kind != TOKEN_NUMBER)
		return declare_expected(declarer, "a number");
	*out = negative ? -declarer->lexer.number : declarer->lexer.number;
	c_lexer_next(&declarer->lexer);
	return 0;
}

/* A number, or one shifted left by another. */
static int take_value(struct declarer *declarer, s64 *out)
{
	s64 shift = 0;
	int ret = take_number(declarer, out);

	if (ret || !c_lexer_take(&declarer->lexer, "<"))
		return ret;
	ret = declare_expect(declarer, "<");
	if (!ret)
		ret = take_number(declarer, &shift);
	if (!ret && (shift < 0 || shift > 31))
		ret = declare_expected(declarer, "a shift of at most 31");
	if (!ret)
		*out = (s64)((u64)*out << shift);
	return ret;
}

static int take_enumerator(struct declarer *declarer, s64 *value, struct strbuf *out)
{
	char name[TOKEN_SIZE];
	struct btf_enum element;
	int ret = declare_take_name(declarer, name);

	if (!ret && c_lexer_take(&declarer->lexer, "="))
		ret = take_value(declarer, value);
	if (!ret && (*value < INT32_MIN || *value > UINT32_MAX))
		ret = declare_failed(declarer, "does not fit 32 bits", name);
	if (ret)
		return ret;
	element.name_off = btf_builder_string(declarer->builder, name);
	element.val = (s32)*value;
	strbuf_add(out, (const char *)&element, sizeof(element));
	return 0;
}

static int take_enumerators(struct declarer *declarer, u32 id)
{
	struct strbuf elements;
	bool is_signed = false;
	u32 count = 0;
	s64 value = 0;
	int ret = 0;

	strbuf_init(&elements);
	while (!ret && !c_lexer_take(&declarer->lexer, "}")) {
		ret = take_enumerator(declarer, &value, &elements);
		is_signed |= value < 0;
		value++;
		if (!ret && ++count > BTF_MAX_VLEN)
			ret = declare_expected(declarer, "fewer enumerators");
		if (!ret && !c_lexer_take(&declarer->lexer, ",") &&
		    !c_lexer_is(&declarer->lexer, "}"))
			ret = declare_expected(declarer, "',' or '}'");
	}
	declarer->builder->failed |= elements.failed;
	if (!ret && !elements.failed)
		btf_builder_complete(declarer->builder, id, count, is_signed, sizeof(u32),
				     elements.text, elements.length);
	strbuf_done(&elements);
	return ret;
}

/* --- tags --- */

/* A declaration refers to the base's type of this name. */
static bool is_base_used(const struct btf_builder *builder, u32 base_id)
{
	for (u32 i = 0; i < builder->count && base_id; i++) {
		u32 kind = btf_kind(builder->types[i]);

		if ((kind == BTF_KIND_PTR || kind == BTF_KIND_CONST) &&
		    builder->types[i]->type == base_id)
			return true;
	}
	return false;
}

static u32 base_type(const struct btf_builder *builder, const char *tag, u32 kind)
{
	return builder->base && *tag ? btf_find(builder->base, tag, kind) : 0;
}

static u32 add_tag(struct declarer *declarer, u32 kind, const char *tag)
{
	return btf_builder_add(declarer->builder, kind, tag, 0,
			       kind == BTF_KIND_ENUM ? sizeof(u32) : 0, NULL, 0);
}

/* Behind the tag and "{". */
static int define(struct declarer *declarer, u32 kind, const char *tag, u32 *id)
{
	struct btf_builder *builder = declarer->builder;
	int ret;

	if (*id && btf_vlen(btf_builder_type(builder, *id)))
		return declare_failed(declarer, "is defined twice", tag);
	if (!*id && is_base_used(builder, base_type(builder, tag, kind)))
		return declare_failed(declarer,
				      "was taken from the kernel's types before it was "
				      "defined: declare it first",
				      tag);
	if (!*id)
		*id = add_tag(declarer, kind, tag);
	ret = builder->failed ? -ENOMEM : 0;
	if (!ret)
		ret = kind == BTF_KIND_ENUM ? take_enumerators(declarer, *id)
					    : take_body(declarer, kind, *id);
	return ret;
}

int declare_tagged(struct declarer *declarer, u32 kind, u32 *out)
{
	struct btf_builder *builder = declarer->builder;
	char tag[TOKEN_SIZE] = "";

	if (declarer->lexer.kind == TOKEN_NAME)
		declare_take_name(declarer, tag);
	*out = *tag ? btf_builder_find_new(builder, tag, kind) : 0;
	if (c_lexer_take(&declarer->lexer, "{"))
		return define(declarer, kind, tag, out);
	if (!*tag)
		return declare_expected(declarer, "a name or '{'");
	/* "struct x;" declares one of its own, whatever the base has. */
	if (!*out && !c_lexer_is(&declarer->lexer, ";"))
		*out = base_type(builder, tag, kind);
	if (!*out)
		*out = add_tag(declarer, kind, tag);
	return 0;
}
