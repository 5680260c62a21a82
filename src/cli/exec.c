/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep exec`: an unmodified program whose bpf(2) is skep's, through the preload library. */
#include "shim/exec.h"
#include "cli/attach.h"

#include <stdlib.h>
#include <string.h>

/* The preload library opens ports that are separated by spaces. */
static int pass_ports(const struct command_line *line)
{
	char *list = strdup(line->option[OPTION_on]);
	int code = 0;

	for (char *at = list, *end; at; at = end ? end + 1 : NULL) {
		end = port_end(at);
		if (end)
			*end = ' ';
	}
	if (!list || setenv("SKEP_PORTS", list, 1))
		code = usage_error("out of memory");
	free(list);
	return code;
}

int cmd_exec(struct command_line *line)
{
	int code = option_given(line, OPTION_on) ? pass_ports(line) : 0;

	if (code)
		return code;

	if (!line->argument_count)
		return usage_error("exec: expected -- COMMAND [ARGUMENT...]");
	code = shim_exec(line->arguments);
	return usage_error("%s: %s", line->arguments[0], strerror(-code));
}
