// SPDX-License-Identifier: BSD-2-Clause
/* A value as JSON, as `bpftool map dump` has it. */
#include "base/json.h"
#include "btf/value.h"

#include <stdio.h>
#include <string.h>

static void json_any(const struct value *value, struct json *json, const char *name);

/* Bit fields and wide integers: hexadecimal in a string, as they may exceed a JSON number. */
static void json_hex(const struct value *value, struct json *json, const char *name)
{
	u32 bits;
	u128 raw = value_raw(value, &bits);
	char text[40];

	if (raw >> 64)
		snprintf(text, sizeof(text), "0x%llx%016llx", (u64)(raw >> 64), (u64)raw);
	else
		snprintf(text, sizeof(text), "0x%llx", (u64)raw);
	json_string(json, name, text);
}

static void json_int_value(const struct value *value, struct json *json, const char *name)
{
	char c = value_u64(value);

	if (value->bits || value_size(value) > sizeof(u64)) {
		json_hex(value, json, name);
		return;
	}
	switch (BTF_INT_ENCODING(*(const u32 *)btf_extra(value->type))) {
	case BTF_INT_CHAR: json_bytes(json, name, &c, 1); break;
	case BTF_INT_BOOL: json_bool(json, name, value_u64(value)); break;
	case BTF_INT_SIGNED: json_int(json, name, value_s64(value)); break;
	default: json_uint(json, name, value_u64(value));
	}
}

static void json_enum(const struct value *value, struct json *json, const char *name)
{
	const char *enumerator = value_enumerator(value);

	if (value->bits)
		json_hex(value, json, name);
	else if (enumerator)
		json_string(json, name, enumerator);
	else
		json_int(json, name, value_s64(value));
}

/* An array of char (no typedef of it) that is a terminated, printable string. */
static bool is_string(const struct value *value)
{
	const struct btf_array *array = btf_array(value->type);
	const struct btf_type *type = btf_type(value->btf, array->type);

	while (kind_has(type, KIND_MODIFIER) && btf_kind(type) != BTF_KIND_TYPEDEF)
		type = btf_type(value->btf, type->type);
	if (btf_kind(type) != BTF_KIND_INT || type->size != 1 ||
	    (BTF_INT_ENCODING(*(const u32 *)btf_extra(type)) != BTF_INT_CHAR &&
	     strcmp(btf_string(value->btf, type->name_off), "char")))
		return false;
	for (u32 i = 0; i < array->nelems; i++) {
		if (!value->data[i])
			return true;
		if (value->data[i] < ' ' || value->data[i] > '~')
			return false;
	}
	return false;
}

static void json_array_value(const struct value *value, struct json *json, const char *name)
{
	if (is_string(value)) {
		json_string(json, name, (const char *)value->data);
		return;
	}
	json_array(json, name);
	for (u32 i = 0; i < value_elements(value); i++) {
		struct value element = value_element(value, i);

		json_any(&element, json, NULL);
	}
	json_array_end(json);
}

static void json_composite(const struct value *value, struct json *json, const char *name)
{
	json_object(json, name);
	for (u32 i = 0; i < btf_vlen(value->type); i++) {
		struct value member = value_member(value, i);

		json_any(&member, json, member.name);
	}
	json_object_end(json);
}

static void json_section(const struct value *value, struct json *json, const char *name)
{
	json_object(json, name);
	json_array(json, btf_string(value->btf, value->type->name_off));
	for (u32 i = 0; i < btf_vlen(value->type); i++) {
		struct value var = value_section_var(value, i);

		json_any(&var, json, NULL);
	}
	json_array_end(json);
	json_object_end(json);
}

static void json_var(const struct value *value, struct json *json, const char *name)
{
	struct value behind = value_behind_var(value);

	json_object(json, name);
	json_any(&behind, json, btf_string(value->btf, value->type->name_off));
	json_object_end(json);
}

static void json_any(const struct value *value, struct json *json, const char *name)
{
	if (!value->type || value_is_missing(value)) {
		json_null(json, name);
		return;
	}
	switch (btf_kind(value->type)) {
	case BTF_KIND_INT: json_int_value(value, json, name); break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: json_enum(value, json, name); break;
	case BTF_KIND_PTR: json_uint(json, name, value_u64(value)); break;
	case BTF_KIND_FLOAT: json_double(json, name, value_double(value)); break;
	case BTF_KIND_ARRAY: json_array_value(value, json, name); break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: json_composite(value, json, name); break;
	case BTF_KIND_VAR: json_var(value, json, name); break;
	case BTF_KIND_DATASEC: json_section(value, json, name); break;
	default: json_null(json, name);
	}
}

void btf_json_value(const struct btf_view *btf, u32 type_id, const void *data, size_t size,
		    struct json *json, const char *name)
{
	u32 budget;
	struct value value = value_of(btf, type_id, data, size, &budget);

	json_any(&value, json, name);
}
