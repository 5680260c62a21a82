/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that change from round to round and decide nothing are forgotten, so that loops of
 * unknown length come to a state that covers the next one. */
#include "verify/checkpoint.h"

#include <string.h>

static bool same_calls(const struct packed_state *old, const struct state *now)
{
	if (old->frame_cnt != now->frame_cnt)
		return false;
	for (u32 i = 0; i < now->frame_cnt; i++)
		if (old->frames[i].call_site != now->frames[i].call_site ||
		    old->frames[i].subprog != now->frames[i].subprog)
			return false;
	return true;
}

/* The last state kept at `insn` on this path, before position `before` of its list. NULL: none.
 */
static const struct checkpoint *last_round(const struct walk *walk, u32 insn, u32 before)
{
	u64 place = checkpoint_place(walk, insn);
	const struct checkpoint *point = checkpoints_at(walk, place);

	while (point && (point->place != place || point->is_complete ||
			 point->position >= before || !same_calls(point->state, &walk->state)))
		point = point->next;
	return point;
}

static void widen_reg(struct reg_state *now, const struct reg_state *before, u32 bytes)
{
	if (now->kind == REG_SCALAR && before->kind == REG_SCALAR &&
	    memcmp(&now->number, &before->number, sizeof(now->number)))
		reg_set_scalar(now, scalar_unsigned_bytes(bytes));
}

static void widen_slot(struct stack_slot *slot, const struct reg_state *before)
{
	u32 bytes = 0;

	while (bytes < SLOT_BYTES && slot->bytes[bytes] == BYTE_SPILL)
		bytes++;
	if (is_power_of_two(bytes))
		widen_reg(&slot->spilled, before, bytes);
}

static void widen_frame(struct frame *frame, const struct packed_frame *outline, const u8 *regs,
			u16 needed_regs, u64 needed_slots)
{
	struct reg_state reg;

	for (u32 set = outline->regs; set; set &= set - 1) {
		regs = packed_reg(regs, &reg);
		if (!(set & -set & needed_regs))
			widen_reg(&frame->regs[__builtin_ctz(set)], &reg, SLOT_BYTES);
	}
	for (u64 set = outline->spills; set; set &= set - 1) {
		u32 slot = __builtin_ctzll(set);

		regs = packed_reg(regs, &reg);
		if (slot < frame->slot_cnt && !(set & -set & needed_slots))
			widen_slot(&frame->slots[slot], &reg);
	}
}

/*
 * Rounds and instructions walked after which also what decided something is forgotten: with it,
 * the walk would not come to an end. Early, as few programs need what they forget; one that is
 * rejected then is walked again, patiently. Late where may_goto counts, and then never: such
 * loops are written as those that have a bound of their own.
 */
struct limit {
	u32 rounds, insns;
};

static const struct limit early = {8, 400};
static const struct limit late = {1000, INSNS_PROCESSED_MAX / 16};

static bool runs_out(const struct walk *walk, u32 insn)
{
	bool is_may_goto = walk->insns[insn].code == (BPF_JMP | BPF_JCOND);
	const struct limit *limit = walk->is_patient || is_may_goto ? &late : &early;

	return walk->open_rounds > limit->rounds && walk->insns_processed > limit->insns &&
	       !(walk->is_patient && is_may_goto);
}

void prune_widen_after(struct walk *walk, u32 insn, const struct checkpoint *point)
{
	static const struct live_set nothing;
	const struct live_set *needs = &point->needs;

	if (!point->state)
		return;
	if (runs_out(walk, insn)) {
		walk->forgets = true;
		needs = &nothing;
	}
	for (u32 i = 0; i < walk->state.frame_cnt; i++) {
		const struct packed_frame *outline = &point->state->frames[i];

		widen_frame(&walk->state.frames[i], outline,
			    packed_regs(point->state) + outline->regs_at, needs->regs[i],
			    needs->slots[i]);
	}
}

void prune_widen(struct walk *walk, u32 insn, u32 before)
{
	const struct checkpoint *point = last_round(walk, insn, before);

	if (point)
		prune_widen_after(walk, insn, point);
}
