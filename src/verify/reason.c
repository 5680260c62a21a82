/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/reason.h"

static const struct reason_row rows[] = {
#define REASON(id, code, text, hint) [REASON_##id] = {#id, code, text, hint},
#include "verify/reasons.def"
#undef REASON
};

const struct reason_row *reason_row(enum reason reason)
{
	return &rows[reason];
}
