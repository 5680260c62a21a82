/* SPDX-License-Identifier: BSD-2-Clause */
/* Source lines out of line_info: for the log, and for the record of a rejection. */
#ifndef SKEP_VERIFY_LINE_H
#define SKEP_VERIFY_LINE_H

#include "verify/verify.h"

struct source_line {
	const char *file; /* as the compiler recorded it */
	const char *text; /* without leading white space */
	u32 number;	  /* counted from 1 */
};

/*
 * The line that the instruction was compiled from; false: not known. The records need not have
 * been checked: out of wrong ones comes a wrong line, nothing worse.
 */
bool line_find(const struct verify_input *input, u32 insn, struct source_line *out);

/* Completes the record of a rejection: where is "FILE:LINE: TEXT". */
void line_locate(const struct verify_input *input, struct skep_error *err);

#endif
