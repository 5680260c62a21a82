/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The needs of all instructions form one backward dataflow problem: need[i] holds what matters
 * before instruction i. A need that the walk meets is a seed; settle() carries the new ones to
 * predecessors until nothing changes. Needs are never taken back, so a set is a superset of
 * what mattered on each path, which is all that pruning relies on.
 *
 * A subprogram's needs speak of its own frame (level 0) and of the frames below (level n: the
 * n-th caller's slots): one set serves all its callers.
 */
#include "verify/precision.h"

#include <stdlib.h>
#include <string.h>

#define CALLER_SAVED 0x3f  /* r0 to r5 */
#define CALLEE_SAVED 0x3c0 /* r6 to r9 */
#define ARGUMENTS    0x3e  /* r1 to r5 */
#define RESULT	     0x01  /* r0 */

struct need {
	u16 regs;
	bool is_queued;
	u64 slots;
};

/* Slots of the callers' frames: [n] is the frame n + 1 below. */
struct outer {
	u64 slots[MAX_FRAMES - 1];
};

/* What the walk saw an instruction do. */
struct notes {
	u16 linked_regs;
	u64 linked_slots;
	u64 slots; /* of its own frame that it accessed */
};

struct precision {
	struct need *need;
	struct notes *notes;
	struct outer *outer, *outer_notes; /* NULL: one subprogram only */
	u32 *first_pred, *preds;	   /* predecessors of i: preds[first_pred[i] ..] */
	u32 *callers, *exits;		   /* next call of the same subprogram; next exit */
	u32 *first_caller, *first_exit;	   /* per subprogram, as index + 1 */
	u32 *queue;
	u32 queued;
	bool is_exact; /* all numbers matter */
};

/* --- the program's edges --- */

static u32 count_edges(const struct walk *walk, u32 *count)
{
	u32 successors[2], total = 0;

	for (u32 i = 0; i < walk->insn_cnt; i++) {
		if (walk->cfg.flags[i] & CFG_SECOND_HALF)
			continue;
		for (u32 n = cfg_successors(&walk->cfg, i, successors); n-- > 0; total++)
			count[successors[n] + 1]++;
	}
	return total;
}

static bool find_predecessors(struct walk *walk)
{
	struct precision *precision = walk->precision;
	u32 *first = arena_array(&walk->scratch, (size_t)walk->insn_cnt + 2, sizeof(u32));
	u32 successors[2];

	if (!first)
		return false;
	precision->preds = arena_array(&walk->scratch, (size_t)count_edges(walk, first + 1) + 1,
				       sizeof(u32));
	if (!precision->preds)
		return false;
	for (u32 i = 2; i <= walk->insn_cnt + 1; i++)
		first[i] += first[i - 1];
	/* first[i + 1] now starts the list of i, and ends it once the list is filled. */
	for (u32 i = 0; i < walk->insn_cnt; i++) {
		if (walk->cfg.flags[i] & CFG_SECOND_HALF)
			continue;
		for (u32 n = cfg_successors(&walk->cfg, i, successors); n-- > 0;)
			precision->preds[first[successors[n] + 1]++] = i;
	}
	precision->first_pred = first;
	return true;
}

static void chain(u32 *first, u32 *next, u32 subprog, u32 insn)
{
	next[insn] = first[subprog];
	first[subprog] = insn + 1;
}

static bool find_calls(struct walk *walk)
{
	struct precision *precision = walk->precision;

	precision->callers = arena_array(&walk->scratch, walk->insn_cnt, sizeof(u32));
	precision->exits = arena_array(&walk->scratch, walk->insn_cnt, sizeof(u32));
	precision->first_caller =
		arena_array(&walk->scratch, walk->cfg.subprog_cnt, sizeof(u32));
	precision->first_exit = arena_array(&walk->scratch, walk->cfg.subprog_cnt, sizeof(u32));
	if (!precision->callers || !precision->exits || !precision->first_caller ||
	    !precision->first_exit)
		return false;
	for (u32 i = 0; i < walk->insn_cnt; i++) {
		const struct bpf_insn *insn = &walk->insns[i];

		if (walk->cfg.flags[i] & CFG_SECOND_HALF)
			continue;
		if (insn->code == (BPF_JMP | BPF_EXIT))
			chain(precision->first_exit, precision->exits, walk->cfg.subprog_of[i],
			      i);
		else if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL)
			chain(precision->first_caller, precision->callers,
			      (u32)cfg_subprog_at(&walk->cfg, i + 1 + insn->imm), i);
	}
	return true;
}

