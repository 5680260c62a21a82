/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a program was rejected: by the engine (its error record), or by Linux (its log). */
#ifndef SKEP_CLI_REJECTION_H
#define SKEP_CLI_REJECTION_H

#include "cli/explanation.h"
#include "cli/output.h"

#include <skep/error.h>
#include <stdio.h>

struct rejection {
	char program[64];	    /* "": not known */
	char text[SKEP_ERROR_TEXT]; /* in Linux's words */
	char where[SKEP_ERROR_TEXT];
	int insn;				    /* -1: none */
	const char *hint, *reason;		    /* NULL: none */
	const struct skep_explanation *explanation; /* NULL: Linux gives none */
};

/* Out of what libbpf said, with the engine's record (NULL: Linux rejected). false: no
 * rejection. */
bool rejection_find(const char *libbpf_log, const struct skep_error *err,
		    struct rejection *out);

/* On stderr: the reason as the first line, then where, what to do, and of which program. */
void rejection_print(const struct rejection *rejection, const char *path);
/* Fields of the record that is open. */
void rejection_print_json(const struct rejection *rejection, struct output *output);

/* The logs of programs in what libbpf said; each behind the name of its program if there are
 * several. */
void rejection_print_logs(const char *libbpf_log, FILE *out);

#endif
