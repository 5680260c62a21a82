/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows what instructions other than memory accesses and calls need. */
#include "verify/memory.h"
#include "verify/speculation.h"

#include <string.h>

static const char *operator_text(u8 op)
{
	static const char *const text[] = {"+=",  "-=",	 "*=", "/=", "|=", "&=",   "<<=",
					   ">>=", "neg", "%=", "^=", "=",  "s>>=", "endian"};

	return op >> 4 < ARRAY_SIZE(text) ? text[op >> 4] : "unknown";
}

static int prove_initialised(struct walk *walk, u32 reg)
{
	if (walk_reg(walk, reg)->kind != REG_NOT_INIT)
		return 0;
	return reject(walk, not_initialised, reg);
}

static int prove_number(struct walk *walk, u32 reg)
{
	if (!walk_hides_pointer(walk, walk_reg(walk, reg)))
		return 0;
	return reject(walk, leak_into_memory, reg, "mem");
}

/* What a JIT makes a loop of must not fault. */
static bool is_refused_in_arena(const struct bpf_insn *insn)
{
	return insn->imm == (BPF_AND | BPF_FETCH) || insn->imm == (BPF_OR | BPF_FETCH) ||
	       insn->imm == (BPF_XOR | BPF_FETCH);
}

static int prove_atomic(struct walk *walk, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	char kind[REG_KIND_TEXT];

	switch ((enum reg_kind)reg->kind) {
	case REG_CTX:
	case REG_PACKET:
	case REG_PACKET_META:
	case REG_FLOW_KEYS:
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK: break;
	case REG_NOT_INIT:
	case REG_SCALAR:
	case REG_MAP:
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_STACK:
	case REG_PACKET_END:
	case REG_MEM:
	case REG_BUFFER:
	case REG_TP_BUFFER:
	case REG_BTF:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_ITERATOR:
	case REG_IRQ_FLAG:
	case REG_KINDS: return 0;
	case REG_ARENA:
		if (is_refused_in_arena(walk_insn(walk)))
			break;
		return 0;
	}
	return reject(walk, atomic_target,
		      walk_insn(walk)->imm == BPF_LOAD_ACQ ? "loads from" : "stores into",
		      regno, reg_kind_text(reg, kind));
}

/* --- pointer arithmetic --- */

static int prove_pointer_kind(struct walk *walk, u32 regno, const struct scalar *other, u8 op)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	char kind[REG_KIND_TEXT];

	if (reg_may_be_null(reg))
		return reject(walk, arithmetic_before_null_check, regno,
			      reg_kind_text(reg, kind));
	switch ((enum reg_kind)reg->kind) {
	case REG_CTX:
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_STACK:
	case REG_PACKET:
	case REG_PACKET_META:
	case REG_MEM:
	case REG_BUFFER:
	case REG_TP_BUFFER:
	case REG_BTF:
	case REG_FUNC: return 0;
	case REG_FLOW_KEYS:
		if (scalar_is_const(other))
			return 0;
		break;
	case REG_MAP:
		if (scalar_is_const(other) && !other->bits.value && op == BPF_ADD)
			return 0;
		break;
	case REG_PACKET_END:
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK:
	case REG_ARENA:
	case REG_DYNPTR:
	case REG_ITERATOR:
	case REG_IRQ_FLAG:
	case REG_NOT_INIT:
	case REG_SCALAR:
	case REG_KINDS: break;
	}
	return reject(walk, arithmetic_on_kind, regno, reg_kind_text(reg, kind));
}

static bool is_far(s64 offset)
{
	return offset >= POINTER_OFFSET_LIMIT || offset <= -POINTER_OFFSET_LIMIT;
}

/* Offsets stay far from where sums of them could wrap. */
int prove_pointer_sane(struct walk *walk, const struct reg_state *reg,
		       const struct reg_state *kind_of)
{
	const struct scalar *number = &reg->number;
	char kind[REG_KIND_TEXT];

	if (scalar_is_const(number) && is_far((s64)number->bits.value))
		return reject(walk, math_constant, reg_kind_text(kind_of, kind),
			      (s64)number->bits.value);
	/* A number's `off` is its distance from those linked to it. */
	if (reg_is_pointer(reg) && is_far(reg->off))
		return reject(walk, pointer_offset, reg_kind_text(kind_of, kind), reg->off);
	if (number->smin == INT64_MIN)
		return reject(walk, math_unbounded, reg_kind_text(kind_of, kind));
	if (is_far(number->smin))
		return reject(walk, math_out_of_bounds, number->smin,
			      reg_kind_text(kind_of, kind));
	return 0;
}

