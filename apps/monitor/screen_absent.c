/* SPDX-License-Identifier: BSD-2-Clause */
/* Where ncurses was missing when skep was built: lines are printed instead. */
#include "screen.h"

bool screen_open(void)
{
	return false;
}

void screen_close(void)
{
}

bool screen_has_blocks(void)
{
	return false;
}

void screen_size(int *rows, int *columns)
{
	*rows = *columns = 0;
}

int screen_key(void)
{
	return SCREEN_KEY_NONE;
}

void screen_begin(void)
{
}

void screen_put(int row, int column, enum screen_style style, const char *text)
{
}

void screen_end(void)
{
}
