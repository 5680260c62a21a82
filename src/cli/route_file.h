/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of routes (skep/route.h) as lines, which commands change one by one. */
#ifndef SKEP_CLI_ROUTE_FILE_H
#define SKEP_CLI_ROUTE_FILE_H

#include "cli/command.h"

#include <skep/skep.h>

#define ROUTE_WORDS 48

enum route_kind { KIND_ROUTE, KIND_NEIGHBOUR, KIND_ADDRESS, KIND_OTHER };

/* A row, its words and what it is known by. */
struct route_line {
	enum route_kind kind;
	char text[512]; /* the words, each ended */
	const char *words[ROUTE_WORDS];
	u32 count;
	const char *type;   /* of a route; NULL: unicast */
	const char *prefix; /* or address; NULL: none */
};

struct route_file {
	const char *path;
	char *text;   /* owned */
	char **lines; /* owned; into text, or added */
	u32 count;
	bool is_locked;
	int lock; /* its directory, while locked; owned */
};

/* The words of a line, or of arguments. False: they are too many. */
bool route_line_parse(struct route_line *line, const char *text);
bool route_line_of(struct route_line *line, enum route_kind kind, char *const *words,
		   int count);
/* The value behind a word; NULL: the word is not there. */
const char *route_line_value(const struct route_line *line, const char *word);
/* Whether both stand for one row: prefix, table, metric, type of service; address and device.
 */
bool route_line_is_same(const struct route_line *a, const struct route_line *b);
/* Whether the row is what was asked for: all words of `wanted` are in it. */
bool route_line_has(const struct route_line *row, const struct route_line *wanted);
void route_line_join(const struct route_line *line, char *out, size_t size);

/* A file that is not there is empty when `may_miss`. 0 or an exit code after a message. */
int route_file_read(struct route_file *file, const char *path, bool may_miss);
/* The same for who will write it: others who would wait until route_file_done(). */
int route_file_take(struct route_file *file, const char *path, bool may_miss);
int route_file_add(struct route_file *file, const char *line);
void route_file_remove(struct route_file *file, u32 at);
/* In one step: who reads meanwhile sees the old or the new one. */
int route_file_write(const struct route_file *file);
void route_file_done(struct route_file *file);

/* The rows of an engine that has no ports: devices without a row of their own get numbers, and
 * programs are left out. `extra`: one more line; only its devices with it when `alone`. */
char *route_file_text(const struct route_file *file, const char *extra, bool alone);
/* The name that a device's number has in the file; NULL: none. Freed by the caller. */
char *route_file_device(const struct route_file *file, u32 number);

#endif
