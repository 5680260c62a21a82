/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text that grows. An allocation that fails sets `failed` and drops the addition: a caller adds
 * as much as it likes and looks once at the end. `text` is always terminated once anything was
 * added.
 */
#ifndef SKEP_BASE_STRBUF_H
#define SKEP_BASE_STRBUF_H

#include "base/types.h"
#include <stdarg.h>

struct strbuf {
	char *text; /* owned; NULL while empty */
	size_t length, capacity;
	size_t limit; /* at most this many bytes are kept; 0: no limit */
	/* Of a text that is longer, at least its last `window` bytes are kept; 0: all. `length`
	 * counts all, and `dropped` are those that `text` no longer begins with. */
	size_t window, dropped;
	bool failed;
};

void strbuf_init(struct strbuf *buf);
void strbuf_done(struct strbuf *buf);
void strbuf_clear(struct strbuf *buf);
void strbuf_add(struct strbuf *buf, const char *text, size_t length);
void strbuf_adds(struct strbuf *buf, const char *text);
void strbuf_addc(struct strbuf *buf, char c);
void strbuf_addf(struct strbuf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *buf, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
/* Shortens the text to `length` bytes. */
void strbuf_truncate(struct strbuf *buf, size_t length);
/* The text, never NULL. */
const char *strbuf_text(const struct strbuf *buf);

#endif
