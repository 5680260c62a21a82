/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that run instead of functions of another program (freplace). A call of a function
 * that can be replaced looks into its program's table; the entry of the program itself, and
 * what helpers call back, only once is_extended is set.
 *
 * An extension has no functions that can be replaced, and an extended program is never the
 * target of a tail call: in one run at most one extension is under way.
 */
#ifndef SKEP_RUN_EXTENSION_H
#define SKEP_RUN_EXTENSION_H

#include "base/rcu.h"
#include "run/code.h"
#include "run/run.h"

/* What runs instead of the subprogram; NULL: it runs itself. In a read-side section. */
static inline const struct prog *extension_of(const struct prog_code *code, u32 subprog)
{
	return rcu_dereference(code->extensions[subprog]);
}

/*
 * `extension` runs instead of `prog`'s subprogram from now on, NULL: it runs itself again. One
 * caller at a time. Runs under way may still see what was there before: it lives on until a
 * grace period has passed.
 */
void extension_set(struct prog *prog, u32 subprog, const struct prog *extension);

/* Runs the extension in the place of a function of the run's program, whose arguments are
 * `args`; on the interpreter's stack below exec->fp when it has no machine code. */
u64 extension_run(struct executor *exec, const struct prog *extension, const u64 args[5]);

#endif
