/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verifier said of the programs of an object: kept, and shown as text and JSON. */
#ifndef SKEP_CLI_EXPLANATION_H
#define SKEP_CLI_EXPLANATION_H

#include "cli/output.h"

#include <skep/explain.h>

/* The last explanation of each program, in the order of their first loads. */
struct explanations {
	struct skep_explanation **all; /* owned */
	u32 count, capacity;
	const struct skep_explanation *rejected; /* the last rejection; NULL: none */
};

void explanations_done(struct explanations *explanations);
/* Takes it over. */
void explanations_add(struct explanations *explanations, struct skep_explanation *explanation);
/* Of the program with this name, which bpf(2) may have cut; NULL: none. */
const struct skep_explanation *explanations_find(const struct explanations *explanations,
						 const char *program);

/* On stderr, behind the message: where, how it came to that, what is missing. */
void explanation_print(const struct skep_explanation *explanation);
/* Fields of the record that is open. */
void explanation_print_json(const struct skep_explanation *explanation, struct json *json);
/* "name": {file, line, column, text}; nothing when the place is not known. */
void source_print_json(const struct skep_source *source, const char *name, struct json *json);

#endif
