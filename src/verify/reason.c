/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/reason.h"

#include "base/error.h"
#include "verify/walk.h"

#include <stdarg.h>
#include <stdio.h>

static const struct reason_row rows[] = {
#define REASON(id, code, text, hint) [REASON_##id] = {#id, code, text, hint},
#include "verify/reasons.def"
#undef REASON
};

const struct reason_row *reason_row(enum reason reason)
{
	return &rows[reason];
}

int walk_reject(struct walk *walk, enum reason reason, ...)
{
	const struct reason_row *row = &rows[reason];
	struct skep_error *err = walk->err;
	va_list args;

	va_start(args, reason);
	vsnprintf(err->text, sizeof(err->text), row->text, args);
	va_end(args);
	err->code = row->code;
	err->stage = SKEP_STAGE_VERIFY;
	err->insn = (int)walk->at;
	err->reason = row->id;
	error_hint(err, "%s", row->hint);
	if (walk->log)
		strbuf_addf(walk->log, "%s\n", err->text);
	return row->code;
}
