/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/format.h"

#include <errno.h>
#include <string.h>

/* Spaces and punctuation of Latin 1: Linux's ctype knows them. */
static bool is_latin1_mark(u8 c)
{
	return (c >= 0xa0 && c <= 0xbf) || c == 0xd7 || c == 0xf7;
}

/* What may follow a complete %s or %p. */
static bool is_end(char c)
{
	return c == '\0' || format_is_space(c) || format_is_punct(c) || is_latin1_mark(c);
}

/* "[0 +-]*[1-9][0-9]*", all optional. */
static const char *parse_width(const char *at, struct format_spec *spec)
{
	for (; *at && strchr("0+- ", *at); at++) {
		spec->zero |= *at == '0';
		spec->plus |= *at == '+';
		spec->left |= *at == '-';
		spec->space |= *at == ' ';
	}
	for (; *at >= '0' && *at <= '9'; at++)
		if (spec->width < 1000000)
			spec->width = spec->width * 10 + (*at - '0');
	return at;
}

/* `at` is behind %p. Returns the end, NULL when Linux knows no such pointer. */
static const char *parse_pointer(const char *at, struct format_spec *spec)
{
	spec->conversion = *at;
	if (is_end(*at)) {
		spec->kind = FORMAT_POINTER;
		spec->conversion = 'p';
		return at;
	}
	if ((at[0] == 'k' || at[0] == 'u') && at[1] == 's') {
		spec->kind = FORMAT_STRING;
		return is_end(at[2]) ? at + 2 : NULL;
	}
	if (*at == 'x' || *at == 'K') {
		spec->kind = FORMAT_POINTER;
		return at + 1;
	}
	if (*at == 's' || *at == 'S' || *at == 'B') {
		spec->kind = FORMAT_SYMBOL;
		return at + 1;
	}
	if ((*at == 'i' || *at == 'I') && (at[1] == '4' || at[1] == '6')) {
		spec->kind = at[1] == '4' ? FORMAT_ADDRESS4 : FORMAT_ADDRESS6;
		return at + 2;
	}
	return NULL;
}

static const char *parse_integer(const char *at, struct format_spec *spec)
{
	spec->kind = FORMAT_INTEGER;
	spec->bytes = *at == 'l' ? 8 : 4;
	for (int i = 0; i < 2 && *at == 'l'; i++)
		at++;
	spec->conversion = *at;
	return *at && strchr("diuxX", *at) ? at + 1 : NULL;
}

static const char *parse_conversion(const char *at, struct format_spec *spec)
{
	spec->conversion = *at;
	switch (*at) {
	case 'p': return parse_pointer(at + 1, spec);
	case 's': spec->kind = FORMAT_STRING; return is_end(at[1]) ? at + 1 : NULL;
	case 'c': spec->kind = FORMAT_CHAR; return at + 1;
	default: return parse_integer(at, spec);
	}
}

int format_parse(const char *text, struct format_spec *out)
{
	struct format_spec spec = {.kind = FORMAT_PERCENT};
	const char *end = text + 2;

	if (text[1] != '%') {
		end = parse_conversion(parse_width(text + 1, &spec), &spec);
		if (!end)
			return -EINVAL;
	}
	spec.length = end - text;
	*out = spec;
	return 0;
}

/* Bytes above ASCII may stand in a text: it may be UTF-8. */
static bool is_control(u8 c)
{
	return (c < ' ' && !format_is_space(c)) || c == 0x7f;
}

int format_check(const char *format, size_t size, u32 arg_cnt)
{
	u32 used = 0;

	if (!memchr(format, '\0', size))
		return -EINVAL;
	for (const char *at = format; *at; at++) {
		struct format_spec spec;

		if (is_control(*at))
			return -EINVAL;
		if (*at != '%')
			continue;
		if (format_parse(at, &spec) ||
		    (spec.kind != FORMAT_PERCENT && used++ >= arg_cnt))
			return -EINVAL;
		at += spec.length - 1;
	}
	return 0;
}
