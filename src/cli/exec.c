/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep exec`: an unmodified program whose bpf(2) is skep's, through the preload library. */
#include "shim/exec.h"
#include "cli/command.h"

#include <string.h>

int cmd_exec(struct command_line *line)
{
	int code;

	if (!line->argument_count)
		return usage_error("exec: expected -- COMMAND [ARGUMENT...]");
	code = shim_exec(line->arguments);
	return usage_error("%s: %s", line->arguments[0], strerror(-code));
}
