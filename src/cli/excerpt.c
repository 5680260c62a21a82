/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/excerpt.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *relative_name(const char *file)
{
	char here[PATH_MAX];
	size_t length = getcwd(here, sizeof(here)) ? strlen(here) : 0;

	return length && !strncmp(file, here, length) && file[length] == '/' ? file + length + 1
									     : file;
}

int excerpt_number_width(u32 line)
{
	return snprintf(NULL, 0, "%u", line);
}

/* --- how far the expression goes --- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static const char *skip_word(const char *at)
{
	while (is_word(*at))
		at++;
	return at;
}

/* Behind the bracket that closes the one at `at`; `at` itself when it is on no later column. */
static const char *skip_brackets(const char *at)
{
	const char *from = at;
	int depth = 0;

	for (; *at; at++) {
		depth += *at == '(' || *at == '[';
		depth -= *at == ')' || *at == ']';
		if (!depth)
			return at + 1;
	}
	return from;
}

/* What follows a name: members, indices, arguments. */
static const char *skip_suffixes(const char *at)
{
	for (;;) {
		const char *next = at;

		if (*at == '(' || *at == '[')
			next = skip_brackets(at);
		else if (*at == '.' && is_word(at[1]))
			next = skip_word(at + 1);
		else if (at[0] == '-' && at[1] == '>' && is_word(at[2]))
			next = skip_word(at + 2);
		if (next == at)
			return at;
		at = next;
	}
}

static bool is_keyword(const char *at, size_t length)
{
	static const char *const words[] = {"if",     "for",	"while", "do",
					    "return", "switch", "goto",	 "else"};

	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == length && !strncmp(at, words[i], length))
			return true;
	return false;
}

static size_t operator_width(const char *at)
{
	static const char *const longer[] = {"<<=", ">>=", "<=", ">=", "==", "!=", "&&",
					     "||",  "<<",  ">>", "+=", "-=", "*=", "/=",
					     "%=",  "&=",  "|=", "^=", "++", "--", "->"};

	for (u32 i = 0; i < ARRAY_SIZE(longer); i++)
		if (!strncmp(at, longer[i], strlen(longer[i])))
			return strlen(longer[i]);
	return 1;
}

size_t excerpt_width(const char *text, u32 column)
{
	const char *at, *end;

	if (!column || column > strlen(text))
		return 0;
	at = text + column - 1;
	if (*at == '*' && is_word(at[1]))
		return (size_t)(skip_suffixes(skip_word(at + 1)) - at);
	if (!is_word(*at))
		return operator_width(at);
	end = skip_word(at);
	if (!is_keyword(at, (size_t)(end - at)))
		end = skip_suffixes(end);
	return (size_t)(end - at);
}

/* --- printing --- */

/* The same width as the text on any terminal: tabs stay tabs, continuation bytes vanish. */
static void print_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\t')
			fputc('\t', stderr);
		else if (((unsigned char)text[i] & 0xc0) != 0x80)
			fputc(' ', stderr);
	}
}

static void print_carets(const struct skep_source *source, size_t length)
{
	const char *at = source->text + source->column - 1;

	for (size_t i = 0; i < length; i++)
		if (((unsigned char)at[i] & 0xc0) != 0x80)
			fputc('^', stderr);
}

void excerpt_print(const struct skep_source *source, int width, enum color carets,
		   const char *label)
{
	const char *frame = color(COLOR_FRAME), *plain = color(COLOR_NONE);
	size_t length = excerpt_width(source->text, source->column);

	fprintf(stderr, "%s%*u |%s %s\n", frame, width, source->line, plain, source->text);
	if (!length && !*label)
		return;
	fprintf(stderr, "%s%*s |%s ", frame, width, "", plain);
	if (length)
		print_blank(source->text, source->column - 1);
	fputs(color(carets), stderr);
	if (length)
		print_carets(source, length);
	fprintf(stderr, "%s%s%s\n", *label ? " " : "", label, plain);
}
