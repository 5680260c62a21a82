/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/route_file.h"
#include "base/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FILE_MAX_BYTES (64 << 20)
#define FIRST_NUMBER   1000 /* of devices that have no row */
#define NAMES_MAX      64

/* --- one line --- */
static const char *const types[] = {"unicast",	   "local",	"broadcast",
				    "anycast",	   "multicast", "blackhole",
				    "unreachable", "prohibit",	"throw"};

static bool is_type(const char *word)
{
	for (u32 i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(word, types[i]))
			return true;
	return false;
}

static enum route_kind kind_of(const char *word)
{
	if (!strcmp(word, "address"))
		return KIND_ADDRESS;
	if (!strcmp(word, "neighbour"))
		return KIND_NEIGHBOUR;
	return !strcmp(word, "device") || !strcmp(word, "rule") ? KIND_OTHER : KIND_ROUTE;
}

/* What the row is about, behind its first words. */
static void find_prefix(struct route_line *line)
{
	u32 at = 0;

	if (line->kind != KIND_ROUTE || (line->count && !strcmp(line->words[0], "route")))
		at = 1;
	if (line->kind == KIND_ROUTE && at < line->count && is_type(line->words[at]))
		line->type = line->words[at++];
	line->prefix = at < line->count && line->kind != KIND_OTHER ? line->words[at] : NULL;
}

bool route_line_parse(struct route_line *line, const char *text)
{
	char *rest, *word;

	*line = (struct route_line){.kind = KIND_OTHER};
	if (strlen(text) >= sizeof(line->text))
		return false;
	strcpy(line->text, text);
	for (word = strtok_r(line->text, " \t\r\n", &rest); word;
	     word = strtok_r(NULL, " \t\r\n", &rest)) {
		if (line->count == ROUTE_WORDS)
			return false;
		line->words[line->count++] = word;
	}
	if (!line->count || line->words[0][0] == '#')
		return true;
	line->kind = kind_of(line->words[0]);
	find_prefix(line);
	return true;
}

bool route_line_of(struct route_line *line, enum route_kind kind, char *const *words, int count)
{
	static const char *const first[] = {"", "neighbour ", "address ", ""};
	struct strbuf text;
	bool fits;

	strbuf_init(&text);
	strbuf_addf(&text, "%s", first[kind]);
	for (int i = 0; i < count; i++)
		strbuf_addf(&text, "%s%s", i ? " " : "", words[i]);
	fits = route_line_parse(line, strbuf_text(&text));
	strbuf_done(&text);
	return fits;
}

const char *route_line_value(const struct route_line *line, const char *word)
{
	for (u32 i = 0; i + 1 < line->count; i++)
		if (!strcmp(line->words[i], word))
			return line->words[i + 1];
	return NULL;
}

struct prefix {
	u8 family, bytes[16];
	u32 length;
};

/* False: it is none ("default" is, and of its gateway's family). */
static bool parse_prefix(const struct route_line *line, bool cut, struct prefix *out)
{
	const char *via = route_line_value(line, "via"), *slash;
	char text[64] = "";
	u32 bits;

	*out = (struct prefix){.family = AF_INET};
	if (!line->prefix)
		return false;
	if (!strcmp(line->prefix, "default")) {
		out->family = via && strchr(via, ':') ? AF_INET6 : AF_INET;
		return true;
	}
	slash = strchr(line->prefix, '/');
	strncat(text, line->prefix,
		min(slash ? (size_t)(slash - line->prefix) : 63, (size_t)63));
	out->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	bits = out->family == AF_INET ? 32 : 128;
	out->length = slash ? (u32)atoi(slash + 1) : bits;
	if (inet_pton(out->family, text, out->bytes) != 1)
		return false;
	for (u32 bit = out->length; cut && bit < bits; bit++)
		out->bytes[bit / 8] &= ~(0x80 >> bit % 8);
	return true;
}

static bool is_same_value(const struct route_line *a, const struct route_line *b,
			  const char *word, const char *otherwise)
{
	return !strcmp(route_line_value(a, word) ?: otherwise,
		       route_line_value(b, word) ?: otherwise);
}

