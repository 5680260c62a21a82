/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When programs get their machine code. Large ones (skep_engine_opts.jit_background) start with
 * that of one pass; a thread of the engine makes the optimised one meanwhile and puts it in its
 * place. Runs that are under way end in the code that they began in: it is freed a grace period
 * later.
 */
#ifndef SKEP_SYS_COMPILE_H
#define SKEP_SYS_COMPILE_H

#include "run/run.h"

/* A program that is complete and does not run yet. Without machine code it is interpreted. */
void compile_prog(struct skep_engine *engine, struct prog *prog);

/* Until no program waits for its code. */
void compile_settle(struct skep_engine *engine);
/* No further code is made. What user space had is gone, programs may still be there. */
void compile_stop(struct skep_engine *engine);

#endif
