/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/speculation.h"

#include "base/error.h"
#include "verify/special.h"

#include <stdlib.h>

static struct insn_fact *fact_here(const struct walk *walk)
{
	return &walk->out->facts[walk->at];
}

/* --- paths --- */

/* In a branch on a register: what it was compared with decided nothing. */
static void forget_operands(struct walk *walk, const struct bpf_insn *insn)
{
	reg_set_unknown(walk_reg(walk, insn->dst_reg));
	if (BPF_SRC(insn->code) == BPF_X)
		reg_set_unknown(walk_reg(walk, insn->src_reg));
}

void speculation_enter(struct walk *walk)
{
	walk->state.is_speculative = true;
	forget_operands(walk, walk_insn(walk));
}

/* Puts off the path with the present state, as a speculative one. */
static int put_off(struct walk *walk, u32 insn)
{
	bool before = walk->state.is_speculative;
	int ret;

	walk->state.is_speculative = true;
	ret = walk_put_off(walk, insn, false);
	walk->state.is_speculative = before;
	return ret;
}

int speculation_put_off(struct walk *walk, u32 insn)
{
	const struct bpf_insn *branch = walk_insn(walk);
	struct reg_state dst, src;
	int ret;

	if (walk->rules.may_speculate)
		return 0;
	dst = *walk_reg(walk, branch->dst_reg);
	src = *walk_reg(walk, branch->src_reg);
	forget_operands(walk, branch);
	ret = put_off(walk, insn);
	*walk_reg(walk, branch->src_reg) = src;
	*walk_reg(walk, branch->dst_reg) = dst;
	return ret;
}

bool speculation_stops_before(const struct walk *walk)
{
	return walk->state.is_speculative && fact_here(walk)->barrier_before;
}

/* What may be wrong of a program; without memory or rounds left nothing is known of it. */
static bool is_about_program(int ret)
{
	return ret == -EPERM || ret == -EACCES || ret == -EINVAL;
}

int speculation_settle(struct walk *walk, int ret)
{
	struct insn_fact *fact = fact_here(walk);

	if (is_about_program(ret)) {
		fact->barrier_before = true;
		if (fact->operand == OPERAND_MASK)
			fact->operand = OPERAND_NONE;
		error_clear(walk->err);
		walk->path_ends = true;
		return 0;
	}
	if (!ret && fact->barrier_after)
		walk->path_ends = true;
	return ret;
}

/* --- masks --- */

static bool needs_mask(const struct walk *walk, const struct bpf_insn *insn)
{
	u8 op = BPF_OP(insn->code);

	return !walk->rules.may_speculate && BPF_SRC(insn->code) == BPF_X &&
	       (op == BPF_ADD || op == BPF_SUB) && !fact_here(walk)->barrier_before;
}

static const char *verb_of(const struct bpf_insn *insn)
{
	return BPF_OP(insn->code) == BPF_ADD ? "add" : "sub";
}

/* How far the pointer may move towards the start of its object, or towards its end. */
static int prove_room(struct walk *walk, const struct bpf_insn *insn,
		      const struct reg_state *pointer, u32 regno, u32 *room)
{
	bool to_left = walk->mask.to_left;
	u32 distance, most;

	switch (pointer->kind) {
	case REG_STACK:
		most = STACK_BYTES + to_left;
		distance = -((u32)pointer->number.bits.value + (u32)pointer->off);
		break;
	case REG_MAP_VALUE:
		most = pointer->map->value_size;
		distance = (u32)(to_left ? (u64)pointer->number.smin : pointer->number.umax) +
			   (u32)pointer->off;
		break;
	default: return reject(walk, needs_masking, regno);
	}
	if (distance >= most)
		return reject(walk, masked_bounds, insn->dst_reg, verb_of(insn));
	*room = distance;
	return 0;
}

static bool same_mask(const struct offset_mask *a, const struct offset_mask *b)
{
	return a->kind == b->kind && a->is_negative == b->is_negative &&
	       a->is_constant == b->is_constant && a->limit == b->limit;
}

/* One instruction has one mask, whichever path leads to it. */
static int keep_mask(struct walk *walk, const struct bpf_insn *insn, struct offset_mask mask)
{
	struct offset_mask kept = insn_fact_mask(fact_here(walk));

	if (kept.kind != MASK_NONE && !same_mask(&kept, &mask))
		return reject(walk, different_operands, insn->dst_reg, verb_of(insn));
	insn_fact_set_mask(fact_here(walk), mask);
	return 0;
}

