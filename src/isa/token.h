/* SPDX-License-Identifier: BSD-2-Clause */
/* Assembler text as tokens. Private to src/isa. */
#ifndef SKEP_ISA_TOKEN_H
#define SKEP_ISA_TOKEN_H

#include "base/types.h"

enum token_kind {
	TOKEN_END,	 /* of the text */
	TOKEN_SEPARATOR, /* end of line or ';' */
	TOKEN_WORD,	 /* name, register, keyword */
	TOKEN_NUMBER,
	TOKEN_PUNCTUATION, /* one character */
	TOKEN_BAD,	   /* a number that needs more than 64 bits, an open comment */
};

struct token {
	enum token_kind kind;
	const char *text; /* in the source text, not terminated */
	u32 length;
	u32 line, column; /* from 1 */
	u64 number;
};

struct lexer {
	const char *at, *line_start;
	u32 line;
};

void lexer_init(struct lexer *lexer, const char *text);
void lexer_next(struct lexer *lexer, struct token *out);

bool token_is(const struct token *token, const char *text, size_t length);

#endif
