/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path that is being walked, as a list of steps from the program's entry. The walk is depth
 * first, so a path that was put off is a prefix of the list, and the states kept on the path
 * that are not yet complete (prune_needs()) are the only ones whose needs may still grow.
 */
#include "verify/precision.h"

#include "verify/prune.h"

#include <stdlib.h>
#include <string.h>

#define CALLER_SAVED 0x3f /* r0 to r5 */
#define ARGUMENTS    0x3e /* r1 to r5 */
#define RESULT	     0x01 /* r0 */
#define FIRST_STEPS  1024
#define FIRST_LINKS  64

struct step {
	u32 insn : 24;
	u32 depth : 4; /* frames before the instruction */
	u32 frame : 4; /* whose slots it accesses */
	u16 needed;    /* registers of its frame that are known to matter before it */
	u8 first_slot, slot_cnt;
};

/* What a branch said about one number was carried over to others. */
struct link {
	u32 step;
	u16 regs;
	u64 slots;
};

struct precision {
	struct step *steps; /* when has_steps */
	u32 length, capacity;
	struct link *links; /* by step */
	u32 link_cnt, link_cap;
	bool out_of_memory; /* a link was lost */
	bool is_exact, has_open, has_steps;
};

/* --- the path --- */

int precision_init(struct walk *walk)
{
	struct precision *precision = arena_alloc(&walk->scratch, sizeof(*precision));

	if (!precision || cfg_mark_open(&walk->cfg, &walk->scratch, &precision->has_open))
		return -ENOMEM;
	/* Facts of registers hold for all that pruning took as alike, of all its numbers. Where
	 * loops run any number of times, what mattered so far says what to widen. */
	precision->is_exact = walk->out->regs;
	precision->has_steps = precision->has_open || !walk->out->regs || walk->watch;
	walk->precision = precision;
	return 0;
}

void precision_done(struct walk *walk)
{
	if (!walk->precision)
		return;
	free(walk->precision->steps);
	free(walk->precision->links);
}

static bool grow(struct precision *precision)
{
	u32 capacity = precision->capacity ? precision->capacity * 2 : FIRST_STEPS;
	struct step *bigger = realloc(precision->steps, capacity * sizeof(*bigger));

	if (!bigger)
		return false;
	precision->steps = bigger;
	precision->capacity = capacity;
	return true;
}

static bool grow_links(struct precision *precision)
{
	u32 capacity = precision->link_cap ? precision->link_cap * 2 : FIRST_LINKS;
	struct link *bigger = realloc(precision->links, capacity * sizeof(*bigger));

	if (!bigger)
		return false;
	precision->links = bigger;
	precision->link_cap = capacity;
	return true;
}

int precision_step(struct walk *walk)
{
	struct precision *precision = walk->precision;

	if (!precision->has_steps) {
		precision->length++;
		return 0;
	}
	if (precision->out_of_memory ||
	    (precision->length == precision->capacity && !grow(precision)))
		return -ENOMEM;
	precision->steps[precision->length++] =
		(struct step){.insn = walk->at, .depth = walk->state.frame_cnt};
	return 0;
}

u64 precision_bytes(const struct walk *walk)
{
	const struct precision *precision = walk->precision;

	return precision->capacity * sizeof(*precision->steps) +
	       precision->link_cap * sizeof(*precision->links);
}

u32 precision_path_length(const struct walk *walk)
{
	return walk->precision->length;
}

void precision_resume(struct walk *walk, u32 length)
{
	struct precision *precision = walk->precision;

	precision->length = length;
	while (precision->link_cnt && precision->links[precision->link_cnt - 1].step >= length)
		precision->link_cnt--;
}

static u64 step_slots(const struct step *step)
{
	return step->slot_cnt ? (~0ull >> (64 - step->slot_cnt)) << step->first_slot : 0;
}

/* Whether the exit at `index` goes back to the call that its frame was entered from. */
static bool returns_to_call(const struct precision *precision, u32 index)
{
	const struct step *steps = precision->steps;
	u32 entry = index;

	if (index + 1 >= precision->length || steps[index + 1].depth >= steps[index].depth)
		return false;
	while (entry && steps[entry].depth >= steps[index].depth)
		entry--;
	return steps[entry].insn == steps[index + 1].insn;
}

struct path_step precision_step_at(const struct walk *walk, u32 index)
{
	const struct step *step = &walk->precision->steps[index];
	u8 code = walk->insns[step->insn].code;

	return (struct path_step){
		.insn = step->insn,
		.depth = step->depth,
		.frame = step->frame,
		.slots = step_slots(step),
		.is_callback =
			code == (BPF_JMP | BPF_EXIT) && returns_to_call(walk->precision, index),
	};
}

