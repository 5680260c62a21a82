/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a program test: head lines, then assembler text. */
#include "base/error.h"
#include "base/os.h"
#include "catalog/map_type.h"
#include "catalog/prog.h"
#include "program_test.h"

#include <errno.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT (1u << 20)

struct reader {
	struct program_test *test;
	struct skep_error *err;
	const char *path;
	u32 line;
	bool has_linux;
};

static int reject(struct reader *reader, const char *wanted, const char *found)
{
	error_set(reader->err, SKEP_STAGE_CALL, -EINVAL, "expected %s, found '%s'", wanted,
		  found);
	error_where(reader->err, "%s, line %u", reader->path, reader->line);
	return -EINVAL;
}

/* Cuts the next word off; "" at the end. */
static char *next_word(char **text)
{
	char *start = *text + strspn(*text, " \t");
	char *end = start + strcspn(start, " \t");

	*text = end + (*end != '\0');
	*end = '\0';
	return start;
}

static int read_number(struct reader *reader, const char *text, u64 *out)
{
	char *end;

	errno = 0;
	*out = *text == '-' ? (u64)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	if (errno || end == text || *end)
		return reject(reader, "a number", text);
	return 0;
}

static int read_u32(struct reader *reader, char **text, u32 *out)
{
	u64 number;
	int error = read_number(reader, next_word(text), &number);

	*out = (u32)number;
	return error;
}

/* --- bytes --- */

static int add_hex(struct reader *reader, const char *word, struct strbuf *out)
{
	size_t length = strlen(word);

	if (length % 2 || strspn(word, "0123456789abcdefABCDEF") != length)
		return reject(reader, "hex digits in pairs or NUMBER:SIZE", word);
	for (; *word; word += 2) {
		char digits[] = {word[0], word[1], '\0'};

		strbuf_addc(out, (char)strtoul(digits, NULL, 16));
	}
	return 0;
}

static int add_sized_number(struct reader *reader, char *word, struct strbuf *out)
{
	char *colon = strchr(word, ':');
	u64 number, size;
	int error;

	*colon = '\0';
	error = read_number(reader, word, &number);
	if (!error)
		error = read_number(reader, colon + 1, &size);
	if (error)
		return error;
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return reject(reader, "a size of 1, 2, 4 or 8", colon + 1);
	strbuf_add(out, (const char *)&number, size);
	return 0;
}

static int read_word_bytes(struct reader *reader, char *word, struct strbuf *out)
{
	return strchr(word, ':') ? add_sized_number(reader, word, out)
				 : add_hex(reader, word, out);
}

static int keep_bytes(struct reader *reader, struct strbuf *buf, struct bytes *out)
{
	out->data = arena_copy(&reader->test->arena, strbuf_text(buf), buf->length);
	out->size = buf->length;
	out->given = true;
	return out->data && !buf->failed ? 0 : -ENOMEM;
}

static int read_bytes(struct reader *reader, char *text, struct bytes *out)
{
	struct strbuf buf;
	int error = 0;

	strbuf_init(&buf);
	for (char *word; !error && *(word = next_word(&text));)
		error = read_word_bytes(reader, word, &buf);
	if (!error)
		error = keep_bytes(reader, &buf, out);
	strbuf_done(&buf);
	return error;
}

/* --- keys --- */

static int read_text(struct reader *reader, char *value, const char **out)
{
	*out = arena_string(&reader->test->arena, value);
	return *out ? 0 : -ENOMEM;
}

static int read_covers(struct reader *reader, char *value)
{
	return read_text(reader, value, &reader->test->covers);
}

static int read_license(struct reader *reader, char *value)
{
	return read_text(reader, value, &reader->test->license);
}

static int read_reason(struct reader *reader, char *value)
{
	return read_text(reader, value, &reader->test->reason);
}

static int read_message(struct reader *reader, char *value)
{
	return read_text(reader, value, &reader->test->message);
}

static int read_type(struct reader *reader, char *value)
{
	const struct prog_row *row = prog_row_by_name(value);

	if (!row)
		return reject(reader, "a program type", value);
	reader->test->type = row->type;
	return 0;
}

