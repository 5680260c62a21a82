/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Printing by Linux's format rules (catalog/format.h). Text is written into a sink that counts
 * what did not fit. Strings and addresses are read safely; Linux gathers all arguments in a
 * buffer first, whose size limits strings: `room` is what is left of it.
 */
#include "catalog/format.h"
#include "helper/body.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ARGUMENT_BYTES 512 /* Linux's MAX_BPRINTF_BIN_ARGS */
#define WIDTH_MAX      32767

struct sink {
	char *out;
	size_t size, length;
	size_t room;
};

static void put(struct sink *sink, char c)
{
	if (sink->length + 1 < sink->size)
		sink->out[sink->length] = c;
	sink->length++;
}

static void put_text(struct sink *sink, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		put(sink, text[i]);
}

static void put_padded(struct sink *sink, const struct format_spec *spec, const char *text,
		       size_t length)
{
	size_t width = min(spec->width, WIDTH_MAX + 0u);
	size_t padding = width > length ? width - length : 0;

	for (size_t i = 0; i < padding && !spec->left; i++)
		put(sink, ' ');
	put_text(sink, text, length);
	for (size_t i = 0; i < padding && spec->left; i++)
		put(sink, ' ');
}

static bool take_room(struct sink *sink, size_t bytes, size_t align)
{
	size_t padding = (sink->room % align);

	if (sink->room < padding + bytes)
		return false;
	sink->room -= padding + bytes;
	return true;
}

/* The digits of a number with its sign, then the padding between or around them. */
static void put_number(struct sink *sink, const struct format_spec *spec, bool is_negative,
		       u64 magnitude, const char *digits_format, bool is_signed)
{
	char digits[32];
	int count = snprintf(digits, sizeof(digits), digits_format, magnitude);
	char sign = is_negative ? '-' : spec->plus ? '+' : spec->space ? ' ' : 0;
	size_t length, width = min(spec->width, WIDTH_MAX + 0u), padding;

	if (!is_signed)
		sign = 0;
	length = count + (sign != 0);
	padding = width > length ? width - length : 0;
	for (size_t i = 0; i < padding && !spec->left && !spec->zero; i++)
		put(sink, ' ');
	if (sign)
		put(sink, sign);
	for (size_t i = 0; i < padding && !spec->left && spec->zero; i++)
		put(sink, '0');
	put_text(sink, digits, count);
	for (size_t i = 0; i < padding && spec->left; i++)
		put(sink, ' ');
}

static int put_integer(struct sink *sink, const struct format_spec *spec, u64 value)
{
	bool is_signed = spec->conversion == 'd' || spec->conversion == 'i';
	bool is_negative;

	if (!take_room(sink, spec->bytes, 4))
		return -ENOSPC;
	if (spec->bytes == 4)
		value = is_signed ? (u64)(s64)(s32)value : (u32)value;
	is_negative = is_signed && (s64)value < 0;
	put_number(sink, spec, is_negative, is_negative ? -value : value,
		   spec->conversion == 'x'   ? "%llx"
		   : spec->conversion == 'X' ? "%llX"
					     : "%llu",
		   is_signed);
	return 0;
}

/* Linux hides the value behind %p; the process's own pointers need no hiding. */
static int put_pointer(struct sink *sink, const struct format_spec *spec, u64 value)
{
	struct format_spec wide = *spec;

	if (!take_room(sink, 8, 4))
		return -ENOSPC;
	if (!wide.width) {
		wide.width = 2 * sizeof(void *);
		wide.zero = true;
	}
	put_number(sink, &wide, false, value, "%llx", false);
	return 0;
}

/* There are no kernel symbols; Linux prints addresses that have none so. */
static int put_symbol(struct sink *sink, const struct format_spec *spec, u64 value)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "0x%llx", value);

	if (!take_room(sink, 8, 4))
		return -ENOSPC;
	put_padded(sink, spec, text, length);
	return 0;
}

static int put_string(struct sink *sink, const struct format_spec *spec, u64 address)
{
	char text[ARGUMENT_BYTES];
	long size;

	if (!sink->room)
		return -ENOSPC;
	size = fault_safe_read_string(text, sink->room, address);
	if (size < 0)
		size = 1; /* an empty string stands for unreadable memory */
	sink->room -= size;
	if (spec->conversion == 's')
		put_padded(sink, spec, text, size - 1);
	else
		put_text(sink, text, size - 1); /* %pks, %pus: no width */
	return 0;
}

static int put_char(struct sink *sink, const struct format_spec *spec, u64 value)
{
	char c = value;

	if (!take_room(sink, 1, 1))
		return -ENOSPC;
	put_padded(sink, spec, &c, 1);
	return 0;
}

static int put_address(struct sink *sink, const struct format_spec *spec, u64 address)
{
	u32 bytes = spec->kind == FORMAT_ADDRESS4 ? 4 : 16;
	char text[40];
	u8 ip[16];
	int length = 0;

	if (sink->room < bytes)
		return -ENOSPC;
	fault_safe_read(ip, bytes, address);
	for (u32 i = 0; i < bytes; i++) {
		bool is_v4 = spec->kind == FORMAT_ADDRESS4, is_full = spec->conversion == 'I';
		const char *format = is_v4 ? (is_full ? "%u" : "%03u") : "%02x";

		if (i && is_v4)
			text[length++] = '.';
		else if (i && i % 2 == 0 && is_full)
			text[length++] = ':';
		length += snprintf(text + length, sizeof(text) - length, format, ip[i]);
	}
	sink->room -= min(sink->room, length + 1u);
	put_text(sink, text, length);
	return 0;
}

static int put_argument(struct sink *sink, const struct format_spec *spec, u64 value)
{
	switch (spec->kind) {
	case FORMAT_PERCENT: put(sink, '%'); return 0;
	case FORMAT_INTEGER: return put_integer(sink, spec, value);
	case FORMAT_CHAR: return put_char(sink, spec, value);
	case FORMAT_STRING: return put_string(sink, spec, value);
	case FORMAT_POINTER: return put_pointer(sink, spec, value);
	case FORMAT_SYMBOL: return put_symbol(sink, spec, value);
	case FORMAT_ADDRESS4:
	case FORMAT_ADDRESS6: return put_address(sink, spec, value);
	}
	return -EINVAL;
}

static bool is_pointer_kind(const struct format_spec *spec)
{
	return spec->kind == FORMAT_POINTER || spec->kind == FORMAT_SYMBOL ||
	       spec->kind == FORMAT_ADDRESS4 || spec->kind == FORMAT_ADDRESS6;
}

long format_print(char *out, size_t size, const char *format, size_t format_size,
		  const u64 *args, u32 arg_cnt)
{
	struct sink sink = {.out = out, .size = size, .room = ARGUMENT_BYTES};
	int err = format_check(format, format_size, arg_cnt);

	for (const char *at = format; !err && *at;) {
		struct format_spec spec;

		if (*at != '%') {
			put(&sink, *at++);
			continue;
		}
		format_parse(at, &spec);
		err = put_argument(&sink, &spec, spec.kind == FORMAT_PERCENT ? 0 : *args);
		args += spec.kind != FORMAT_PERCENT;
		at += spec.length;
		/* Linux takes letters behind a pointer's as belonging to it */
		while (is_pointer_kind(&spec) && format_is_alnum(*at))
			at++;
	}
	if (err)
		return err;
	if (size)
		out[min(sink.length, size - 1)] = '\0';
	return sink.length;
}
