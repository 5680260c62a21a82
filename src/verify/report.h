/* SPDX-License-Identifier: BSD-2-Clause */
/* Rejections that are given before the walk: by the program's shape and its type information.
 */
#ifndef SKEP_VERIFY_REPORT_H
#define SKEP_VERIFY_REPORT_H

#include "base/strbuf.h"
#include "base/types.h"
#include <skep/error.h>

/*
 * Where such a rejection goes: a line in the log and the error record. `reason` is the stable
 * id. Returns `code`.
 */
struct report {
	struct strbuf *log;	/* NULL: none */
	struct skep_error *err; /* NULL: none */
};

int report_reject(const struct report *report, const char *reason, s64 insn, int code,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