static bool has_callbacks(const struct walk *walk)
{
	for (u32 i = 0; i < walk->insn_cnt; i++)
		if (walk->cfg.flags[i] & CFG_CALLS_BACK)
			return true;
	return false;
}

int precision_init(struct walk *walk)
{
	struct arena *arena = &walk->scratch;
	struct precision *precision = arena_alloc(arena, sizeof(*precision));
	u32 count = walk->insn_cnt;

	if (!precision)
		return -ENOMEM;
	walk->precision = precision;
	precision->is_exact = has_callbacks(walk);
	precision->need = arena_array(arena, count, sizeof(*precision->need));
	precision->notes = arena_array(arena, count, sizeof(*precision->notes));
	precision->queue = arena_array(arena, count, sizeof(*precision->queue));
	if (!precision->need || !precision->notes || !precision->queue)
		return -ENOMEM;
	if (walk->cfg.subprog_cnt > 1) {
		precision->outer = arena_array(arena, count, sizeof(struct outer));
		precision->outer_notes = arena_array(arena, count, sizeof(struct outer));
		if (!precision->outer || !precision->outer_notes)
			return -ENOMEM;
	}
	return find_predecessors(walk) && find_calls(walk) ? 0 : -ENOMEM;
}

/* --- growing --- */

static void enqueue(struct precision *precision, u32 insn)
{
	if (precision->need[insn].is_queued)
		return;
	precision->need[insn].is_queued = true;
	precision->queue[precision->queued++] = insn;
}

static void add(struct precision *precision, u32 insn, u16 regs, u64 slots)
{
	struct need *need = &precision->need[insn];

	if (!(regs & ~need->regs) && !(slots & ~need->slots))
		return;
	need->regs |= regs;
	need->slots |= slots;
	enqueue(precision, insn);
}

static void add_outer(struct precision *precision, u32 insn, u32 level, u64 slots)
{
	u64 *set = &precision->outer[insn].slots[level];

	if (!(slots & ~*set))
		return;
	*set |= slots;
	enqueue(precision, insn);
}

/* --- what an instruction makes of the needs after it --- */

struct flow {
	u16 regs;
	u64 slots;
	bool adds_outer; /* the slots that it accessed in callers' frames matter, too */
};

static bool accessed(const struct precision *precision, u32 at, const struct flow *flow,
		     u32 after)
{
	if (flow->slots & precision->notes[at].slots)
		return true;
	for (u32 i = 0; precision->outer && i < MAX_FRAMES - 1; i++)
		if (precision->outer[after].slots[i] & precision->outer_notes[at].slots[i])
			return true;
	return false;
}

/* The register takes its value from the memory that was accessed. */
static void flow_from_memory(const struct precision *precision, u32 at, u8 reg,
			     struct flow *flow)
{
	if (!(flow->regs >> reg & 1))
		return;
	flow->regs &= ~(1u << reg);
	flow->slots |= precision->notes[at].slots;
	flow->adds_outer = true;
}

static void flow_alu(const struct bpf_insn *insn, struct flow *flow)
{
	u8 op = BPF_OP(insn->code);

	if (!(flow->regs >> insn->dst_reg & 1) || op == BPF_NEG || op == BPF_END)
		return;
	if (op == BPF_MOV)
		flow->regs &= ~(1u << insn->dst_reg);
	if (BPF_SRC(insn->code) == BPF_X)
		flow->regs |= 1u << insn->src_reg;
}

