/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/compile.h"

#include "map/reaper.h"
#include "run/native.h"
#include "sys/engine.h"

#include <stdlib.h>

struct waiting {
	struct chore chore;
	struct skep_engine *engine;
	struct prog *prog; /* a reference */
};

static void free_native(struct rcu_head *head)
{
	struct native *native = container_of(head, struct native, rcu);

	native->free(native);
}

/* The next run begins in the new code; tail calls go there from now on. */
static void swap(struct skep_engine *engine, struct prog *prog)
{
	struct native *made, *old;

	if (jit_make(prog, JIT_FULL, &made))
		return;
	code_note(&engine->codes, prog, made);
	/* Release: partner of whoever loads prog->native. */
	old = atomic_exchange_explicit(&prog->native, made, memory_order_acq_rel);
	if (old)
		call_rcu(&old->rcu, free_native);
}

static bool step(struct chore *chore)
{
	struct waiting *waiting = container_of(chore, struct waiting, chore);

	if (!atomic_load_explicit(&waiting->engine->is_ending, memory_order_relaxed))
		swap(waiting->engine, waiting->prog);
	object_put(&waiting->prog->object);
	free(waiting);
	return true;
}

/* False: there is no thread, or no memory. */
static bool compile_later(struct skep_engine *engine, struct prog *prog)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting)
		return false;
	*waiting = (struct waiting){.chore = {.step = step}, .engine = engine, .prog = prog};
	object_get(&prog->object);
	if (reaper_add(engine->compiler, &waiting->chore))
		return true;
	object_put(&prog->object);
	free(waiting);
	return false;
}

static bool is_for_later(const struct skep_engine *engine, const struct prog *prog)
{
	return engine->jit == JIT_FULL && engine->jit_background &&
	       prog->verified->insn_cnt > engine->jit_background;
}

void compile_prog(struct skep_engine *engine, struct prog *prog)
{
	const bool later = is_for_later(engine, prog);

	if (engine->verify_only)
		return;
	prog->is_blinded = engine->jit_harden == SKEP_JIT_HARDEN_ALL ||
			   (engine->jit_harden && !engine_may(engine, SKEP_RIGHT_BPF));
	jit_compile(prog, later ? JIT_BASE : engine->jit);
	code_note(&engine->codes, prog, prog->native);
	if (later && !compile_later(engine, prog))
		swap(engine, prog);
}

void compile_settle(struct skep_engine *engine)
{
	reaper_drain(engine->compiler);
}

void compile_stop(struct skep_engine *engine)
{
	atomic_store_explicit(&engine->is_ending, true, memory_order_relaxed);
	if (engine->compiler)
		reaper_stop(engine->compiler);
}
