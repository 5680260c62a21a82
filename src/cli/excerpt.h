/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of source with carets under the expression that is meant. */
#ifndef SKEP_CLI_EXCERPT_H
#define SKEP_CLI_EXCERPT_H

#include "cli/color.h"

#include <skep/explain.h>

/* The expression that begins at `column` (from 1) of the line: its length in bytes, 0: there is
 * no such column. */
size_t excerpt_width(const char *text, u32 column);

/*
 * On stderr:
 *
 *	 18 | 	return data[0];
 *	    |          ^^^^^^^ label
 *
 * with line numbers in `width` columns. `label` may be empty.
 */
void excerpt_print(const struct skep_source *source, int width, enum color carets,
		   const char *label);
/* Columns of the number. */
int excerpt_number_width(u32 line);

/* Compilers record absolute names; below the working directory the rest is enough. */
const char *relative_name(const char *file);

#endif
