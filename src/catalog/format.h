/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Format strings of bpf_trace_printk(), bpf_trace_vprintk() and bpf_snprintf(): Linux's own
 * subset of printf. The verifier checks constant formats with it, the helpers print by it.
 */
#ifndef SKEP_CATALOG_FORMAT_H
#define SKEP_CATALOG_FORMAT_H

#include "base/types.h"

enum format_kind {
	FORMAT_PERCENT,
	FORMAT_INTEGER, /* conversion: d i u x X */
	FORMAT_CHAR,
	FORMAT_STRING,	 /* %s: its address */
	FORMAT_POINTER,	 /* %p %px %pK: the value */
	FORMAT_SYMBOL,	 /* %ps %pS %pB: the value as a symbol */
	FORMAT_ADDRESS4, /* %pI4 %pi4: address of 4 bytes */
	FORMAT_ADDRESS6, /* %pI6 %pi6: address of 16 bytes */
};

struct format_spec {
	enum format_kind kind;
	char conversion;
	bool left, plus, space, zero;
	u32 width;  /* 0: none */
	u32 bytes;  /* FORMAT_INTEGER: size of the argument */
	u32 length; /* of the specification, from its '%' */
};

/* Reads the specification at `text` ('%'; terminated string). 0 or -EINVAL. */
int format_parse(const char *text, struct format_spec *out);

/*
 * Whether a format of at most `size` bytes is one that Linux takes for `arg_cnt` arguments: 0
 * or -EINVAL. Arguments left over are no mistake.
 */
int format_check(const char *format, size_t size, u32 arg_cnt);

/* ASCII, whatever the locale says. */
static inline bool format_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool format_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool format_is_punct(char c)
{
	return c > ' ' && c < 0x7f && !format_is_alnum(c);
}

#endif
