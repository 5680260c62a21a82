/* SPDX-License-Identifier: BSD-2-Clause */
/* A command line, parsed by the rows of commands.def and options.def. */
#ifndef SKEP_CLI_COMMAND_H
#define SKEP_CLI_COMMAND_H

#include "base/types.h"
#include "cli/output.h"

/* Exit codes. */
enum {
	EXIT_OK = 0,
	EXIT_REJECTED = 1,   /* a program was rejected, or something asked for failed */
	EXIT_NO_VERDICT = 2, /* usage, unreadable, unsupported, environment */
};

enum option_id {
#define OPTION(id, ...) OPTION_##id,
#include "cli/options.def"
#undef OPTION
	OPTIONS,
};

#define SETTINGS_MAX 256

struct command;

struct command_line {
	const struct command *command;
	const char *option[OPTIONS]; /* the argument, "" for one without; NULL: not given */
	const char *settings[SETTINGS_MAX]; /* all --set */
	u32 setting_count;
	char **arguments;
	int argument_count;
	struct output output;
};

typedef int command_function(struct command_line *line);

struct command {
	const char *id, *words, *arguments, *help;
	command_function *run;
};

extern const struct command commands[];
extern const u32 command_count;

#define COMMAND(id, ...) command_function cmd_##id;
#include "cli/commands.def"
#undef COMMAND

struct option_row {
	const char *id, *name;
	char letter;
	const char *argument, *commands, *help;
};

extern const struct option_row option_rows[OPTIONS];
bool option_belongs(const struct option_row *option, const struct command *command);

/* The command that the words begin with, NULL when none; *words: how many it has. */
const struct command *command_find(int argc, char **argv, int *words);
/* 0, or EXIT_NO_VERDICT after a message. */
int command_parse(const struct command *command, int argc, char **argv,
		  struct command_line *out);

static inline bool option_given(const struct command_line *line, enum option_id id)
{
	return line->option[id] != NULL;
}

/* The number given, or `otherwise`; EXIT_NO_VERDICT after a message when it is none. */
int option_number(const struct command_line *line, enum option_id id, u64 otherwise, u64 *out);
/* The same with K, M, G or T behind it. */
int option_size(const struct command_line *line, enum option_id id, u64 *out);
/* Whether the comma-separated list has the word. */
bool list_has(const char *list, const char *word);
/* Seconds with a fraction, as nanoseconds. */
int option_seconds(const struct command_line *line, enum option_id id, u64 *out);

/* Prints "skep: ..." on stderr and returns EXIT_NO_VERDICT. */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_usage(void);
void print_command_usage(const struct command *command);

#endif
