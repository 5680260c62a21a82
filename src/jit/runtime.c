/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/runtime.h"
#include "run/native.h"
#include "run/run.h"

struct packet_word runtime_packet_load(const struct executor *exec, const void *ctx, s32 offset,
				       u32 bytes)
{
	struct packet_word word = {0};

	word.is_there = packet_load(exec->run, ctx, offset, bytes, &word.value);
	return word;
}

/* Acquire: partner of the exchange in sys/compile.c. */
static const struct native *native_of(const struct prog *prog)
{
	return atomic_load_explicit(&prog->native, memory_order_acquire);
}

const void *runtime_tail_call(struct executor *exec, u64 map, u64 index)
{
	const struct native *own = native_of(exec->run->prog), *target;
	const struct prog *next = tail_call_target(exec->run, map, index);

	if (!next)
		return NULL;
	exec->run->prog = next;
	target = native_of(next);
	return target ? target->entry[0] : own->interpret;
}

u64 runtime_interpret(u64 ctx, struct executor *exec)
{
	const u64 args[5] = {ctx};

	exec->code = prog_code_of(exec->run->prog);
	exec->frame = exec->frames;
	return executor_run(exec, args);
}
