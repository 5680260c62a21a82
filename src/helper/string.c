/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers from text, and comparison. */
#include "helper/body.h"

#include <errno.h>
#include <string.h>

#define BASE_MASK  31ull
#define DIGITS_MAX 63 /* longer numbers are read up to here, as by Linux */
#define CODE_NBSP  0xa0

struct number {
	u64 value;
	bool is_negative;
};

/* Linux's ctype knows Latin 1. */
static bool is_space(u8 c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == CODE_NBSP;
}

static u32 digit_value(u8 c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

static u8 char_at(const u8 *text, const u8 *end)
{
	return text < end ? *text : 0;
}

static bool has_hex_prefix(const u8 *text, const u8 *end)
{
	return char_at(text, end) == '0' && (char_at(text + 1, end) | 0x20) == 'x';
}

/* 0: what the number's prefix says. A prefix 0x is passed over in base 16. */
static const u8 *find_base(const u8 *text, const u8 *end, u32 *base)
{
	if (*base == 0) {
		if (char_at(text, end) != '0')
			*base = 10;
		else if (has_hex_prefix(text, end) && digit_value(char_at(text + 2, end)) < 16)
			*base = 16;
		else
			*base = 8;
	}
	return *base == 16 && has_hex_prefix(text, end) ? text + 2 : text;
}

/* Returns the number of bytes read, or a negative errno. */
static long read_number(const u8 *text, u32 size, u64 flags, struct number *out)
{
	const u8 *at = text, *end = text + size, *digits;
	u32 base = flags & BASE_MASK;
	bool overflow = false;

	*out = (struct number){0};
	if (!size || (flags & ~BASE_MASK) || (base && base != 8 && base != 10 && base != 16))
		return -EINVAL;
	while (at < end && is_space(*at))
		at++;
	out->is_negative = at < end && *at == '-';
	at += out->is_negative;
	if (at == end)
		return -EINVAL;
	end = min(end, at + DIGITS_MAX);
	digits = at = find_base(at, end, &base);
	for (; digit_value(char_at(at, end)) < base; at++) {
		overflow |= __builtin_mul_overflow(out->value, base, &out->value);
		overflow |= __builtin_add_overflow(out->value, digit_value(*at), &out->value);
	}
	if (overflow)
		return -ERANGE;
	return at == digits ? -EINVAL : at - text;
}

HELPER_BODY(strtol)
{
	s64 *out = u64_to_ptr(r4);
	struct number number;
	long read = read_number(u64_to_ptr(r1), r2, r3, &number);
	const u64 limit = (u64)INT64_MAX + number.is_negative;

	*out = 0;
	if (read < 0)
		return read;
	if (number.value > limit)
		return -ERANGE;
	*out = number.is_negative ? -number.value : number.value;
	return read;
}

HELPER_BODY(strtoul)
{
	u64 *out = u64_to_ptr(r4);
	struct number number;
	long read = read_number(u64_to_ptr(r1), r2, r3, &number);

	*out = 0;
	if (read < 0)
		return read;
	if (number.is_negative)
		return -EINVAL;
	*out = number.value;
	return read;
}

HELPER_BODY(strncmp)
{
	int order = strncmp(u64_to_ptr(r1), u64_to_ptr(r3), (u32)r2);

	return (s64)((order > 0) - (order < 0));
}