bool precision_is_exact(const struct walk *walk)
{
	const struct precision *precision = walk->precision;
	const u8 *flags = walk->cfg.flags;
	u8 ahead = flags[walk->at];

	if (precision->is_exact || !precision->has_open)
		return precision->is_exact;
	for (u32 i = 1; i < walk->state.frame_cnt; i++) {
		const struct frame *frame = &walk->state.frames[i];

		ahead |= flags[frame->call_site + (frame->callback != CALLBACK_NOW)];
	}
	return ahead & CFG_LEADS_TO_OPEN;
}

static struct step *current_step(struct walk *walk)
{
	return &walk->precision->steps[walk->precision->length - 1];
}

void precision_note_stack(struct walk *walk)
{
	const struct access *access = &walk->access;
	struct step *step;
	u32 first = (u32) - (access->high + access->size) / SLOT_BYTES;
	u32 last = (u32)(-access->low - 1) / SLOT_BYTES;

	if (!walk->precision->has_steps)
		return;
	step = current_step(walk);
	step->frame = access->frame;
	step->first_slot = (u8)first;
	step->slot_cnt = (u8)(last - first + 1);
}

void precision_note_linked(struct walk *walk, u16 regs, u64 slots)
{
	struct precision *precision = walk->precision;

	if (!precision->has_steps || (!(regs & (regs - 1)) && !slots))
		return; /* linked to nothing else */
	if (precision->link_cnt == precision->link_cap && !grow_links(precision)) {
		precision->out_of_memory = true;
		return;
	}
	precision->links[precision->link_cnt++] =
		(struct link){.step = precision->length - 1, .regs = regs, .slots = slots};
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

static void back_over_jump(const struct step *step, const struct bpf_insn *insn, u8 depth_after,
			   struct live_set *needs)
{
	u16 *regs = &needs->regs[step->depth - 1];
	u16 operands = 1u << insn->dst_reg | 1u << insn->src_reg;

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
	case BPF_JCOND: return;
	case BPF_EXIT: back_over_exit(step, needs); return;
	case BPF_CALL: back_over_call(step, depth_after, needs); return;
	default: break;
	}
	if (BPF_SRC(insn->code) == BPF_X && *regs & operands)
		*regs |= operands;
}

/* What matters of one number matters of those that it is linked to. */
static void back_over_link(const struct link *link, u8 depth, struct live_set *needs)
{
	u16 *regs = &needs->regs[depth - 1];
	u64 *slots = &needs->slots[depth - 1];

	if (!(*regs & link->regs) && !(*slots & link->slots))
		return;
	*regs |= link->regs;
	*slots |= link->slots;
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

/*
 * From before step `at`, where `depth` frames were active. Stops where nothing is needed any
 * more, or at a kept state that says so already: what led there was told then.
 */
static void carry_back(struct walk *walk, u32 at, u8 depth, struct live_set *needs)
{
	struct precision *precision = walk->precision;
	struct step *steps = precision->steps;
	u32 kept = prune_kept_count(walk), links = precision->link_cnt;
	u32 kept_at = kept ? prune_kept_at(walk, kept - 1) : 0;

	if (!precision->has_steps)
		return;
	for (;;) {
		while (kept && kept_at > at)
			kept_at = --kept ? prune_kept_at(walk, kept - 1) : 0;
		if (kept && kept_at == at && !prune_add_needs(walk, kept - 1, needs))
			return;
		if (!at || is_empty(needs, depth))
			return;
		if (at < precision->length && is_known(&steps[at], needs))
			return;
		at--;
		for (; links && precision->links[links - 1].step >= at; links--)
			if (precision->links[links - 1].step == at)
				back_over_link(&precision->links[links - 1], depth, needs);
		back_over(&steps[at], &walk->insns[steps[at].insn], depth, needs);
		depth = steps[at].depth;
	}
}

void precision_need(struct walk *walk, u16 regs)
{
	struct live_set needs = {0};

	needs.regs[walk->state.frame_cnt - 1] = regs;
	carry_back(walk, walk->precision->length - 1, (u8)walk->state.frame_cnt, &needs);
}

void precision_need_slot(struct walk *walk, u32 frame, s64 off)
{
	struct live_set needs = {0};

	needs.slots[frame] = 1ull << ((u32)(-off - 1) / SLOT_BYTES);
	carry_back(walk, walk->precision->length - 1, (u8)walk->state.frame_cnt, &needs);
}

void precision_need_all(struct walk *walk, const struct live_set *needs)
{
	struct live_set here = *needs;

	carry_back(walk, walk->precision->length, (u8)walk->state.frame_cnt, &here);
}