static bool is_same_prefix(const struct route_line *a, const struct route_line *b)
{
	const bool is_route = a->kind == KIND_ROUTE;
	struct prefix x, y;

	return parse_prefix(a, is_route, &x) && parse_prefix(b, is_route, &y) &&
	       !memcmp(&x, &y, sizeof(x));
}

bool route_line_is_same(const struct route_line *a, const struct route_line *b)
{
	if (a->kind != b->kind || !is_same_prefix(a, b))
		return false;
	if (a->kind != KIND_ROUTE)
		return is_same_value(a, b, "dev", "");
	return is_same_value(a, b, "table", "main") && is_same_value(a, b, "metric", "0") &&
	       is_same_value(a, b, "tos", "0");
}

bool route_line_has(const struct route_line *row, const struct route_line *wanted)
{
	static const char *const names[] = {"via", "dev",    "metric", "table",
					    "tos", "lladdr", "src"};

	if (row->kind != wanted->kind || !is_same_prefix(row, wanted) ||
	    (wanted->type && strcmp(row->type ?: "unicast", wanted->type) != 0))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (route_line_value(wanted, names[i]) &&
		    !is_same_value(row, wanted, names[i], ""))
			return false;
	return true;
}

void route_line_join(const struct route_line *line, char *out, size_t size)
{
	size_t at = 0;

	*out = '\0';
	for (u32 i = 0; i < line->count && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s", i ? " " : "",
				       line->words[i]);
}

/* --- the file --- */
static int no_memory(void)
{
	return usage_error("out of memory");
}

int route_file_add(struct route_file *file, const char *line)
{
	char **more = realloc(file->lines, (file->count + 1) * sizeof(*more));

	if (!more)
		return no_memory();
	file->lines = more;
	more[file->count] = strdup(line);
	return more[file->count] ? file->count++, 0 : no_memory();
}

void route_file_remove(struct route_file *file, u32 at)
{
	free(file->lines[at]);
	file->count--;
	memmove(file->lines + at, file->lines + at + 1,
		(file->count - at) * sizeof(*file->lines));
}

int route_file_read(struct route_file *file, const char *path, bool may_miss)
{
	size_t size;
	char *rest;
	int code;

	*file = (struct route_file){.path = path};
	code = os_read_file(path, FILE_MAX_BYTES, &file->text, &size);
	if (code == -ENOENT && may_miss)
		return 0;
	if (code)
		return usage_error("--routes %s: %s", path, strerror(-code));
	for (rest = file->text; !code && *rest;) {
		char *end = strchr(rest, '\n');
		const bool is_last = !end;

		if (end)
			*end = '\0';
		code = route_file_add(file, rest);
		rest = is_last ? rest + strlen(rest) : end + 1;
	}
	return code;
}

/* The directory, for the file itself is another one after each change. */
static int lock_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0 && flock(fd, LOCK_EX)) {
		close(fd);
		fd = -1;
	}
	free(directory);
	return fd;
}

int route_file_take(struct route_file *file, const char *path, bool may_miss)
{
	const int lock = lock_directory(path);
	int code;

	*file = (struct route_file){.path = path};
	if (lock < 0)
		return usage_error("--routes %s: its directory cannot be locked: %s", path,
				   strerror(errno));
	code = route_file_read(file, path, may_miss);
	file->is_locked = true;
	file->lock = lock;
	return code;
}

static bool write_lines(const struct route_file *file, const char *path)
{
	FILE *out = fopen(path, "we");
	bool fits = out;

	for (u32 i = 0; fits && i < file->count; i++)
		fits = fprintf(out, "%s\n", file->lines[i]) >= 0;
	return out && !fclose(out) && fits;
}

int route_file_write(const struct route_file *file)
{
	char path[4096];
	int code;

	snprintf(path, sizeof(path), "%s.%d", file->path, (int)getpid());
	if (write_lines(file, path) && !rename(path, file->path))
		return 0;
	code = errno;
	unlink(path);
	return usage_error("--routes %s: it cannot be written: %s", file->path, strerror(code));
}