static void flow_store(const struct precision *precision, const struct bpf_insn *insn, u32 at,
		       u32 after, struct flow *flow)
{
	bool is_atomic = BPF_MODE(insn->code) == BPF_ATOMIC;

	if (is_atomic && insn->imm == BPF_LOAD_ACQ)
		flow_from_memory(precision, at, insn->dst_reg, flow);
	else if (is_atomic && insn->imm == BPF_CMPXCHG)
		flow_from_memory(precision, at, BPF_REG_0, flow);
	else if (is_atomic && insn->imm != BPF_STORE_REL && insn->imm & BPF_FETCH)
		flow_from_memory(precision, at, insn->src_reg, flow);
	else if (accessed(precision, at, flow, after))
		flow->regs |= 1u << insn->src_reg;
}

static void flow_jump(const struct bpf_insn *insn, struct flow *flow)
{
	u16 operands = 1u << insn->dst_reg | 1u << insn->src_reg;

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
	case BPF_JCOND:
	case BPF_EXIT: return;
	case BPF_CALL: flow->regs &= ~CALLER_SAVED; return;
	default: break;
	}
	if (BPF_SRC(insn->code) == BPF_X && flow->regs & operands)
		flow->regs |= operands;
}

static void flow_linked(const struct notes *notes, struct flow *flow)
{
	if (!(flow->regs & notes->linked_regs) && !(flow->slots & notes->linked_slots))
		return;
	flow->regs |= notes->linked_regs;
	flow->slots |= notes->linked_slots;
}

static void flow_insn(const struct walk *walk, u32 at, u32 after, struct flow *flow)
{
	const struct precision *precision = walk->precision;
	const struct bpf_insn *insn = &walk->insns[at];

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64: flow_alu(insn, flow); break;
	case BPF_LD:
		if (BPF_MODE(insn->code) == BPF_IMM)
			flow->regs &= ~(1u << insn->dst_reg);
		else
			flow->regs &= ~CALLER_SAVED;
		break;
	case BPF_LDX: flow_from_memory(precision, at, insn->dst_reg, flow); break;
	case BPF_STX: flow_store(precision, insn, at, after, flow); break;
	case BPF_ST: break;
	default: flow_jump(insn, flow); break;
	}
	flow_linked(&precision->notes[at], flow);
}

/* --- carrying backwards --- */

static void carry_over(struct walk *walk, u32 at, u32 after)
{
	struct precision *precision = walk->precision;
	struct flow flow = {.regs = precision->need[after].regs,
			    .slots = precision->need[after].slots};

	flow_insn(walk, at, after, &flow);
	add(precision, at, flow.regs, flow.slots);
	for (u32 i = 0; precision->outer && i < MAX_FRAMES - 1; i++)
		add_outer(precision, at, i,
			  precision->outer[after].slots[i] |
				  (flow.adds_outer ? precision->outer_notes[at].slots[i] : 0));
}

/* From a subprogram's entry to those who call it: its arguments, and their slots. */
static void carry_to_callers(struct walk *walk, u32 entry)
{
	struct precision *precision = walk->precision;
	u32 subprog = walk->cfg.subprog_of[entry];

	for (u32 i = precision->first_caller[subprog]; i; i = precision->callers[i - 1]) {
		u32 call = i - 1;
		const struct outer *outer = &precision->outer[entry];

		add(precision, call, precision->need[entry].regs & ARGUMENTS, outer->slots[0]);
		for (u32 level = 1; level < MAX_FRAMES - 1; level++)
			add_outer(precision, call, level - 1, outer->slots[level]);
	}
}

/* From behind a call to the exits of the subprogram: its result, and the caller's slots. */
static void carry_to_exits(struct walk *walk, u32 call)
{
	struct precision *precision = walk->precision;
	const struct need *need = &precision->need[call + 1];
	u32 target = call + 1 + (u32)walk->insns[call].imm;
	u32 subprog = walk->cfg.subprog_of[target];

	for (u32 i = precision->first_exit[subprog]; i; i = precision->exits[i - 1]) {
		add(precision, i - 1, need->regs & RESULT, 0);
		add_outer(precision, i - 1, 0, need->slots);
		for (u32 level = 1; level < MAX_FRAMES - 1; level++)
			add_outer(precision, i - 1, level,
				  precision->outer[call + 1].slots[level - 1]);
	}
}

