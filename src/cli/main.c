/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/command.h"

#include <skep/skep.h>
#include <stdio.h>
#include <string.h>

static int run_command(const struct command *command, int argc, char **argv)
{
	struct command_line line;
	int code = command_parse(command, argc, argv, &line);

	if (code)
		return code;
	if (option_given(&line, OPTION_help)) {
		print_command_usage(command);
		return EXIT_OK;
	}
	output_init(&line.output, option_given(&line, OPTION_json),
		    option_given(&line, OPTION_pretty));
	code = command->run(&line);
	output_done(&line.output);
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
	command = command_find(argc - 1, argv + 1, &words);
	if (!command)
		return usage_error("no command '%s' (see skep --help)", argv[1]);
	return run_command(command, argc - words, argv + words);
}
