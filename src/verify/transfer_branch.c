/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conditional jumps: which way is possible, and what each way says about the operands: ranges
 * of numbers (and of those linked to them), null checks, how much of a packet is there.
 */
#include "verify/facts.h"
#include "verify/own.h"
#include "verify/precision.h"
#include "verify/prune.h"
#include "verify/speculation.h"
#include "verify/trace.h"
#include "verify/walk.h"

/* --- which way --- */

static u8 mirrored(u8 op)
{
	switch (op) {
	case BPF_JGT: return BPF_JLT;
	case BPF_JLT: return BPF_JGT;
	case BPF_JGE: return BPF_JLE;
	case BPF_JLE: return BPF_JGE;
	default: return op;
	}
}

/* pointer OP end of packet. */
static int decide_packet(const struct reg_state *pointer, u8 op)
{
	switch (op) {
	case BPF_JGT: return pointer->flags & REG_BEYOND_END ? 1 : -1;
	case BPF_JLE: return pointer->flags & REG_BEYOND_END ? 0 : -1;
	case BPF_JGE: return pointer->flags & REG_AT_END ? 1 : -1;
	case BPF_JLT: return pointer->flags & REG_AT_END ? 0 : -1;
	default: return -1;
	}
}

static bool is_same_number(const struct reg_state *a, const struct reg_state *b)
{
	if (a->kind != REG_SCALAR || b->kind != REG_SCALAR)
		return false;
	return a == b || (a->id && a->id == b->id && a->off == b->off &&
			  !(a->flags & REG_LOW_LINK) && !(b->flags & REG_LOW_LINK));
}

/* A number compared with itself, but for JSET. */
static int decide_same(u8 op)
{
	switch (op) {
	case BPF_JEQ:
	case BPF_JGE:
	case BPF_JLE:
	case BPF_JSGE:
	case BPF_JSLE: return 1;
	default: return 0;
	}
}

/* 1 taken, 0 not taken, -1 both are possible. */
static int decide(const struct reg_state *dst, const struct reg_state *src, u8 op, bool is32)
{
	if (!is32 && dst->kind == REG_PACKET && src->kind == REG_PACKET_END)
		return decide_packet(dst, op);
	if (!is32 && dst->kind == REG_PACKET_END && src->kind == REG_PACKET)
		return decide_packet(src, mirrored(op));
	if (is_same_number(dst, src) && op != BPF_JSET)
		return decide_same(op);
	if (!reg_is_pointer(dst) && !reg_is_pointer(src))
		return scalar_branch(&dst->number, &src->number, op, is32);
	if (is32 || !reg_is_never_null(dst) || !reg_is_const(src) || src->number.bits.value)
		return -1;
	return op == BPF_JEQ ? 0 : op == BPF_JNE ? 1 : -1;
}

/* --- null checks --- */

static void become_not_null(struct walk *walk, struct reg_state *reg)
{
	/* What runs later belongs to one map: inner maps are told apart by their look-ups. */
	const u32 deferred = BTF_FIELD_BIT(BTF_FIELD_TIMER) |
			     BTF_FIELD_BIT(BTF_FIELD_WORKQUEUE) |
			     BTF_FIELD_BIT(BTF_FIELD_TASK_WORK);
	const struct map_desc *map = reg->map;

	reg->flags &= ~REG_MAY_BE_NULL;
	if (reg->kind == REG_MAP_VALUE && map->inner) {
		reg->kind = REG_MAP;
		reg->map = map->inner;
		reg->map_uid = map->inner->fields.kinds & deferred ? reg->id : 0;
	} else if (reg->kind == REG_MAP_VALUE && map->type == BPF_MAP_TYPE_XSKMAP) {
		reg->kind = REG_XDP_SOCK;
	} else if (reg->kind == REG_MAP_VALUE &&
		   (map->type == BPF_MAP_TYPE_SOCKMAP || map->type == BPF_MAP_TYPE_SOCKHASH)) {
		reg->kind = REG_SOCKET;
	} else if (own_has_lock(walk, reg)) {
		return; /* the id tells whose lock it is */
	}
	reg->id = 0;
}

/* All copies of the pointer `id` are NULL, or all are not. */
static void learn_null(struct walk *walk, u32 id, u32 ref_id, bool is_null)
{
	struct state *state = &walk->state;
	struct reg_cursor cursor = {0};
	struct reg_state *reg;

	if (is_null && ref_id && ref_id == id)
		state_release(state, RESOURCE_REFERENCE, ref_id, NULL);
	while ((reg = state_next_reg(state, &cursor))) {
		if (reg->id != id || !reg_is_pointer(reg) || !reg_may_be_null(reg))
			continue;
		if (is_null)
			reg_set_const(reg, 0);
		else
			become_not_null(walk, reg);
	}
}

static bool is_null_check(const struct bpf_insn *insn, const struct reg_state *dst)
{
	u8 op = BPF_OP(insn->code);

	return BPF_SRC(insn->code) == BPF_K && BPF_CLASS(insn->code) == BPF_JMP && !insn->imm &&
	       (op == BPF_JEQ || op == BPF_JNE) && reg_is_pointer(dst) && reg_may_be_null(dst);
}

