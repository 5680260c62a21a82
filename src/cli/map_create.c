/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep map create`: one map, in bpftool's words; --dry-run says what it would take. */
#include "base/bytes.h"
#include "cli/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAP_TYPES 64

struct wanted {
	u32 type, key, value, entries, flags;
	const char *name, *pin;
};

static int parse_type(const char *text, u32 *out)
{
	for (u32 type = 1; type < MAP_TYPES; type++) {
		const char *name = libbpf_bpf_map_type_str(type);

		if (!name || strcmp(name, text))
			continue;
		*out = type;
		return 0;
	}
	return usage_error("map create: unknown type '%s' (skep feature lists them)", text);
}

static int parse_number(const char *word, const char *text, u32 *out)
{
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || number > UINT32_MAX)
		return usage_error("map create: %s %s: expected a number of 32 bits", word,
				   text);
	*out = (u32)number;
	return 0;
}

static int parse_pair(const char *word, const char *text, struct wanted *out)
{
	const struct {
		const char *word;
		u32 *to;
	} numbers[] = {{"key", &out->key},
		       {"value", &out->value},
		       {"entries", &out->entries},
		       {"flags", &out->flags}};

	if (!strcmp(word, "type"))
		return parse_type(text, &out->type);
	if (!strcmp(word, "name")) {
		out->name = text;
		return 0;
	}
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(word, numbers[i].word))
			return parse_number(word, text, numbers[i].to);
	return usage_error("map create: unknown word '%s': expected type, key, value, entries, "
			   "flags or name",
			   word);
}

static int parse(const struct command_line *line, struct wanted *out)
{
	int at = line->argument_count % 2, code = 0;

	*out = (struct wanted){.pin = at ? line->arguments[0] : NULL};
	for (; !code && at + 1 < line->argument_count; at += 2)
		code = parse_pair(line->arguments[at], line->arguments[at + 1], out);
	if (!code && !out->type)
		return usage_error("map create: expected %s", line->command->arguments);
	if (!code && !out->pin && !option_given(line, OPTION_dry_run))
		return usage_error("map create: expected PIN, or --dry-run");
	return code;
}

static int create(const struct session *session, const struct wanted *wanted)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = wanted->flags);
	const struct skep_error *err;
	int fd = bpf_map_create(wanted->type, wanted->name, wanted->key, wanted->value,
				wanted->entries, &opts);

	if (fd >= 0)
		return fd;
	err = skep_engine_error(session->engine);
	usage_error("map create: %s", err->code ? err->text : strerror(errno));
	return -1;
}

static void print(struct session *session, const struct wanted *wanted, int fd)
{
	struct output *output = &session->line->output;
	u64 bytes = session_map_bytes(session, fd);
	char size[BYTES_TEXT];

	output_list(output);
	output_begin(output, NULL);
	output_bare(output, "type", libbpf_bpf_map_type_str(wanted->type));
	if (!output->is_json)
		output_bare(output, "size", bytes_text(bytes, size));
	output_bytes(output, "memlock", "bytes_memlock", bytes);
	output_number(output, "slots", session->slots);
	output_end(output);
	output_list_end(output);
}

int cmd_map_create(struct command_line *line)
{
	struct session session = {};
	struct wanted wanted;
	int fd = -1, code = parse(line, &wanted);

	if (code)
		return code;
	code = session_target(&session, line);
	if (!code) {
		fd = create(&session, &wanted);
		code = fd < 0 ? EXIT_REJECTED : 0;
	}
	if (!code && option_given(line, OPTION_dry_run)) {
		print(&session, &wanted, fd);
	} else if (!code && bpf_obj_pin(fd, wanted.pin)) {
		usage_error("map create: %s: %s", wanted.pin,
			    skep_engine_error(session.engine)->text);
		code = EXIT_REJECTED;
	}
	if (fd >= 0)
		close(fd);
	session_close(&session);
	return code;
}