void route_file_done(struct route_file *file)
{
	for (u32 i = 0; i < file->count; i++)
		free(file->lines[i]);
	free(file->lines);
	free(file->text);
	if (file->is_locked)
		close(file->lock);
}

/* --- for an engine without ports --- */
struct names {
	const char *names[NAMES_MAX];
	struct route_line lines[NAMES_MAX]; /* where they are */
	u32 count;
};

static bool is_number(const char *word)
{
	return *word && !word[strspn(word, "0123456789")];
}

/* Devices that the file names by a row: no number is needed. */
static bool has_row(const struct route_file *file, const char *name)
{
	struct route_line line;
	bool found = false;

	for (u32 i = 0; i < file->count && !found; i++) {
		const char *value;

		if (!route_line_parse(&line, file->lines[i]) || line.kind != KIND_OTHER ||
		    !line.count || strcmp(line.words[0], "device") != 0)
			continue;
		value = route_line_value(&line, "name");
		found = value && !strcmp(value, name);
	}
	return found;
}

static void add_name(const struct route_file *file, struct names *names, const char *text)
{
	struct route_line *line = &names->lines[names->count];
	const char *name;

	if (names->count == NAMES_MAX || !route_line_parse(line, text))
		return;
	name = route_line_value(line, "dev") ?: route_line_value(line, "iif");
	if (!name || is_number(name) || has_row(file, name))
		return;
	for (u32 i = 0; i < names->count; i++)
		if (!strcmp(names->names[i], name))
			return;
	names->names[names->count++] = name;
}

/* Programs are not loaded here. */
static void add_without_programs(struct strbuf *out, const char *text)
{
	struct route_line line;
	bool is_encap = false;

	if (!route_line_parse(&line, text) || line.kind != KIND_ROUTE) {
		strbuf_addf(out, "%s\n", text);
		return;
	}
	for (u32 i = 0; i < line.count; i++) {
		const char *word = line.words[i];

		is_encap |= i && !strcmp(word, "bpf") && !strcmp(line.words[i - 1], "encap");
		if (is_encap && i + 1 < line.count &&
		    (!strcmp(word, "in") || !strcmp(word, "out") || !strcmp(word, "xmit")))
			i++;
		else
			strbuf_addf(out, "%s ", word);
	}
	strbuf_addf(out, "\n");
}

static struct names *find_names(const struct route_file *file, const char *extra)
{
	struct names *names = calloc(1, sizeof(*names));

	for (u32 i = 0; names && i < file->count; i++)
		add_name(file, names, file->lines[i]);
	if (names && extra)
		add_name(file, names, extra);
	return names;
}

static bool is_device_row(const char *text)
{
	return !strncmp(text + strspn(text, " \t"), "device", 6);
}

char *route_file_text(const struct route_file *file, const char *extra, bool alone)
{
	struct names *names = find_names(file, extra);
	struct strbuf out;
	char *text;

	if (!names)
		return NULL;
	strbuf_init(&out);
	for (u32 i = 0; i < names->count; i++)
		strbuf_addf(&out, "device %u name %s\n", FIRST_NUMBER + i, names->names[i]);
	for (u32 i = 0; i < file->count; i++)
		if (!alone || is_device_row(file->lines[i]))
			add_without_programs(&out, file->lines[i]);
	if (extra)
		add_without_programs(&out, extra);
	text = strdup(strbuf_text(&out));
	strbuf_done(&out);
	free(names);
	return text;
}

char *route_file_device(const struct route_file *file, u32 number)
{
	struct names *names = find_names(file, NULL);
	struct route_line line;
	char *found = NULL;

	if (names && number >= FIRST_NUMBER && number < FIRST_NUMBER + names->count)
		found = strdup(names->names[number - FIRST_NUMBER]);
	for (u32 i = 0; i < file->count && !found; i++)
		if (is_device_row(file->lines[i]) && route_line_parse(&line, file->lines[i]) &&
		    line.count > 1 && (u32)atoi(line.words[1]) == number &&
		    route_line_value(&line, "name"))
			found = strdup(route_line_value(&line, "name"));
	free(names);
	return found;
}
