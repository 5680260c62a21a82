/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep feature`: what a target can do, found out by asking it through libbpf's probes. */
#include "catalog/helper.h"
#include "cli/session.h"
#include "linux/rights.h"

#include <linux/capability.h>
#include <skep/skep.h>
#include <stdio.h>
#include <string.h>

#define PROG_TYPES 33
#define MAP_TYPES  34
#define LINE_WIDTH 80

/* A kind's rows: one line each in JSON; in text the names in columns, then how many. */
struct group {
	struct output *output;
	const char *kind;
	struct strbuf available, missing;
	u32 available_count, missing_count, unknown_count;
};

static void group_init(struct group *group, struct output *output, const char *kind)
{
	*group = (struct group){.output = output, .kind = kind};
	strbuf_init(&group->available);
	strbuf_init(&group->missing);
}

static const char *answer_text(int answer)
{
	return answer > 0 ? "available" : answer < 0 ? "unknown" : "NOT available";
}

static void add_name(struct strbuf *out, const char *name)
{
	const char *newline = out->length ? strrchr(out->text, '\n') : NULL;
	size_t column = newline ? strlen(newline) : out->length + 1;

	if (!out->length)
		strbuf_addf(out, "    %s", name);
	else if (column + strlen(name) + 1 > LINE_WIDTH)
		strbuf_addf(out, "\n    %s", name);
	else
		strbuf_addf(out, " %s", name);
}

static void group_add(struct group *group, const char *name, int answer)
{
	struct output *output = group->output;

	group->available_count += answer > 0;
	group->missing_count += answer == 0;
	group->unknown_count += answer < 0;
	if (!output->is_json) {
		add_name(answer > 0 ? &group->available : &group->missing, name);
		return;
	}
	output_begin(output, NULL);
	output_bare(output, "kind", group->kind);
	output_bare(output, "name", name);
	output_bare(output, "answer", answer_text(answer));
	output_end(output);
}

static void group_print(struct group *group, const char *title)
{
	struct strbuf text;

	if (!group->output->is_json) {
		strbuf_init(&text);
		strbuf_addf(&text, "%s: %u available, %u not", title, group->available_count,
			    group->missing_count);
		if (group->unknown_count)
			strbuf_addf(&text, ", %u unknown", group->unknown_count);
		if (group->available.length)
			strbuf_addf(&text, "\n  available:\n%s",
				    strbuf_text(&group->available));
		if (group->missing.length)
			strbuf_addf(&text, "\n  not available:\n%s",
				    strbuf_text(&group->missing));
		strbuf_adds(&text, "\n\n");
		output_begin(group->output, NULL);
		output_text(group->output, "", strbuf_text(&text));
		output_end(group->output);
		strbuf_done(&text);
	}
	strbuf_done(&group->available);
	strbuf_done(&group->missing);
}

static void probe_prog_types(struct output *output)
{
	struct group group;

	group_init(&group, output, "prog_type");
	for (u32 type = 1; type < PROG_TYPES; type++) {
		const char *name = libbpf_bpf_prog_type_str(type);

		if (name)
			group_add(&group, name, libbpf_probe_bpf_prog_type(type, NULL));
	}
	group_print(&group, "program types");
}

static void probe_map_types(struct output *output)
{
	struct group group;

	group_init(&group, output, "map_type");
	for (u32 type = 1; type < MAP_TYPES; type++) {
		const char *name = libbpf_bpf_map_type_str(type);

		if (name)
			group_add(&group, name, libbpf_probe_bpf_map_type(type, NULL));
	}
	group_print(&group, "map types");
}

static void probe_helpers(struct output *output, enum bpf_prog_type type)
{
	char name[96], title[96];
	struct group group;

	group_init(&group, output, libbpf_bpf_prog_type_str(type));
	for (u32 id = 1; id <= helper_last_id(); id++) {
		const struct helper_row *row = helper_row(id);

		if (!row)
			continue;
		snprintf(name, sizeof(name), "bpf_%s", row->name);
		group_add(&group, name, libbpf_probe_bpf_helper(type, id, NULL));
	}
	snprintf(title, sizeof(title), "helpers of %s", group.kind);
	group_print(&group, title);
}

int cmd_feature(struct command_line *line)
{
	static const enum bpf_prog_type types[] = {BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SCHED_CLS,
						   BPF_PROG_TYPE_SOCKET_FILTER};
	struct session session;
	int code;

	if (line->argument_count)
		return usage_error("feature: expected no argument");
	code = session_target(&session, line);
	if (!code && session.on_linux && !linux_has_capability(CAP_BPF) &&
	    !linux_has_capability(CAP_SYS_ADMIN))
		code = usage_error("feature: the kernel answers only with CAP_BPF");
	if (!code) {
		output_list(&line->output);
		probe_prog_types(&line->output);
		probe_map_types(&line->output);
		for (u32 i = 0; i < ARRAY_SIZE(types); i++)
			probe_helpers(&line->output, types[i]);
		output_list_end(&line->output);
	}
	session_close(&session);
	return code;
}

int cmd_version(struct command_line *line)
{
	output_begin(&line->output, NULL);
	if (line->output.is_json) {
		output_string(&line->output, "version", skep_version());
		output_string(&line->output, "libbpf_version", libbpf_version_string() + 1);
	} else {
		output_text(&line->output, "", "skep ");
		output_text(&line->output, "", skep_version());
		output_text(&line->output, "", "\nusing libbpf ");
		output_text(&line->output, "", libbpf_version_string());
	}
	output_end(&line->output);
	return EXIT_OK;
}
