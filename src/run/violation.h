/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the checked interpreter found: a run did something that its facts exclude. It is always
 * a bug of skep (or of whoever ran an unproven program), never of a verified program.
 */
#ifndef SKEP_RUN_VIOLATION_H
#define SKEP_RUN_VIOLATION_H

#include "base/strbuf.h"
#include "base/types.h"

struct prog;

enum violation_kind {
	VIOLATION_NONE,
	VIOLATION_ACCESS,     /* memory outside of every region it may be in */
	VIOLATION_REGISTER,   /* a register whose value its fact excludes */
	VIOLATION_DEAD_CODE,  /* an instruction that is never reached */
	VIOLATION_BRANCH,     /* a jump that is never, or always, taken */
	VIOLATION_CALL_DEPTH, /* more frames or stack than there may be */
	VIOLATION_TARGET,     /* a callback that is no function of the program, a wild jump */
	VIOLATION_MASK,	      /* an offset that is masked, though nothing is speculated */
	VIOLATION_ALIGNMENT,  /* an atomic operation on an unaligned address */
	VIOLATION_BUDGET,     /* an unproven program that did not end */
};

struct run_violation {
	enum violation_kind kind;
	const struct prog *prog; /* NULL: unproven code */
	u32 insn;
	u8 reg;	   /* VIOLATION_REGISTER */
	u8 fact;   /* VIOLATION_REGISTER: enum reg_fact_kind; VIOLATION_ACCESS: enum mem_kind */
	u64 value; /* of the register; the address */
	u32 size;  /* VIOLATION_ACCESS */
	bool write;
};

/* One line, without newline. */
void violation_print(const struct run_violation *violation, struct strbuf *out);

#endif
