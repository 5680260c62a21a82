/* SPDX-License-Identifier: BSD-2-Clause */
/* C source to tokens, one ahead; comments and preprocessor lines are space. */
#ifndef SKEP_BTF_C_LEXER_H
#define SKEP_BTF_C_LEXER_H

#include "base/types.h"

#define TOKEN_SIZE 128 /* of a name, with its terminating zero */

enum token_kind {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_NUMBER,
	TOKEN_SIGN,  /* one character */
	TOKEN_WRONG, /* a name or number that is too long or none */
};

struct c_lexer {
	const char *at; /* behind the token */
	u32 line;
	enum token_kind kind;
	char text[TOKEN_SIZE]; /* of the token */
	s64 number;
};

void c_lexer_start(struct c_lexer *lexer, const char *text);
void c_lexer_next(struct c_lexer *lexer);

bool c_lexer_is(const struct c_lexer *lexer, const char *text);
/* Passes the token if it is this name or sign. */
bool c_lexer_take(struct c_lexer *lexer, const char *text);

#endif
