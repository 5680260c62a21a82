/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF to eBPF. The program is written twice by the same code: first only counted, which
 * gives every classic instruction its place, then for good, with the jumps known.
 *
 * A and X are 32 bits wide, so everything is done by 32-bit instructions, which clear the upper
 * halves. A packet load past the end makes the program return 0, in both languages.
 */
#include "isa/classic.h"

#include <errno.h>
#include <stdlib.h>

#define REG_A	  BPF_REG_0
#define REG_CTX	  BPF_REG_6 /* where LD_ABS looks for it */
#define REG_X	  BPF_REG_7
#define REG_SAVE  BPF_REG_8

#define UNREACHED UINT32_MAX

struct converter {
	const struct sock_filter *filter;
	u32 count;
	u32 *place;	      /* of each classic instruction in the output; UNREACHED */
	struct bpf_insn *out; /* NULL while counting */
	u32 at;		      /* next place in the output */
};

static void emit(struct converter *converter, struct bpf_insn insn)
{
	if (converter->out)
		converter->out[converter->at] = insn;
	converter->at++;
}

#define EMIT(...) emit(converter, (struct bpf_insn){__VA_ARGS__})

static void emit_mov(struct converter *converter, u8 dst, u8 src)
{
	EMIT(.code = BPF_ALU | BPF_MOV | BPF_X, .dst_reg = dst, .src_reg = src);
}

static void emit_imm(struct converter *converter, u8 dst, s32 imm)
{
	EMIT(.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = dst, .imm = imm);
}

static void emit_field(struct converter *converter, u8 dst, u32 offset)
{
	EMIT(.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = dst, .src_reg = REG_CTX,
	     .off = offset);
}

static void emit_exit(struct converter *converter)
{
	EMIT(.code = BPF_JMP | BPF_EXIT);
}

static s16 scratch_offset(u32 word)
{
	return -4 * (s16)(BPF_MEMWORDS - word);
}

static void emit_scratch_load(struct converter *converter, u8 dst, u32 word)
{
	EMIT(.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = dst, .src_reg = BPF_REG_10,
	     .off = scratch_offset(word));
}

static void emit_scratch_store(struct converter *converter, u8 src, u32 word)
{
	EMIT(.code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .src_reg = src,
	     .off = scratch_offset(word));
}

/* --- loads --- */

static void convert_ancillary(struct converter *converter, const struct ancillary *ancillary)
{
	switch (ancillary->kind) {
	case ANCILLARY_FIELD: emit_field(converter, REG_A, ancillary->operand); break;
	case ANCILLARY_FIELD_BE16:
		emit_field(converter, REG_A, ancillary->operand);
		EMIT(.code = BPF_ALU | BPF_END | BPF_TO_BE, .dst_reg = REG_A, .imm = 16);
		break;
	case ANCILLARY_HELPER:
		EMIT(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1,
		     .src_reg = REG_CTX);
		emit_mov(converter, BPF_REG_2, REG_A);
		emit_mov(converter, BPF_REG_3, REG_X);
		EMIT(.code = BPF_JMP | BPF_CALL, .imm = ancillary->operand);
		break;
	case ANCILLARY_XOR:
		EMIT(.code = BPF_ALU | BPF_XOR | BPF_X, .dst_reg = REG_A, .src_reg = REG_X);
		break;
	}
}

/* X = 4 * (packet[k] & 15), the length of an IPv4 header. */
static void convert_header_length(struct converter *converter, u32 k)
{
	emit_mov(converter, REG_SAVE, REG_A);
	EMIT(.code = BPF_LD | BPF_ABS | BPF_B, .imm = k);
	EMIT(.code = BPF_ALU | BPF_AND | BPF_K, .dst_reg = BPF_REG_0, .imm = 15);
	EMIT(.code = BPF_ALU | BPF_LSH | BPF_K, .dst_reg = BPF_REG_0, .imm = 2);
	emit_mov(converter, REG_X, BPF_REG_0);
	emit_mov(converter, REG_A, REG_SAVE);
}

/* LD and LDX; `dst` is A or X. */
static void convert_load(struct converter *converter, const struct sock_filter *insn, u8 dst)
{
	const struct ancillary *ancillary = ancillary_find(insn);

	if (ancillary) {
		convert_ancillary(converter, ancillary);
		return;
	}
	switch (BPF_MODE(insn->code)) {
	case BPF_IMM: emit_imm(converter, dst, insn->k); break;
	case BPF_MEM: emit_scratch_load(converter, dst, insn->k); break;
	case BPF_LEN: emit_field(converter, dst, offsetof(struct __sk_buff, len)); break;
	case BPF_MSH: convert_header_length(converter, insn->k); break;
	case BPF_ABS: EMIT(.code = insn->code, .imm = insn->k); break;
	case BPF_IND: EMIT(.code = insn->code, .src_reg = REG_X, .imm = insn->k); break;
	}
}

/* --- arithmetic and jumps --- */

/* eBPF divides by 0, a classic program ends with 0 then. */
static void guard_division(struct converter *converter)
{
	EMIT(.code = BPF_JMP32 | BPF_JNE | BPF_K, .dst_reg = REG_X, .off = 2);
	emit_imm(converter, REG_A, 0);
	emit_exit(converter);
}