/* A pointer that may be NULL equals one that is not: it is not either. */
static void learn_equal_pointers(struct walk *walk, const struct reg_state *a,
				 const struct reg_state *b)
{
	const struct reg_state *maybe = reg_may_be_null(a) ? a : b;

	if (reg_is_pointer(a) && reg_is_pointer(b) &&
	    reg_may_be_null(a) != reg_may_be_null(b) && a->kind != REG_BTF &&
	    b->kind != REG_BTF)
		learn_null(walk, maybe->id, maybe->ref_id, false);
}

/* --- packet ranges --- */

/* The bytes from the base up to the pointer are there, as far as it can reach; all pointers
 * with this base learn it. To Linux, nothing is known of one byte at the base itself. */
static void learn_packet(struct state *state, const struct reg_state *pointer,
			 bool and_one_more)
{
	u32 bytes = (u32)pointer->off + and_one_more, id = pointer->id;
	u8 kind = pointer->kind;
	struct reg_cursor cursor = {0};
	struct reg_state *reg;

	if (pointer->off <= 0 || pointer->off > PACKET_REACH_MAX ||
	    pointer->number.umax > PACKET_REACH_MAX - (u64)pointer->off)
		return;
	while ((reg = state_next_reg(state, &cursor)))
		if (reg->kind == kind && reg->id == id && reg->range < bytes)
			reg->range = bytes;
}

/* This pointer is known to be at the end of the packet, or behind it. */
static void learn_packet_end(struct reg_state *pointer, bool is_beyond)
{
	if (pointer->kind == REG_PACKET)
		pointer->flags |= is_beyond ? REG_AT_END | REG_BEYOND_END : REG_AT_END;
}

/* pointer OP end, and this way it went. Where pointer < end, one byte at it is there, too. */
static void learn_packet_compare(struct state *state, struct reg_state *dst,
				 struct reg_state *src, u8 op, bool taken)
{
	struct reg_state *pointer = dst;

	if (reg_bounds_packet(src, dst)) {
		pointer = src;
		op = mirrored(op);
	} else if (!reg_bounds_packet(dst, src)) {
		return;
	}
	switch (op) {
	case BPF_JGT:
		taken ? learn_packet_end(pointer, true) : learn_packet(state, pointer, false);
		break;
	case BPF_JGE:
		taken ? learn_packet_end(pointer, false) : learn_packet(state, pointer, true);
		break;
	case BPF_JLT:
		taken ? learn_packet(state, pointer, true) : learn_packet_end(pointer, false);
		break;
	case BPF_JLE:
		taken ? learn_packet(state, pointer, false) : learn_packet_end(pointer, true);
		break;
	default: break;
	}
}

/* --- numbers --- */

static void add_distance(struct scalar *number, s64 distance, bool is_low)
{
	struct scalar amount = scalar_const((u64)distance);

	if (distance)
		scalar_alu(number, &amount, BPF_ADD, is_low, 0);
}

/* Between a whole distance and a low one the way goes by the number without any. */
static void follow(struct reg_state *reg, const struct reg_state *known)
{
	bool is_low = reg->flags & REG_LOW_LINK, from_low = known->flags & REG_LOW_LINK;

	reg->number = known->number;
	if (is_low == from_low) {
		add_distance(&reg->number, (s64)reg->off - known->off, is_low);
		return;
	}
	add_distance(&reg->number, -(s64)known->off, from_low);
	add_distance(&reg->number, reg->off, is_low);
}

static void follow_in_frame(struct frame *frame, const struct reg_state *known, u16 *regs,
			    u64 *slots)
{
	for (u32 i = 0; i < FRAME_REG; i++) {
		if (frame->regs[i].kind != REG_SCALAR || frame->regs[i].id != known->id)
			continue;
		*regs |= 1u << i;
		if (&frame->regs[i] != known)
			follow(&frame->regs[i], known);
	}
	for (u32 i = 0; i < frame->slot_cnt; i++) {
		struct stack_slot *slot = &frame->slots[i];

		if (!slot_is_spill(slot) || slot->spilled.kind != REG_SCALAR ||
		    slot->spilled.id != known->id)
			continue;
		*slots |= 1ull << i;
		follow(&slot->spilled, known);
	}
}

/* The numbers that differ from `known` by a constant follow it, those of callers, too. */
static void learn_linked(struct walk *walk, const struct reg_state *known)
{
	struct live_set linked = {0};

	if (!known->id)
		return;
	for (u32 i = 0; i < walk->state.frame_cnt; i++)
		follow_in_frame(&walk->state.frames[i], known, &linked.regs[i],
				&linked.slots[i]);
	path_note_linked(walk, &linked);
}

