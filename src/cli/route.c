/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `skep route`, `skep neigh`, `skep address`: rows in the file of routes, in the words of
 * ip(8). A running `skep run --forward --routes FILE` follows the file.
 */
#include "cli/route_file.h"
#include "cli/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <skep/forward.h>
#include <skep/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int file_path(const struct command_line *line, const char **path)
{
	*path = line->option[OPTION_routes];
	if (*path && strcmp(*path, "host") != 0)
		return 0;
	return usage_error("%s: --routes FILE is missing%s", line->command->words,
			   *path ? "; the host's routes are ip(8)'s" : "");
}

typedef int route_file_opener(struct route_file *file, const char *path, bool may_miss);

static int open_file(const struct command_line *line, route_file_opener *opener, bool may_miss,
		     struct route_file *out)
{
	const char *path;
	int code = file_path(line, &path);

	*out = (struct route_file){};
	return code ?: opener(out, path, may_miss);
}

/* What the engine says to the rows; its words without the line's number. */
static int check_text(const struct command_line *line, const char *text)
{
	struct skep_engine *engine = skep_engine_new(NULL, NULL);
	struct skep_error err = {};
	const char *says = err.text;
	int code = -ENOMEM;

	if (engine && text)
		code = skep_routes_set(engine, text, strlen(text), &err);
	skep_engine_free(engine);
	if (!strncmp(err.text, "routes, line ", 13) && strchr(err.text, ':'))
		says = strchr(err.text, ':') + 2;
	return code ? usage_error("%s: %s", line->command->words,
				  *says ? says : strerror(-code))
		    : 0;
}

static int check_row(const struct command_line *line, const struct route_file *file,
		     const char *row)
{
	char *text = route_file_text(file, row, true);
	const int code = check_text(line, text);

	free(text);
	return code;
}

static int read_row(struct command_line *line, enum route_kind kind, struct route_line *out)
{
	if (!line->argument_count)
		return usage_error("%s: expected %s", line->command->words,
				   line->command->arguments);
	if (!route_line_of(out, kind, line->arguments, line->argument_count))
		return usage_error("%s: more than %d words, or 511 bytes", line->command->words,
				   ROUTE_WORDS);
	if (out->kind == kind)
		return 0;
	return usage_error("%s: '%s': expected %s", line->command->words, out->words[0],
			   line->command->arguments);
}

static bool find_same(const struct route_file *file, const struct route_line *row, u32 *at)
{
	struct route_line line;

	for (*at = 0; *at < file->count; (*at)++)
		if (route_line_parse(&line, file->lines[*at]) && route_line_is_same(&line, row))
			return true;
	return false;
}

static int put_row(struct command_line *line, struct route_file *file,
		   const struct route_line *row, bool may_replace)
{
	char text[512];
	u32 at;
	int code;

	route_line_join(row, text, sizeof(text));
	code = check_row(line, file, text);
	if (code)
		return code;
	if (!find_same(file, row, &at))
		return route_file_add(file, text) ?: route_file_write(file);
	if (!may_replace) {
		usage_error("%s: '%s' is there already: '%s'", line->command->words,
			    row->prefix, file->lines[at]);
		return EXIT_REJECTED;
	}
	free(file->lines[at]);
	file->lines[at] = strdup(text);
	return file->lines[at] ? route_file_write(file) : usage_error("out of memory");
}

static int add(struct command_line *line, enum route_kind kind, bool may_replace)
{
	struct route_file file = {};
	struct route_line row;
	int code = read_row(line, kind, &row);

	code = code ?: open_file(line, route_file_take, true, &file);
	code = code ?: put_row(line, &file, &row, may_replace);
	route_file_done(&file);
	return code;
}

static int take_row(struct command_line *line, struct route_file *file,
		    const struct route_line *wanted)
{
	struct route_line row;

	for (u32 i = 0; i < file->count; i++) {
		if (!route_line_parse(&row, file->lines[i]) || !route_line_has(&row, wanted))
			continue;
		route_file_remove(file, i);
		return route_file_write(file);
	}
	usage_error("%s: '%s': there is none like it in %s", line->command->words,
		    wanted->prefix ?: wanted->words[0], file->path);
	return EXIT_REJECTED;
}

static int del(struct command_line *line, enum route_kind kind)
{
	struct route_file file = {};
	struct route_line row;
	int code = read_row(line, kind, &row);

	code = code ?: open_file(line, route_file_take, false, &file);
	code = code ?: take_row(line, &file, &row);
	route_file_done(&file);
	return code;
}

