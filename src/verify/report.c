/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/report.h"

#include "base/error.h"

#include <stdio.h>

int report_vreason(const struct report *to, s64 insn, enum reason reason, va_list args)
{
	const struct reason_row *row = reason_row(reason);
	char text[SKEP_ERROR_TEXT];

	vsnprintf(text, sizeof(text), row->text, args);
	if (to->log)
		strbuf_addf(to->log, "%s\n", text);
	error_set(to->err, SKEP_STAGE_VERIFY, row->code, "%s", text);
	error_hint(to->err, "%s", row->hint);
	if (to->err) {
		to->err->reason = row->id;
		to->err->insn = (int)insn;
	}
	return row->code;
}

int report_reason(const struct report *to, s64 insn, enum reason reason, ...)
{
	va_list args;
	int code;

	va_start(args, reason);
	code = report_vreason(to, insn, reason, args);
	va_end(args);
	return code;
}
