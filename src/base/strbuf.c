/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strbuf_init(struct strbuf *buf)
{
	*buf = (struct strbuf){};
}

void strbuf_done(struct strbuf *buf)
{
	free(buf->text);
	strbuf_init(buf);
}

void strbuf_clear(struct strbuf *buf)
{
	strbuf_truncate(buf, 0);
	buf->failed = false;
}

/* Moves when twice the window is there: each byte is moved once. */
static void strbuf_roll(struct strbuf *buf, size_t extra)
{
	size_t kept = buf->length - buf->dropped, excess;

	if (!buf->window || kept + extra <= 2 * buf->window || kept <= buf->window)
		return;
	excess = kept - buf->window;
	memmove(buf->text, buf->text + excess, buf->window + 1);
	buf->dropped += excess;
}

/* Room for `extra` more bytes and the terminator. */
static bool strbuf_reserve(struct strbuf *buf, size_t extra)
{
	size_t need = buf->length - buf->dropped + extra + 1, capacity;
	char *text;

	if (need <= buf->capacity)
		return true;
	capacity = max(need, max(buf->capacity * 2, (size_t)64));
	text = realloc(buf->text, capacity);
	if (!text) {
		buf->failed = true;
		return false;
	}
	buf->text = text;
	buf->capacity = capacity;
	return true;
}

void strbuf_add(struct strbuf *buf, const char *text, size_t length)
{
	if (buf->limit && length > buf->limit - buf->length) {
		length = buf->limit - buf->length;
		buf->failed = true;
	}
	strbuf_roll(buf, length);
	if (!length || !strbuf_reserve(buf, length))
		return;
	memcpy(buf->text + buf->length - buf->dropped, text, length);
	buf->length += length;
	buf->text[buf->length - buf->dropped] = '\0';
}

void strbuf_adds(struct strbuf *buf, const char *text)
{
	strbuf_add(buf, text, strlen(text));
}

void strbuf_addc(struct strbuf *buf, char c)
{
	strbuf_add(buf, &c, 1);
}

void strbuf_vaddf(struct strbuf *buf, const char *format, va_list args)
{
	char small[256], *large;
	va_list again;
	int length;

	va_copy(again, args);
	length = vsnprintf(small, sizeof(small), format, args);
	if (length < (int)sizeof(small)) {
		strbuf_add(buf, small, length < 0 ? 0 : length);
	} else if (vasprintf(&large, format, again) < 0) {
		buf->failed = true;
	} else {
		strbuf_add(buf, large, length);
		free(large);
	}
	va_end(again);
}

void strbuf_addf(struct strbuf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	strbuf_vaddf(buf, format, args);
	va_end(args);
}

void strbuf_truncate(struct strbuf *buf, size_t length)
{
	if (length >= buf->length)
		return;
	buf->length = length;
	buf->dropped = min(buf->dropped, length);
	buf->text[length - buf->dropped] = '\0';
}

const char *strbuf_text(const struct strbuf *buf)
{
	return buf->text ? buf->text : "";
}
