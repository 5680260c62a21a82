/* SPDX-License-Identifier: BSD-2-Clause */
/* Why programs are rejected: the rows of reasons.def. */
#ifndef SKEP_VERIFY_REASON_H
#define SKEP_VERIFY_REASON_H

#include <errno.h>

/* Linux's errno that user space's headers lack. */
#define ENOTSUPP 524

enum reason {
#define REASON(id, code, text, hint) REASON_##id,
#include "verify/reasons.def"
#undef REASON
	REASONS,
};

/* The texts as names, so that the compiler checks the arguments of each reject(). */
#define REASON(id, code, text, hint) static const char REASON_TEXT_##id[] = text;
#include "verify/reasons.def"
#undef REASON

static inline void __attribute__((format(printf, 1, 2))) reason_check(const char *text, ...)
{
}

struct reason_row {
	const char *id; /* stable: in reports and in skep_error.reason */
	int code;	/* negative errno */
	const char *text;
	const char *hint;
};

const struct reason_row *reason_row(enum reason reason);

#endif
