/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Depth of calls and of the stack over every chain of calls in the text, taken or not. Linux
 * gives tracing programs stacks of their own beyond 512 bytes; here the limit is the same for
 * all.
 */
#include "verify/cfg.h"
#include "verify/report.h"

#include <errno.h>

/* A call under way: the callee goes on at `at`, `depth` includes its frame. */
struct chain_link {
	u32 subprog, at, depth;
	bool in_callback; /* it is one, or one led to it */
};

/*
 * For each subprogram and number of frames the deepest stack it was looked at with. Looking
 * again with no more of both finds nothing new; without this the chains are exponentially many.
 */
struct looked_at {
	u32 depth[2][SUBPROGS_MAX][CALL_DEPTH_MAX]; /* plus one; 0: never. [1] in callbacks */
};

static bool is_new(struct looked_at *looked_at, const struct chain_link *link, u32 frames)
{
	u32 *known = looked_at->depth[link->in_callback][link->subprog], depth = link->depth;

	for (u32 i = frames - 1; i < CALL_DEPTH_MAX; i++) {
		if (known[i] > depth)
			return false;
	}
	known[frames - 1] = depth + 1;
	return true;
}

static u32 frame_bytes(const struct subprog *subprog)
{
	return (u32)round_up(subprog->stack_depth, FRAME_ROUND);
}

static int check_link(const struct cfg *cfg, const struct chain_link *links, u32 count,
		      const struct report *report)
{
	const struct chain_link *link = &links[count - 1];
	const struct subprog *subprog = &cfg->subprogs[link->subprog];
	u32 above = link->depth - frame_bytes(subprog);

	if (count > 1 && subprog->has_tail_call && above >= TAIL_CALL_STACK_MAX)
		return report(report, subprog->start, tail_call_stack, above);
	if (link->depth > STACK_DEPTH_MAX)
		return report(report, subprog->start, stack_depth, count, link->depth);
	if (subprog->throws && link->in_callback)
		return report(report, subprog->throws_at, throw_in_callback, subprog->throws_at,
			      link->subprog);
	return 0;
}

/* Moves on to the next call in the text of the subprogram. False: there is none. */
static bool next_callee(const struct cfg *cfg, struct chain_link *link, u32 *callee)
{
	u32 end = cfg->subprogs[link->subprog].end;

	while (link->at < end) {
		const struct bpf_insn *insn = &cfg->insns[link->at];
		s64 target;
		bool is_call = insn_is_subprog_call(insn, link->at, &target);
		bool is_address = insn_is_subprog_address(insn, link->at, &target);

		link->at++;
		if (!is_call && !is_address)
			continue;
		*callee = (u32)cfg_subprog_at(cfg, (u32)target);
		/* A timer's function starts on a stack of its own. */
		if (is_call || !cfg->subprogs[*callee].is_async)
			return true;
	}
	return false;
}

/* Enters the callee, unless nothing new can come of it. */
static int enter(const struct cfg *cfg, struct chain_link *links, u32 *count, u32 callee,
		 struct looked_at *looked_at, const struct report *report)
{
	const struct chain_link *top = &links[*count - 1];
	const struct subprog *subprog = &cfg->subprogs[callee];
	struct chain_link next = {callee, subprog->start, top->depth + frame_bytes(subprog),
				  top->in_callback || subprog->is_callback};

	if (*count == CALL_DEPTH_MAX)
		return report(report, top->at - 1, call_depth, *count);
	if (subprog->is_exception_callback)
		return report(report, top->at - 1, exception_callback_call, top->at - 1);
	if (!is_new(looked_at, &next, *count + 1))
		return 0;
	links[(*count)++] = next;
	return check_link(cfg, links, *count, report);
}

static int check_chains_from(const struct cfg *cfg, u32 subprog, struct looked_at *looked_at,
			     const struct report *report, u32 *deepest)
{
	const struct subprog *first = &cfg->subprogs[subprog];
	struct chain_link links[CALL_DEPTH_MAX] = {
		{subprog, first->start, frame_bytes(first), first->is_callback}};
	u32 count = 1, callee;
	int ret = check_link(cfg, links, count, report);

	while (!ret && count) {
		struct chain_link *top = &links[count - 1];

		*deepest = max(*deepest, top->depth);
		if (next_callee(cfg, top, &callee))
			ret = enter(cfg, links, &count, callee, looked_at, report);
		else
			count--;
	}
	return ret;
}

int cfg_check_stack_depth(const struct cfg *cfg, struct strbuf *log, struct skep_error *err,
			  u32 *deepest)
{
	struct report report = {log, err};
	struct looked_at looked_at = {0};
	u32 most = 0;

	for (u32 i = 0; i < cfg->subprog_cnt; i++) {
		int ret = 0;

		if (i == 0 || cfg->subprogs[i].is_async)
			ret = check_chains_from(cfg, i, &looked_at, &report, &most);
		if (ret)
			return ret;
	}
	*deepest = most;
	return 0;
}
