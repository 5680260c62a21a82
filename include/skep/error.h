/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What went wrong, in detail. Functions of skep return 0 or a negative errno; the record says
 * where and what to do. A rejected program is a verdict: it has a record with stage
 * SKEP_STAGE_VERIFY and the reason's id.
 */
#ifndef SKEP_ERROR_H
#define SKEP_ERROR_H

enum skep_stage {
	SKEP_STAGE_NONE,
	SKEP_STAGE_CALL,   /* the arguments of the call itself */
	SKEP_STAGE_OBJECT, /* an ELF file, its sections and relocations */
	SKEP_STAGE_BTF,
	SKEP_STAGE_DECODE, /* an instruction that is not well formed */
	SKEP_STAGE_VERIFY,
	SKEP_STAGE_MAP,
	SKEP_STAGE_RUN,
	SKEP_STAGE_PORT,
};

#define SKEP_ERROR_TEXT 256

struct skep_error {
	int code; /* negative errno, 0: no error */
	enum skep_stage stage;
	int insn;	    /* index of the instruction, -1: none */
	const char *reason; /* stable id of a rejection; static storage; NULL: none */
	/* Terminated texts without a newline, cut when longer. */
	char where[SKEP_ERROR_TEXT]; /* file, section, source line; may be empty */
	char text[SKEP_ERROR_TEXT];  /* one line: what was found and what was expected */
	char hint[SKEP_ERROR_TEXT];  /* what to do; may be empty */
};

#endif