static int prove_pointer_operator(struct walk *walk, const struct bpf_insn *insn)
{
	u8 op = BPF_OP(insn->code);

	switch (op) {
	case BPF_ADD:
	case BPF_SUB: return 0;
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR: return reject(walk, pointer_bitwise, insn->dst_reg, operator_text(op));
	default: return reject(walk, pointer_operator, insn->dst_reg, operator_text(op));
	}
}

static int prove_pointer_math(struct walk *walk, const struct bpf_insn *insn, u32 pointer_reg,
			      const struct reg_state *other)
{
	const struct reg_state *pointer = walk_reg(walk, pointer_reg);
	u8 op = BPF_OP(insn->code);
	int ret;

	if (BPF_CLASS(insn->code) != BPF_ALU64) {
		if (op == BPF_SUB && walk->rules.may_leak)
			return 0;
		return reject(walk, pointer_32bit, insn->dst_reg);
	}
	ret = prove_pointer_kind(walk, pointer_reg, &other->number, op);
	if (!ret && pointer->kind == REG_MEM && pointer->flags & REG_UNTRUSTED)
		return 0; /* loads are guarded, wherever it points */
	ret = ret ? ret : prove_pointer_sane(walk, other, pointer);
	ret = ret ? ret : prove_pointer_sane(walk, pointer, pointer);
	ret = ret ? ret : speculation_prove_offset(walk, insn, pointer_reg);
	ret = ret ? ret : prove_pointer_operator(walk, insn);
	if (ret || op != BPF_SUB)
		return ret;
	if (pointer_reg != insn->dst_reg)
		return reject(walk, scalar_minus_pointer, insn->dst_reg);
	if (pointer->kind == REG_STACK)
		return reject(walk, stack_subtraction, insn->dst_reg);
	return 0;
}

static int prove_binary_operands(struct walk *walk, const struct bpf_insn *insn)
{
	const struct reg_state *dst = walk_reg(walk, insn->dst_reg), *src;
	struct reg_state constant;
	u8 op = BPF_OP(insn->code);

	if (walk_is_arena_math(walk, insn))
		return 0; /* any arithmetic: the cast of its value makes an address of it */

	if (BPF_SRC(insn->code) == BPF_K) {
		if (!reg_is_pointer(dst))
			return 0;
		reg_set_const(&constant, (u64)(s64)insn->imm);
		return prove_pointer_math(walk, insn, insn->dst_reg, &constant);
	}
	src = walk_reg(walk, insn->src_reg);
	if (reg_is_pointer(dst) && reg_is_pointer(src)) {
		if (op == BPF_SUB && walk->rules.may_leak)
			return 0;
		return reject(walk, pointer_and_pointer, insn->dst_reg, operator_text(op));
	}
	if (reg_is_pointer(src))
		return prove_pointer_math(walk, insn, insn->src_reg, dst);
	if (reg_is_pointer(dst))
		return prove_pointer_math(walk, insn, insn->dst_reg, src);
	return 0;
}

static bool is_address_space_cast(const struct bpf_insn *insn)
{
	return insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn->off == BPF_ADDR_SPACE_CAST;
}

static int prove_move(struct walk *walk, const struct bpf_insn *insn)
{
	if (is_address_space_cast(insn) && !walk_arena(walk))
		return reject(walk, no_arena);
	if (is_address_space_cast(insn))
		return 0;
	if (BPF_SRC(insn->code) == BPF_K ||
	    !walk_hides_pointer(walk, walk_reg(walk, insn->src_reg)))
		return 0;
	if (BPF_CLASS(insn->code) == BPF_ALU)
		return reject(walk, partial_copy, insn->src_reg);
	if (insn->off)
		return reject(walk, sign_extended_pointer, insn->src_reg);
	return 0;
}

