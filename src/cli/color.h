/* SPDX-License-Identifier: BSD-2-Clause */
/* Colour on stderr, where reports go. */
#ifndef SKEP_CLI_COLOR_H
#define SKEP_CLI_COLOR_H

#include "cli/command.h"

enum color {
	COLOR_NONE,
	COLOR_ERROR, /* the message, and what is under the caret */
	COLOR_NOTE,
	COLOR_HELP,
	COLOR_FRAME, /* line numbers and the bar beside the source */
};

/* --color: "auto" is on for terminals, unless NO_COLOR is set. 0, or EXIT_NO_VERDICT after a
 * message. */
int color_init(const struct command_line *line);
/* The sequence that begins a colour, COLOR_NONE: that ends it; "" when there is none. */
const char *color(enum color which);

#endif
