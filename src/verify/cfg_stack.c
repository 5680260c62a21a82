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
};

/*
 * For each subprogram and number of frames the deepest stack it was looked at with. Looking
 * again with no more of both finds nothing new; without this the chains are exponentially many.
 */
struct looked_at {
	u32 depth[SUBPROGS_MAX][CALL_DEPTH_MAX]; /* plus one; 0: never */
};

static bool is_new(struct looked_at *looked_at, u32 subprog, u32 frames, u32 depth)
{
	u32 *known = looked_at->depth[subprog];

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
	u32 depth = top->depth + frame_bytes(&cfg->subprogs[callee]);

	if (*count == CALL_DEPTH_MAX)
		return report(report, top->at - 1, call_depth, *count);
	if (!is_new(looked_at, callee, *count + 1, depth))
		return 0;
	links[(*count)++] = (struct chain_link){callee, cfg->subprogs[callee].start, depth};
	return check_link(cfg, links, *count, report);
}

static int check_chains_from(const struct cfg *cfg, u32 subprog, struct looked_at *looked_at,
			     const struct report *report, u32 *deepest)
{
	struct chain_link links[CALL_DEPTH_MAX] = {
		{subprog, cfg->subprogs[subprog].start, frame_bytes(&cfg->subprogs[subprog])}};
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
