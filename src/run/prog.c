/* SPDX-License-Identifier: BSD-2-Clause */
/* A loaded program's life, and one run of it. */
#include "base/error.h"
#include "base/os.h"
#include "device/device.h"
#include "map/map.h"
#include "run/checker.h"
#include "run/extension.h"
#include "run/native.h"
#include "run/run.h"
#include "run/stream.h"
#include "run/tag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static atomic_bool stats_enabled;

void run_stats_enable(bool on)
{
	atomic_store_explicit(&stats_enabled, on, memory_order_relaxed);
}

bool run_stats_enabled(void)
{
	return atomic_load_explicit(&stats_enabled, memory_order_relaxed);
}

const struct prog_code *prog_code_of(const struct prog *prog)
{
	return prog->code;
}

/* --- life --- */
static void prog_free(struct prog *prog)
{
	struct native *native = prog->native;

	for (u32 i = 0; i < prog->map_cnt; i++)
		object_put(&prog->maps[i]->object);
	free(prog->maps);
	object_put(prog->btf);
	if (prog->target)
		object_put(&prog->target->object);
	if (native)
		native->free(native);
	device_handle_free(prog->offload);
	code_free(prog->code);
	verified_free(prog->verified);
	prog_streams_free(prog);
	free(prog);
}

static void prog_free_rcu(struct rcu_head *head)
{
	prog_free(container_of(head, struct prog, rcu));
}

static void prog_release(struct object *object)
{
	struct prog *prog = container_of(object, struct prog, object);

	call_rcu(&prog->rcu, prog_free_rcu);
}

static int prog_take_maps(struct prog *prog, struct map *const *maps)
{
	prog->maps = calloc(prog->verified->map_cnt + 1, sizeof(struct map *));
	if (!prog->maps || prog_streams_new(prog))
		return -ENOMEM;
	for (u32 i = 0; i < prog->verified->map_cnt; i++) {
		object_get(&maps[i]->object);
		prog->maps[prog->map_cnt++] = maps[i];
	}
	return 0;
}

int prog_new_verified(struct verified *verified, struct map *const *maps, struct prog **out,
		      struct skep_error *err)
{
	struct prog *prog = calloc(1, sizeof(*prog));
	int ret;

	if (!prog) {
		verified_free(verified);
		return error_set(err, SKEP_STAGE_RUN, -ENOMEM, "out of memory");
	}
	object_init(&prog->object, OBJECT_PROG, prog_release);
	prog->verified = verified;
	prog->type = verified->is_extension ? BPF_PROG_TYPE_EXT : verified->type;
	prog->attach_type = verified->attach_type;
	prog->load_time = os_time_ns(CLOCK_BOOTTIME);
	program_tag(verified->insns, verified->insn_cnt, prog->tag);
	ret = prog_take_maps(prog, maps);
	if (ret) {
		prog_free(prog);
		return error_set(err, SKEP_STAGE_RUN, ret, "out of memory");
	}
	*out = prog;
	return 0;
}

int prog_new(struct verified *verified, struct map *const *maps, const struct prog_types *types,
	     struct prog **out, struct skep_error *err)
{
	struct prog *prog;
	int ret = prog_new_verified(verified, maps, &prog, err);

	if (ret)
		return ret;
	ret = code_build(verified, types, &prog->code, err);
	if (ret) {
		prog_free(prog);
		return ret;
	}
	*out = prog;
	return 0;
}

/* --- one run --- */
void run_begin(struct run_context *run, const struct run_env *env)
{
	memset(run, 0, sizeof(*run));
	run->env = env;
	run->slot = slot_enter(env->slots);
	rcu_read_lock();
}

void run_end(struct run_context *run)
{
	rcu_read_unlock();
	slot_leave(run->env->slots);
}

const struct prog *tail_call_target(struct run_context *run, u64 map, u64 index)
{
	struct object *object;

	if (run->tail_calls >= TAIL_CALLS_MAX)
		return NULL;
	object = map_prog_at(u64_to_ptr(map), (u32)index);
	if (!object)
		return NULL;
	run->tail_calls++;
	return container_of(object, struct prog, object);
}

static u64 interpret(struct executor *exec, const struct code_insn *pc, u64 fp,
		     const u64 args[5])
{
	if (exec->checker)
		return interpret_checked(exec, pc, fp, args);
	return code_has_fuel(exec->code) ? interpret_fuel(exec, pc, fp, args)
					 : interpret_fast(exec, pc, fp, args);
}