static int prove_masked(struct walk *walk, const struct bpf_insn *insn, u32 pointer, u32 other)
{
	const struct scalar *offset = &walk_reg(walk, other)->number;
	bool is_constant = scalar_is_const(offset), is_negative = offset->smin < 0;
	struct mask_under_way *mask = &walk->mask;
	u32 room = 0;
	int ret;

	mask->is_simulated = !is_constant;
	if (walk->state.is_speculative)
		return 0; /* the other paths have said what the mask is */
	if (!is_constant && is_negative != (offset->smax < 0))
		return reject(walk, mixed_signs, other);
	mask->to_left = (BPF_OP(insn->code) == BPF_ADD) == is_negative;
	ret = prove_room(walk, insn, walk_reg(walk, pointer), pointer, &room);
	if (ret)
		return ret;
	mask->mask = (struct offset_mask){
		.kind = pointer == insn->dst_reg ? MASK_SRC : MASK_DST,
		.is_negative = is_negative,
		.is_constant = is_constant,
		.limit = room,
	};
	if (!is_constant)
		walk->compares_exactly = true; /* other limits may lead here on other paths */
	return 0;
}

int speculation_prove_offset(struct walk *walk, const struct bpf_insn *insn, u32 pointer)
{
	u32 other = pointer == insn->dst_reg ? insn->src_reg : insn->dst_reg;

	walk->mask = (struct mask_under_way){0};
	return needs_mask(walk, insn) ? prove_masked(walk, insn, pointer, other) : 0;
}

int speculation_put_off_masked(struct walk *walk, const struct reg_state *pointer)
{
	const struct bpf_insn *insn = walk_insn(walk);
	struct reg_state dst;
	int ret;

	if (!walk->mask.is_simulated)
		return 0;
	dst = *walk_reg(walk, insn->dst_reg);
	*walk_reg(walk, insn->dst_reg) = *pointer;
	ret = put_off(walk, walk->at + 1);
	*walk_reg(walk, insn->dst_reg) = dst;
	return ret;
}

static int prove_value_sum(struct walk *walk, u32 reg)
{
	struct extent extent = {.reg = reg, .size = 1, .by_helper = true};
	int ret = memory_prove_within(walk, &extent, walk_reg(walk, reg)->map->value_size);

	ret = ret ? ret : special_prove_untouched(walk, walk_reg(walk, reg)->map, &extent);
	if (!ret)
		return 0;
	if (walk->log)
		strbuf_addf(walk->log,
			    "R%u pointer arithmetic of map value goes out of range, "
			    "prohibited for !root\n",
			    reg);
	error_hint(walk->err, "without CAP_PERFMON the pointer stays inside the map's value "
			      "whenever it is moved");
	return ret;
}

static int prove_stack_sum(struct walk *walk, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	s32 off = reg->off + (s32)reg->number.bits.value;
	char bits[NUMBER_BITS_TEXT];

	if (!scalar_is_const(&reg->number))
		return reject(walk, stack_variable_unprivileged, regno,
			      number_bits_text(&reg->number, bits), off);
	if (off >= 0 || off < -STACK_BYTES)
		return reject(walk, stack_arithmetic_range, regno, off);
	return 0;
}

int speculation_prove_sum(struct walk *walk, const struct bpf_insn *insn)
{
	const struct reg_state *sum = walk_reg(walk, insn->dst_reg);
	struct offset_mask mask = walk->mask.mask;
	int ret = 0;
	u32 room = 0;

	if (walk->rules.may_speculate)
		return 0;
	if (sum->kind == REG_STACK)
		ret = prove_stack_sum(walk, insn->dst_reg);
	else if (sum->kind == REG_MAP_VALUE)
		ret = prove_value_sum(walk, insn->dst_reg);
	if (ret || mask.kind == MASK_NONE)
		return ret;
	ret = prove_room(walk, insn, sum, insn->dst_reg, &room);
	if (ret)
		return ret;
	mask.limit = (u32)abs((s32)(mask.limit - room));
	return keep_mask(walk, insn, mask);
}

int speculation_prove_numbers(struct walk *walk, const struct bpf_insn *insn)
{
	if (!needs_mask(walk, insn))
		return 0;
	return keep_mask(walk, insn, (struct offset_mask){.kind = MASK_NUMBERS});
}

/* --- stores --- */

/* A load behind the store may see what was there before: a pointer, or an address in bytes that
 * nobody has written. */
void speculation_note_store(struct walk *walk, const struct frame *frame,
			    const struct access *access, const struct reg_state *value)
{
	bool is_critical = value && reg_is_pointer(value);

	if (walk->rules.may_speculate)
		return;
	for (s64 off = access->low; off < access->high + access->size && !is_critical; off++) {
		u32 slot = (u32)(-off - 1) / SLOT_BYTES;
		u8 byte = frame->slots[slot].bytes[off + (s64)(slot + 1) * SLOT_BYTES];

		is_critical = byte != BYTE_MISC && byte != BYTE_ZERO;
	}
	if (is_critical)
		fact_here(walk)->barrier_after = true;
}
