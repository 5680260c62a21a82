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

static void print_feature(struct output *output, const char *kind, const char *name, int answer)
{
	output_begin(output, NULL);
	output_bare(output, "kind", kind);
	output_bare(output, "name", name);
	output_bare(output, "answer",
		    answer > 0	 ? "available"
		    : answer < 0 ? "unknown"
				 : "NOT available");
	output_end(output);
}

static void probe_prog_types(struct output *output)
{
	for (u32 type = 1; type < PROG_TYPES; type++) {
		const char *name = libbpf_bpf_prog_type_str(type);

		if (name)
			print_feature(output, "prog_type", name,
				      libbpf_probe_bpf_prog_type(type, NULL));
	}
}

static void probe_map_types(struct output *output)
{
	for (u32 type = 1; type < MAP_TYPES; type++) {
		const char *name = libbpf_bpf_map_type_str(type);

		if (name)
			print_feature(output, "map_type", name,
				      libbpf_probe_bpf_map_type(type, NULL));
	}
}

/* XDP has most of what matters on the packet path; the other types are in `skep feature -j`'s
 * rows too. */
static void probe_helpers(struct output *output, enum bpf_prog_type type)
{
	char name[96];

	for (u32 id = 1; id <= helper_last_id(); id++) {
		const struct helper_row *row = helper_row(id);

		if (!row)
			continue;
		snprintf(name, sizeof(name), "bpf_%s", row->name);
		print_feature(output, libbpf_bpf_prog_type_str(type), name,
			      libbpf_probe_bpf_helper(type, id, NULL));
	}
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
