/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows every edge depth first, as Linux does: the instruction that follows before the target
 * of a jump. Callees are walked on their own, so an edge backwards is always a loop.
 */
#include "catalog/helper.h"
#include "isa/isa.h"
#include "verify/callback.h"
#include "verify/cfg.h"
#include "verify/liveness.h"
#include "verify/report.h"

#include <errno.h>

enum progress {
	UNSEEN,
	ON_PATH, /* its successors are being followed */
	DONE,
};

struct visit {
	struct cfg_block block;
	u32 next_edge;
};

struct follow {
	struct cfg *cfg;
	const struct report *report;
	bool may_loop;
	u8 *progress;	    /* enum progress of blocks, by their first instructions */
	struct visit *path; /* at most one per block */
	u32 path_length;
	struct cfg_block *postorder; /* over all subprograms, as they were reached */
	u32 postorder_cnt;
	u16 *entered; /* subprograms that were reached, in order */
	u32 entered_cnt;
	bool *is_entered;
};

static bool takes_callback(const struct helper_row *row)
{
	for (u32 i = 0; i < HELPER_ARGS; i++) {
		if (row->arg[i].kind == ARG_FUNC)
			return true;
	}
	return false;
}

static void flag(struct cfg *cfg, u32 insn, u8 flags)
{
	if (insn < cfg->insn_cnt)
		cfg->flags[insn] |= flags;
}

static void flag_call(struct cfg *cfg, u32 at)
{
	const struct bpf_insn *insn = &cfg->insns[at];
	const struct helper_row *helper = insn_helper(insn);

	flag(cfg, at + 1, CFG_PRUNE_POINT);
	if (insn->src_reg == BPF_PSEUDO_CALL) {
		flag(cfg, at, CFG_PRUNE_POINT);
		flag(cfg, at + 1 + (u32)insn->imm, CFG_PRUNE_POINT);
	}
	if (!helper || !takes_callback(helper))
		return;
	/* A timer's function is called later, not by the helper. */
	if (callback_is_later(helper->id))
		flag(cfg, at, CFG_PRUNE_POINT);
	else
		flag(cfg, at, CFG_PRUNE_POINT | CFG_FORCE_CHECKPOINT | CFG_CALLS_BACK);
}

static void flag_jump(struct cfg *cfg, u32 at)
{
	const struct bpf_insn *insn = &cfg->insns[at];
	u32 successors[2], count = cfg_successors(cfg, at, successors);
	bool is_plain = BPF_OP(insn->code) == BPF_JA;

	flag(cfg, successors[count - 1], CFG_JUMP_TARGET | CFG_PRUNE_POINT);
	if (!is_plain)
		flag(cfg, at, CFG_PRUNE_POINT);
	if (insn->code == (BPF_JMP | BPF_JCOND))
		flag(cfg, at, CFG_FORCE_CHECKPOINT);
}

static void flag_insn(struct cfg *cfg, u32 at)
{
	const struct bpf_insn *insn = &cfg->insns[at];
	u8 class = BPF_CLASS(insn->code);

	if (insn_is_wide(insn))
		flag(cfg, at + 1, CFG_SECOND_HALF);
	if ((class != BPF_JMP && class != BPF_JMP32) || insn->code == (BPF_JMP | BPF_EXIT))
		return;
	if (BPF_OP(insn->code) == BPF_CALL)
		flag_call(cfg, at);
	else
		flag_jump(cfg, at);
}

static void enter_subprog(struct follow *follow, u32 start)
{
	s32 index = cfg_subprog_at(follow->cfg, start);

	if (follow->is_entered[index])
		return;
	follow->is_entered[index] = true;
	flag(follow->cfg, start, CFG_ENTRY);
	follow->entered[follow->entered_cnt++] = (u16)index;
}

static void look_at(struct follow *follow, u32 at)
{
	u8 class = BPF_CLASS(follow->cfg->insns[at].code);
	s64 callee;

	if (class != BPF_JMP && class != BPF_JMP32 && class != BPF_LD)
		return;
	flag_insn(follow->cfg, at);
	if (insn_is_subprog_call(&follow->cfg->insns[at], at, &callee) ||
	    insn_is_subprog_address(&follow->cfg->insns[at], at, &callee))
		enter_subprog(follow, (u32)callee);
}

static void push(struct follow *follow, u32 first)
{
	const struct cfg *cfg = follow->cfg;
	u32 last, next = first;

	do {
		last = next;
		look_at(follow, last);
		next = last + insn_slots(&cfg->insns[last]);
	} while (next < cfg->insn_cnt && !(cfg->flags[next] & CFG_BLOCK_START));
	follow->progress[first] = ON_PATH;
	follow->path[follow->path_length++] = (struct visit){{first, last}, 0};
}

