/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/report.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int report_reject(const struct report *report, const char *reason, s64 insn, int code,
		  const char *format, ...)
{
	char text[SKEP_ERROR_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (report->log)
		strbuf_addf(report->log, "%s\n", text);
	error_set(report->err, SKEP_STAGE_VERIFY, code, "%s", text);
	if (report->err) {
		report->err->reason = reason;
		report->err->insn = (int)insn;
	}
	return code;
}
