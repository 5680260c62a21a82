/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/code.h"
#include "run/extension.h"
#include "run/native.h"
#include "run/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct runner {
	const struct prog *prog;
	struct run_context *run;
	const struct native *native; /* NULL: not the plain case, prog_run() looks at everything anew */
	s64 fuel; /* of each run */
	struct executor exec;
};

struct runner *runner_new(void)
{
	return aligned_alloc(CACHE_LINE, round_up(sizeof(struct runner), CACHE_LINE));
}

void runner_free(struct runner *runner)
{
	free(runner);
}

static bool is_plain(const struct prog *prog, const struct run_context *run)
{
	return !run->env->checked && !run_stats_enabled() &&
	       !atomic_load_explicit(&prog->is_extended, memory_order_relaxed);
}

static void set_up(struct runner *runner)
{
	runner->run->prog = runner->prog;
	executor_start(&runner->exec, runner->prog->code, runner->run);
	runner->fuel = runner->exec.fuel;
}

void runner_start(struct runner *runner, const struct prog *prog, struct run_context *run)
{
	runner->prog = prog;
	runner->run = run;
	runner->native = is_plain(prog, run)
				 ? atomic_load_explicit(&prog->native, memory_order_acquire)
				 : NULL;
	if (runner->native)
		set_up(runner);
}

/* Whether the run left something otherwise than it found it: most leave nothing. */
static inline bool is_disturbed(const struct runner *runner)
{
	const struct executor *exec = &runner->exec;

	return (exec->may_goto_left ^ MAY_GOTO_BUDGET) | (u64)(exec->fuel ^ runner->fuel) |
	       runner->run->tail_calls | ptr_to_u64(exec->extended) |
	       (ptr_to_u64(exec->frame) ^ ptr_to_u64(exec->frames));
}

static u64 run_ended_otherwise(struct runner *runner, u64 ret)
{
	struct executor *exec = &runner->exec;
	const bool is_stopped = exec->fuel < 0;

	exec->may_goto_left = MAY_GOTO_BUDGET;
	exec->fuel = runner->fuel;
	exec->extended = NULL;
	exec->frame = exec->frames;
	exec->code = runner->prog->code;
	runner->run->prog = runner->prog;
	runner->run->tail_calls = 0;
	runner->run->is_stopped |= is_stopped;
	return is_stopped ? (u64)-EINTR : ret;
}

u64 runner_run(struct runner *runner, void *ctx)
{
	struct run_context *run = runner->run;
	u64 ret;

	if (unlikely(!runner->native))
		return prog_run(runner->prog, ctx, run);
	/* Another program ran with the same context, or the last run left its traces. */
	if (unlikely(run->executor != &runner->exec))
		set_up(runner);
	run->ctx = ctx;
	ret = native_start(runner->native, ctx, &runner->exec);
	return likely(!is_disturbed(runner)) ? ret : run_ended_otherwise(runner, ret);
}
