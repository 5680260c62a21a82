/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/precision.h"

#include "verify/checkpoint.h"
#include "verify/cycle.h"

#define CALLER_SAVED 0x3f /* r0 to r5 */
#define ARGUMENTS    0x3e /* r1 to r5 */
#define RESULT	     0x01 /* r0 */

/* How often some loop goes round, nobody knows: what mattered so far says what to widen. */
static bool has_open_loop(const struct walk *walk)
{
	for (u32 i = 0; i < walk->insn_cnt; i++)
		if (walk->cfg.flags[i] & CFG_FORCE_CHECKPOINT)
			return true;
	return false;
}

int precision_init(struct walk *walk)
{
	return path_init(walk, has_open_loop(walk) || !walk->out->regs || walk->watch);
}

/* --- one step backwards: what matters after it becomes what matters before it --- */

static void from_memory(const struct step *step, u8 reg, struct live_set *needs)
{
	u16 *regs = &needs->regs[step->depth - 1];

	if (!(*regs >> reg & 1))
		return;
	*regs &= ~(1u << reg);
	needs->slots[step->frame] |= step_slots(step);
}

static void back_over_alu(const struct bpf_insn *insn, u16 *regs)
{
	u8 op = BPF_OP(insn->code);

	if (!(*regs >> insn->dst_reg & 1) || op == BPF_NEG || op == BPF_END)
		return;
	if (op == BPF_MOV)
		*regs &= ~(1u << insn->dst_reg);
	if (BPF_SRC(insn->code) == BPF_X)
		*regs |= 1u << insn->src_reg;
}

static void back_over_store(const struct step *step, const struct bpf_insn *insn,
			    struct live_set *needs)
{
	u64 *slots = &needs->slots[step->frame], stored = step_slots(step);

	if (!(*slots & stored))
		return;
	if (step->slot_cnt == 1 && BPF_SIZE(insn->code) == BPF_DW)
		*slots &= ~stored;
	if (BPF_CLASS(insn->code) == BPF_STX)
		needs->regs[step->depth - 1] |= 1u << insn->src_reg;
}

static void back_over_atomic(const struct step *step, const struct bpf_insn *insn,
			     struct live_set *needs)
{
	if (insn->imm == BPF_STORE_REL)
		back_over_store(step, insn, needs);
	else if (insn->imm == BPF_LOAD_ACQ)
		from_memory(step, insn->dst_reg, needs);
	else if (insn->imm & BPF_FETCH)
		from_memory(step, insn->imm == BPF_CMPXCHG ? BPF_REG_0 : insn->src_reg, needs);
}

/* Behind the call of a function its arguments' frame is gone; behind its exit, it is there. */
static void back_over_call(const struct step *step, u8 depth_after, struct live_set *needs)
{
	u16 *regs = &needs->regs[step->depth - 1];

	if (depth_after == step->depth) { /* a helper */
		*regs &= ~CALLER_SAVED;
		return;
	}
	*regs |= needs->regs[step->depth] & ARGUMENTS;
	needs->regs[step->depth] = 0;
	needs->slots[step->depth] = 0;
}

static void back_over_exit(const struct step *step, struct live_set *needs)
{
	u16 *caller = &needs->regs[step->depth - 2];

	needs->regs[step->depth - 1] = *caller & RESULT;
	needs->slots[step->depth - 1] = 0;
	*caller &= ~CALLER_SAVED;
}

static void back_over_branch(const struct bpf_insn *insn, u16 *regs)
{
	u16 operands = 1u << insn->dst_reg | 1u << insn->src_reg;
	u8 op = BPF_OP(insn->code);

	if (op != BPF_JA && op != BPF_JCOND && BPF_SRC(insn->code) == BPF_X && *regs & operands)
		*regs |= operands;
}

static void back_over_jump(const struct step *step, const struct bpf_insn *insn, u8 depth_after,
			   struct live_set *needs)
{
	switch (BPF_OP(insn->code)) {
	case BPF_EXIT: back_over_exit(step, needs); return;
	case BPF_CALL: back_over_call(step, depth_after, needs); return;
	default: back_over_branch(insn, &needs->regs[step->depth - 1]);
	}
}

static bool needs_any_of(const struct live_set *needs, const struct link *link)
{
	return needs->regs[link->frame] & link->regs || needs->slots[link->frame] & link->slots;
}

static void need_link(const struct link *link, struct live_set *needs)
{
	needs->regs[link->frame] |= link->regs;
	needs->slots[link->frame] |= link->slots;
}

