/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/color.h"
#include "cli/command.h"

#include <skep/skep.h>
#include <stdio.h>
#include <string.h>

static int run_command(const struct command *command, int argc, char **argv)
{
	struct command_line line;
	int failed, code = command_parse(command, argc, argv, &line);

	if (code)
		return code;
	if (color_init(&line))
		return EXIT_NO_VERDICT;
	if (option_given(&line, OPTION_help)) {
		print_command_usage(command);
		return EXIT_OK;
	}
	output_init(&line.output, option_given(&line, OPTION_json),
		    option_given(&line, OPTION_pretty));
	code = command->run(&line);
	failed = output_done(&line.output);
	return failed ? usage_error("standard output: %s", strerror(-failed)) : code;
}

/* bpftool takes -j and -p in front of the command: they are put behind it. */
static void move_format_options(int argc, char **argv)
{
	for (int left = argc - 2; left > 0 && argv[1][0] == '-'; left--) {
		char *option = argv[1];

		memmove(argv + 1, argv + 2, (argc - 2) * sizeof(*argv));
		argv[argc - 1] = option;
	}
}

/* The verbs of a noun that has some. */
static int no_command(const char *noun)
{
	size_t length = strlen(noun);
	struct strbuf verbs;
	int code;

	strbuf_init(&verbs);
	for (u32 i = 0; i < command_count; i++)
		if (!strncmp(commands[i].words, noun, length) &&
		    commands[i].words[length] == ' ')
			strbuf_addf(&verbs, verbs.length ? ", %s" : "%s",
				    commands[i].words + length + 1);
	code = verbs.length ? usage_error("%s: expected one of %s", noun, strbuf_text(&verbs))
			    : usage_error("no command '%s' (see skep --help)", noun);
	strbuf_done(&verbs);
	return code;
}

int main(int argc, char **argv)
{
	const struct command *command;
	int words;

	if (argc < 2) {
		print_usage();
		return EXIT_NO_VERDICT;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage();
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		argv[1] = "version";
	move_format_options(argc, argv);
	command = command_find(argc - 1, argv + 1, &words);
	if (!command)
		return no_command(argv[1]);
	return run_command(command, argc - words, argv + words);
}