static int read_attach(struct reader *reader, char *value)
{
	const struct attach_row *row = attach_row_by_name(value);

	if (!row)
		return reject(reader, "an attach type", value);
	reader->test->attach_type = row->type;
	return 0;
}

static int read_flags(struct reader *reader, char *value)
{
	static const struct {
		const char *name;
		u32 flag;
	} flags[] = {
		{"strict-alignment", BPF_F_STRICT_ALIGNMENT},
		{"any-alignment", BPF_F_ANY_ALIGNMENT},
		{"state-freq", BPF_F_TEST_STATE_FREQ},
		{"sleepable", BPF_F_SLEEPABLE},
		{"rnd-hi32", BPF_F_TEST_RND_HI32},
		{"xdp-frags", BPF_F_XDP_HAS_FRAGS},
	};

	for (char *word; *(word = next_word(&value));) {
		u32 i = 0;

		while (i < ARRAY_SIZE(flags) && strcmp(word, flags[i].name))
			i++;
		if (i == ARRAY_SIZE(flags))
			return reject(reader, "a flag of the README", word);
		reader->test->flags |= flags[i].flag;
	}
	return 0;
}

static int read_rights(struct reader *reader, char *value)
{
	static const struct {
		const char *name;
		u32 right;
	} rights[] = {
		{"none", 0},
		{"bpf", SKEP_RIGHT_BPF},
		{"perfmon", SKEP_RIGHT_PERFMON},
		{"net-admin", SKEP_RIGHT_NET_ADMIN},
	};

	reader->test->rights = 0;
	for (char *word; *(word = next_word(&value));) {
		u32 i = 0;

		while (i < ARRAY_SIZE(rights) && strcmp(word, rights[i].name))
			i++;
		if (i == ARRAY_SIZE(rights))
			return reject(reader, "a right of the README", word);
		reader->test->rights |= rights[i].right;
	}
	return 0;
}

static int read_verdict_word(struct reader *reader, const char *word, bool *accepted)
{
	*accepted = !strcmp(word, "accept");
	if (!*accepted && strcmp(word, "reject"))
		return reject(reader, "accept or reject", word);
	return 0;
}

static int read_verdict(struct reader *reader, char *value)
{
	int error = read_verdict_word(reader, value, &reader->test->accepted);

	if (!reader->has_linux)
		reader->test->accepted_by_linux = reader->test->accepted;
	return error;
}

static int read_linux(struct reader *reader, char *value)
{
	reader->has_linux = true;
	return read_verdict_word(reader, value, &reader->test->accepted_by_linux);
}

static int read_map_size(struct reader *reader, char *name, char **value, struct test_map *map)
{
	if (!strcmp(name, "key"))
		return read_u32(reader, value, &map->key_size);
	if (!strcmp(name, "value"))
		return read_u32(reader, value, &map->value_size);
	if (!strcmp(name, "entries"))
		return read_u32(reader, value, &map->entries);
	if (!strcmp(name, "flags"))
		return read_u32(reader, value, &map->flags);
	return reject(reader, "key, value, entries or flags", name);
}

static int read_map(struct reader *reader, char *value)
{
	struct program_test *test = reader->test;
	char *name = next_word(&value);
	const struct map_type_row *row = map_type_row_by_name(name);
	struct test_map *map = &test->maps[test->map_cnt];
	int error = 0;

	if (!row)
		return reject(reader, "a map type", name);
	if (test->map_cnt == TEST_MAPS)
		return reject(reader, "at most 8 maps", name);
	map->type = row->type;
	for (char *word; !error && *(word = next_word(&value));)
		error = read_map_size(reader, word, &value, map);
	test->map_cnt++;
	return error;
}

/* MAP KEY VALUE */
static int read_element(struct reader *reader, char *value)
{
	struct test_element *element = arena_alloc(&reader->test->arena, sizeof(*element));
	struct test_map *map;
	u32 number;
	int error = read_u32(reader, &value, &number);

	if (error || !element)
		return error ? error : -ENOMEM;
	if (number >= reader->test->map_cnt)
		return reject(reader, "the number of a map above", value);
	map = &reader->test->maps[number];
	error = read_bytes(reader, next_word(&value), &element->key);
	if (!error)
		error = read_bytes(reader, next_word(&value), &element->value);
	if (!error &&
	    (element->key.size != map->key_size || element->value.size < map->value_size))
		return reject(reader, "a key and a value of the map's sizes", "others");
	element->next = map->elements;
	map->elements = element;
	return error;
}

