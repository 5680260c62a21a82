/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_on;

int color_init(const struct command_line *line)
{
	const char *when = line->option[OPTION_color] ?: "auto";
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (!strcmp(when, "always"))
		is_on = true;
	else if (!strcmp(when, "never"))
		is_on = false;
	else if (!strcmp(when, "auto"))
		is_on = isatty(STDERR_FILENO) && !(no_color && *no_color) &&
			!(term && !strcmp(term, "dumb"));
	else
		return usage_error("--color %s: expected auto, always or never", when);
	return 0;
}

const char *color(enum color which)
{
	if (!is_on)
		return "";
	switch (which) {
	case COLOR_NONE: return "\033[0m";
	case COLOR_ERROR: return "\033[1;31m";
	case COLOR_NOTE: return "\033[1;36m";
	case COLOR_HELP: return "\033[1;32m";
	case COLOR_FRAME: return "\033[1;34m";
	}
	return "";
}
