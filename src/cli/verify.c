/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep verify` and `skep inspect`: what the verifier says and knows of a program. */
#include "base/bytes.h"
#include "catalog/uapi.h"
#include "cli/cost.h"
#include "cli/session.h"

#include <errno.h>
#include <skep/inspect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_LEVEL_MAX 7
#define COST_ROWS     20

static const struct {
	const char *name;
	u32 flag;
} load_flags[] = {
	{"strict-alignment", BPF_F_STRICT_ALIGNMENT},
	{"any-alignment", BPF_F_ANY_ALIGNMENT},
	{"rnd-hi32", BPF_F_TEST_RND_HI32},
	{"state-freq", BPF_F_TEST_STATE_FREQ},
	{"sleepable", BPF_F_SLEEPABLE},
	{"xdp-frags", BPF_F_XDP_HAS_FRAGS},
	{"reg-invariants", 1u << 7 /* BPF_F_TEST_REG_INVARIANTS, Linux 6.8 */},
};

static int parse_flag(const char *name, size_t length, u32 *flags)
{
	for (u32 i = 0; i < ARRAY_SIZE(load_flags); i++) {
		if (strlen(load_flags[i].name) != length ||
		    strncmp(load_flags[i].name, name, length))
			continue;
		*flags |= load_flags[i].flag;
		return 0;
	}
	return usage_error("--flags: unknown flag '%.*s': expected %s", (int)length, name,
			   option_rows[OPTION_flags].help);
}

static int parse_flags(const char *text, u32 *flags)
{
	size_t length;
	int code = 0;

	*flags = 0;
	for (; !code && text && *text; text += length + (text[length] == ',')) {
		length = strcspn(text, ",");
		code = parse_flag(text, length, flags);
	}
	return code;
}

static int set_flags(struct session *session)
{
	struct bpf_program *program;
	u32 flags;
	int code = parse_flags(session->line->option[OPTION_flags], &flags);

	if (code)
		return code;
	bpf_object__for_each_program (program, session->object)
		bpf_program__set_flags(program, bpf_program__flags(program) | flags);
	return 0;
}

static int set_log_level(struct session *session)
{
	struct bpf_program *program;
	u64 level;
	int code = option_number(session->line, OPTION_log_level, 0, &level);

	if (!code && level > LOG_LEVEL_MAX)
		code = usage_error("--log-level %llu: expected a sum of 1, 2 and 4", level);
	if (code)
		return code;
	/* Of Linux only the log tells what it took. */
	if (session->on_linux && option_given(session->line, OPTION_cost))
		level |= LOG_STATISTICS;
	bpf_object__for_each_program (program, session->object)
		bpf_program__set_log_level(program, level);
	return 0;
}

static int print_cost(struct session *session, const char *program)
{
	struct output *output = &session->line->output;
	const struct skep_explanation *explanation;
	u64 top;
	int code = option_number(session->line, OPTION_top, COST_ROWS, &top);

	if (code || !option_given(session->line, OPTION_cost))
		return code;
	explanation = explanations_find(&session->explanations, program);
	if (output->is_json)
		json_object(&output->json, "cost");
	if (explanation)
		cost_print(explanation, top, output);
	else
		cost_print_log(strbuf_text(&session->log), program, output);
	if (output->is_json)
		json_object_end(&output->json);
	return 0;
}

/* A verdict is what Linux would say; whether skep can run the program is another matter. */
static void print_lacks(struct session *session, const struct bpf_program *program)
{
	struct output *output = &session->line->output;
	char *lacks;

	if (session->on_linux ||
	    skep_prog_lacks(session->engine, bpf_program__fd(program), &lacks))
		return;
	if (*lacks)
		output_line(output);
	output_lines(output, output->is_json ? "lacks" : "skep cannot run it yet: no", lacks);
	free(lacks);
}

/* What the maps of the object take. A verify-only engine makes them, too, and touches nothing
 * of their memory. */
static u64 maps_bytes(const struct session *session)
{
	const struct bpf_map *map;
	u64 bytes = 0;

	bpf_object__for_each_map (map, session->object)
		if (bpf_map__fd(map) >= 0)
			bytes += session_map_bytes(session, bpf_map__fd(map));
	return bytes;
}

static void print_maps_json(const struct session *session)
{
	struct json *json = &session->line->output.json;

	json_object(json, "maps");
	json_uint(json, "slots", session->slots);
	json_uint(json, "bytes", maps_bytes(session));
	json_object_end(json);
}

static void print_maps(const struct session *session)
{
	struct output *output = &session->line->output;
	char size[BYTES_TEXT], text[64];

	output_begin(output, NULL);
	snprintf(text, sizeof(text), "maps on %u slots: %s", session->slots,
		 bytes_text(maps_bytes(session), size));
	output_bare(output, "maps", text);
	output_end(output);
}

static bool has_maps(const struct session *session)
{
	return !session->on_linux && bpf_object__next_map(session->object, NULL);
}

static void print_accepted(struct session *session)
{
	struct output *output = &session->line->output;
	struct bpf_program *program;

	output_list(output);
	bpf_object__for_each_program (program, session->object) {
		if (!bpf_program__autoload(program))
			continue;
		output_begin(output, NULL);
		output_bare(output, "verdict", "accepted");
		output_string(output, "name", bpf_program__name(program));
		output_string(output, "section", bpf_program__section_name(program));
		output_number(output, "insns", bpf_program__insn_cnt(program));
		print_lacks(session, program);
		print_cost(session, bpf_program__name(program));
		if (output->is_json && has_maps(session))
			print_maps_json(session);
		output_end(output);
	}
	if (!output->is_json && has_maps(session))
		print_maps(session);
	output_list_end(output);
}

/* A verdict leaves nothing behind: LIBBPF_PIN_BY_NAME is for those who load. */
static void drop_pins(struct session *session)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, session->object)
		bpf_map__set_pin_path(map, NULL);
}

static int verify_object(struct session *session)
{
	int code = 0;

	if (!session_choose(session))
		return EXIT_NO_VERDICT;
	drop_pins(session);
	code = freplace_prove_target(session) ?: set_flags(session);
	if (!code)
		code = set_log_level(session);
	return code ?: session_load(session);
}

/* The reason was printed on stderr; in JSON it is a record, too. */
static void print_rejected(struct session *session)
{
	struct output *output = &session->line->output;
	const char *name = session->rejection.program;

	if (!output->is_json && !option_given(session->line, OPTION_cost))
		return;
	output_list(output);
	output_begin(output, NULL);
	if (output->is_json) {
		rejection_print_json(&session->rejection, output);
	} else {
		output_bare(output, "verdict", "rejected");
		output_string(output, "name", name);
	}
	print_cost(session, name);
	output_end(output);
	output_list_end(output);
}

int cmd_verify(struct command_line *line)
{
	struct session session;
	int code;

	if (line->argument_count != 1)
		return usage_error("verify: expected one FILE");
	code = session_open(&session, line, line->arguments[0]);
	if (!code)
		code = verify_object(&session);
	if (option_given(line, OPTION_log_level))
		rejection_print_logs(strbuf_text(&session.log),
				     line->output.is_json || code ? stderr : stdout);
	if (!code)
		print_accepted(&session);
	else if (code == EXIT_REJECTED)
		print_rejected(&session);
	session_close(&session);
	return code;
}

static int inspect_program(struct session *session, const struct bpf_program *program)
{
	const char *stage = session->line->option[OPTION_stage] ?: "insns";
	struct output *output = &session->line->output;
	char *text;
	int code = skep_prog_print(session->engine, bpf_program__fd(program), stage, &text);

	if (code)
		return usage_error("--stage %s: expected insns, cfg, facts, ir or ir:PASS",
				   stage);
	output_begin(output, NULL);
	if (!output->is_json)
		output_text(output, "name", bpf_program__name(program));
	else
		output_string(output, "name", bpf_program__name(program));
	if (!output->is_json)
		output_text(output, "", ":\n");
	output_text(output, stage, text);
	output_end(output);
	free(text);
	return 0;
}

static void load_all(struct session *session)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, session->object)
		bpf_program__set_autoload(program, true);
}

int cmd_inspect(struct command_line *line)
{
	struct bpf_program *program;
	struct session session;
	int code;

	if (line->argument_count != 1)
		return usage_error("inspect: expected one FILE");
	code = session_open(&session, line, line->arguments[0]);
	if (!code && session.on_linux)
		code = usage_error("inspect: only the skep target has stages");
	if (!code && !session_choose(&session))
		code = EXIT_NO_VERDICT;
	if (!code && session_has_prog_array(&session))
		load_all(&session);
	if (!code)
		code = set_flags(&session);
	if (!code)
		code = session_load(&session);
	if (!code)
		output_list(&line->output);
	if (!code)
		bpf_object__for_each_program (program, session.object)
			if (!code && session_is_chosen(&session, program))
				code = inspect_program(&session, program);
	if (!code)
		output_list_end(&line->output);
	session_close(&session);
	return code;
}
