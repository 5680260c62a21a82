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

static int dump_c(const struct btf *btf, struct output *output)
{
	struct btf_dump *dump;
	struct strbuf text;
	int code = 0;

	strbuf_init(&text);
	dump = btf_dump__new(btf, print_c, &text, NULL);
	if (!dump)
		return usage_error("%s", strerror(errno));
	for (u32 id = 1; !code && id < btf__type_cnt(btf); id++)
		code = btf_dump__dump_type(dump, id);
	btf_dump__free(dump);
	output_begin(output, NULL);
	output_text(output, "c", strbuf_text(&text));
	output_end(output);
	strbuf_done(&text);
	return code ? usage_error("%s", strerror(-code)) : 0;
}

static void print_members(const struct btf *btf, const struct btf_type *type,
			  struct strbuf *out)
{
	const struct btf_member *member = btf_members(type);

	for (u32 i = 0; i < btf_vlen(type); i++, member++)
		strbuf_addf(out, "\n\t'%s' type_id=%u bits_offset=%u",
			    btf__name_by_offset(btf, member->name_off), member->type,
			    btf_member_bit_offset(type, i));
}

static void print_parameters(const struct btf *btf, const struct btf_type *type,
			     struct strbuf *out)
{
	const struct btf_param *parameter = btf_params(type);

	for (u32 i = 0; i < btf_vlen(type); i++, parameter++)
		strbuf_addf(out, "\n\t'%s' type_id=%u",
			    *btf__name_by_offset(btf, parameter->name_off)
				    ? btf__name_by_offset(btf, parameter->name_off)
				    : "(anon)",
			    parameter->type);
}

static void print_enumerators(const struct btf *btf, const struct btf_type *type,
			      struct strbuf *out)
{
	for (u32 i = 0; i < btf_vlen(type); i++) {
		u32 name = btf_is_enum64(type) ? btf_enum64(type)[i].name_off
					       : btf_enum(type)[i].name_off;

		strbuf_addf(out, "\n\t'%s' val=%lld", btf__name_by_offset(btf, name),
			    btf_is_enum64(type) ? (s64)btf_enum64_value(&btf_enum64(type)[i])
						: (s64)btf_enum(type)[i].val);
	}
}

static void print_section(const struct btf *btf, const struct btf_type *type,
			  struct strbuf *out)
{
	const struct btf_var_secinfo *info = btf_var_secinfos(type);

	for (u32 i = 0; i < btf_vlen(type); i++, info++)
		strbuf_addf(out, "\n\ttype_id=%u offset=%u size=%u", info->type, info->offset,
			    info->size);
}

/* What stands behind "[ID] KIND 'name'". */
static void print_details(const struct btf *btf, const struct btf_type *type,
			  struct strbuf *out)
{
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		strbuf_addf(out, " size=%u bits_offset=%u nr_bits=%u encoding=%s", type->size,
			    btf_int_offset(type), btf_int_bits(type),
			    btf_int_encoding(type) & BTF_INT_SIGNED ? "SIGNED"
			    : btf_int_encoding(type) & BTF_INT_CHAR ? "CHAR"
			    : btf_int_encoding(type) & BTF_INT_BOOL ? "BOOL"
								    : "(none)");
		break;
	case BTF_KIND_ARRAY:
		strbuf_addf(out, " type_id=%u index_type_id=%u nr_elems=%u",
			    btf_array(type)->type, btf_array(type)->index_type,
			    btf_array(type)->nelems);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		strbuf_addf(out, " size=%u vlen=%u", type->size, btf_vlen(type));
		print_members(btf, type, out);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		strbuf_addf(out, " encoding=%s size=%u vlen=%u",
			    btf_kflag(type) ? "SIGNED" : "UNSIGNED", type->size,
			    btf_vlen(type));
		print_enumerators(btf, type, out);
		break;
	case BTF_KIND_FUNC_PROTO:
		strbuf_addf(out, " ret_type_id=%u vlen=%u", type->type, btf_vlen(type));
		print_parameters(btf, type, out);
		break;
	case BTF_KIND_DATASEC:
		strbuf_addf(out, " size=%u vlen=%u", type->size, btf_vlen(type));
		print_section(btf, type, out);
		break;
	case BTF_KIND_FWD:
		strbuf_addf(out, " fwd_kind=%s", btf_kflag(type) ? "union" : "struct");
		break;
	case BTF_KIND_FUNC:
	case BTF_KIND_VAR: {
		static const char *const linkage[] = {"static", "global", "extern"};
		u32 value = btf_kind(type) == BTF_KIND_FUNC ? btf_vlen(type)
							    : btf_var(type)->linkage;

		strbuf_addf(out, " type_id=%u%s linkage=%s", type->type,
			    btf_kind(type) == BTF_KIND_VAR ? "," : "",
			    value < ARRAY_SIZE(linkage) ? linkage[value] : "(unknown)");
		break;
	}
	case BTF_KIND_FLOAT: strbuf_addf(out, " size=%u", type->size); break;
	case BTF_KIND_DECL_TAG:
		strbuf_addf(out, " type_id=%u component_idx=%d", type->type,
			    btf_decl_tag(type)->component_idx);
		break;
	default: strbuf_addf(out, " type_id=%u", type->type); break;
	}
}

static int dump_raw(const struct btf *btf, struct output *output)
{
	struct strbuf text;

	output_list(output);
	for (u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);
		u32 kind = btf_kind(type);

		strbuf_init(&text);
		print_details(btf, type, &text);
		output_begin(output, NULL);
		if (output->is_json) {
			output_number(output, "id", id);
			output_string(output, "kind",
				      kind < ARRAY_SIZE(kind_names) ? kind_names[kind] : "?");
			output_string(output, "name", *name ? name : "(anon)");
			output_string(output, "details", strbuf_text(&text));
		} else {
			char head[256];

			snprintf(head, sizeof(head), "[%u] %s '%s'", id,
				 kind < ARRAY_SIZE(kind_names) ? kind_names[kind] : "?",
				 *name ? name : "(anon)");
			output_text(output, "", head);
			output_text(output, "", strbuf_text(&text));
		}
		output_end(output);
		strbuf_done(&text);
	}
	output_list_end(output);
	return 0;
}

int cmd_btf_dump(struct command_line *line)
{
	const char *format = line->option[OPTION_format] ?: "raw";
	struct session session = {};
	const struct btf *btf;
	int code;

	if (line->argument_count != 1)
		return usage_error("btf dump: expected one FILE");
	if (strcmp(format, "raw") && strcmp(format, "c"))
		return usage_error("--format %s: expected raw or c", format);
	code = session_open(&session, line, line->arguments[0]);
	btf = code ? NULL : bpf_object__btf(session.object);
	if (!code && !btf)
		code = usage_error("%s: has no BTF (compile with clang -g)", session.path);
	if (!code)
		code = *format == 'c' ? dump_c(btf, &line->output)
				      : dump_raw(btf, &line->output);
	session_close(&session);
	return code;
}