int prove_operands(struct walk *walk, const struct bpf_insn *insn)
{
	switch (BPF_OP(insn->code)) {
	case BPF_MOV: return prove_move(walk, insn);
	case BPF_NEG:
	case BPF_END:
		if (!walk_hides_pointer(walk, walk_reg(walk, insn->dst_reg)))
			return 0;
		return reject(walk, pointer_arithmetic, insn->dst_reg);
	default: return prove_binary_operands(walk, insn);
	}
}

/* --- comparisons --- */

static bool is_packet_pointer(const struct reg_state *reg)
{
	return reg->kind == REG_PACKET || reg->kind == REG_PACKET_META ||
	       reg->kind == REG_PACKET_END;
}

/* pointer OP end of its area, either way round: what tells how much is there. */
static bool is_packet_check(const struct bpf_insn *insn, const struct reg_state *dst,
			    const struct reg_state *src)
{
	switch (BPF_OP(insn->code)) {
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JLT:
	case BPF_JLE:
		return BPF_CLASS(insn->code) == BPF_JMP &&
		       (reg_bounds_packet(dst, src) || reg_bounds_packet(src, dst));
	default: return false;
	}
}

/* With a register that is certainly 0. */
static bool is_decided_null_check(const struct bpf_insn *insn, const struct reg_state *dst,
				  const struct reg_state *src)
{
	u8 op = BPF_OP(insn->code);

	return (op == BPF_JEQ || op == BPF_JNE) && BPF_CLASS(insn->code) == BPF_JMP &&
	       reg_is_const(src) && !src->number.bits.value && reg_is_never_null(dst);
}

static int prove_comparable(struct walk *walk, const struct bpf_insn *insn)
{
	const struct reg_state *dst = walk_reg(walk, insn->dst_reg), *src;
	u8 op = BPF_OP(insn->code);

	if (BPF_SRC(insn->code) == BPF_X) {
		src = walk_reg(walk, insn->src_reg);
		if (is_packet_check(insn, dst, src))
			return 0;
		if (!(is_packet_pointer(dst) && is_packet_pointer(src)) &&
		    walk_hides_pointer(walk, src))
			return reject(walk, pointer_comparison, insn->src_reg);
		if (is_decided_null_check(insn, dst, src))
			return 0;
	} else if (!insn->imm && (op == BPF_JEQ || op == BPF_JNE) &&
		   BPF_CLASS(insn->code) == BPF_JMP &&
		   (reg_may_be_null(dst) || reg_is_never_null(dst))) {
		return 0; /* a null check */
	}
	if (walk_hides_pointer(walk, dst))
		return reject(walk, pointer_comparison, insn->dst_reg);
	return 0;
}

/* Callbacks are verified by their types. */
static int prove_function_type(struct walk *walk)
{
	const struct insn_fact *fact = &walk->out->facts[walk->at];

	if (!walk->input->func_info_cnt)
		return reject(walk, function_without_type);
	return walk->cfg.subprogs[fact->callee].is_global ? reject(walk, callback_global) : 0;
}

int prove_requirement(struct walk *walk, const struct requirement *need)
{
	switch ((enum requirement_kind)need->kind) {
	case NEED_INITIALISED: return prove_initialised(walk, need->reg);
	case NEED_WRITABLE:
		return need->reg == FRAME_REG ? reject(walk, frame_pointer_write) : 0;
	case NEED_NUMBER: return prove_number(walk, need->reg);
	case NEED_MEMORY: return prove_memory(walk, need);
	case NEED_ATOMIC: return prove_atomic(walk, need->reg);
	case NEED_OPERANDS: return prove_operands(walk, walk_insn(walk));
	case NEED_COMPARABLE: return prove_comparable(walk, walk_insn(walk));
	case NEED_PACKET_LOAD: return prove_packet_load(walk);
	case NEED_HELPER: return prove_helper(walk, need);
	case NEED_ARGUMENT: return prove_argument(walk, need);
	case NEED_AGREEMENT: return prove_agreement(walk, need);
	case NEED_CALLEE: return prove_callee(walk);
	case NEED_FUNCTION_TYPE: return prove_function_type(walk);
	case NEED_RELEASED: return prove_released(walk);
	case NEED_RESULT: return prove_result(walk);
	}
	return 0;
}
