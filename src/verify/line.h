/* SPDX-License-Identifier: BSD-2-Clause */
/* Source lines out of line_info: for the log, and for the record of a rejection. */
#ifndef SKEP_VERIFY_LINE_H
#define SKEP_VERIFY_LINE_H

#include "verify/verify.h"

struct source_line {
	const char *file;  /* as the compiler recorded it */
	const char *whole; /* the line as it stands */
	const char *text;  /* the same without leading white space */
	u32 number;	   /* counted from 1 */
	u32 column;	   /* counted from 1; 0: not known */
};

/*
 * The line that the instruction was compiled from; false: not known. The records need not have
 * been checked: out of wrong ones comes a wrong line, nothing worse.
 */
bool line_find(const struct verify_input *input, u32 insn, struct source_line *out);

/* Instructions of one record: those before `end`. */
struct line_stretch {
	u32 end;
};

/* The record that begins at `insn`, or of which it is a part; false: there is none. */
bool line_stretch(const struct verify_input *input, u32 insn, struct line_stretch *out);

/* Completes the record of a rejection: where is "FILE:LINE: TEXT". */
void line_locate(const struct verify_input *input, struct skep_error *err);

#endif
