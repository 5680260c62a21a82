/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Depth of calls and of the stack over every chain of calls in the text, taken or not.
 *
 * In programs that trace, every larger frame has a stack of its own, which counts for no chain:
 * such a program may interrupt whatever is deep in calls already. That is off where there are
 * tail calls, and for what a timer may call, too, since two runs would share that stack.
 */
#include "verify/cfg.h"
#include "verify/report.h"

#include <errno.h>
#include <string.h>

/* A call under way: the next one of the callee is cfg->calls[next]. */
struct chain_link {
	u32 subprog, next;
	u32 depth;	  /* of the chain's stack, with this frame */
	u32 total;	  /* the same with the frames that have stacks of their own */
	bool in_callback; /* it is one, or one led to it */
};

/* What a subprogram was looked at with; all plus one, 0: never. */
struct looked_at {
	u32 depth, total;
};

struct depths {
	const struct cfg *cfg;
	struct report report;
	bool has_own_stacks;
	bool is_shared[SUBPROGS_MAX]; /* a timer's function may call it */
	struct chain_link links[CALL_DEPTH_MAX];
	u32 count;
	u32 deepest;
	/*
	 * For each subprogram and number of frames the deepest stack. Looking again with no
	 * more of both finds nothing new; without this the chains are exponentially many.
	 */
	struct looked_at looked_at[SUBPROGS_MAX][2][CALL_DEPTH_MAX]; /* [1] in callbacks */
};

static bool is_new(struct depths *depths, const struct chain_link *link, u32 frames)
{
	struct looked_at *known = depths->looked_at[link->subprog][link->in_callback];

	for (u32 i = frames - 1; i < CALL_DEPTH_MAX; i++) {
		if (known[i].depth > link->depth && known[i].total > link->total)
			return false;
	}
	known[frames - 1] = (struct looked_at){link->depth + 1, link->total + 1};
	return true;
}

static u32 frame_bytes(const struct subprog *subprog)
{
	return (u32)round_up(subprog->stack_depth, FRAME_ROUND);
}

/* What the frame adds to its chain. */
static u32 chain_bytes(const struct depths *depths, u32 index)
{
	u32 bytes = frame_bytes(&depths->cfg->subprogs[index]);
	bool has_own = depths->has_own_stacks && !depths->is_shared[index];

	return has_own && bytes >= OWN_STACK_MIN ? 0 : bytes;
}

static int check_top(const struct depths *depths)
{
	const struct chain_link *link = &depths->links[depths->count - 1];
	const struct subprog *subprog = &depths->cfg->subprogs[link->subprog];
	u32 above = link->depth - chain_bytes(depths, link->subprog);

	if (depths->count > 1 && subprog->has_tail_call && above >= TAIL_CALL_STACK_MAX)
		return report(&depths->report, subprog->start, tail_call_stack, above);
	if (link->depth > STACK_DEPTH_MAX)
		return report(&depths->report, subprog->start, stack_depth, depths->count,
			      link->depth);
	if (subprog->throws && link->in_callback)
		return report(&depths->report, subprog->throws_at, throw_in_callback,
			      subprog->throws_at, link->subprog);
	return 0;
}

/* Moves on to the next call in the text of the subprogram. False: there is none. */
static bool next_callee(const struct cfg *cfg, struct chain_link *link, u32 *callee)
{
	u32 end = cfg->subprogs[link->subprog].end;

	while (link->next < cfg->call_cnt && cfg->calls[link->next] < end) {
		u32 at = cfg->calls[link->next++];
		s64 target;
		bool is_call = insn_is_subprog_call(&cfg->insns[at], at, &target);
		bool is_address = insn_is_subprog_address(&cfg->insns[at], at, &target);

		if (!is_call && !is_address)
			continue;
		*callee = (u32)cfg_subprog_at(cfg, (u32)target);
		/* A timer's function starts on a stack of its own. */
		if (is_call || !cfg->subprogs[*callee].is_async)
			return true;
	}
	return false;
}

static int push_link(struct depths *depths, struct chain_link link)
{
	link.next = cfg_call_from(depths->cfg, depths->cfg->subprogs[link.subprog].start);
	link.depth += chain_bytes(depths, link.subprog);
	link.total += frame_bytes(&depths->cfg->subprogs[link.subprog]);
	if (!is_new(depths, &link, depths->count + 1))
		return 0;
	depths->links[depths->count++] = link;
	depths->deepest = max(depths->deepest, link.total);
	return check_top(depths);
}

/* Enters the callee, unless nothing new can come of it. */
static int enter(struct depths *depths, u32 callee, bool in_timer)
{
	const struct chain_link *top = &depths->links[depths->count - 1];
	const struct subprog *subprog = &depths->cfg->subprogs[callee];
	u32 call = depths->cfg->calls[top->next - 1];

	if (depths->count == CALL_DEPTH_MAX)
		return report(&depths->report, call, call_depth, depths->count);
	if (subprog->is_exception_callback)
		return report(&depths->report, call, exception_callback_call, call);
	depths->is_shared[callee] |= in_timer;
	return push_link(depths, (struct chain_link){.subprog = callee,
						     .depth = top->depth,
						     .total = top->total,
						     .in_callback = top->in_callback ||
								    subprog->is_callback});
}

static int check_chains_from(struct depths *depths, u32 subprog)
{
	bool is_timer = subprog != 0;
	u32 callee;
	int ret;

	depths->is_shared[subprog] |= is_timer;
	ret = push_link(
		depths,
		(struct chain_link){.subprog = subprog,
				    .in_callback = depths->cfg->subprogs[subprog].is_callback});
	while (!ret && depths->count) {
		if (next_callee(depths->cfg, &depths->links[depths->count - 1], &callee))
			ret = enter(depths, callee, is_timer);
		else
			depths->count--;
	}
	return ret;
}

static bool may_have_own_stacks(const struct cfg *cfg, const struct verify_input *input)
{
	for (u32 i = 0; i < cfg->subprog_cnt; i++)
		if (cfg->subprogs[i].has_tail_call)
			return false;
	switch ((u32)input->type) {
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT: return true;
	case BPF_PROG_TYPE_TRACING: return input->attach_type != BPF_TRACE_ITER;
	default: return false;
	}
}

/* The main program last: by then it is known what the timers call. */
int cfg_check_stack_depth(const struct cfg *cfg, const struct verify_input *input,
			  struct skep_error *err, u32 *deepest)
{
	struct depths depths;

	/* Most programs have one subprogram: that is a small part of it all. */
	memset(&depths, 0,
	       offsetof(struct depths, looked_at) +
		       cfg->subprog_cnt * sizeof(depths.looked_at[0]));
	depths.cfg = cfg;
	depths.report = (struct report){input->log, err};
	depths.has_own_stacks = may_have_own_stacks(cfg, input);
	for (u32 i = cfg->subprog_cnt; i-- > 0;) {
		int ret = 0;

		if (i == 0 || cfg->subprogs[i].is_async)
			ret = check_chains_from(&depths, i);
		if (ret)
			return ret;
	}
	*deepest = depths.deepest;
	return 0;
}
