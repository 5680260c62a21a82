/* SPDX-License-Identifier: BSD-2-Clause */
/* A terminal as a whole: text at places, and keys. By ncurses, where skep was built with it. */
#ifndef MONITOR_SCREEN_H
#define MONITOR_SCREEN_H

#include "base/types.h"

enum screen_style {
	STYLE_PLAIN,
	STYLE_DIM,
	STYLE_BOLD,
	STYLE_HEAD,   /* the line above a table */
	STYLE_GRAPH,  /* what is drawn of numbers */
	STYLE_ACCENT, /* names, and what was chosen */
	STYLE_ALARM,
	STYLES,
};

enum { SCREEN_KEY_NONE = -1, SCREEN_KEY_ESCAPE = 27, SCREEN_KEY_ERASE = 127 };

/* False: standard output is no terminal that this is possible on. */
bool screen_open(void);
void screen_close(void);
/* Whether it shows characters beyond ASCII. */
bool screen_has_blocks(void);
void screen_size(int *rows, int *columns);
/* A character, SCREEN_KEY_NONE, ESCAPE or ERASE; a new size comes as NONE. */
int screen_key(void);

void screen_begin(void);
/* UTF-8; what does not fit into the row is cut off. */
void screen_put(int row, int column, enum screen_style style, const char *text);
void screen_end(void);

#endif
