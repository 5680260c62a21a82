/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/runner.h"
#include "run/code.h"
#include "run/extension.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct memory {
	struct runner runner;
	struct executor exec;
};

struct runner *runner_new(void)
{
	struct memory *memory =
		aligned_alloc(CACHE_LINE, round_up(sizeof(struct memory), CACHE_LINE));

	if (!memory)
		return NULL;
	memory->runner = (struct runner){.exec = &memory->exec};
	return &memory->runner;
}

void runner_free(struct runner *runner)
{
	if (runner)
		free(container_of(runner, struct memory, runner));
}

static bool is_plain(const struct prog *prog, const struct run_context *run)
{
	return !run->env->checked && !run_stats_enabled() &&
	       !atomic_load_explicit(&prog->is_extended, memory_order_relaxed);
}

static void set_up(struct runner *runner)
{
	runner->run->prog = runner->prog;
	executor_start(runner->exec, runner->prog->code, runner->run);
	runner->fuel = runner->exec->fuel;
}

void runner_start(struct runner *runner, const struct prog *prog, struct run_context *run)
{
	runner->prog = prog;
	runner->run = run;
	runner->native = is_plain(prog, run)
				 ? atomic_load_explicit(&prog->native, memory_order_acquire)
				 : NULL;
	runner->enter = runner->native ? runner->native->run : NULL;
	runner->leaves_no_trace = runner->enter && runner->native->leaves_no_trace;
	if (runner->native)
		set_up(runner);
}

/* Whether the run left something otherwise than it found it: most leave nothing. */
static bool is_disturbed(const struct runner *runner)
{
	const struct executor *exec = runner->exec;

	return (exec->may_goto_left ^ MAY_GOTO_BUDGET) | (u64)(exec->fuel ^ runner->fuel) |
	       ptr_to_u64(exec->extended) |
	       (ptr_to_u64(exec->frame) ^ ptr_to_u64(exec->frames));
}

u64 runner_after(struct runner *runner, u64 ret)
{
	struct executor *exec = runner->exec;
	const bool is_stopped = exec->fuel < 0;

	/* What tail calls leave. */
	exec->code = runner->prog->code;
	runner->run->prog = runner->prog;
	runner->run->tail_calls = 0;
	if (likely(!is_disturbed(runner)))
		return ret;
	exec->may_goto_left = MAY_GOTO_BUDGET;
	exec->fuel = runner->fuel;
	exec->extended = NULL;
	exec->frame = exec->frames;
	runner->run->is_stopped |= is_stopped;
	return is_stopped ? (u64)-EINTR : ret;
}

u64 runner_run_otherwise(struct runner *runner, void *ctx)
{
	struct run_context *run = runner->run;

	if (!runner->native)
		return prog_run(runner->prog, ctx, run);
	if (run->executor != runner->exec)
		set_up(runner);
	run->ctx = ctx;
	return runner_after(runner, native_start(runner->native, ctx, runner->exec));
}

u64 runner_repeat(struct runner *runner, void *ctx, u32 count)
{
	native_run *const enter = runner->enter;
	struct executor *const exec = runner->exec;
	u64 ret = 0;

	if (!runner->leaves_no_trace || runner->run->executor != exec) {
		for (u32 i = 0; i < count; i++)
			ret = runner_run(runner, ctx);
		return ret;
	}
	runner->run->ctx = ctx;
	for (u32 i = 0; i < count; i++)
		ret = enter(ctx, exec);
	return ret;
}
