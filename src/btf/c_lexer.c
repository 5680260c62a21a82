/* SPDX-License-Identifier: BSD-2-Clause */
#include "btf/c_lexer.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static void skip_line(struct c_lexer *lexer)
{
	while (*lexer->at && *lexer->at != '\n')
		lexer->at++;
}

static void skip_comment(struct c_lexer *lexer)
{
	for (lexer->at += 2; *lexer->at && strncmp(lexer->at, "*/", 2); lexer->at++)
		lexer->line += *lexer->at == '\n';
	if (*lexer->at)
		lexer->at += 2;
}

static void skip_space(struct c_lexer *lexer)
{
	for (;;) {
		if (isspace((unsigned char)*lexer->at))
			lexer->line += *lexer->at++ == '\n';
		else if (!strncmp(lexer->at, "/*", 2))
			skip_comment(lexer);
		else if (*lexer->at == '#' || !strncmp(lexer->at, "//", 2))
			skip_line(lexer);
		else
			return;
	}
}

/* With the suffixes that C allows. */
static bool read_number(struct c_lexer *lexer)
{
	char *end;

	errno = 0;
	lexer->number = (s64)strtoull(lexer->text, &end, 0);
	while (*end && strchr("uUlL", *end))
		end++;
	return !errno && !*end;
}

void c_lexer_next(struct c_lexer *lexer)
{
	size_t length = 0;

	skip_space(lexer);
	while (is_name_char(lexer->at[length]))
		length++;
	lexer->kind = length ? TOKEN_NAME : *lexer->at ? TOKEN_SIGN : TOKEN_END;
	length = lexer->kind == TOKEN_SIGN ? 1 : length;
	memcpy(lexer->text, lexer->at, min(length, sizeof(lexer->text) - 1));
	lexer->text[min(length, sizeof(lexer->text) - 1)] = '\0';
	lexer->at += length;
	if (length >= sizeof(lexer->text))
		lexer->kind = TOKEN_WRONG;
	else if (isdigit((unsigned char)lexer->text[0]))
		lexer->kind = read_number(lexer) ? TOKEN_NUMBER : TOKEN_WRONG;
}

void c_lexer_start(struct c_lexer *lexer, const char *text)
{
	*lexer = (struct c_lexer){.at = text, .line = 1};
	c_lexer_next(lexer);
}

bool c_lexer_is(const struct c_lexer *lexer, const char *text)
{
	return (lexer->kind == TOKEN_NAME || lexer->kind == TOKEN_SIGN) &&
	       !strcmp(lexer->text, text);
}

bool c_lexer_take(struct c_lexer *lexer, const char *text)
{
	if (!c_lexer_is(lexer, text))
		return false;
	c_lexer_next(lexer);
	return true;
}
