/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions: bpf_throw() ends the program from within any function. What it returns is the
 * cookie that is thrown, or what the exception callback, a global function that is named by a
 * declaration tag of the program, makes of it.
 */
#ifndef SKEP_VERIFY_EXCEPTION_H
#define SKEP_VERIFY_EXCEPTION_H

#include "verify/verify.h"

struct report;
struct walk;
struct prototype;

/*
 * The first instruction of the exception callback, once func_info is known to be well formed;
 * *insn is 0 where the program has none.
 */
int exception_find_callback(const struct verify_input *input, const struct report *report,
			    u32 *insn);

/* The call of bpf_throw() under way is possible: nothing is held, the cookie is a result. */
int exception_prove_throw(struct walk *walk);
/* The exception callback takes the cookie. */
int exception_prove_prototype(struct walk *walk, const struct prototype *prototype);

#endif
