/* SPDX-License-Identifier: BSD-2-Clause */
#include "hook/hook_run.h"
#include "base/os.h"

#include <time.h>

#define TC_UNSPEC (-1)
#define OTHER	  (TALLY_RESULTS - 1)

static u32 first_place(const struct hook *hook)
{
	return hook->attach_type == BPF_XDP ? 0 : 1;
}

static u32 place_of(s32 result, u32 first)
{
	return min((u32)result + first, (u32)OTHER);
}

static s32 result_at_the_end(const struct hook *hook)
{
	return hook->attach_type == BPF_XDP ? XDP_PASS : TC_UNSPEC;
}

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

	run->count = chain ? chain->count : 0;
	if (!run->count)
		return;
	run->first = first_place(hook);
	run->at_the_end = result_at_the_end(hook);
	run->is_timed = run_stats_enabled();
	run->is_generic = chain->at[0]->is_generic;
	run->has_frags = true;
	run->is_bound = false;
	for (u32 i = 0; i < run->count; i++) {
		begin_program(&run->programs[i], chain->at[i], queue);
		run->has_frags = run->has_frags && prog_has_frags(run->programs[i].prog);
		run->is_bound |= run->programs[i].prog->bound_ifindex != 0;
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
		const u32 place = place_of(result, run->first);

		program->packets[place]++;
		program->bytes[place] += bytes;
		if (likely(!(program->proceed_on >> place & 1)))
			return result;
	}
	return run->at_the_end;
}

static s32 run_and_tally(struct attachment *attachment, struct program_tally *tally, void *ctx,
			 struct run_context *context)
{
	const struct prog *prog = attachment_prog(attachment);
	u64 start;
	s32 result;

	if (likely(!run_stats_enabled()))
		return (s32)prog_run(prog, ctx, context);
	start = os_time_ns(CLOCK_MONOTONIC);
	result = (s32)prog_run(prog, ctx, context);
	add(&tally->ns, os_time_ns(CLOCK_MONOTONIC) - start);
	return result;
}

bool hook_run_one(const struct hook *hook, u32 queue, void *ctx, struct run_context *context,
		  u32 bytes, s32 *result)
{
	const struct chain *chain = hook_chain(hook);

	for (u32 i = 0; chain && i < chain->count; i++) {
		struct attachment *attachment = chain->at[i];
		struct program_tally *tally = &attachment->tallies[queue % attachment->queues];
		u32 place;

		*result = run_and_tally(attachment, tally, ctx, context);
		place = place_of(*result, first_place(hook));
		add(&tally->packets[place], 1);
		add(&tally->bytes[place], bytes);
		if (!(attachment->proceed_on >> place & 1))
			return true;
	}
	*result = result_at_the_end(hook);
	return chain;
}
