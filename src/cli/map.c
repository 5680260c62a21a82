/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep map`: the maps of an object; keys and values are written and shown by their BTF types.
 */
#include "btf/parse.h"
#include "cli/listing.h"
#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_map(struct output *output, const struct bpf_map_info *info, u64 memlock)
{
	output_begin(output, NULL);
	output_number_bare(output, "id", info->id, ":");
	output_bare(output, "type", libbpf_bpf_map_type_str(info->type) ?: "unknown");
	output_string(output, "name", info->name);
	if (output->is_json) {
		output_number(output, "flags", info->map_flags);
	} else {
		char flags[32];

		snprintf(flags, sizeof(flags), "0x%x", info->map_flags);
		output_string(output, "flags", flags);
	}
	output_line(output);
	output_bytes(output, "key", "bytes_key", info->key_size);
	output_bytes(output, "value", "bytes_value", info->value_size);
	output_number(output, "max_entries", info->max_entries);
	if (memlock)
		output_bytes(output, "memlock", "bytes_memlock", memlock);
	if (info->btf_id) {
		output_line(output);
		output_number(output, "btf_id", info->btf_id);
	}
	output_end(output);
}

static int show_map(struct session *session, const struct bpf_map *map)
{
	struct bpf_map_info info = {};
	u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &size))
		return usage_error("%s: %s", bpf_map__name(map), strerror(errno));
	print_map(&session->line->output, &info, session_map_bytes(session, bpf_map__fd(map)));
	return 0;
}

/* The object of the first argument, loaded, after a check of how many arguments there are. */
static int open_map_command(struct session *session, struct command_line *line, int arguments)
{
	int code;

	if (line->argument_count != arguments)
		return usage_error("%s: expected %s", line->command->words,
				   line->command->arguments);
	code = session_open(session, line, line->arguments[0]);
	return code ?: session_load(session);
}

int cmd_map_show(struct command_line *line)
{
	struct session session = {};
	struct bpf_map *map;
	int code = open_map_command(&session, line, 1);

	if (!code) {
		output_list(&line->output);
		bpf_object__for_each_map (map, session.object)
			if (!code)
				code = show_map(&session, map);
		output_list_end(&line->output);
	}
	session_close(&session);
	return code;
}

struct map_access {
	struct session session;
	struct bpf_map *map;
	struct btf_view *types;
	void *key, *value;
	size_t key_size, value_size; /* value: as user space reads it */
};

static int access_open(struct map_access *access, struct command_line *line, int arguments)
{
	int code;

	*access = (struct map_access){};
	code = open_map_command(&access->session, line, arguments);
	if (code)
		return code;
	access->map = bpf_object__find_map_by_name(access->session.object, line->arguments[1]);
	if (!access->map)
		return usage_error("%s: no map named '%s'", access->session.path,
				   line->arguments[1]);
	access->types = session_types(&access->session);
	access->key_size = bpf_map__key_size(access->map);
	access->value_size =
		round_up(bpf_map__value_size(access->map), 8) * libbpf_num_possible_cpus();
	access->key = calloc(1, access->key_size + 1);
	access->value = calloc(1, access->value_size + 1);
	return access->key && access->value ? 0 : usage_error("out of memory");
}

static void access_close(struct map_access *access)
{
	free(access->key);
	free(access->value);
	btf_view_free(access->types);
	session_close(&access->session);
}

static int parse_typed(const struct map_access *access, u32 type, const char *text, void *out,
		       size_t size)
{
	struct skep_error err;

	if (!access->types || !type)
		return usage_error("%s: the map has no types (BTF) to read '%s' by",
				   bpf_map__name(access->map), text);
	if (btf_parse_value(access->types, type, &text, out, size, &err))
		return usage_error("%s", err.text);
	return *text ? usage_error("'%s' is left over", text) : 0;
}

static int parse_key(const struct map_access *access, const char *text)
{
	return parse_typed(access, bpf_map__btf_key_type_id(access->map), text, access->key,
			   access->key_size);
}

static void dump_json(const struct listing *listing, struct output *output, u32 top)
{
	u32 shown = top ? min(top, listing->count) : listing->count;

	output_list(output);
	for (u32 i = 0; i < shown; i++)
		listing_json_entry(listing, &listing->entries[i], &output->json);
	output_list_end(output);
}

static void dump_text(struct listing *listing, struct output *output, u32 top)
{
	output_begin(output, NULL);
	listing_print(listing, output, top);
	output_end(output);
}

static int dump(struct map_access *access)
{
	struct output *output = &access->session.line->output;
	struct listing listing;
	u64 top;
	int code = option_number(access->session.line, OPTION_top, 0, &top);

	if (code)
		return code;
	if (!listing_can_show(access->map))
		return usage_error("%s: maps of type %s have no entries to show",
				   bpf_map__name(access->map),
				   libbpf_bpf_map_type_str(bpf_map__type(access->map)));
	code = listing_read_map(&listing, access->map, access->types);
	if (code)
		return usage_error("%s: %s", bpf_map__name(access->map), strerror(-code));
	if (output->is_json)
		dump_json(&listing, output, top);
	else
		dump_text(&listing, output, top);
	listing_done(&listing);
	return 0;
}

int cmd_map_dump(struct command_line *line)
{
	struct map_access access;
	int code = access_open(&access, line, 2);

	if (!code)
		code = dump(&access);
	access_close(&access);
	return code;
}

static void print_line(const struct listing *listing, const u8 *value, struct output *output)
{
	struct strbuf text;

	strbuf_init(&text);
	if (listing->types && listing->value_type)
		btf_print_line(listing->types, listing->value_type, value, listing->value_size,
			       &text);
	else
		for (u32 i = 0; i < listing->value_size; i++)
			strbuf_addf(&text, i ? " %02x" : "%02x", value[i]);
	output_bare(output, "value", strbuf_text(&text));
	strbuf_done(&text);
}

static void print_value(const struct listing *listing, struct output *output)
{
	const u8 *value = listing->entries[0].value;

	for (u32 cpu = 0; cpu < max(listing->cpus, 1u); cpu++) {
		output_begin(output, NULL);
		if (listing->cpus)
			output_number(output, "cpu", cpu);
		print_line(listing, value + cpu * round_up(listing->value_size, 8), output);
		output_end(output);
	}
}

static void print_value_json(const struct listing *listing, struct output *output)
{
	json_init(&output->json, &output->text, output->is_pretty);
	listing_json_entry(listing, &listing->entries[0], &output->json);
	strbuf_addc(&output->text, '\n');
}

static int lookup(struct map_access *access)
{
	struct output *output = &access->session.line->output;
	struct listing listing;
	int code = listing_read_key(&listing, access->map, access->types, access->key);

	if (code) {
		usage_error("%s: %s", bpf_map__name(access->map),
			    code == -ENOENT ? "no such key" : strerror(-code));
		return EXIT_REJECTED;
	}
	if (output->is_json)
		print_value_json(&listing, output);
	else
		print_value(&listing, output);
	listing_done(&listing);
	return 0;
}

int cmd_map_lookup(struct command_line *line)
{
	struct map_access access;
	int code = access_open(&access, line, 3);

	if (!code)
		code = parse_key(&access, line->arguments[2]);
	if (!code)
		code = lookup(&access);
	access_close(&access);
	return code;
}

/* As bpftool does: the one value that was given becomes every CPU's. */
static void copy_to_cpus(struct map_access *access)
{
	size_t size = bpf_map__value_size(access->map), step = round_up(size, 8);
	u8 *value = access->value;

	for (size_t at = step; at < access->value_size; at += step)
		memcpy(value + at, value, size);
}

/* An update that the map refused; E2BIG means two things, and neither a long list. */
static void say_refused(const struct bpf_map *map, int error)
{
	if (error == E2BIG)
		usage_error("%s: no such index, or no room: max_entries is %u",
			    bpf_map__name(map), bpf_map__max_entries(map));
	else
		usage_error("%s: %s", bpf_map__name(map), strerror(error));
}

int cmd_map_update(struct command_line *line)
{
	struct map_access access;
	int code = access_open(&access, line, 4);

	if (!code)
		code = parse_key(&access, line->arguments[2]);
	if (!code)
		code = parse_typed(&access, bpf_map__btf_value_type_id(access.map),
				   line->arguments[3], access.value,
				   bpf_map__value_size(access.map));
	if (!code)
		copy_to_cpus(&access);
	if (!code &&
	    bpf_map_update_elem(bpf_map__fd(access.map), access.key, access.value, 0)) {
		say_refused(access.map, errno);
		code = EXIT_REJECTED;
	}
	if (!code)
		code = dump(&access);
	access_close(&access);
	return code;
}

int cmd_map_delete(struct command_line *line)
{
	struct map_access access;
	int code = access_open(&access, line, 3);

	if (!code)
		code = parse_key(&access, line->arguments[2]);
	if (!code && bpf_map_delete_elem(bpf_map__fd(access.map), access.key)) {
		usage_error("%s: %s", line->arguments[1],
			    errno == ENOENT ? "no such key" : strerror(errno));
		code = EXIT_REJECTED;
	}
	if (!code)
		code = dump(&access);
	access_close(&access);
	return code;
}
