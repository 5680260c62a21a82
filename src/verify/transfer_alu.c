/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic: numbers through the scalar domain, pointers by what is added to them. */
#include "verify/facts.h"
#include "verify/precision.h"
#include "verify/speculation.h"

/* --- moves --- */

static void move_number(struct walk *walk, const struct bpf_insn *insn, struct reg_state *src,
			struct reg_state *dst)
{
	bool is32 = BPF_CLASS(insn->code) == BPF_ALU;
	u32 bits = insn->off ? insn->off : is32 ? 32 : 64;
	/* A sign extension keeps what has its sign bit clear. */
	u64 limit = bits == 64 ? 0 : 1ull << (insn->off ? bits - 1 : bits);
	bool keeps_value = !limit || src->number.umax < limit;
	struct scalar from;

	if (keeps_value)
		walk_link_number(walk, src);
	from = src->number;
	*dst = *src;
	if (keeps_value)
		return;
	reg_unlink(dst);
	scalar_alu(&dst->number, &from, BPF_MOV, is32, insn->off);
}

/* To the program's view of the arena (imm 1), or to user space's. */
static void cast_address(const struct bpf_insn *insn, struct reg_state *dst)
{
	if (insn->imm == 1)
		reg_set_pointer(dst, REG_ARENA);
	else
		reg_set_unknown(dst);
}

static int transfer_move(struct walk *walk, const struct bpf_insn *insn)
{
	bool is32 = BPF_CLASS(insn->code) == BPF_ALU;
	struct reg_state *dst = walk_reg(walk, insn->dst_reg), *src;

	if (BPF_SRC(insn->code) == BPF_K) {
		reg_set_const(dst, is32 ? (u32)insn->imm : (u64)(s64)insn->imm);
		return 0;
	}
	src = walk_reg(walk, insn->src_reg);
	if (insn->off == BPF_ADDR_SPACE_CAST) {
		cast_address(insn, dst);
		return 0;
	}
	if (src->kind == REG_SCALAR) {
		move_number(walk, insn, src, dst);
		return 0;
	}
	if (!is32 && !insn->off) {
		*dst = *src;
		return 0;
	}
	reg_set_unknown(dst); /* part of an address */
	if (is32)
		scalar_zero_extend32(&dst->number);
	return 0;
}

/* --- numbers --- */

/* le64 of a little-endian host. */
static bool changes_nothing(const struct bpf_insn *insn)
{
	return insn->code == (BPF_ALU | BPF_END | BPF_TO_LE) && insn->imm == 64;
}

static void transfer_unary(struct walk *walk, const struct bpf_insn *insn)
{
	struct reg_state *dst = walk_reg(walk, insn->dst_reg);
	bool is32 = BPF_CLASS(insn->code) == BPF_ALU;

	if (reg_is_pointer(dst))
		reg_set_unknown(dst);
	if (changes_nothing(insn))
		return;
	reg_unlink(dst);
	if (BPF_OP(insn->code) == BPF_NEG)
		scalar_alu(&dst->number, &dst->number, BPF_NEG, is32, 0);
	else /* BPF_TO_BE of a little-endian host swaps, and so does the ALU64 form */
		scalar_byte_swap(&dst->number, insn->imm,
				 !is32 || BPF_SRC(insn->code) == BPF_TO_BE);
}

/* As in Linux, what has a distance already gets no other, and half of a wider number none. */
static bool stays_linked(struct reg_state *dst, const struct bpf_insn *insn, u64 umax,
			 const struct scalar *amount)
{
	u8 op = BPF_OP(insn->code);
	bool is_low = BPF_CLASS(insn->code) == BPF_ALU;
	s64 value = is_low ? (s32)amount->bits.value : (s64)amount->bits.value;
	s64 distance = op == BPF_SUB ? -(u64)value : value;

	if (!dst->id || dst->off || dst->flags & REG_LOW_LINK || !scalar_is_const(amount) ||
	    distance != (s32)distance || (op != BPF_ADD && op != BPF_SUB))
		return false;
	dst->off = (s32)distance;
	if (!is_low)
		return true;
	dst->flags |= REG_LOW_LINK;
	return umax <= UINT32_MAX;
}

void transfer_link(struct reg_state *dst, const struct bpf_insn *insn, u64 umax,
		   const struct scalar *amount)
{
	if (!stays_linked(dst, insn, umax, amount))
		reg_unlink(dst);
}

/* A number that is 0 or -1, in 64 or in its low 32 bits: false if neither, else the two. */
static bool splits_by_sign(const struct scalar *number, struct scalar *zero,
			   struct scalar *ones)
{
	*zero = scalar_const(0);
	*ones = scalar_const(~0ull);
	if (number->smin == -1 && number->smax == 0)
		return true;
	*zero = *ones = *number;
	zero->smin32 = zero->smax32 = 0;
	ones->smin32 = ones->smax32 = -1;
	return number->smin32 == -1 && number->smax32 == 0 && scalar_sync(zero) &&
	       scalar_sync(ones);
}

/*
 * Compilers make `x < 0 ? a : b` of a sign that is shifted over all bits and masked: both cases
 * are walked on their own, as a branch would be.
 */
