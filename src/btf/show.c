// SPDX-License-Identifier: BSD-2-Clause
/*
 * A value as Linux's bpf_snprintf_btf() shows it: one member per line, indented by blanks, each
 * with its type as a cast; what is 0 is left out, but for the value as a whole. Elements of an
 * array have no casts and, when they are structures, no opening brace.
 */
#include "btf/value.h"

#include <linux/bpf.h>
#include <string.h>

#define STEPS_MAX 8 /* from a type to its name: what is further away is not named */

struct shower {
	struct strbuf *out;
	u64 flags;     /* BTF_F_* */
	u32 depth;     /* of braces */
	bool in_array; /* an element */
	bool in_bytes; /* of an array of bytes: letters, up to a 0 */
	bool is_ended; /* the 0 was met */
};

static void show_any(struct shower *shower, const struct value *value);

/* --- what stands before a value --- */

static const struct btf_type *skip_qualifiers(const struct btf_view *btf, u32 id)
{
	const struct btf_type *type = btf_type(btf, id);

	while (type &&
	       (btf_kind(type) == BTF_KIND_CONST || btf_kind(type) == BTF_KIND_VOLATILE ||
		btf_kind(type) == BTF_KIND_RESTRICT || btf_kind(type) == BTF_KIND_TYPE_TAG))
		type = btf_type(btf, type->type);
	return type;
}

struct type_name {
	const char *prefix, *name, *bracket;
	u32 pointers, arrays;
};

static bool is_on_the_way(u32 kind)
{
	return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_PTR || kind == BTF_KIND_ARRAY;
}

/* Behind typedefs, of which the first has the name, pointers and arrays; `last` of these. */
static const struct btf_type *follow(const struct btf_view *btf, u32 id, struct type_name *out,
				     u32 *last)
{
	const struct btf_type *type = skip_qualifiers(btf, id);

	for (u32 steps = 0; steps < STEPS_MAX; steps++) {
		const u32 kind = type ? btf_kind(type) : BTF_KIND_UNKN;

		if (!is_on_the_way(kind))
			break;
		if (kind == BTF_KIND_TYPEDEF && !out->name)
			out->name = btf_string(btf, type->name_off);
		out->pointers += kind == BTF_KIND_PTR;
		out->arrays += kind == BTF_KIND_ARRAY;
		*last = kind;
		type = skip_qualifiers(btf, kind == BTF_KIND_ARRAY ? btf_array(type)->type
								   : type->type);
	}
	return type;
}

static struct type_name name_of(const struct btf_view *btf, u32 id)
{
	struct type_name name = {"", NULL, "", 0, 0};
	u32 last = 0, kind;
	const struct btf_type *type = follow(btf, id, &name, &last);

	kind = type ? btf_kind(type) : BTF_KIND_UNKN;
	if (!name.name)
		name.name = type ? btf_string(btf, type->name_off) : "";
	if (last != BTF_KIND_TYPEDEF && kind == BTF_KIND_STRUCT)
		name.prefix = "struct";
	else if (last != BTF_KIND_TYPEDEF && kind == BTF_KIND_UNION)
		name.prefix = "union";
	else if (last != BTF_KIND_TYPEDEF && (kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64))
		name.prefix = "enum";
	if (last == BTF_KIND_PTR)
		return name;
	if (name.arrays)
		name.bracket = "[";
	else if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
		name.bracket = "{";
	return name;
}

static void show_name(struct shower *shower, const struct value *value)
{
	struct type_name name;

	if (shower->in_array)
		return;
	name = name_of(value->btf, value->id);
	if (!(shower->flags & BTF_F_NONAME)) {
		if (*value->name)
			strbuf_addf(shower->out, ".%s = ", value->name);
		strbuf_addf(shower->out, "(%s%s%s%s", name.prefix,
			    *name.prefix && *name.name ? " " : "", name.name,
			    name.pointers ? " " : "");
		for (u32 i = 0; i < name.pointers; i++)
			strbuf_addc(shower->out, '*');
		for (u32 i = 0; i < name.arrays; i++)
			strbuf_adds(shower->out, "[]");
		strbuf_addc(shower->out, ')');
	}
	strbuf_adds(shower->out, name.bracket);
}

static void indent(struct shower *shower)
{
	for (u32 i = 0; i < shower->depth && !(shower->flags & BTF_F_COMPACT); i++)
		strbuf_addc(shower->out, ' ');
}

static void end_line(struct shower *shower)
{
	if (!(shower->flags & BTF_F_COMPACT))
		strbuf_addc(shower->out, '\n');
}

static void begin(struct shower *shower, const struct value *value)
{
	indent(shower);
	show_name(shower, value);
}

static void end(struct shower *shower)
{
	if (shower->depth)
		strbuf_addc(shower->out, ',');
	end_line(shower);
}

/* --- values without parts --- */

static bool is_bit_field(const struct value *value)
{
	return value->bits || (btf_kind(value->type) == BTF_KIND_INT &&
			       BTF_INT_BITS(*(const u32 *)btf_extra(value->type)) > 64);
}

