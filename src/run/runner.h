/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For many runs of one program inside one read-side section: what is the same for all of them is
 * set up once. A runner belongs to one thread at a time and lasts for many sections.
 */
#ifndef SKEP_RUN_RUNNER_H
#define SKEP_RUN_RUNNER_H

#include "run/native.h"
#include "run/run.h"

struct runner {
	const struct prog *prog;
	struct run_context *run;
	native_run *enter;    /* NULL: runs begin in another way */
	bool leaves_no_trace; /* of the program's runs, none */
	struct executor *exec;
	const struct native *native; /* NULL: prog_run() looks at everything anew */
	s64 fuel;		     /* of each run */
};

struct runner *runner_new(void); /* NULL: out of memory */
void runner_free(struct runner *runner);
void runner_start(struct runner *runner, const struct prog *prog, struct run_context *run);

/* What runner_run() is made of: a run that does not begin in the usual way, and what the traces
 * of a run, if it left any, make of its result. */
u64 runner_run_otherwise(struct runner *runner, void *ctx);
u64 runner_after(struct runner *runner, u64 ret);

/* So many runs one after the other, with nothing between them; the last one's result. */
u64 runner_repeat(struct runner *runner, void *ctx, u32 count);

/* As prog_run(); between two of them other programs may run with the same run_context. */
static inline u64 runner_run(struct runner *runner, void *ctx)
{
	struct run_context *run = runner->run;
	u64 ret;

	if (unlikely(!runner->enter || run->executor != runner->exec))
		return runner_run_otherwise(runner, ctx);
	run->ctx = ctx;
	ret = runner->enter(ctx, runner->exec);
	return likely(runner->leaves_no_trace) ? ret : runner_after(runner, ret);
}

#endif
