/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/command.h"
#include "base/bytes.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_WIDTH   32
#define SCREEN_WIDTH 80

const struct command commands[] = {
#define COMMAND(id, words, arguments, help) {#id, words, arguments, help, cmd_##id},
#include "cli/commands.def"
#undef COMMAND
};
const u32 command_count = ARRAY_SIZE(commands);

const struct option_row option_rows[OPTIONS] = {
#define OPTION(id, name, letter, argument, commands, help) \
	{#id, name, letter, argument, commands, help},
#include "cli/options.def"
#undef OPTION
};

int usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("skep: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return EXIT_NO_VERDICT;
}

bool option_belongs(const struct option_row *option, const struct command *command)
{
	size_t length = strlen(command->id);
	const char *at = option->commands;

	if (!strcmp(at, "*"))
		return true;
	for (; at; at = strchr(at, ' '), at = at ? at + 1 : NULL)
		if (!strncmp(at, command->id, length) && (at[length] == ' ' || !at[length]))
			return true;
	return false;
}

/* How many of the arguments are the command's words; 0: they differ. */
static int match_words(const struct command *command, int argc, char **argv)
{
	const char *at = command->words;
	int count = 0;

	while (*at) {
		size_t length = strcspn(at, " ");

		if (count == argc || strlen(argv[count]) != length ||
		    strncmp(argv[count], at, length))
			return 0;
		count++;
		at += length + (at[length] == ' ');
	}
	return count;
}

const struct command *command_find(int argc, char **argv, int *words)
{
	for (u32 i = 0; i < command_count; i++) {
		*words = match_words(&commands[i], argc, argv);
		if (*words)
			return &commands[i];
	}
	return NULL;
}

/* getopt's tables for one command. */
static void option_tables(const struct command *command, struct option *longs, char *letters)
{
	u32 count = 0;

	*letters++ = ':';
	for (u32 i = 0; i < OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];

		if (!option_belongs(row, command))
			continue;
		longs[count++] = (struct option){
			.name = row->name,
			.has_arg = row->argument ? required_argument : no_argument,
			.val = 256 + i,
		};
		if (!row->letter)
			continue;
		*letters++ = row->letter;
		if (row->argument)
			*letters++ = ':';
	}
	longs[count] = (struct option){};
	*letters = '\0';
}

static int option_of_letter(int letter)
{
	for (u32 i = 0; i < OPTIONS; i++)
		if (option_rows[i].letter == letter)
			return i;
	return -1;
}

static int take_option(struct command_line *out, int id)
{
	out->option[id] = option_rows[id].argument ? optarg : "";
	if (id != OPTION_set)
		return 0;
	if (out->setting_count == SETTINGS_MAX)
		return usage_error("more than %d times --set", SETTINGS_MAX);
	out->settings[out->setting_count++] = optarg;
	return 0;
}

int command_parse(const struct command *command, int argc, char **argv,
		  struct command_line *out)
{
	struct option longs[OPTIONS + 1];
	char letters[2 * OPTIONS + 2];
	int got, code = 0;

	*out = (struct command_line){.command = command};
	option_tables(command, longs, letters);
	optind = 1;
	opterr = 0;
	while (!code && (got = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (got == '?')
			return usage_error("%s: unknown option '%s' (see skep %s --help)",
					   command->words, argv[optind - 1], command->words);
		if (got == ':')
			return usage_error("%s: option '%s' needs an argument", command->words,
					   argv[optind - 1]);
		code = take_option(out, got >= 256 ? got - 256 : option_of_letter(got));
	}
	out->arguments = argv + optind;
	out->argument_count = argc - optind;
	return code;
}

int option_number(const struct command_line *line, enum option_id id, u64 otherwise, u64 *out)
{
	const char *text = line->option[id];
	char *end;

	*out = otherwise;
	if (!text)
		return 0;
	errno = 0;
	*out = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-')
		return usage_error("--%s %s: expected a number", option_rows[id].name, text);
	return 0;
}

int option_size(const struct command_line *line, enum option_id id, u64 *out)
{
	const char *text = line->option[id];

	*out = 0;
	if (!text || bytes_parse(text, out))
		return 0;
	return usage_error("--%s %s: expected a size such as 64M", option_rows[id].name, text);
}

int option_seconds(const struct command_line *line, enum option_id id, u64 *out)
{
	const char *text = line->option[id];
	double seconds;
	char *end;

	*out = 0;
	if (!text)
		return 0;
	seconds = strtod(text, &end);
	if (end == text || *end || !(seconds > 0 && seconds < 1e9))
		return usage_error("--%s %s: expected a number of seconds",
				   option_rows[id].name, text);
	*out = (u64)(seconds * 1e9);
	return 0;
}

/* A name and what it is, in two columns of an 80 column terminal. */
static void print_entry(const char *head, const char *help)
{
	size_t column = printf("  %-*s", HEAD_WIDTH, head);
	bool has_room = column <= HEAD_WIDTH + 2;

	for (size_t word; *help; help += word + strspn(help + word, " ")) {
		word = strcspn(help, " ");
		if (column + 1 + word > SCREEN_WIDTH || !has_room)
			column = printf("\n%*s", HEAD_WIDTH + 2, "") - 1;
		column += printf(" %.*s", (int)word, help);
		has_room = true;
	}
	putchar('\n');
}

static void print_option(const struct option_row *row)
{
	char head[64];

	snprintf(head, sizeof(head), "%s%c%s--%s%s%s", row->letter ? "-" : "  ",
		 row->letter ?: ' ', row->letter ? ", " : " ", row->name,
		 row->argument ? " " : "", row->argument ?: "");
	print_entry(head, row->help);
}

void print_command_usage(const struct command *command)
{
	printf("usage: skep %s [OPTION...] %s\n\n%c%s.\n\n", command->words, command->arguments,
	       toupper((unsigned char)command->help[0]), command->help + 1);
	for (u32 i = 0; i < OPTIONS; i++)
		if (option_belongs(&option_rows[i], command))
			print_option(&option_rows[i]);
}

void print_usage(void)
{
	puts("usage: skep COMMAND [OPTION...] [ARGUMENT...]\n");
	for (u32 i = 0; i < command_count; i++) {
		char head[64];

		snprintf(head, sizeof(head), "%s %s", commands[i].words, commands[i].arguments);
		print_entry(head, commands[i].help);
	}
	puts("\nskep COMMAND --help says more. Every command takes -j (JSON) and -p (pretty).");
}

bool list_has(const char *list, const char *word)
{
	const size_t length = strlen(word);

	for (; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL)
		if (strcspn(list, ",") == length && !strncmp(list, word, length))
			return true;
	return false;
}
