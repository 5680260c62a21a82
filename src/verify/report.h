/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving a rejection: the only way out of the verifier with a verdict. */
#ifndef SKEP_VERIFY_REPORT_H
#define SKEP_VERIFY_REPORT_H

#include "base/strbuf.h"
#include "base/types.h"
#include "verify/reason.h"
#include <skep/error.h>
#include <stdarg.h>

/* Where it goes: a line in the log and the error record. */
struct report {
	struct strbuf *log;	/* NULL: none */
	struct skep_error *err; /* NULL: none */
};

/*
 * report(struct report *, insn, id of a row, message arguments...) rejects: the row's message
 * goes to the log and, with the instruction (-1: none), into the error record; its errno is
 * returned.
 */
#define report(report, insn, id, ...)                   \
	(reason_check(REASON_TEXT_##id, ##__VA_ARGS__), \
	 report_reason(report, insn, REASON_##id, ##__VA_ARGS__))
int report_reason(const struct report *report, s64 insn, enum reason reason, ...);
int report_vreason(const struct report *report, s64 insn, enum reason reason, va_list args);

#endif
