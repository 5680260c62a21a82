/* SPDX-License-Identifier: BSD-2-Clause */
#include "isa/token.h"

#include <ctype.h>
#include <string.h>

void lexer_init(struct lexer *lexer, const char *text)
{
	*lexer = (struct lexer){.at = text, .line_start = text, .line = 1};
}

static void start_line(struct lexer *lexer)
{
	lexer->line++;
	lexer->line_start = lexer->at;
}

/* Past a comment of C, whose start is at lexer->at; false when it does not end. */
static bool skip_comment(struct lexer *lexer)
{
	for (lexer->at += 2; *lexer->at; lexer->at++) {
		if (lexer->at[0] == '*' && lexer->at[1] == '/') {
			lexer->at += 2;
			return true;
		}
		if (*lexer->at == '\n') {
			lexer->line++;
			lexer->line_start = lexer->at + 1;
		}
	}
	return false;
}

static bool skip_blanks(struct lexer *lexer)
{
	for (;;) {
		const char *at = lexer->at;

		if (*at == ' ' || *at == '\t' || *at == '\r')
			lexer->at++;
		else if (*at == '#' || (at[0] == '/' && at[1] == '/'))
			lexer->at += strcspn(at, "\n");
		else if (at[0] != '/' || at[1] != '*')
			return true;
		else if (!skip_comment(lexer))
			return false;
	}
}

static bool is_word_start(char c)
{
	return isalpha((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

static int digit_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : 36;
}

/* Base of the number at `at` by its prefix, which is skipped when a digit follows it. */
static int number_base(const char **at)
{
	const char *text = *at;
	int base = 10;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		base = 16;
	else if (text[0] == '0' && (text[1] == 'b' || text[1] == 'B'))
		base = 2;
	else if (text[0] == '0' && isdigit((unsigned char)text[1]))
		return 8;
	if (base == 10 || digit_value(text[2]) >= base)
		return 10;
	*at += 2;
	return base;
}

static void read_number(struct lexer *lexer, struct token *out)
{
	int base = number_base(&lexer->at);

	out->kind = TOKEN_NUMBER;
	for (; digit_value(*lexer->at) < base; lexer->at++)
		if (__builtin_mul_overflow(out->number, (u64)base, &out->number) ||
		    __builtin_add_overflow(out->number, (u64)digit_value(*lexer->at),
					   &out->number))
			out->kind = TOKEN_BAD;
}

static void read_word(struct lexer *lexer, struct token *out)
{
	out->kind = TOKEN_WORD;
	while (is_word_start(*lexer->at) || isdigit((unsigned char)*lexer->at))
		lexer->at++;
}

void lexer_next(struct lexer *lexer, struct token *out)
{
	bool closed = skip_blanks(lexer);
	char first = *lexer->at;

	*out = (struct token){.kind = closed ? TOKEN_END : TOKEN_BAD,
			      .text = lexer->at,
			      .line = lexer->line,
			      .column = lexer->at - lexer->line_start + 1};
	if (isdigit((unsigned char)first)) {
		read_number(lexer, out);
	} else if (is_word_start(first)) {
		read_word(lexer, out);
	} else if (first) {
		lexer->at++;
		out->kind = first == '\n' || first == ';' ? TOKEN_SEPARATOR : TOKEN_PUNCTUATION;
		if (first == '\n')
			start_line(lexer);
	}
	out->length = lexer->at - out->text;
}

bool token_is(const struct token *token, const char *text, size_t length)
{
	return token->length == length && !memcmp(token->text, text, length);
}
