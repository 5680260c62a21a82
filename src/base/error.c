/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_clear(struct skep_error *err)
{
	if (!err)
		return;
	memset(err, 0, sizeof(*err));
	err->insn = -1;
}

int error_set(struct skep_error *err, enum skep_stage stage, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	error_clear(err);
	err->code = code;
	err->stage = stage;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return code;
}

void error_hint(struct skep_error *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return;
	va_start(args, format);
	vsnprintf(err->hint, sizeof(err->hint), format, args);
	va_end(args);
}

void error_where(struct skep_error *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return;
	va_start(args, format);
	vsnprintf(err->where, sizeof(err->where), format, args);
	va_end(args);
}