/* What is known of the one number of two that differ by a constant is known of the other. */
static bool meet_linked(struct reg_state *reg, const struct reg_state *known)
{
	struct reg_state implied = *reg;

	follow(&implied, known);
	return scalar_meet(&reg->number, &implied.number);
}

/* False: this way cannot happen. */
static bool learn_numbers(struct walk *walk, const struct bpf_insn *insn, bool taken)
{
	struct reg_state *dst = walk_reg(walk, insn->dst_reg), *src = NULL;
	struct scalar constant = scalar_const((u64)(s64)insn->imm);
	bool is32 = BPF_CLASS(insn->code) == BPF_JMP32;
	struct scalar *other = &constant;

	if (BPF_SRC(insn->code) == BPF_X) {
		src = walk_reg(walk, insn->src_reg);
		other = &src->number;
	}
	if (dst == src)
		return true;
	if (!scalar_refine(&dst->number, other, BPF_OP(insn->code), is32, taken))
		return false;
	if (src && src->id && src->id == dst->id && !meet_linked(dst, src))
		return false;
	learn_linked(walk, dst);
	if (src && src->id != dst->id)
		learn_linked(walk, src);
	return true;
}

/* --- the jump --- */

/* What this way of the jump says. False: it cannot happen. */
static bool learn(struct walk *walk, const struct bpf_insn *insn, bool taken)
{
	struct state *state = &walk->state;
	struct reg_state *dst = walk_reg(walk, insn->dst_reg);
	struct reg_state constant, *src = &constant;
	bool is_reg = BPF_SRC(insn->code) == BPF_X;
	u8 op = BPF_OP(insn->code);

	if (is_reg)
		src = walk_reg(walk, insn->src_reg);
	else
		reg_set_const(&constant, (u64)(s64)insn->imm);
	if (dst->kind == REG_SCALAR && src->kind == REG_SCALAR)
		return learn_numbers(walk, insn, taken);
	if (is_null_check(insn, dst))
		learn_null(walk, dst->id, dst->ref_id, taken == (op == BPF_JEQ));
	else if (is_reg && BPF_CLASS(insn->code) == BPF_JMP) {
		if ((op == BPF_JEQ && taken) || (op == BPF_JNE && !taken))
			learn_equal_pointers(walk, dst, src);
		learn_packet_compare(state, dst, src, op, taken);
	}
	return true;
}

static u16 operand_regs(const struct bpf_insn *insn)
{
	u16 regs = 1u << insn->dst_reg;

	return BPF_SRC(insn->code) == BPF_X ? regs | 1u << insn->src_reg : regs;
}

static void go(struct walk *walk, const struct bpf_insn *insn, bool taken)
{
	fact_branch(walk, taken);
	if (taken)
		walk->next = walk->at + 1 + insn->off;
}

static int transfer_both_ways(struct walk *walk, const struct bpf_insn *insn)
{
	int ret = walk_put_off(walk, walk->at, true);

	if (ret)
		return ret;
	if (learn(walk, insn, false)) {
		fact_branch(walk, false);
		trace_branch(walk);
		return 0;
	}
	precision_need(walk, operand_regs(insn));
	if (walk->rules.may_speculate)
		walk->path_ends = true; /* the other way remains */
	else
		speculation_enter(walk);
	return 0;
}

bool transfer_branch_taken(struct walk *walk)
{
	const struct bpf_insn *insn = walk_insn(walk);

	if (!learn(walk, insn, true)) {
		precision_need(walk, operand_regs(insn));
		if (walk->rules.may_speculate)
			return false;
		speculation_enter(walk);
	}
	go(walk, insn, true);
	return true;
}

/* may_goto leaves its loop at some point that is not known: first the way out of it, then one
 * more round. */
static int transfer_may_goto(struct walk *walk, const struct bpf_insn *insn)
{
	struct packed_state *here = walk_save(walk);
	int ret;

	if (!here)
		return -ENOMEM;
	fact_branch(walk, true);
	fact_branch(walk, false);
	prune_widen(walk, walk->at, path_position(walk) - 1);
	ret = walk_put_off_round(walk, walk->at + 1);
	walk_restore(walk, here);
	walk->next = walk->at + 1 + insn->off;
	return ret;
}

int transfer_branch(struct walk *walk, const struct bpf_insn *insn)
{
	bool is32 = BPF_CLASS(insn->code) == BPF_JMP32;
	struct reg_state constant, *src = &constant;
	int taken, ret;

	if (BPF_OP(insn->code) == BPF_JCOND)
		return transfer_may_goto(walk, insn);
	if (BPF_SRC(insn->code) == BPF_X)
		src = walk_reg(walk, insn->src_reg);
	else
		reg_set_const(&constant, (u64)(s64)insn->imm);
	taken = decide(walk_reg(walk, insn->dst_reg), src, BPF_OP(insn->code), is32);
	if (taken < 0)
		return transfer_both_ways(walk, insn);
	precision_need(walk, operand_regs(insn));
	ret = speculation_put_off(walk, walk->at + 1 + (taken ? 0 : insn->off));
	go(walk, insn, taken);
	return ret;
}