/* The run that `ctx`, `out` and `result` belong to; a test without `data` has one. */
static struct test_run *current_run(struct reader *reader)
{
	struct program_test *test = reader->test;

	if (!test->run_cnt)
		test->run_cnt = 1;
	return &test->runs[test->run_cnt - 1];
}

static int read_data(struct reader *reader, char *value)
{
	if (reader->test->run_cnt == TEST_RUNS)
		return reject(reader, "at most 64 runs", value);
	reader->test->run_cnt++;
	return read_bytes(reader, value, &current_run(reader)->data);
}

static int read_ctx(struct reader *reader, char *value)
{
	return read_bytes(reader, value, &current_run(reader)->ctx);
}

static int read_out(struct reader *reader, char *value)
{
	return read_bytes(reader, value, &current_run(reader)->out);
}

static int read_result(struct reader *reader, char *value)
{
	struct test_run *run = current_run(reader);

	run->has_result = true;
	return read_u32(reader, &value, &run->result);
}

static const struct {
	const char *name;
	int (*read)(struct reader *reader, char *value);
} keys[] = {
	{"attach", read_attach},   {"covers", read_covers},   {"ctx", read_ctx},
	{"data", read_data},	   {"element", read_element}, {"flags", read_flags},
	{"license", read_license}, {"linux", read_linux},     {"map", read_map},
	{"message", read_message}, {"out", read_out},	      {"reason", read_reason},
	{"result", read_result},   {"rights", read_rights},   {"type", read_type},
	{"verdict", read_verdict},
};

static int read_key(struct reader *reader, char *line)
{
	char *colon = strchr(line, ':'), *value;

	if (!colon)
		return reject(reader, "'key: value' or '---'", line);
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	for (u32 i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(line, keys[i].name))
			return keys[i].read(reader, value);
	return reject(reader, "a key of the README", line);
}

/* --- the file --- */

/* Reads up to "---"; *text is left behind it. */
static int read_head(struct reader *reader, char **text)
{
	int error = 0;

	while (**text && !error) {
		char *line = *text, *end = line + strcspn(line, "\n");

		*text = end + (*end != '\0');
		*end = '\0';
		reader->line++;
		if (!strcmp(line, "---"))
			return 0;
		if (reader->line == 1 && *line == '#')
			error = read_text(reader, line + 1 + strspn(line + 1, " "),
					  &reader->test->title);
		else if (*line && *line != '#')
			error = read_key(reader, line);
	}
	return error ? error
		     : reject(reader, "'---' before the program", "the end of the file");
}

static int read_program(struct reader *reader, const char *text)
{
	struct program_test *test = reader->test;
	u32 line = 0;
	int error = insns_assemble(text, &test->insns, &test->insn_cnt, reader->err);

	if (error && reader->err && sscanf(reader->err->where, "line %u", &line) == 1)
		error_where(reader->err, "%s, line %u", reader->path, reader->line + line);
	return error;
}

int program_test_read(const char *path, struct program_test *out, struct skep_error *err)
{
	struct reader reader = {.test = out, .err = err, .path = path};
	char *text, *rest;
	size_t size;
	int error;

	*out = (struct program_test){.type = BPF_PROG_TYPE_SOCKET_FILTER,
				     .license = "GPL",
				     .rights = SKEP_RIGHTS_ALL,
				     .accepted = true,
				     .accepted_by_linux = true};
	arena_init(&out->arena);
	error = os_read_file(path, FILE_LIMIT, &text, &size);
	if (error)
		return error_set(err, SKEP_STAGE_CALL, error, "%s: %s", path, strerror(-error));
	rest = text;
	error = read_head(&reader, &rest);
	if (!error)
		error = read_program(&reader, rest);
	free(text);
	return error;
}

void program_test_done(struct program_test *test)
{
	free(test->insns);
	arena_done(&test->arena);
}
