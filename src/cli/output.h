/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command prints: the same calls give text in bpftool's manner or JSON. A record is a
 * set of named fields; in text it begins a line, output_line() begins the next one (indented),
 * and a field is "name value" unless it is bare. Events of a running program go through here
 * too, from several threads: output_begin() .. output_end() hold the lock.
 */
#ifndef SKEP_CLI_OUTPUT_H
#define SKEP_CLI_OUTPUT_H

#include "base/json.h"
#include "base/strbuf.h"
#include <pthread.h>

struct output {
	bool is_json, is_pretty;
	struct strbuf text; /* what is not yet printed */
	struct json json;
	bool at_line_start;
	bool in_list;
	bool on_terminal; /* stdout */
	int error;	  /* of the last write that failed */
	pthread_mutex_t lock;
};

void output_init(struct output *output, bool is_json, bool is_pretty);
/* Prints what is left. 0, or the negative errno of a write that failed. */
int output_done(struct output *output);

/* One record after another: a JSON array, or lines. */
void output_list(struct output *output);
void output_list_end(struct output *output);

/* A record of its own (a line of NDJSON) or of the list. `kind` names an event; NULL: none. */
void output_begin(struct output *output, const char *kind);
void output_end(struct output *output);

/* Text only: the next fields stand on a new, indented line. */
void output_line(struct output *output);
/* A field whose name is not printed in text. */
void output_bare(struct output *output, const char *name, const char *value);
void output_number_bare(struct output *output, const char *name, u64 value, const char *suffix);
void output_string(struct output *output, const char *name, const char *value);
void output_number(struct output *output, const char *name, u64 value);
/* A size: "name NB" in text, a number of another name in JSON, as bpftool has it. */
void output_bytes(struct output *output, const char *name, const char *json_name, u64 value);
/* JSON only: true or false; in text the name alone when true. */
void output_flag(struct output *output, const char *name, bool value);
/* Text that stands as it is: in JSON a string of that name. */
void output_text(struct output *output, const char *name, const char *value);
/* The lines of a text: "name one, two", an array of strings in JSON; nothing when it is empty. */
void output_lines(struct output *output, const char *name, const char *text);
void output_ids(struct output *output, const char *name, const u32 *ids, u32 count);

#endif