static void back_over(const struct step *step, const struct bpf_insn *insn, u8 depth_after,
		      struct live_set *needs)
{
	u16 *regs = &needs->regs[step->depth - 1];

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64: back_over_alu(insn, regs); break;
	case BPF_LD:
		if (BPF_MODE(insn->code) == BPF_IMM)
			*regs &= ~(1u << insn->dst_reg);
		else
			*regs &= ~CALLER_SAVED;
		break;
	case BPF_LDX: from_memory(step, insn->dst_reg, needs); break;
	case BPF_ST: back_over_store(step, insn, needs); break;
	case BPF_STX:
		if (BPF_MODE(insn->code) == BPF_ATOMIC)
			back_over_atomic(step, insn, needs);
		else
			back_over_store(step, insn, needs);
		break;
	default: back_over_jump(step, insn, depth_after, needs); break;
	}
}

/* --- back along the path --- */

static bool is_empty(const struct live_set *needs, u32 depth)
{
	u64 any = 0;

	for (u32 i = 0; i < depth; i++)
		any |= needs->regs[i] | needs->slots[i];
	return !any;
}

/* Whether all that is needed before the step was carried back from there once. */
static bool is_known(struct step *step, const struct live_set *needs)
{
	u32 top = step->depth - 1;
	u16 regs = needs->regs[top];
	bool known = !(regs & ~step->needed) && !needs->slots[top];

	step->needed |= regs;
	return known && is_empty(needs, top);
}

/* Where the way back is: before the step at `at`, where the first `kept` of the kept states and
 * the first `links` of the links are not behind it. */
struct way_back {
	u32 at, kept, links;
};

/* Back over jumps, to behind the step that came before. */
static void follow_jumps(struct walk *walk, struct way_back *back)
{
	const struct path *path = walk->path;

	while (!path->steps[back->at - 1].depth) {
		back->at = path->steps[back->at - 1].origin;
		back->kept = kept_before(walk->prune, back->at);
		while (back->links && path->links[back->links - 1].position >= back->at)
			back->links--;
	}
}

/* What matters of one number matters of those that it is linked to. */
static void back_over_links(struct walk *walk, struct way_back *back, struct live_set *needs)
{
	const struct link *links = walk->path->links;
	u32 end = back->links, first;
	bool any = false;

	while (end && links[end - 1].position > back->at)
		end--;
	for (first = end; first && links[first - 1].position == back->at; first--)
		any |= needs_any_of(needs, &links[first - 1]);
	for (u32 i = first; i < end && any; i++)
		need_link(&links[i], needs);
	back->links = first;
}

/* What is needed at this place was carried back from there once. */
static bool was_told(struct walk *walk, struct way_back *back, const struct live_set *needs)
{
	struct checkpoint **kept = walk->prune->kept.all;
	struct path *path = walk->path;

	while (back->kept && kept[back->kept - 1]->position > back->at)
		back->kept--;
	if (back->kept && kept[back->kept - 1]->position == back->at) {
		if (!checkpoint_add_needs(kept[back->kept - 1], needs))
			return true;
		if (!cycle_note_news(walk, kept[back->kept - 1]))
			path->out_of_memory = true;
	}
	return back->at < path->count && path->steps[back->at].depth &&
	       is_known(&path->steps[back->at], needs);
}

/* --- the same within one frame, where most steps have nothing to do with what is needed --- */

/* Needs of the top frame, and no others. */
struct frame_needs {
	u16 regs;
	u64 slots;
};

static bool needs_one_frame(const struct live_set *needs, u32 depth)
{
	return depth == 1 || is_empty(needs, depth - 1);
}

static bool back_over_plain_store(const struct step *step, const struct bpf_insn *insn,
				  u8 depth, struct frame_needs *needs)
{
	u64 stored = step->frame == depth - 1 ? step_slots(step) : 0;

	if (BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC)
		return false;
	if (!(needs->slots & stored))
		return true;
	if (step->slot_cnt == 1 && BPF_SIZE(insn->code) == BPF_DW)
		needs->slots &= ~stored;
	if (BPF_CLASS(insn->code) == BPF_STX)
		needs->regs |= 1u << insn->src_reg;
	return true;
}

