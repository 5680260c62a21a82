/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep btf dump`: an object's types, raw in bpftool's format or as a C header. */
#include "cli/session.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
	"UNKNOWN", "INT",     "PTR",	  "ARRAY",    "STRUCT",	  "UNION",  "ENUM",
	"FWD",	   "TYPEDEF", "VOLATILE", "CONST",    "RESTRICT", "FUNC",   "FUNC_PROTO",
	"VAR",	   "DATASEC", "FLOAT",	  "DECL_TAG", "TYPE_TAG", "ENUM64",
};

static void print_c(void *cookie, const char *format, va_list args)
{
	strbuf_vaddf(cookie, format, args);
}

/* Around the types, as bpftool has it: accesses through them are relocated. */
static const char header_begin[] =
	"#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n\n"
	"#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n"
	"#pragma clang attribute push (__attribute__((preserve_access_"
	"index)), apply_to = record)\n#endif\n\n";
static const char header_end[] = "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n"
				 "#pragma clang attribute pop\n#endif\n\n"
				 "#endif /* __VMLINUX_H__ */\n";

static int dump_c(const struct btf *btf, struct output *output)
{
	struct btf_dump *dump;
	struct strbuf text;
	int code = 0;

	strbuf_init(&text);
	strbuf_adds(&text, header_begin);
	dump = btf_dump__new(btf, print_c, &text, NULL);
	if (!dump)
		return usage_error("%s", strerror(errno));
	for (u32 id = 1; !code && id < btf__type_cnt(btf); id++)
		code = btf_dump__dump_type(dump, id);
	btf_dump__free(dump);
	strbuf_adds(&text, header_end);
	output_begin(output, NULL);
	output_text(output, "c", strbuf_text(&text));
	output_end(output);
	strbuf_done(&text);
	return code ? usage_error("the types cannot be written as C: %s", strerror(-code)) : 0;
}

/*
 * The details of a type go to both outputs through these: in text " name=value" behind the
 * head, elements on lines of their own; in JSON members of the type's object.
 */
struct sink {
	struct output *output;
};

static void put_number(struct sink *sink, const char *name, s64 value)
{
	if (sink->output->is_json)
		json_int(&sink->output->json, name, value);
	else
		strbuf_addf(&sink->output->text, " %s=%lld", name, value);
}

static void put_string(struct sink *sink, const char *name, const char *value)
{
	if (sink->output->is_json)
		json_string(&sink->output->json, name, value);
	else
		strbuf_addf(&sink->output->text, " %s=%s", name, value);
}

static void begin_elements(struct sink *sink, const char *name)
{
	if (sink->output->is_json)
		json_array(&sink->output->json, name);
}

static void end_elements(struct sink *sink)
{
	if (sink->output->is_json)
		json_array_end(&sink->output->json);
}

/* `name` NULL: an element without one. */
static void begin_element(struct sink *sink, const char *name)
{
	struct output *output = sink->output;

	if (output->is_json)
		json_object(&output->json, NULL);
	if (output->is_json && name)
		json_string(&output->json, "name", name);
	else if (!output->is_json)
		strbuf_addf(&output->text, name ? "\n\t'%s'" : "\n\t", name);
}

static void end_element(struct sink *sink)
{
	if (sink->output->is_json)
		json_object_end(&sink->output->json);
}

static const char *name_at(const struct btf *btf, u32 offset)
{
	const char *name = btf__name_by_offset(btf, offset);

	return name && *name ? name : "(anon)";
}

static void put_members(const struct btf *btf, const struct btf_type *type, struct sink *sink)
{
	const struct btf_member *member = btf_members(type);

	begin_elements(sink, "members");
	for (u32 i = 0; i < btf_vlen(type); i++, member++) {
		begin_element(sink, name_at(btf, member->name_off));
		put_number(sink, "type_id", member->type);
		put_number(sink, "bits_offset", btf_member_bit_offset(type, i));
		if (btf_member_bitfield_size(type, i))
			put_number(sink, "bitfield_size", btf_member_bitfield_size(type, i));
		end_element(sink);
	}
	end_elements(sink);
}

static void put_parameters(const struct btf *btf, const struct btf_type *type,
			   struct sink *sink)
{
	const struct btf_param *parameter = btf_params(type);

	begin_elements(sink, "params");
	for (u32 i = 0; i < btf_vlen(type); i++, parameter++) {
		begin_element(sink, name_at(btf, parameter->name_off));
		put_number(sink, "type_id", parameter->type);
		end_element(sink);
	}
	end_elements(sink);
}

static s64 enumerator_value(const struct btf_type *type, u32 index)
{
	if (btf_is_enum64(type))
		return btf_enum64_value(&btf_enum64(type)[index]);
	return btf_kflag(type) ? btf_enum(type)[index].val : (u32)btf_enum(type)[index].val;
}

static void put_enumerators(const struct btf *btf, const struct btf_type *type,
			    struct sink *sink)
{
	begin_elements(sink, "values");
	for (u32 i = 0; i < btf_vlen(type); i++) {
		begin_element(sink,
			      name_at(btf, btf_is_enum64(type) ? btf_enum64(type)[i].name_off
							       : btf_enum(type)[i].name_off));
		put_number(sink, "val", enumerator_value(type, i));
		end_element(sink);
	}
	end_elements(sink);
}

static void put_section(const struct btf *btf, const struct btf_type *type, struct sink *sink)
{
	const struct btf_var_secinfo *info = btf_var_secinfos(type);

	begin_elements(sink, "vars");
	for (u32 i = 0; i < btf_vlen(type); i++, info++) {
		const struct btf_type *variable = btf__type_by_id(btf, info->type);
		struct output *output = sink->output;

		begin_element(sink, NULL);
		/* The first field follows the tab without a space. */
		if (output->is_json)
			put_number(sink, "type_id", info->type);
		else
			strbuf_addf(&output->text, "type_id=%u", info->type);
		put_number(sink, "offset", info->offset);
		put_number(sink, "size", info->size);
		if (!output->is_json)
			strbuf_addf(&output->text, " (%s '%s')", kind_names[btf_kind(variable)],
				    name_at(btf, variable->name_off));
		end_element(sink);
	}
	end_elements(sink);
}

static const char *encoding_name(u8 encoding)
{
	return encoding & BTF_INT_SIGNED ? "SIGNED"
	       : encoding & BTF_INT_CHAR ? "CHAR"
	       : encoding & BTF_INT_BOOL ? "BOOL"
					 : "(none)";
}

static const char *linkage_name(u32 linkage)
{
	static const char *const names[] = {"static", "global", "extern"};

	return linkage < ARRAY_SIZE(names) ? names[linkage] : "(unknown)";
}

static void put_variable(const struct btf_type *type, struct sink *sink)
{
	put_number(sink, "type_id", type->type);
	/* bpftool has a comma here, and nowhere else. */
	if (!sink->output->is_json)
		strbuf_addc(&sink->output->text, ',');
	put_string(sink, "linkage", linkage_name(btf_var(type)->linkage));
}

static void put_aggregate(const struct btf *btf, const struct btf_type *type, struct sink *sink)
{
	if (btf_is_any_enum(type))
		put_string(sink, "encoding", btf_kflag(type) ? "SIGNED" : "UNSIGNED");
	put_number(sink, "size", type->size);
	put_number(sink, "vlen", btf_vlen(type));
	if (btf_is_any_enum(type))
		put_enumerators(btf, type, sink);
	else if (btf_is_datasec(type))
		put_section(btf, type, sink);
	else
		put_members(btf, type, sink);
}

/* What stands behind "[ID] KIND 'name'". */
static void put_details(const struct btf *btf, const struct btf_type *type, struct sink *sink)
{
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		put_number(sink, "size", type->size);
		put_number(sink, "bits_offset", btf_int_offset(type));
		put_number(sink, "nr_bits", btf_int_bits(type));
		put_string(sink, "encoding", encoding_name(btf_int_encoding(type)));
		break;
	case BTF_KIND_ARRAY:
		put_number(sink, "type_id", btf_array(type)->type);
		put_number(sink, "index_type_id", btf_array(type)->index_type);
		put_number(sink, "nr_elems", btf_array(type)->nelems);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_DATASEC: put_aggregate(btf, type, sink); break;
	case BTF_KIND_FUNC_PROTO:
		put_number(sink, "ret_type_id", type->type);
		put_number(sink, "vlen", btf_vlen(type));
		put_parameters(btf, type, sink);
		break;
	case BTF_KIND_FWD:
		put_string(sink, "fwd_kind", btf_kflag(type) ? "union" : "struct");
		break;
	case BTF_KIND_FUNC:
		put_number(sink, "type_id", type->type);
		put_string(sink, "linkage", linkage_name(btf_vlen(type)));
		break;
	case BTF_KIND_VAR: put_variable(type, sink); break;
	case BTF_KIND_FLOAT: put_number(sink, "size", type->size); break;
	case BTF_KIND_DECL_TAG:
		put_number(sink, "type_id", type->type);
		put_number(sink, "component_idx", btf_decl_tag(type)->component_idx);
		break;
	default: put_number(sink, "type_id", type->type); break;
	}
}

static void put_type(const struct btf *btf, u32 id, struct sink *sink)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	const char *kind = kind_names[btf_kind(type)], *name = name_at(btf, type->name_off);
	struct output *output = sink->output;

	if (output->is_json) {
		json_object(&output->json, NULL);
		json_uint(&output->json, "id", id);
		json_string(&output->json, "kind", kind);
		json_string(&output->json, "name", name);
	} else {
		strbuf_addf(&output->text, "[%u] %s '%s'", id, kind, name);
	}
	put_details(btf, type, sink);
	if (output->is_json)
		json_object_end(&output->json);
	else
		strbuf_addc(&output->text, '\n');
}

static int dump_raw(const struct btf *btf, struct output *output)
{
	struct sink sink = {.output = output};

	output_begin(output, NULL);
	begin_elements(&sink, "types");
	for (u32 id = 1; id < btf__type_cnt(btf); id++)
		put_type(btf, id, &sink);
	end_elements(&sink);
	output_end(output);
	return 0;
}

/* The types as they stand in the file: libbpf completes those of an object that it opens. */
static int dump_file(struct session *session, bool as_c)
{
	struct btf *btf = btf__parse_elf(session->compiled ?: session->path, NULL);
	int code;

	if (!btf)
		return usage_error("%s: %s", session->path, strerror(errno));
	code = as_c ? dump_c(btf, &session->line->output)
		    : dump_raw(btf, &session->line->output);
	btf__free(btf);
	return code;
}

int cmd_btf_dump(struct command_line *line)
{
	const char *format = line->option[OPTION_format] ?: "raw";
	struct session session = {};
	int code;

	if (line->argument_count != 1)
		return usage_error("btf dump: expected one FILE");
	if (strcmp(format, "raw") && strcmp(format, "c"))
		return usage_error("--format %s: expected raw or c", format);
	code = session_open(&session, line, line->arguments[0]);
	if (!code && !bpf_object__btf(session.object))
		code = usage_error("%s: has no BTF (compile with clang -g)", session.path);
	if (!code)
		code = session_check_types(&session);
	if (!code)
		code = dump_file(&session, *format == 'c');
	session_close(&session);
	return code;
}