static int follow_edge(struct follow *follow, u32 from, u32 to)
{
	switch ((enum progress)follow->progress[to]) {
	case UNSEEN: push(follow, to); break;
	case ON_PATH:
		if (!follow->may_loop)
			return report(follow->report, from, back_edge, from, to);
		flag(follow->cfg, to, CFG_LOOP_HEAD);
		follow->cfg->subprogs[follow->cfg->subprog_of[to]].has_loop = true;
		break;
	case DONE: break;
	}
	return 0;
}

static int follow_subprog(struct follow *follow, u32 start)
{
	push(follow, start);
	while (follow->path_length) {
		struct visit *top = &follow->path[follow->path_length - 1];
		u32 successors[2], from = top->block.last;
		int ret;

		if (top->next_edge < cfg_successors(follow->cfg, from, successors)) {
			ret = follow_edge(follow, from, successors[top->next_edge++]);
			if (ret)
				return ret;
			continue;
		}
		follow->progress[top->block.first] = DONE;
		follow->postorder[follow->postorder_cnt++] = top->block;
		follow->path_length--;
	}
	return 0;
}

static int follow_all(struct follow *follow)
{
	enter_subprog(follow, 0);
	enter_subprog(follow, follow->cfg->subprogs[follow->cfg->exception_callback].start);
	for (u32 i = 0; i < follow->entered_cnt; i++) {
		int ret =
			follow_subprog(follow, follow->cfg->subprogs[follow->entered[i]].start);

		if (ret)
			return ret;
	}
	return 0;
}

static int check_reached(const struct follow *follow)
{
	const struct cfg *cfg = follow->cfg;

	for (u32 at = 0; at < cfg->insn_cnt; at++) {
		if (!(cfg->flags[at] & CFG_BLOCK_START))
			continue;
		if (at && insn_is_wide(&cfg->insns[at - 1])) {
			if (follow->progress[at] != UNSEEN)
				return report(follow->report, at - 1, jump_into_wide, at - 1);
		} else if (follow->progress[at] != DONE) {
			return report(follow->report, at, unreachable, at);
		}
	}
	return 0;
}

/* The subprograms were walked in the order of their discovery: sorts that by index. */
static int sort_postorder(struct follow *follow, struct arena *arena)
{
	struct cfg *cfg = follow->cfg;
	struct cfg_block *sorted = arena_array(arena, follow->postorder_cnt, sizeof(*sorted));
	u32 *place = arena_array(arena, cfg->subprog_cnt + 1, sizeof(*place));

	cfg->postorder_start = arena_array(arena, cfg->subprog_cnt + 1, sizeof(*place));
	if (!sorted || !place || !cfg->postorder_start)
		return -ENOMEM;
	for (u32 i = 0; i < follow->postorder_cnt; i++)
		cfg->postorder_start[cfg->subprog_of[follow->postorder[i].first] + 1]++;
	for (u32 i = 0; i < cfg->subprog_cnt; i++) {
		cfg->postorder_start[i + 1] += cfg->postorder_start[i];
		place[i] = cfg->postorder_start[i];
	}
	for (u32 i = 0; i < follow->postorder_cnt; i++)
		sorted[place[cfg->subprog_of[follow->postorder[i].first]]++] =
			follow->postorder[i];
	cfg->postorder = sorted;
	return 0;
}

static int follow_init(struct follow *follow, struct arena *arena)
{
	const struct cfg *cfg = follow->cfg;
	u32 blocks = 0;

	for (u32 at = 0; at < cfg->insn_cnt; at++)
		blocks += cfg->flags[at] / CFG_BLOCK_START;
	follow->postorder = arena_array(arena, blocks, sizeof(*follow->postorder));
	follow->progress = arena_array(arena, cfg->insn_cnt, sizeof(*follow->progress));
	follow->path = arena_array(arena, blocks, sizeof(*follow->path));
	follow->entered = arena_array(arena, cfg->subprog_cnt, sizeof(*follow->entered));
	follow->is_entered = arena_array(arena, cfg->subprog_cnt, sizeof(*follow->is_entered));
	return follow->postorder && follow->progress && follow->path && follow->entered &&
			       follow->is_entered
		       ? 0
		       : -ENOMEM;
}

int cfg_check_edges(struct cfg *cfg, bool may_loop, struct arena *arena, struct strbuf *log,
		    struct skep_error *err)
{
	struct report report = {log, err};
	struct follow follow = {.cfg = cfg, .report = &report, .may_loop = may_loop};
	struct arena own;
	int ret;

	arena_init(&own);
	ret = follow_init(&follow, &own);
	ret = ret ? ret : follow_all(&follow);
	ret = ret ? ret : check_reached(&follow);
	ret = ret ? ret : sort_postorder(&follow, arena);
	arena_done(&own);
	return ret;
}