/* False: not done, it is for back_over(). */
static bool back_over_plain(const struct step *step, const struct bpf_insn *insn, u8 depth,
			    struct frame_needs *needs)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64: back_over_alu(insn, &needs->regs); return true;
	case BPF_LDX:
		if (!(needs->regs >> insn->dst_reg & 1))
			return true;
		if (step->slot_cnt && step->frame != depth - 1)
			return false;
		needs->regs &= ~(1u << insn->dst_reg);
		needs->slots |= step_slots(step);
		return true;
	case BPF_ST:
	case BPF_STX: return back_over_plain_store(step, insn, depth, needs);
	case BPF_JMP:
	case BPF_JMP32:
		if (BPF_OP(insn->code) == BPF_CALL || BPF_OP(insn->code) == BPF_EXIT)
			return false;
		back_over_branch(insn, &needs->regs);
		return true;
	default: return false;
	}
}

/* The nearest kept state before the place; none: no position. */
static u32 kept_behind(const struct walk *walk, const struct way_back *back)
{
	struct checkpoint **kept = walk->prune->kept.all;
	u32 count = back->kept;

	while (count && kept[count - 1]->position >= back->at)
		count--;
	return count ? kept[count - 1]->position : UINT32_MAX;
}

/* No step behind the place has links. */
static u32 links_behind(const struct walk *walk, const struct way_back *back)
{
	const struct link *links = walk->path->links;
	u32 count = back->links;

	while (count && links[count - 1].position >= back->at)
		count--;
	return count ? links[count - 1].position + 1 : 0;
}

enum plain_way {
	WAY_ASKED, /* was_told() was said to be false where the way stands now */
	WAY_GOES_ON,
	WAY_ENDS,
};

/* From a place of which was_told() is false. */
static enum plain_way go_back_plainly(struct walk *walk, struct way_back *back, u8 depth,
				      struct frame_needs *needs)
{
	u32 kept = kept_behind(walk, back), linked = links_behind(walk, back);
	const struct bpf_insn *insns = walk->insns;
	struct step *steps = walk->path->steps;

	while (back->at > linked) {
		struct step *step = &steps[back->at - 1];

		if (step->depth != depth ||
		    !back_over_plain(step, &insns[step->insn], depth, needs))
			return WAY_ASKED;
		back->at--;
		if (!(needs->regs | needs->slots))
			return WAY_ENDS;
		if (back->at == kept)
			return WAY_GOES_ON;
		if (!(needs->regs & ~step->needed) && !needs->slots)
			return WAY_ENDS;
		step->needed |= needs->regs;
	}
	return WAY_ASKED;
}

static enum plain_way go_back_in_frame(struct walk *walk, struct way_back *back, u32 depth,
				       struct live_set *needs)
{
	struct frame_needs top = {needs->regs[depth - 1], needs->slots[depth - 1]};
	enum plain_way way;

	if (!needs_one_frame(needs, depth))
		return WAY_ASKED;
	way = go_back_plainly(walk, back, (u8)depth, &top);
	needs->regs[depth - 1] = top.regs;
	needs->slots[depth - 1] = top.slots;
	return way;
}

/* --- */

void precision_carry_back(struct walk *walk, u32 at, u32 depth, struct live_set *needs)
{
	const struct path *path = walk->path;
	struct way_back back = {at, kept_before(walk->prune, at + 1), path->link_cnt};

	if (!path->keeps_steps)
		return;
	while (!was_told(walk, &back, needs) && back.at && !is_empty(needs, depth)) {
		enum plain_way way = go_back_in_frame(walk, &back, depth, needs);
		const struct step *step;

		if (way == WAY_GOES_ON)
			continue;
		if (way == WAY_ENDS || !back.at)
			return;
		follow_jumps(walk, &back);
		step = &path->steps[--back.at];
		back_over_links(walk, &back, needs);
		back_over(step, &walk->insns[step->insn], (u8)depth, needs);
		depth = step->depth;
	}
}

static void need_here(struct walk *walk, struct live_set *needs)
{
	precision_carry_back(walk, walk->path->count - 1, walk->state.frame_cnt, needs);
}

void precision_need(struct walk *walk, u16 regs)
{
	struct live_set needs = {0};

	needs.regs[walk->state.frame_cnt - 1] = regs;
	need_here(walk, &needs);
}

void precision_need_slot(struct walk *walk, u32 frame, s64 off)
{
	struct live_set needs = {0};

	needs.slots[frame] = 1ull << ((u32)(-off - 1) / SLOT_BYTES);
	need_here(walk, &needs);
}

void precision_need_all(struct walk *walk, const struct live_set *needs)
{
	struct live_set here = *needs;

	precision_carry_back(walk, walk->path->count, walk->state.frame_cnt, &here);
}
