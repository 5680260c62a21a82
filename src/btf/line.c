// SPDX-License-Identifier: BSD-2-Clause
/* A value on one line for people: no casts, strings as strings, bit fields as numbers. */
#include "btf/value.h"

static void line_any(const struct value *value, struct strbuf *out);

/* Bytes that are text up to their first zero, and zero behind it. */
static bool is_text(const struct value *value)
{
	const struct btf_type *type =
		btf_type(value->btf, btf_resolve(value->btf, btf_array(value->type)->type));
	u32 count = value_elements(value), length = 0;

	if (btf_kind(type) != BTF_KIND_INT || type->size != 1)
		return false;
	while (length < count && value->data[length] >= ' ' && value->data[length] <= '~')
		length++;
	for (u32 i = length; i < count; i++)
		if (value->data[i])
			return false;
	return length;
}

static void line_text(const struct value *value, struct strbuf *out)
{
	strbuf_addc(out, '"');
	for (u32 i = 0; i < value_elements(value) && value->data[i]; i++) {
		if (value->data[i] == '"' || value->data[i] == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, value->data[i]);
	}
	strbuf_addc(out, '"');
}

static void line_array(const struct value *value, struct strbuf *out)
{
	if (is_text(value)) {
		line_text(value, out);
		return;
	}
	strbuf_addc(out, '{');
	for (u32 i = 0; i < value_elements(value); i++) {
		struct value element = value_element(value, i);

		strbuf_adds(out, i ? ", " : "");
		line_any(&element, out);
	}
	strbuf_addc(out, '}');
}

static void line_named(const struct value *value, struct strbuf *out)
{
	if (*value->name)
		strbuf_addf(out, ".%s = ", value->name);
	line_any(value, out);
}

static void line_composite(const struct value *value, struct strbuf *out)
{
	strbuf_addc(out, '{');
	for (u32 i = 0; i < btf_vlen(value->type); i++) {
		struct value member = value_member(value, i);

		strbuf_adds(out, i ? ", " : "");
		line_named(&member, out);
	}
	strbuf_addc(out, '}');
}

static void line_section(const struct value *value, struct strbuf *out)
{
	strbuf_addc(out, '{');
	for (u32 i = 0; i < btf_vlen(value->type); i++) {
		struct value var = value_section_var(value, i);

		strbuf_adds(out, i ? ", " : "");
		line_named(&var, out);
	}
	strbuf_addc(out, '}');
}

static void line_int(const struct value *value, struct strbuf *out)
{
	u32 bits;
	u128 raw = value_raw(value, &bits);

	if (bits > 64 && raw >> 64)
		strbuf_addf(out, "0x%llx%016llx", (u64)(raw >> 64), (u64)raw);
	else if (value_is_signed(value))
		strbuf_addf(out, "%lld", value_s64(value));
	else
		strbuf_addf(out, "%llu", value_u64(value));
}

static void line_any(const struct value *value, struct strbuf *out)
{
	const char *name;

	if (!value->type || value_is_missing(value)) {
		strbuf_addc(out, '?');
		return;
	}
	switch (btf_kind(value->type)) {
	case BTF_KIND_INT: line_int(value, out); break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		name = value_enumerator(value);
		if (name)
			strbuf_adds(out, name);
		else
			line_int(value, out);
		break;
	case BTF_KIND_PTR: strbuf_addf(out, "0x%llx", value_u64(value)); break;
	case BTF_KIND_FLOAT: strbuf_addf(out, "%g", value_double(value)); break;
	case BTF_KIND_ARRAY: line_array(value, out); break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: line_composite(value, out); break;
	case BTF_KIND_DATASEC: line_section(value, out); break;
	case BTF_KIND_VAR: {
		struct value behind = value_behind_var(value);

		line_any(&behind, out);
		break;
	}
	default: strbuf_addc(out, '?');
	}
}

void btf_print_line(const struct btf_view *btf, u32 type_id, const void *data, size_t size,
		    struct strbuf *out)
{
	u32 budget;
	struct value value = value_of(btf, type_id, data, size, &budget);

	line_any(&value, out);
}