static void convert_alu(struct converter *converter, const struct sock_filter *insn)
{
	int op = BPF_OP(insn->code);

	if (op == BPF_NEG) {
		EMIT(.code = BPF_ALU | BPF_NEG, .dst_reg = REG_A);
		return;
	}
	if (BPF_SRC(insn->code) == BPF_K) {
		EMIT(.code = insn->code, .dst_reg = REG_A, .imm = insn->k);
		return;
	}
	if (op == BPF_DIV || op == BPF_MOD)
		guard_division(converter);
	EMIT(.code = insn->code, .dst_reg = REG_A, .src_reg = REG_X);
}

/* The longest sequence is convert_header_length(): no distance needs more than 16 bits. */
#define SEQUENCE_MAX 6
_Static_assert(BPF_MAXINSNS *SEQUENCE_MAX <= INT16_MAX, "a jump over the whole program");

static s16 distance(const struct converter *converter, u32 target)
{
	return converter->place[target] - converter->at - 1;
}

static void emit_goto(struct converter *converter, u32 target)
{
	EMIT(.code = BPF_JMP | BPF_JA, .off = distance(converter, target));
}

static void emit_branch(struct converter *converter, const struct sock_filter *insn, int op,
			u32 target)
{
	bool is_register = BPF_SRC(insn->code) == BPF_X;

	EMIT(.code = BPF_JMP32 | op | BPF_SRC(insn->code), .dst_reg = REG_A,
	     .src_reg = is_register ? REG_X : 0, .off = distance(converter, target),
	     .imm = is_register ? 0 : insn->k);
}

/* The opposite condition; JSET has none. */
static int opposite(int op)
{
	switch (op) {
	case BPF_JEQ: return BPF_JNE;
	case BPF_JGT: return BPF_JLE;
	case BPF_JGE: return BPF_JLT;
	default: return 0;
	}
}

static void convert_jump(struct converter *converter, const struct sock_filter *insn, u32 at)
{
	u32 next = at + 1, op = BPF_OP(insn->code);

	if (op == BPF_JA) {
		emit_goto(converter, next + insn->k);
	} else if (insn->jt == insn->jf) {
		emit_goto(converter, next + insn->jt);
	} else if (insn->jt == 0 && opposite(op)) {
		emit_branch(converter, insn, opposite(op), next + insn->jf);
	} else {
		emit_branch(converter, insn, op, next + insn->jt);
		if (insn->jf)
			emit_goto(converter, next + insn->jf);
	}
}

/* --- the whole program --- */

static void convert_insn(struct converter *converter, u32 at)
{
	const struct sock_filter *insn = &converter->filter[at];

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD: convert_load(converter, insn, REG_A); break;
	case BPF_LDX: convert_load(converter, insn, REG_X); break;
	case BPF_ST: emit_scratch_store(converter, REG_A, insn->k); break;
	case BPF_STX: emit_scratch_store(converter, REG_X, insn->k); break;
	case BPF_ALU: convert_alu(converter, insn); break;
	case BPF_JMP: convert_jump(converter, insn, at); break;
	case BPF_RET:
		if (BPF_RVAL(insn->code) == BPF_K)
			emit_imm(converter, REG_A, insn->k);
		emit_exit(converter);
		break;
	case BPF_MISC:
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			emit_mov(converter, REG_X, REG_A);
		else
			emit_mov(converter, REG_A, REG_X);
		break;
	}
}

static void mark_reached(struct converter *converter)
{
	u32 *place = converter->place;

	for (u32 at = 0; at < converter->count; at++)
		place[at] = at ? UNREACHED : 0;
	for (u32 at = 0; at < converter->count; at++) {
		const struct sock_filter *insn = &converter->filter[at];

		if (place[at] == UNREACHED || BPF_CLASS(insn->code) == BPF_RET)
			continue;
		if (classic_is_branch(insn)) {
			place[at + 1 + insn->jt] = 0;
			place[at + 1 + insn->jf] = 0;
		} else {
			place[at + 1 + (insn->code == (BPF_JMP | BPF_JA) ? insn->k : 0)] = 0;
		}
	}
}

static void convert_all(struct converter *converter)
{
	converter->at = 0;
	EMIT(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = REG_CTX, .src_reg = BPF_REG_1);
	emit_imm(converter, REG_A, 0);
	emit_imm(converter, REG_X, 0);
	for (u32 at = 0; at < converter->count; at++) {
		if (converter->place[at] == UNREACHED)
			continue;
		converter->place[at] = converter->at;
		convert_insn(converter, at);
	}
}

int classic_convert(const struct sock_filter *filter, u32 count, struct bpf_insn **out,
		    u32 *out_count, struct skep_error *err)
{
	struct converter converter = {.filter = filter, .count = count};

	converter.place = reallocarray(NULL, count, sizeof(*converter.place));
	if (!converter.place)
		return error_set(err, SKEP_STAGE_DECODE, -ENOMEM, "out of memory");
	mark_reached(&converter);
	convert_all(&converter);
	converter.out = reallocarray(NULL, converter.at, sizeof(*converter.out));
	if (converter.out)
		convert_all(&converter);
	free(converter.place);
	if (!converter.out)
		return error_set(err, SKEP_STAGE_DECODE, -ENOMEM, "out of memory");
	*out = converter.out;
	*out_count = converter.at;
	return 0;
}
