/* SPDX-License-Identifier: BSD-2-Clause */
#include "screen.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define TEXT_MAX  1024
#define ESCAPE_MS 25 /* a key that begins with ESC is whole within it */

static SCREEN *screen;
static bool has_blocks;

/* Of the eight colours that each terminal has; -1: its own. */
static const struct {
	short colour;
	attr_t attributes;
} styles[STYLES] = {
	[STYLE_PLAIN] = {-1, A_NORMAL},
	[STYLE_DIM] = {-1, A_DIM},
	[STYLE_BOLD] = {-1, A_BOLD},
	[STYLE_HEAD] = {COLOR_CYAN, A_BOLD},
	[STYLE_GRAPH] = {COLOR_GREEN, A_NORMAL},
	[STYLE_ACCENT] = {COLOR_YELLOW, A_BOLD},
	[STYLE_ALARM] = {COLOR_RED, A_BOLD},
};

bool screen_open(void)
{
	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return false;
	setlocale(LC_CTYPE, "");
	has_blocks = !strcmp(nl_langinfo(CODESET), "UTF-8");
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return false;
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	if (has_colors() && !getenv("NO_COLOR")) {
		start_color();
		use_default_colors();
		for (short i = 0; i < STYLES; i++)
			init_pair((short)(i + 1), styles[i].colour, -1);
	}
	return true;
}

void screen_close(void)
{
	endwin();
	delscreen(screen);
	screen = NULL;
}

bool screen_has_blocks(void)
{
	return has_blocks;
}

void screen_size(int *rows, int *columns)
{
	getmaxyx(stdscr, *rows, *columns);
}

int screen_key(void)
{
	const int key = getch();

	if (key == KEY_BACKSPACE || key == '\b')
		return SCREEN_KEY_ERASE;
	return key >= 0 && key <= SCREEN_KEY_ERASE ? key : SCREEN_KEY_NONE;
}

void screen_begin(void)
{
	erase();
}

void screen_put(int row, int column, enum screen_style style, const char *text)
{
	wchar_t wide[TEXT_MAX];
	int rows, columns;
	size_t length;

	screen_size(&rows, &columns);
	length = mbstowcs(wide, text, TEXT_MAX - 1);
	if (row >= rows || column >= columns || length == (size_t)-1)
		return;
	attr_set(styles[style].attributes, (short)(style + 1), NULL);
	mvaddnwstr(row, column, wide, (int)min(length, (size_t)(columns - column)));
	attr_set(A_NORMAL, 0, NULL);
}

void screen_end(void)
{
	refresh();
}
