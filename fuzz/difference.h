/* SPDX-License-Identifier: BSD-2-Clause */
/* Why only one of skep and Linux accepts a program, as far as docs/differences.md has the
 * answer. */
#ifndef SKEP_FUZZ_DIFFERENCE_H
#define SKEP_FUZZ_DIFFERENCE_H

#include "verify/verify.h"

enum verdict_class {
#define CLASS(name, text) VERDICT_##name,
#include "fuzz/verdicts.def"
#undef CLASS
	VERDICT_CLASSES,
};

struct difference_input {
	const struct bpf_insn *insns;
	u32 count;
	const struct verified *verified; /* NULL: skep refuses */
	/* Facts of registers before each instruction; NULL: not known. */
	const struct reg_fact (*regs)[MAX_BPF_REG];
	const char *skep_log, *linux_log; /* of level 2 */
	const char *path;		  /* the refusal's log of level 1 */
	/* What Linux says in its log (of level 1) of the program with another instruction at
	 * `at`; NULL: it accepts. */
	const char *(*ask_linux)(void *cookie, u32 at, struct bpf_insn instead);
	void *cookie;
};

enum verdict_class difference_class(const struct difference_input *input);
const char *verdict_class_text(enum verdict_class class);

#endif
