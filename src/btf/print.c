// SPDX-License-Identifier: BSD-2-Clause
/*
 * A value as libbpf's btf_dump shows it: one member per line, each with its type as a cast, the
 * members that are 0 left out. Elements of an array have no casts and are all shown. Unlike
 * libbpf 1.1, a byte behind an array of characters is still a number.
 */
#include "btf/value.h"

#include <string.h>

struct printer {
	struct strbuf *out;
	u32 depth;     /* of braces */
	bool in_array; /* elements, and what is inside them: no casts, zeros shown */
	bool in_chars; /* elements of an array of bytes: zeros left out */
};

static void print_any(struct printer *printer, const struct value *value);

static bool is_zero(const struct value *value);

static bool is_char_array(const struct value *value)
{
	const struct value element = value_element(value, 0);

	return btf_kind(element.type) == BTF_KIND_INT && value_size(&element) == 1;
}

static bool all_elements_are_zero(const struct value *value)
{
	if (is_char_array(value) && value_elements(value) && value->data < value->end &&
	    !*value->data)
		return true;
	for (u32 i = 0; i < value_elements(value); i++) {
		struct value element = value_element(value, i);

		if (!is_zero(&element))
			return false;
	}
	return true;
}

static bool all_members_are_zero(const struct value *value)
{
	for (u32 i = 0; i < btf_vlen(value->type); i++) {
		struct value member = value_member(value, i);

		if (!is_zero(&member))
			return false;
	}
	return true;
}

static bool is_zero(const struct value *value)
{
	u32 bits;

	if (!value->type || value_is_missing(value))
		return true;
	switch (btf_kind(value->type)) {
	case BTF_KIND_ARRAY: return all_elements_are_zero(value);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return all_members_are_zero(value);
	case BTF_KIND_VAR:
	case BTF_KIND_DATASEC: return false;
	default: return !value_raw(value, &bits);
	}
}

static void indent(struct printer *printer)
{
	for (u32 i = 0; i < printer->depth; i++)
		strbuf_addc(printer->out, '\t');
}

/* What follows every value inside braces. */
static void finish(struct printer *printer)
{
	if (printer->depth)
		strbuf_adds(printer->out, ",\n");
}

static void print_open(struct printer *printer, char bracket)
{
	strbuf_addc(printer->out, bracket);
	strbuf_addc(printer->out, '\n');
	printer->depth++;
}

static void print_close(struct printer *printer, char bracket)
{
	printer->depth--;
	indent(printer);
	strbuf_addc(printer->out, bracket);
	finish(printer);
}

static void print_array(struct printer *printer, const struct value *value)
{
	struct printer outer = *printer;

	printer->in_array = true;
	printer->in_chars = is_char_array(value);
	print_open(printer, '[');
	for (u32 i = 0; i < value_elements(value); i++) {
		struct value element = value_element(value, i);

		print_any(printer, &element);
	}
	printer->in_array = outer.in_array;
	printer->in_chars = outer.in_chars;
	print_close(printer, ']');
}

static void print_composite(struct printer *printer, const struct value *value)
{
	print_open(printer, '{');
	for (u32 i = 0; i < btf_vlen(value->type); i++) {
		struct value member = value_member(value, i);

		print_any(printer, &member);
	}
	print_close(printer, '}');
}

static void print_section(struct printer *printer, const struct value *value)
{
	strbuf_addf(printer->out, "SEC(\"%s\") ",
		    btf_string(value->btf, value->type->name_off));
	for (u32 i = 0; i < btf_vlen(value->type); i++) {
		struct value var = value_section_var(value, i);

		print_any(printer, &var);
		strbuf_addc(printer->out, ';');
	}
}

static void print_var(struct printer *printer, const struct value *value)
{
	struct value behind = value_behind_var(value);
	const struct btf_var *var = btf_extra(value->type);

	strbuf_adds(printer->out, var->linkage == BTF_VAR_STATIC ? "static " : "");
	btf_print_type(value->btf, value->type->type, printer->out);
	strbuf_addf(printer->out, " %s = ", btf_string(value->btf, value->type->name_off));
	print_any(printer, &behind);
}

static void print_hex(struct printer *printer, const struct value *value)
{
	u32 bits;
	u128 raw = value_raw(value, &bits);

	if (raw >> 64)
		strbuf_addf(printer->out, "0x%llx%016llx", (u64)(raw >> 64), (u64)raw);
	else
		strbuf_addf(printer->out, "0x%llx", (u64)raw);
}

static void print_int(struct printer *printer, const struct value *value)
{
	u8 c = value_u64(value);

	if (value->bits || value_size(value) > sizeof(u64))
		print_hex(printer, value);
	else if (printer->in_chars && c >= ' ' && c <= '~')
		strbuf_addf(printer->out, "'%c'", c);
	else if (value_is_signed(value))
		strbuf_addf(printer->out, "%lld", value_s64(value));
	else
		strbuf_addf(printer->out, "%llu", value_u64(value));
}

static void print_enum(struct printer *printer, const struct value *value)
{
	const char *name = value_enumerator(value);
	const char *suffix = btf_kind(value->type) == BTF_KIND_ENUM64 ? "LL" : "";

	if (name)
		strbuf_adds(printer->out, name);
	else if (value_is_signed(value))
		strbuf_addf(printer->out, "%lld%s", value_s64(value), suffix);
	else
		strbuf_addf(printer->out, "%llu%s%s", value_u64(value), *suffix ? "U" : "",
			    suffix);
}

static void print_scalar(struct printer *printer, const struct value *value)
{
	switch (btf_kind(value->type)) {
	case BTF_KIND_INT: print_int(printer, value); break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: print_enum(printer, value); break;
	case BTF_KIND_FLOAT: strbuf_addf(printer->out, "%f", value_double(value)); break;
	case BTF_KIND_PTR:
		if (value_u64(value))
			strbuf_addf(printer->out, "0x%llx", value_u64(value));
		else
			strbuf_adds(printer->out, "(nil)");
		break;
	default: strbuf_addf(printer->out, "<unsupported kind:%u>", btf_kind(value->type));
	}
	finish(printer);
}

static void print_cast(struct printer *printer, const struct value *value)
{
	u32 kind = btf_kind(value->type);

	indent(printer);
	if (*value->name && kind != BTF_KIND_VAR)
		strbuf_addf(printer->out, ".%s = ", value->name);
	if (printer->in_array || kind == BTF_KIND_VAR || kind == BTF_KIND_DATASEC)
		return;
	strbuf_addc(printer->out, '(');
	btf_print_type(value->btf, value->id, printer->out);
	strbuf_addc(printer->out, ')');
}

static bool is_left_out(const struct printer *printer, const struct value *value)
{
	return printer->depth && (!printer->in_array || printer->in_chars) && is_zero(value);
}

static void print_any(struct printer *printer, const struct value *value)
{
	if (!value->type || value_is_missing(value) || is_left_out(printer, value))
		return;
	print_cast(printer, value);
	switch (btf_kind(value->type)) {
	case BTF_KIND_ARRAY: print_array(printer, value); break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: print_composite(printer, value); break;
	case BTF_KIND_VAR: print_var(printer, value); break;
	case BTF_KIND_DATASEC: print_section(printer, value); break;
	default: print_scalar(printer, value);
	}
}

void btf_print_value(const struct btf_view *btf, u32 type_id, const void *data, size_t size,
		     struct strbuf *out)
{
	u32 budget;
	struct value value = value_of(btf, type_id, data, size, &budget);
	struct printer printer = {.out = out};

	print_any(&printer, &value);
}