static void show_bits(struct shower *shower, const struct value *value)
{
	u32 bits;
	const u128 raw = value_raw(value, &bits);

	if (raw >> 64)
		strbuf_addf(shower->out, "0x%llx%016llx", (u64)(raw >> 64), (u64)raw);
	else
		strbuf_addf(shower->out, "0x%llx", (u64)raw);
}

static bool is_letter(const struct shower *shower, const struct value *value)
{
	return shower->in_bytes && value_u64(value) >= ' ' && value_u64(value) < 0x7f;
}

static void show_integer(struct shower *shower, const struct value *value)
{
	if (is_bit_field(value))
		show_bits(shower, value);
	else if (is_letter(shower, value))
		strbuf_addf(shower->out, "'%c'", (char)value_u64(value));
	else if (value_is_signed(value))
		strbuf_addf(shower->out, "%lld", value_s64(value));
	else
		strbuf_addf(shower->out, "%llu", value_u64(value));
}

static void show_enumeration(struct shower *shower, const struct value *value)
{
	const char *name = value->bits ? NULL : value_enumerator(value);

	if (name)
		strbuf_adds(shower->out, name);
	else
		show_integer(shower, value);
}

static void show_simple(struct shower *shower, const struct value *value)
{
	begin(shower, value);
	switch (btf_kind(value->type)) {
	case BTF_KIND_INT: show_integer(shower, value); break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: show_enumeration(shower, value); break;
	case BTF_KIND_PTR: strbuf_addf(shower->out, "0x%016llx", value_u64(value)); break;
	default:
		strbuf_addf(shower->out, "<unsupported kind:%u>", btf_kind(value->type));
		break;
	}
	end(shower);
}

/* --- values with parts --- */

static bool is_array_of_bytes(const struct value *array)
{
	const struct value element = value_element(array, 0);

	return element.type && btf_kind(element.type) == BTF_KIND_INT &&
	       value_size(&element) == 1;
}

static bool has_shown_parts(const struct value *value);

/* An enumerator has a name, which is never 0. */
static bool has_something(const struct value *value)
{
	const u32 kind = value->type ? btf_kind(value->type) : BTF_KIND_UNKN;
	u32 bits;

	if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ARRAY)
		return has_shown_parts(value);
	if ((kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64) && !value->bits &&
	    value_enumerator(value))
		return true;
	return value_raw(value, &bits);
}

static bool has_shown_parts(const struct value *value)
{
	const bool is_array = btf_kind(value->type) == BTF_KIND_ARRAY;
	const u32 count = is_array ? value_elements(value) : btf_vlen(value->type);
	const bool is_text = is_array && is_array_of_bytes(value);

	for (u32 i = 0; i < count && value->depth < VALUE_DEPTH_MAX; i++) {
		struct value part = is_array ? value_element(value, i) : value_member(value, i);

		if (has_something(&part))
			return true;
		if (is_text)
			return false;
	}
	return false;
}

static void show_members(struct shower *shower, const struct value *value)
{
	for (u32 i = 0; i < btf_vlen(value->type); i++) {
		struct value member = value_member(value, i);

		show_any(shower, &member);
	}
}

static void show_elements(struct shower *shower, const struct value *value)
{
	shower->in_bytes = is_array_of_bytes(value);
	shower->is_ended = false;
	for (u32 i = 0; i < value_elements(value) && !shower->is_ended; i++) {
		struct value element = value_element(value, i);

		shower->in_array = true;
		shower->is_ended = shower->in_bytes && !value_u64(&element);
		if (!shower->is_ended)
			show_any(shower, &element);
		shower->in_array = false;
	}
	shower->in_bytes = shower->is_ended = false;
}

static void show_parts(struct shower *shower, const struct value *value)
{
	const bool is_array = btf_kind(value->type) == BTF_KIND_ARRAY;

	begin(shower, value);
	end_line(shower);
	shower->depth++;
	if (is_array)
		show_elements(shower, value);
	else
		show_members(shower, value);
	shower->depth--;
	indent(shower);
	strbuf_addc(shower->out, is_array ? ']' : '}');
	end(shower);
}

static void show_any(struct shower *shower, const struct value *value)
{
	const u32 kind = value->type ? btf_kind(value->type) : BTF_KIND_UNKN;

	if (!value->type || value->depth >= VALUE_DEPTH_MAX)
		return;
	if (shower->depth && !(shower->flags & BTF_F_ZERO) && !has_something(value))
		return;
	if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ARRAY)
		show_parts(shower, value);
	else
		show_simple(shower, value);
}

void btf_show_value(const struct btf_view *btf, u32 type_id, const void *data, size_t size,
		    u64 flags, struct strbuf *out)
{
	struct shower shower = {.out = out, .flags = flags};
	u32 budget;
	const struct value value = value_of(btf, type_id, data, size, &budget);

	show_any(&shower, &value);
}
