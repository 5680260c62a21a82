/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep completion` prints a bash completion made from the command and option rows. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static void print_case(const struct command *command)
{
	printf("\t\"%s\") options=\"", command->words);
	for (u32 i = 0; i < OPTIONS; i++)
		if (option_belongs(&option_rows[i], command))
			printf("--%s ", option_rows[i].name);
	printf("\" ;;\n");
}

int cmd_completion(struct command_line *line)
{
	puts("# bash completion for skep: eval \"$(skep completion)\"\n"
	     "_skep() {\n"
	     "\tlocal word=${COMP_WORDS[COMP_CWORD]} options= words=\n"
	     "\tcase \"${COMP_WORDS[1]}\" in\n"
	     "\tprog|map|btf) words=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" ;;\n"
	     "\t*) words=${COMP_WORDS[1]} ;;\n"
	     "\tesac\n"
	     "\tcase \"$words\" in");
	for (u32 i = 0; i < command_count; i++)
		print_case(&commands[i]);
	puts("\tesac\n"
	     "\tif [[ $COMP_CWORD -eq 1 ]]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$(skep --help | awk '/^  [a-z]/ {print $1}' | sort -u)\" "
	     "-- \"$word\"))\n"
	     "\telif [[ $COMP_CWORD -eq 2 && ${COMP_WORDS[1]} =~ ^(prog|map|btf)$ ]]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$(skep --help | awk -v noun=\"${COMP_WORDS[1]}\" "
	     "'$1 == noun {print $2}')\" -- \"$word\"))\n"
	     "\telif [[ $word == -* ]]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
	     "\telse\n"
	     "\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n"
	     "\tfi\n"
	     "}\n"
	     "complete -o filenames -F _skep skep");
	return EXIT_OK;
}