static bool is_local_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
}

static void settle(struct walk *walk)
{
	struct precision *precision = walk->precision;

	while (precision->queued) {
		u32 at = precision->queue[--precision->queued];
		u32 last = precision->first_pred[at + 1];

		precision->need[at].is_queued = false;
		for (u32 i = precision->first_pred[at]; i < last; i++) {
			u32 pred = precision->preds[i];

			carry_over(walk, pred, at);
			if (precision->outer && is_local_call(&walk->insns[pred]))
				carry_to_exits(walk, pred);
		}
		if (precision->outer &&
		    at == walk->cfg.subprogs[walk->cfg.subprog_of[at]].start)
			carry_to_callers(walk, at);
	}
}

/* --- what the walk says and asks --- */

void precision_need(struct walk *walk, u16 regs)
{
	add(walk->precision, walk->at, regs, 0);
}

void precision_need_slots(struct walk *walk, u32 frame, s64 off)
{
	u32 level = walk->state.frame_cnt - 1 - frame;
	u64 slot = 1ull << ((u32)(-off - 1) / SLOT_BYTES);

	if (level)
		add_outer(walk->precision, walk->at, level - 1, slot);
	else
		add(walk->precision, walk->at, 0, slot);
}

static u64 slots_between(s64 low, s64 high)
{
	u32 first = (u32)(-high - 1) / SLOT_BYTES, last = (u32)(-low - 1) / SLOT_BYTES;

	return (~0ull >> (63 - (last - first))) << first;
}

/* What flowed over the instruction before must flow again, now that it accesses more. */
static void flow_again(struct walk *walk)
{
	u32 successors[2];

	for (u32 n = cfg_successors(&walk->cfg, walk->at, successors); n-- > 0;)
		enqueue(walk->precision, successors[n]);
}

void precision_note_stack(struct walk *walk)
{
	struct precision *precision = walk->precision;
	const struct access *access = &walk->access;
	u64 slots = slots_between(access->low, access->high + access->size - 1);
	u32 level = walk->state.frame_cnt - 1 - access->frame;
	u64 *set = level ? &precision->outer_notes[walk->at].slots[level - 1]
			 : &precision->notes[walk->at].slots;

	if (!access->size || !(slots & ~*set))
		return;
	*set |= slots;
	flow_again(walk);
}

void precision_note_linked(struct walk *walk, u16 regs, u64 slots)
{
	struct notes *notes = &walk->precision->notes[walk->at];

	if (!(regs & (regs - 1)) && !slots)
		return; /* linked to nothing else */
	if (!(regs & ~notes->linked_regs) && !(slots & ~notes->linked_slots))
		return;
	notes->linked_regs |= regs;
	notes->linked_slots |= slots;
	flow_again(walk);
}

u16 precision_regs(struct walk *walk, u32 insn)
{
	if (walk->precision->is_exact)
		return UINT16_MAX;
	settle(walk);
	return walk->precision->need[insn].regs;
}

void precision_set(struct walk *walk, const struct packed_state *state, u32 insn,
		   struct live_set *out)
{
	const struct precision *precision = walk->precision;
	u32 top = state->frame_cnt - 1;

	if (precision->is_exact) {
		memset(out, 0xff, sizeof(*out));
		return;
	}
	settle(walk);
	out->regs[top] = precision->need[insn].regs;
	out->slots[top] = precision->need[insn].slots;
	for (u32 i = 0; i < top; i++) {
		out->regs[i] = precision->need[state->frames[i + 1].call_site + 1].regs;
		out->slots[i] = precision->outer[insn].slots[top - i - 1];
	}
}
