/* SPDX-License-Identifier: BSD-2-Clause */
/* One statement of assembler text against the templates of isa.def. Private to src/isa. */
#ifndef SKEP_ISA_MATCH_H
#define SKEP_ISA_MATCH_H

#include "isa/isa.h"
#include "isa/token.h"

/* A statement as it was understood. */
struct statement {
	enum insn_op op;
	struct bpf_insn insn[2];
	const struct token *label; /* the target is a label; NULL: a number, already in insn */
	const struct token *bad;   /* an operand that does not fit, and what it should be */
	const char *wanted;
};

/* How far any template came, and what the farthest ones expected there. */
struct expectation {
	u32 farthest; /* index of a token */
	struct strbuf wanted;
};

/*
 * `tokens` ends with TOKEN_SEPARATOR or TOKEN_END. True when a template takes all of it;
 * otherwise `expectation` tells why not.
 */
bool statement_match(const struct token *tokens, struct statement *out,
		     struct expectation *expectation);

#endif
