/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep prog`: the programs of an object, as bpftool shows and runs them. */
#include "cli/run_config.h"
#include "cli/session.h"
#include "cli/summary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <skep/inspect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PACKET_MAX (1 << 20)
/* The smallest packet that Linux's test run takes, and a common choice. */
#define DATA_DEFAULT 64

static int open_and_load(struct session *session, struct command_line *line, int arguments,
			 const char *usage)
{
	int code;

	if (line->argument_count != arguments)
		return usage_error("%s", usage);
	code = session_open(session, line, line->arguments[arguments - 1]);
	code = code ?: session_set_routes(session);
	if (!code)
		code = session_set_globals(session);
	if (!code)
		code = session_load(session);
	return code ?: session_set_entries(session);
}

static void tag_text(const __u8 *tag, char *out)
{
	for (int i = 0; i < BPF_TAG_SIZE; i++)
		sprintf(out + 2 * i, "%02x", tag[i]);
}

/* What the object says of the program's place among others at a port. */
static void print_run_config(struct output *output, const struct session *session,
			     const char *program)
{
	struct run_config config;

	if (!run_config_read(session, program, &config))
		return;
	output_line(output);
	output_number(output, "priority", config.priority);
	output_number(output, "proceed_on", config.proceed_on);
}

static void print_program(struct output *output, const struct session *session,
			  const struct bpf_prog_info *info, const char *section,
			  const u32 *maps)
{
	char tag[2 * BPF_TAG_SIZE + 1];

	tag_text(info->tag, tag);
	output_begin(output, NULL);
	output_number_bare(output, "id", info->id, ":");
	output_bare(output, "type", libbpf_bpf_prog_type_str(info->type) ?: "unknown");
	output_string(output, "name", info->name);
	output_string(output, "tag", tag);
	if (output->is_json)
		output_flag(output, "gpl_compatible", info->gpl_compatible);
	else
		output_flag(output, "gpl", info->gpl_compatible);
	output_string(output, "section", section);
	output_line(output);
	output_bytes(output, "xlated", "bytes_xlated", info->xlated_prog_len);
	if (output->is_json)
		output_flag(output, "jited", info->jited_prog_len);
	if (info->jited_prog_len)
		output_bytes(output, "jited", "bytes_jited", info->jited_prog_len);
	else if (!output->is_json)
		output_bare(output, "", "not jited");
	output_ids(output, "map_ids", maps, info->nr_map_ids);
	output_line(output);
	if (info->btf_id)
		output_number(output, "btf_id", info->btf_id);
	output_number(output, "verified_insns", info->verified_insns);
	if (info->type == BPF_PROG_TYPE_XDP)
		print_run_config(output, session, info->name);
	output_end(output);
}

static int show_program(struct output *output, const struct session *session,
			const struct bpf_program *program)
{
	u32 maps[64] = {}, size;
	struct bpf_prog_info info = {.nr_map_ids = ARRAY_SIZE(maps),
				     .map_ids = (u64)(uintptr_t)maps};

	size = sizeof(info);
	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return usage_error("%s: %s", bpf_program__name(program), strerror(errno));
	info.nr_map_ids = min(info.nr_map_ids, (u32)ARRAY_SIZE(maps));
	print_program(output, session, &info, bpf_program__section_name(program), maps);
	return 0;
}

int cmd_prog_show(struct command_line *line)
{
	struct bpf_program *program;
	struct session session = {};
	int code = open_and_load(&session, line, 1, "prog show: expected one FILE");

	if (!code) {
		output_list(&line->output);
		bpf_object__for_each_program (program, session.object)
			if (!code)
				code = show_program(&line->output, &session, program);
		output_list_end(&line->output);
	}
	session_close(&session);
	return code;
}

static struct bpf_program *chosen_program(struct session *session)
{
	const char *name = session->line->option[OPTION_program];
	struct bpf_program *program, *second;

	if (name) {
		program = session_program(session, name);
		if (!program)
			usage_error("%s: no program named '%s'", session->path, name);
		return program;
	}
	program = bpf_object__next_program(session->object, NULL);
	second = program ? bpf_object__next_program(session->object, program) : NULL;
	if (!program || second)
		usage_error(second ? "%s: several programs; choose one with --program"
				   : "%s: no program",
			    session->path);
	return second ? NULL : program;
}

int cmd_prog_dump(struct command_line *line)
{
	struct session session = {};
	struct bpf_program *program;
	char *text = NULL;
	int code;

	if (line->argument_count && strcmp(line->arguments[0], "xlated"))
		return usage_error("prog dump %s: expected xlated", line->arguments[0]);
	code = open_and_load(&session, line, 2, "prog dump: expected xlated FILE");
	program = code ? NULL : chosen_program(&session);
	if (!code && !program)
		code = EXIT_NO_VERDICT;
	if (!code && session.on_linux)
		code = usage_error("prog dump: for the kernel's programs use bpftool");
	if (!code && skep_prog_print(session.engine, bpf_program__fd(program), "insns", &text))
		code = usage_error("%s: nothing to print", bpf_program__name(program));
	if (!code) {
		output_begin(&line->output, NULL);
		output_text(&line->output, "insns", text);
		output_end(&line->output);
	}
	free(text);
	session_close(&session);
	return code;
}

/* --- running --- */

struct packet {
	u8 *data;
	u32 size;
};

static int read_packet(const char *path, struct packet *out)
{
	int fd = !strcmp(path, "-") ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return usage_error("%s: %s", path, strerror(errno));
	while ((got = read(fd, out->data + out->size, PACKET_MAX - out->size)) > 0)
		out->size += got;
	if (fd != STDIN_FILENO)
		close(fd);
	return got < 0 ? usage_error("%s: %s", path, strerror(errno)) : 0;
}

static int write_packet(const char *path, const u8 *data, u32 size)
{
	FILE *file = !strcmp(path, "-") ? stdout : fopen(path, "we");
	bool good;

	if (!file)
		return usage_error("%s: %s", path, strerror(errno));
	good = fwrite(data, 1, size, file) == size && !fflush(file);
	if (file != stdout)
		good = !fclose(file) && good;
	return good ? 0 : usage_error("%s: %s", path, strerror(errno));
}

static int parse_hex(const char *text, struct packet *out)
{
	const char *start = text;
	unsigned byte;

	for (; *text; text += 2) {
		while (*text == ' ' || *text == ':')
			text++;
		if (!*text)
			break;
		if (out->size == PACKET_MAX || strspn(text, "0123456789abcdefABCDEF") < 2)
			return usage_error(
				"--data: '%.20s' at character %zu: expected hex digits", text,
				(size_t)(text - start) + 1);
		sscanf(text, "%2x", &byte);
		out->data[out->size++] = byte;
	}
	return 0;
}

static int test_run(const struct bpf_program *program, const struct packet *in, u64 repeat,
		    struct bpf_test_run_opts *opts)
{
	int code;

	opts->data_in = in->size ? in->data : NULL;
	opts->data_size_in = in->size;
	opts->repeat = repeat;
	code = bpf_prog_test_run_opts(bpf_program__fd(program), opts);
	if (code)
		return usage_error(
			"%s: cannot be run on %u bytes: %s", bpf_program__name(program),
			in->size, code == -524 ? "this type has no test run" : strerror(-code));
	return 0;
}

static int print_run(struct session *session, const struct bpf_test_run_opts *opts, u64 repeat)
{
	const char *file = session->line->option[OPTION_data_out];
	struct output *output = &session->line->output;
	char text[96];

	output_begin(output, NULL);
	if (output->is_json) {
		output_number(output, "retval", opts->retval);
		output_number(output, "duration", opts->duration);
	} else {
		snprintf(text, sizeof(text), "Return value: %u, duration%s: %uns\n",
			 opts->retval, repeat > 1 ? " (average)" : "", opts->duration);
		output_text(output, "retval", text);
	}
	output_end(output);
	return file ? write_packet(file, opts->data_out, opts->data_size_out) : 0;
}

static int run_program(struct session *session, const struct packet *in, u8 *data_out)
{
	const struct bpf_program *program = chosen_program(session);
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	u64 repeat;
	int code = option_number(session->line, OPTION_repeat, 1, &repeat);

	if (!program || code)
		return EXIT_NO_VERDICT;
	if (repeat > INT_MAX)
		return usage_error("--repeat %llu: expected at most %d", repeat, INT_MAX);
	if (in->size) {
		opts.data_out = data_out;
		opts.data_size_out = PACKET_MAX;
	}
	code = test_run(program, in, repeat, &opts);
	return code ?: print_run(session, &opts, repeat);
}

int cmd_prog_run(struct command_line *line)
{
	struct packet in = {.data = calloc(2, PACKET_MAX)};
	const char *path = line->option[OPTION_data_in];
	struct session session = {};
	int code = in.data ? 0 : usage_error("out of memory");

	in.size = path ? 0 : DATA_DEFAULT;
	if (!code && path)
		code = read_packet(path, &in);
	if (code) {
		free(in.data);
		return code;
	}
	code = open_and_load(&session, line, 1, "prog run: expected one FILE");
	if (!code)
		code = run_program(&session, &in, in.data + PACKET_MAX);
	session_close(&session);
	free(in.data);
	return code;
}

static int run_hex(struct session *session, const struct packet *in)
{
	const struct bpf_program *program;
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	char text[32];
	int code;

	if (!session_has_prog_array(session) && !session_choose(session))
		return EXIT_NO_VERDICT;
	code = session_set_globals(session) ?: session_load(session);
	if (!code)
		code = session_set_entries(session);
	program = code ? NULL : chosen_program(session);
	if (!code)
		code = program ? test_run(program, in, 1, &opts) : EXIT_NO_VERDICT;
	if (code)
		return code;
	output_begin(&session->line->output, NULL);
	if (session->line->output.is_json) {
		output_number(&session->line->output, "retval", opts.retval);
	} else {
		snprintf(text, sizeof(text), "retval %u\n", opts.retval);
		output_text(&session->line->output, "retval", text);
	}
	output_end(&session->line->output);
	return 0;
}

int run_once(struct command_line *line)
{
	struct packet in = {.data = malloc(PACKET_MAX)};
	struct session session = {};
	int code = in.data ? parse_hex(line->option[OPTION_data], &in)
			   : usage_error("out of memory");

	if (!code) {
		code = session_open(&session, line, line->arguments[0]);
		code = code ?: session_set_routes(&session);
		if (!code)
			code = run_hex(&session, &in);
		session_close(&session);
	}
	free(in.data);
	return code;
}