/* --- what there is --- */
static void print_row(struct output *output, const struct route_line *row)
{
	u32 at = 0;

	output_begin(output, NULL);
	while (at < row->count && row->words[at] != row->prefix)
		at++;
	if (row->type)
		output_bare(output, "type", row->type);
	output_bare(output, row->kind == KIND_ROUTE ? "dst" : "address", row->prefix);
	for (at++; at < row->count; at++) {
		const bool has_value = at + 1 < row->count && strcmp(row->words[at], "encap") &&
				       strcmp(row->words[at], "onlink");

		if (has_value)
			output_string(output, row->words[at], row->words[at + 1]);
		else
			output_flag(output, row->words[at], true);
		at += has_value;
		if (at < row->count && !strcmp(row->words[at], "bpf"))
			output_flag(output, "bpf", true);
	}
	output_end(output);
}

static int list(struct command_line *line, enum route_kind kind)
{
	struct route_file file = {};
	struct route_line row;
	int code = line->argument_count
			   ? usage_error("%s: takes no arguments", line->command->words)
			   : open_file(line, route_file_read, false, &file);

	if (!code)
		output_list(&line->output);
	for (u32 i = 0; !code && i < file.count; i++)
		if (route_line_parse(&row, file.lines[i]) && row.kind == kind && row.prefix)
			print_row(&line->output, &row);
	if (!code)
		output_list_end(&line->output);
	route_file_done(&file);
	return code;
}

/* --- which route --- */
static void print_ip(struct output *output, const char *name, int family, const u8 *bytes)
{
	static const u8 none[16];
	char text[INET6_ADDRSTRLEN];

	if (memcmp(bytes, none, family == AF_INET ? 4 : 16) != 0 &&
	    inet_ntop(family, bytes, text, sizeof(text)))
		output_string(output, name, text);
}

static void print_answer(struct output *output, const struct route_file *file,
			 const char *address, int family,
			 const struct skep_route_answer *answer)
{
	char *name = route_file_device(file, (u32)answer->ifindex);
	char number[16];

	snprintf(number, sizeof(number), "%d", answer->ifindex);
	output_begin(output, NULL);
	if (output->is_json || strcmp(answer->type, "unicast") != 0)
		output_bare(output, "type", answer->type);
	output_bare(output, "dst", address);
	if (answer->via_family)
		print_ip(output, "via", answer->via_family, answer->via);
	if (answer->ifindex)
		output_string(output, "dev", name ?: number);
	print_ip(output, "src", family, answer->source);
	if (answer->metric || output->is_json)
		output_number(output, "metric", answer->metric);
	if (output->is_json)
		output_number(output, "mtu", answer->mtu);
	output_end(output);
	free(name);
}

static int ask_engine(struct command_line *line, const struct route_file *file,
		      struct skep_engine *engine, const char *text)
{
	struct skep_route_answer answer = {.sz = sizeof(answer)};
	const char *address = line->arguments[0];
	const int family = strchr(address, ':') ? AF_INET6 : AF_INET;
	struct skep_error err = {};
	u8 bytes[16];
	int code;

	if (inet_pton(family, address, bytes) != 1)
		return usage_error("route get: '%s': expected an address", address);
	if (!engine || !text)
		return usage_error("out of memory");
	if (skep_routes_set(engine, text, strlen(text), &err))
		return usage_error("--routes %s: %s", file->path, err.text);
	code = skep_route_get(engine, family, bytes, &answer);
	if (code) {
		usage_error("route get: %s: %s", address,
			    code == -ENETUNREACH ? "no route" : "a rule refuses it");
		return EXIT_REJECTED;
	}
	print_answer(&line->output, file, address, family, &answer);
	return 0;
}

int cmd_route_get(struct command_line *line)
{
	struct skep_engine *engine;
	struct route_file file;
	char *text;
	int code;

	if (line->argument_count != 1)
		return usage_error("route get: expected ADDRESS");
	code = open_file(line, route_file_read, false, &file);
	if (!code) {
		engine = skep_engine_new(NULL, NULL);
		text = route_file_text(&file, NULL, false);
		code = ask_engine(line, &file, engine, text);
		skep_engine_free(engine);
		free(text);
	}
	route_file_done(&file);
	return code;
}

int cmd_route_add(struct command_line *line)
{
	return add(line, KIND_ROUTE, false);
}

int cmd_route_replace(struct command_line *line)
{
	return add(line, KIND_ROUTE, true);
}

int cmd_route_del(struct command_line *line)
{
	return del(line, KIND_ROUTE);
}

int cmd_route_list(struct command_line *line)
{
	return list(line, KIND_ROUTE);
}

int cmd_neigh_add(struct command_line *line)
{
	return add(line, KIND_NEIGHBOUR, false);
}

int cmd_neigh_del(struct command_line *line)
{
	return del(line, KIND_NEIGHBOUR);
}

int cmd_neigh_list(struct command_line *line)
{
	return list(line, KIND_NEIGHBOUR);
}

int cmd_address_add(struct command_line *line)
{
	return add(line, KIND_ADDRESS, false);
}

int cmd_address_del(struct command_line *line)
{
	return del(line, KIND_ADDRESS);
}

int cmd_address_list(struct command_line *line)
{
	return list(line, KIND_ADDRESS);
}
