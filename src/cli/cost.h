/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep verify --cost`: what it took to look at a program, and where. */
#ifndef SKEP_CLI_COST_H
#define SKEP_CLI_COST_H

#include "cli/output.h"

#include <skep/explain.h>

/* Fields and tables of the record that is open; at most `top` rows of a table, 0: all. */
void cost_print(const struct skep_explanation *explanation, u64 top, struct output *output);

/* The statistics at the end of a log of Linux, which begins with the program's name in quotes.
 * False: there are none. */
bool cost_print_log(const char *libbpf_log, const char *program, struct output *output);

#endif
