// SPDX-License-Identifier: BSD-2-Clause
/* The lines of the log of a check, in the kernel's words. */
#include "base/error.h"
#include "btf/check.h"

#include <stdio.h>

static const char *name_or_mark(const struct check *check, u32 offset)
{
	if (!offset)
		return "(anon)";
	return name_in_range(check, offset) ? btf_string(check->btf, offset)
					    : "(invalid-name-offset)";
}

static void add(struct check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct check *check, const char *format, ...)
{
	va_list args;

	if (!check->log)
		return;
	va_start(args, format);
	strbuf_vaddf(check->log, format, args);
	va_end(args);
}

void log_header(struct check *check)
{
	const struct btf_header *header = &check->btf->header;

	add(check, "magic: 0x%x\nversion: %u\nflags: 0x%x\nhdr_len: %u\n", header->magic,
	    header->version, header->flags, header->hdr_len);
	add(check, "type_off: %u\ntype_len: %u\nstr_off: %u\nstr_len: %u\n", header->type_off,
	    header->type_len, header->str_off, header->str_len);
	add(check, "btf_total_size: %u\n", (u32)check->btf->size);
}

static const char *encoding_name(u32 encoding)
{
	switch (encoding) {
	case 0: return "(none)";
	case BTF_INT_SIGNED: return "SIGNED";
	case BTF_INT_CHAR: return "CHAR";
	case BTF_INT_BOOL: return "BOOL";
	default: return "UNKN";
	}
}

static void add_params(struct check *check, const struct btf_type *type)
{
	const struct btf_param *param = btf_params(type);
	u32 count = btf_vlen(type);

	add(check, "return=%u args=(", type->type);
	if (!count)
		add(check, "void");
	for (u32 i = 0; i < count; i++) {
		const char *comma = i ? ", " : "";

		if (i == count - 1 && !param[i].type)
			add(check, "%svararg", comma);
		else
			add(check, "%s%u %s", comma, param[i].type,
			    name_or_mark(check, param[i].name_off));
	}
	add(check, ")");
}

static void add_details(struct check *check, const struct btf_type *type)
{
	const struct btf_array *array = btf_array(type);
	u32 number = *(const u32 *)btf_extra(type);

	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		add(check, "size=%u bits_offset=%u nr_bits=%u encoding=%s", type->size,
		    BTF_INT_OFFSET(number), BTF_INT_BITS(number),
		    encoding_name(BTF_INT_ENCODING(number)));
		break;
	case BTF_KIND_ARRAY:
		add(check, "type_id=%u index_type_id=%u nr_elems=%u", array->type,
		    array->index_type, array->nelems);
		break;
	case BTF_KIND_FWD: add(check, "%s", btf_kind_flag(type) ? "union" : "struct"); break;
	case BTF_KIND_FUNC_PROTO: add_params(check, type); break;
	case BTF_KIND_VAR: add(check, "type_id=%u linkage=%u", type->type, number); break;
	case BTF_KIND_DECL_TAG:
		add(check, "type=%u component_idx=%d", type->type, (s32)number);
		break;
	case BTF_KIND_FLOAT: add(check, "size=%u", type->size); break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_DATASEC: add(check, "size=%u vlen=%u", type->size, btf_vlen(type)); break;
	default: add(check, "type_id=%u", type->type);
	}
}

static void add_type(struct check *check, const struct btf_type *type, bool details,
		     const char *text)
{
	if (!check->log)
		return;
	add(check, "[%u] %s %s%s", check->type_id, kind_rows[btf_kind(type)].text,
	    name_or_mark(check, type->name_off), details ? " " : "");
	if (details)
		add_details(check, type);
	add(check, "%s%s\n", *text ? " " : "", text);
}

static void add_member(struct check *check, const struct btf_type *type,
		       const struct btf_member *member, const char *text)
{
	if (check->in_graph)
		add_type(check, type, true, "");
	add(check, "\t%s type_id=%u", name_or_mark(check, member->name_off), member->type);
	if (btf_kind_flag(type))
		add(check, " bitfield_size=%u", btf_member_bits(type, member));
	add(check, " bits_offset=%u%s%s\n", btf_member_bit_offset(type, member),
	    *text ? " " : "", text);
}

static void add_var(struct check *check, const struct btf_type *section,
		    const struct btf_var_secinfo *var, const char *text)
{
	if (check->in_graph)
		add_type(check, section, true, "");
	add(check, "\t type_id=%u offset=%u size=%u%s%s\n", var->type, var->offset, var->size,
	    *text ? " " : "", text);
}

void log_type(struct check *check, const struct btf_type *type)
{
	add_type(check, type, true, "");
}

void log_member(struct check *check, const struct btf_type *type,
		const struct btf_member *member)
{
	add_member(check, type, member, "");
}

void log_var(struct check *check, const struct btf_type *section,
	     const struct btf_var_secinfo *var)
{
	add_var(check, section, var, "");
}

void log_enumerator(struct check *check, const char *format, ...)
{
	va_list args;

	if (!check->log)
		return;
	va_start(args, format);
	strbuf_vaddf(check->log, format, args);
	va_end(args);
}

#define FORMAT_TEXT(text, format)                            \
	do {                                                 \
		va_list args;                                \
		va_start(args, format);                      \
		vsnprintf(text, sizeof(text), format, args); \
		va_end(args);                                \
	} while (0)

int check_fail(struct check *check, int code, const char *format, ...)
{
	char text[128];

	FORMAT_TEXT(text, format);
	add(check, "%s", text);
	return error_set(check->err, SKEP_STAGE_BTF, code, "BTF: %s", text);
}

static int fail_in(struct check *check, const struct btf_type *type, int code, const char *text)
{
	return error_set(check->err, SKEP_STAGE_BTF, code, "BTF type [%u] %s %s: %s",
			 check->type_id, kind_rows[btf_kind(type)].text,
			 name_or_mark(check, type->name_off), text);
}

int check_fail_type(struct check *check, const struct btf_type *type, int code,
		    const char *format, ...)
{
	char text[128];

	FORMAT_TEXT(text, format);
	add_type(check, type, true, text);
	return fail_in(check, type, code, text);
}

int check_fail_bare(struct check *check, const struct btf_type *type, const char *format, ...)
{
	char text[128];

	FORMAT_TEXT(text, format);
	add_type(check, type, false, text);
	return fail_in(check, type, -EINVAL, text);
}

int check_fail_member(struct check *check, const struct btf_type *type,
		      const struct btf_member *member, const char *format, ...)
{
	char text[128];

	FORMAT_TEXT(text, format);
	add_member(check, type, member, text);
	fail_in(check, type, -EINVAL, text);
	error_where(check->err, "member %s", name_or_mark(check, member->name_off));
	return -EINVAL;
}

int check_fail_var(struct check *check, const struct btf_type *section,
		   const struct btf_var_secinfo *var, const char *text)
{
	add_var(check, section, var, text);
	fail_in(check, section, -EINVAL, text);
	error_where(check->err, "variable at offset %u", var->offset);
	return -EINVAL;
}