u64 executor_call(struct executor *exec, const struct code_insn *pc, const u64 args[5])
{
	struct frame *frame = exec->frame;
	const u64 fp = exec->fp;
	u64 ret = interpret(exec, pc, fp, args);

	exec->frame = frame;
	exec->fp = fp;
	return ret;
}

/* Which subprogram it is; `function` is what the program knows it by. */
static u32 subprog_of(const struct prog *prog, u64 function)
{
	const struct code_insn *first = u64_to_ptr(function);
	const u32 at = (u32)(first - prog->code->insns);
	u32 i = 0;

	while (prog->verified->subprogs[i].start != at)
		i++;
	return i;
}

/* False: there is no fuel left. */
static bool burn_callback(struct executor *exec, u64 function)
{
	const struct prog *prog = exec->run->prog;

	exec->fuel -= code_length(prog->code, subprog_of(prog, function));
	return exec->fuel >= 0;
}

/* A callback runs in the frame below the one that called the helper. 1 ends
 * what calls back. */
static u64 call_back(struct run_context *run, u64 function, const u64 args[5])
{
	struct executor *exec = run->executor;
	/* Acquire: partner of the exchange in sys/compile.c. */
	const struct native *native =
		atomic_load_explicit(&run->prog->native, memory_order_acquire);

	if (run->env->fuel && !burn_callback(exec, function))
		return 1;
	if (native && !exec->checker)
		return native->enter(args, exec,
				     native->entry[subprog_of(run->prog, function)]);
	return executor_call(exec, u64_to_ptr(function), args);
}
/* Code that is not a program's may run without an engine. */
static s64 fuel_of(const struct run_context *run)
{
	const u64 fuel = run->env ? run->env->fuel : 0;

	return fuel ? (s64)min(fuel, (u64)INT64_MAX) : INT64_MAX;
}

void executor_start(struct executor *exec, const struct prog_code *code,
		    struct run_context *run)
{
	exec->run = run;
	exec->code = code;
	exec->frame = exec->frames;
	exec->fp = ptr_to_u64(exec->stack + sizeof(exec->stack));
	exec->extended = NULL;
	exec->may_goto_left = MAY_GOTO_BUDGET;
	exec->fuel = fuel_of(run);
	exec->native_sp = NULL;
	exec->checker = NULL;
	run->type = code->type;
	run->tail_calls = 0;
	run->call_back = call_back;
	run->executor = exec;
}

u64 executor_run(struct executor *exec, const u64 args[5])
{
	return interpret(exec, exec->code->insns, ptr_to_u64(exec->stack + sizeof(exec->stack)),
			 args);
}

static u64 prog_run_once(const struct prog *prog, void *ctx, struct run_context *run)
{
	const u64 args[5] = {ptr_to_u64(ctx)};
	const struct native *native;
	struct executor exec;
	u64 ret;

	if (unlikely(atomic_load_explicit(&prog->is_extended, memory_order_relaxed)))
		prog = extension_of(prog->code, 0) ?: prog;
	/* Acquire: partner of the exchange in sys/compile.c. */
	native = atomic_load_explicit(&prog->native, memory_order_acquire);
	run->prog = prog;
	run->ctx = ctx;
	executor_start(&exec, prog->code, run);
	if (unlikely(run->env->checked))
		ret = checked_run(&exec, args);
	else if (native)
		ret = native_start(native, ctx, &exec);
	else
		ret = executor_run(&exec, args);
	if (likely(exec.fuel >= 0))
		return ret;
	run->is_stopped = true;
	return (u64)-EINTR;
}

void prog_call_later(const struct run_env *env, const struct prog *prog, u64 function,
		     const u64 args[5])
{
	struct run_context run;
	struct executor exec;

	run_begin(&run, env);
	run.prog = prog;
	executor_start(&exec, prog->code, &run);
	if (unlikely(env->checked))
		checked_call(&exec, function, args);
	else
		call_back(&run, function, args);
	run_end(&run);
}

u64 prog_run(const struct prog *prog, void *ctx, struct run_context *run)
{
	struct prog *counted = (struct prog *)prog;
	u64 start, ret;

	if (likely(!run_stats_enabled()))
		return prog_run_once(prog, ctx, run);
	start = os_time_ns(CLOCK_MONOTONIC);
	ret = prog_run_once(prog, ctx, run);
	atomic_fetch_add_explicit(&counted->run_time_ns, os_time_ns(CLOCK_MONOTONIC) - start,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&counted->run_cnt, 1, memory_order_relaxed);
	return ret;
}
