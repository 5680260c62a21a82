/* SPDX-License-Identifier: BSD-2-Clause */
#include "hook/hook_run.h"
#include "base/os.h"

#include <time.h>

#define TC_UNSPEC (-1)
#define OTHER	  (TALLY_RESULTS - 1)

static void begin_program(struct hook_run_program *to, struct attachment *from, u32 queue)
{
	*to = (struct hook_run_program){
		.prog = attachment_prog(from),
		.tally = &from->tallies[queue % from->queues],
		.proceed_on = from->proceed_on,
	};
}

void hook_run_begin(struct hook_run *run, const struct hook *hook, u32 queue)
{
	const struct chain *chain = hook_chain(hook);
	const bool is_xdp = hook->attach_type == BPF_XDP;

	run->count = chain ? chain->count : 0;
	if (!run->count)
		return;
	run->first = is_xdp ? 0 : 1;
	run->at_the_end = is_xdp ? XDP_PASS : TC_UNSPEC;
	run->is_timed = run_stats_enabled();
	run->is_generic = chain->at[0]->is_generic;
	run->has_frags = true;
	for (u32 i = 0; i < run->count; i++) {
		begin_program(&run->programs[i], chain->at[i], queue);
		run->has_frags = run->has_frags && prog_has_frags(run->programs[i].prog);
	}
}

static void add(atomic_ullong *to, u64 amount)
{
	if (amount)
		atomic_fetch_add_explicit(to, amount, memory_order_relaxed);
}

void hook_run_end(struct hook_run *run)
{
	for (u32 i = 0; i < run->count; i++) {
		struct hook_run_program *program = &run->programs[i];

		for (u32 result = 0; result < TALLY_RESULTS; result++) {
			add(&program->tally->packets[result], program->packets[result]);
			add(&program->tally->bytes[result], program->bytes[result]);
		}
		add(&program->tally->ns, program->ns);
	}
}

static s32 run_timed(struct hook_run_program *program, void *ctx, struct run_context *context)
{
	const u64 start = os_time_ns(CLOCK_MONOTONIC);
	const s32 result = (s32)prog_run(program->prog, ctx, context);

	program->ns += os_time_ns(CLOCK_MONOTONIC) - start;
	return result;
}

s32 hook_run_packet(struct hook_run *run, void *ctx, struct run_context *context, u32 bytes)
{
	for (u32 i = 0; i < run->count; i++) {
		struct hook_run_program *program = &run->programs[i];
		const s32 result = unlikely(run->is_timed)
					   ? run_timed(program, ctx, context)
					   : (s32)prog_run(program->prog, ctx, context);
		const u32 place = min((u32)result + run->first, (u32)OTHER);

		program->packets[place]++;
		program->bytes[place] += bytes;
		if (likely(!(program->proceed_on >> place & 1)))
			return result;
	}
	return run->at_the_end;
}