static int split_by_sign(struct walk *walk, const struct bpf_insn *insn)
{
	struct reg_state *dst = walk_reg(walk, insn->dst_reg);
	struct scalar zero, ones;
	int ret;

	if (!splits_by_sign(&dst->number, &zero, &ones))
		return 0;
	dst->number = zero;
	ret = walk_put_off(walk, walk->at, false);
	dst->number = ones;
	return ret;
}

static int transfer_numbers(struct walk *walk, const struct bpf_insn *insn)
{
	struct reg_state *dst = walk_reg(walk, insn->dst_reg);
	bool is_reg = BPF_SRC(insn->code) == BPF_X;
	struct scalar src = is_reg ? walk_reg(walk, insn->src_reg)->number
				   : scalar_const((u64)(s64)insn->imm);
	u8 op = BPF_OP(insn->code);
	u64 umax = dst->number.umax;
	int ret = 0;

	if ((op == BPF_AND || op == BPF_OR) && scalar_is_const(&src))
		ret = split_by_sign(walk, insn);
	walk_alu(walk, insn, &dst->number, &src);
	transfer_link(dst, insn, umax, &src);
	return ret;
}

/* --- pointers --- */

static bool is_packet(const struct reg_state *reg)
{
	return reg->kind == REG_PACKET || reg->kind == REG_PACKET_META;
}

static bool fits_offset(s64 offset)
{
	return offset == (s32)offset;
}

/* A constant goes to `off`; anything else to the variable part, and the packet range is void.
 */
static void move_pointer(struct walk *walk, struct reg_state *pointer,
			 const struct scalar *distance, u8 op)
{
	s64 value = (s64)distance->bits.value;
	s64 offset = op == BPF_ADD ? pointer->off + value : pointer->off - value;

	pointer->flags &= ~(REG_AT_END | REG_BEYOND_END);

	if (scalar_is_const(distance) && fits_offset(offset)) {
		pointer->off = (s32)offset;
		return;
	}
	scalar_alu(&pointer->number, distance, op, false, 0);
	if (!is_packet(pointer))
		return;
	pointer->id = walk_new_id(walk);
	pointer->range = 0;
}

int transfer_pointer_alu(struct walk *walk, const struct bpf_insn *insn)
{
	struct reg_state *dst = walk_reg(walk, insn->dst_reg);
	bool is_reg = BPF_SRC(insn->code) == BPF_X;
	struct reg_state pointer = *dst, other;
	u8 op = BPF_OP(insn->code);
	int ret;

	if (is_reg)
		other = *walk_reg(walk, insn->src_reg);
	else
		reg_set_const(&other, (u64)(s64)insn->imm);
	if (!reg_is_pointer(&pointer)) {
		struct reg_state number = pointer;

		pointer = other;
		other = number;
		precision_need(walk, 1u << insn->dst_reg);
	} else if (is_reg) {
		precision_need(walk, 1u << insn->src_reg);
	}
	if (pointer.kind == REG_MEM && pointer.flags & REG_UNTRUSTED) {
		*dst = pointer; /* it may point anywhere already */
		return 0;
	}
	ret = speculation_put_off_masked(walk, &pointer);
	if (ret)
		return ret;
	move_pointer(walk, &pointer, &other.number, op);
	ret = prove_pointer_sane(walk, &pointer, &pointer);
	if (ret)
		return ret;
	*dst = pointer;
	return speculation_prove_sum(walk, insn);
}

/* --- */

static bool is_pointer_math(struct walk *walk, const struct bpf_insn *insn)
{
	return reg_is_pointer(walk_reg(walk, insn->dst_reg)) ||
	       (BPF_SRC(insn->code) == BPF_X && reg_is_pointer(walk_reg(walk, insn->src_reg)));
}

static int transfer_number_math(struct walk *walk, const struct bpf_insn *insn)
{
	int ret = walk->rules.may_speculate ? 0 : speculation_prove_numbers(walk, insn);

	return ret ? ret : transfer_numbers(walk, insn);
}

/* The difference of two pointers, or 32-bit subtraction on one: some number. */
static bool gives_number(struct walk *walk, const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_ALU ||
	       (BPF_SRC(insn->code) == BPF_X && reg_is_pointer(walk_reg(walk, insn->dst_reg)) &&
		reg_is_pointer(walk_reg(walk, insn->src_reg)));
}

int transfer_alu(struct walk *walk, const struct bpf_insn *insn)
{
	switch (BPF_OP(insn->code)) {
	case BPF_MOV: return transfer_move(walk, insn);
	case BPF_NEG:
	case BPF_END: transfer_unary(walk, insn); return 0;
	default: break;
	}
	if (!is_pointer_math(walk, insn))
		return transfer_number_math(walk, insn);
	if (walk_is_arena_math(walk, insn)) {
		reg_set_pointer(walk_reg(walk, insn->dst_reg), REG_ARENA);
		return 0;
	}
	if (gives_number(walk, insn)) {
		reg_set_unknown(walk_reg(walk, insn->dst_reg));
		if (BPF_CLASS(insn->code) == BPF_ALU)
			scalar_zero_extend32(&walk_reg(walk, insn->dst_reg)->number);
		return 0;
	}
	return transfer_pointer_alu(walk, insn);
}
