/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Form of instructions: what Linux reports of an encoding before it asks what the program does.
 * isa.def says what each field must hold; here are the order of the questions and the wording,
 * both Linux's.
 */
#include "base/error.h"
#include "isa/isa.h"
#include <errno.h>
#include <string.h>

#define REJECT(...)                                                      \
	({                                                               \
		error_set(err, SKEP_STAGE_DECODE, -EINVAL, __VA_ARGS__); \
		if (err)                                                 \
			err->insn = at;                                  \
		-EINVAL;                                                 \
	})

static const char *alu_family(u8 code)
{
	switch (BPF_OP(code)) {
	case BPF_NEG: return "BPF_NEG";
	case BPF_END: return "BPF_END";
	case BPF_MOV: return "BPF_MOV";
	default: return "BPF_ALU";
	}
}

static const char *jump_family(u8 code)
{
	switch (BPF_OP(code)) {
	case BPF_CALL: return "BPF_CALL";
	case BPF_EXIT: return "BPF_EXIT";
	case BPF_JA: return "BPF_JA";
	default: return "BPF_JMP/JMP32";
	}
}

/* The name under which Linux speaks of an instruction with wrong reserved fields. */
static const char *family(u8 code)
{
	switch (BPF_CLASS(code)) {
	case BPF_LD: return BPF_MODE(code) == BPF_IMM ? "BPF_LD_IMM64" : "BPF_LD_[ABS|IND]";
	case BPF_LDX: return "BPF_LDX";
	case BPF_ST: return "BPF_ST";
	case BPF_STX: return "BPF_STX";
	case BPF_JMP:
	case BPF_JMP32: return jump_family(code);
	default: return alu_family(code);
	}
}

/* --- of every instruction, reached or not --- */

static int check_wide(const struct bpf_insn *insn, u32 at, u32 count, struct skep_error *err)
{
	enum insn_op op = insn_op(insn);
	const struct bpf_insn *second = insn + 1;

	if (at == count - 1 || second->code || second->dst_reg || second->src_reg ||
	    second->off)
		return REJECT("invalid bpf_ld_imm64 insn");
	if (op == INSN_INVALID || (insn_desc(op)->imm.kind == FIELD_VALUE && second->imm))
		return REJECT("unrecognized bpf_ld_imm64 insn");
	return 0;
}

/* It has one slot, and there is nothing wrong with it. Programs have all kinds in any order:
 * one question, so that processors guess the answer. */
static bool is_in_order(const struct bpf_insn *insn)
{
	const int is_load = BPF_CLASS(insn->code) == BPF_LDX,
		  is_known = insn_code_is_known(insn->code);
	const int is_one = !insn_is_wide(insn), has_number = !!insn->imm;

	return is_known & is_one & !(is_load & has_number);
}

int insns_check_codes(const struct bpf_insn *insns, u32 count, struct skep_error *err)
{
	for (u32 at = 0; at < count; at++) {
		const struct bpf_insn *insn = &insns[at];
		int mode = BPF_MODE(insn->code);

		if (is_in_order(insn))
			continue;
		if (BPF_CLASS(insn->code) == BPF_LDX &&
		    ((mode != BPF_MEM && mode != BPF_MEMSX) || insn->imm != 0))
			return REJECT("BPF_LDX uses reserved fields");
		if (!insn_code_is_known(insn->code))
			return REJECT("unknown opcode %02x", insn->code);
		if (!insn_is_wide(insn))
			continue;
		if (check_wide(insn, at, count, err))
			return -EINVAL;
		at++;
	}
	return 0;
}

/* --- of an instruction that is walked over --- */

static bool is_register(const struct insn_field *field)
{
	return field->kind == FIELD_READ || field->kind == FIELD_WRITE ||
	       field->kind == FIELD_READ_WRITE;
}

/* A known opcode byte whose other fields choose no row. */
static int reject_selection(const struct bpf_insn *insn, u32 at, struct skep_error *err)
{
	struct bpf_insn word = *insn;

	if (insn_is_wide(insn))
		return REJECT("unrecognized bpf_ld_imm64 insn");
	if (BPF_CLASS(insn->code) != BPF_STX)
		return REJECT("%s uses reserved fields", family(insn->code));
	word.code = BPF_STX | BPF_ATOMIC | BPF_W;
	if (insn_op(&word) != INSN_INVALID)
		return REJECT("invalid atomic operand size");
	return REJECT("BPF_ATOMIC uses invalid atomic opcode %02x", (u32)insn->imm);
}

static int check_reserved(const struct insn_desc *desc, const struct bpf_insn *insn, u32 at,
			  struct skep_error *err)
{
	if (!insn_reserved_is_clear(desc, insn)) {
		if (BPF_OP(insn->code) == BPF_JCOND && BPF_CLASS(insn->code) == BPF_JMP)
			return REJECT("invalid may_goto imm %d", insn->imm);
		return REJECT("%s uses reserved fields", family(insn->code));
	}
	if (desc->imm.kind == FIELD_SPACES && insn->imm != 1 && insn->imm != 1 << 16)
		return REJECT(
			"addr_space_cast insn can only convert between address space 1 and 0");
	return 0;
}

static int check_register(const struct insn_field *field, u32 reg, u32 at,
			  struct skep_error *err)
{
	if (is_register(field) && reg >= MAX_BPF_REG)
		return REJECT("R%u is invalid", reg);
	return 0;
}

/* Jumps look at dst first, everything else at src. */
static int check_registers(const struct insn_desc *desc, const struct bpf_insn *insn, u32 at,
			   struct skep_error *err)
{
	int class = BPF_CLASS(insn->code);

	if ((class == BPF_JMP || class == BPF_JMP32) &&
	    check_register(&desc->dst, insn->dst_reg, at, err))
		return -EINVAL;
	if (check_register(&desc->src, insn->src_reg, at, err))
		return -EINVAL;
	return check_register(&desc->dst, insn->dst_reg, at, err);
}

static int check_constant(const struct insn_desc *desc, const struct bpf_insn *insn, u32 at,
			  struct skep_error *err)
{
	s32 width = BPF_CLASS(insn->code) == BPF_ALU64 ? 64 : 32;

	if (desc->imm.kind == FIELD_DIVISOR && insn->imm == 0)
		return REJECT("div by zero");
	if (desc->imm.kind == FIELD_SHIFT && (insn->imm < 0 || insn->imm >= width))
		return REJECT("invalid shift %d", insn->imm);
	return 0;
}

int insn_check_fully(const struct bpf_insn *insn, u32 at, struct skep_error *err)
{
	enum insn_op op = insn_op(insn);
	const struct insn_desc *desc = insn_desc(op);

	if (op == INSN_INVALID)
		return insn_code_is_known(insn->code)
			       ? reject_selection(insn, at, err)
			       : REJECT("unknown opcode %02x", insn->code);
	if (check_reserved(desc, insn, at, err) || check_registers(desc, insn, at, err))
		return -EINVAL;
	return check_constant(desc, insn, at, err);
}

int insns_check(const struct bpf_insn *insns, u32 count, struct skep_error *err)
{
	if (insns_check_codes(insns, count, err))
		return -EINVAL;
	for (u32 at = 0; at < count; at += insn_slots(&insns[at]))
		if (insn_check(&insns[at], at, err))
			return -EINVAL;
	return 0;
}
