/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF to eBPF. The program is written twice by the same code: first only counted, which
 * gives every classic instruction its place, then for good, with the jumps known.
 *
 * A and X are 32 bits wide, so everything is done by 32-bit instructions, which clear the upper
 * halves. A packet load past the end makes the program return 0, in both languages.
 *
 * In the direct form loads go to the packet's memory, behind a comparison with its end where no
 * comparison on all the ways there was of as many bytes. Jumps of classic programs only go
 * forward, so that one pass knows these.
 */
#include "isa/classic.h"

#include <errno.h>
#include <stdlib.h>

#define REG_A	 BPF_REG_0
#define REG_CTX	 BPF_REG_6 /* where LD_ABS looks for it */
#define REG_X	 BPF_REG_7
#define REG_SAVE BPF_REG_8
/* of the direct form */
#define REG_DATA  BPF_REG_8
#define REG_END	  BPF_REG_9
#define REG_PLACE BPF_REG_2
#define REG_CHECK BPF_REG_3

#define UNREACHED UINT32_MAX
/* How far a packet's bytes can be reached directly (Linux's MAX_PACKET_OFF). */
#define DIRECT_MAX 0xffff
/* Its sequences are longer than the others: jumps have 16 bits. */
#define DIRECT_INSNS_MAX 2500

struct converter {
	const struct sock_filter *filter;
	u32 count;
	u32 *place;	      /* of each classic instruction in the output; UNREACHED */
	struct bpf_insn *out; /* NULL while counting */
	u32 at;		      /* next place in the output */
	/* The direct form: how many bytes of the packet are known to be there before each
	 * instruction, and where the program ends for want of some; NULL: the other form. */
	u32 *there;
	u32 out_of_packet;
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

/* --- loads of the direct form --- */

static u32 load_bytes(const struct sock_filter *insn)
{
	return BPF_SIZE(insn->code) == BPF_W ? 4 : BPF_SIZE(insn->code) == BPF_H ? 2 : 1;
}

static bool is_header_length(const struct sock_filter *insn)
{
	return insn->code == (BPF_LDX | BPF_MSH | BPF_B);
}

/* How many bytes of the packet a load from a fixed place needs; 0: it is none. */
static u64 bytes_needed(const struct sock_filter *insn)
{
	if (is_header_length(insn))
		return insn->k + 1ull;
	return classic_is_absolute_load(insn) ? (u64)insn->k + load_bytes(insn) : 0;
}

static void emit_unless_there(struct converter *converter, u8 base, u32 bytes)
{
	EMIT(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = REG_CHECK, .src_reg = base);
	EMIT(.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = REG_CHECK, .imm = bytes);
	EMIT(.code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = REG_CHECK, .src_reg = REG_END,
	     .off = (s16)(converter->out_of_packet - converter->at - 1));
}

/* From base + off, in the host's order. */
static void emit_packet_load(struct converter *converter, u8 dst, u8 base, s16 off, u32 bytes)
{
	EMIT(.code = BPF_LDX | BPF_MEM |
		     (bytes == 4   ? BPF_W
		      : bytes == 2 ? BPF_H
				   : BPF_B),
	     .dst_reg = dst, .src_reg = base, .off = off);
	if (bytes > 1)
		EMIT(.code = BPF_ALU | BPF_END | BPF_TO_BE, .dst_reg = dst, .imm = 8 * bytes);
}

static void direct_absolute(struct converter *converter, u8 dst, const struct sock_filter *insn,
			    u32 bytes)
{
	if (converter->there[insn - converter->filter] < insn->k + bytes)
		emit_unless_there(converter, REG_DATA, insn->k + bytes);
	if (insn->k <= INT16_MAX) {
		emit_packet_load(converter, dst, REG_DATA, (s16)insn->k, bytes);
		return;
	}
	EMIT(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = REG_PLACE, .src_reg = REG_DATA);
	EMIT(.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = REG_PLACE, .imm = insn->k);
	emit_packet_load(converter, dst, REG_PLACE, 0, bytes);
}

static void direct_indirect(struct converter *converter, const struct sock_filter *insn)
{
	const u32 bytes = load_bytes(insn);

	emit_mov(converter, BPF_REG_1, REG_X);
	EMIT(.code = BPF_ALU | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = insn->k);
	EMIT(.code = BPF_JMP | BPF_JGT | BPF_K, .dst_reg = BPF_REG_1,
	     .off = (s16)(converter->out_of_packet - converter->at - 1), .imm = DIRECT_MAX - 4);
	EMIT(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = REG_PLACE, .src_reg = REG_DATA);
	EMIT(.code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = REG_PLACE, .src_reg = BPF_REG_1);
	emit_unless_there(converter, REG_PLACE, bytes);
	emit_packet_load(converter, REG_A, REG_PLACE, 0, bytes);
}

static void direct_header_length(struct converter *converter, const struct sock_filter *insn)
{
	direct_absolute(converter, REG_X, insn, 1);
	EMIT(.code = BPF_ALU | BPF_AND | BPF_K, .dst_reg = REG_X, .imm = 15);
	EMIT(.code = BPF_ALU | BPF_LSH | BPF_K, .dst_reg = REG_X, .imm = 2);
}

/* Whether the instruction was one of these loads. */
static bool convert_direct(struct converter *converter, const struct sock_filter *insn)
{
	if (is_header_length(insn))
		direct_header_length(converter, insn);
	else if (classic_is_absolute_load(insn))
		direct_absolute(converter, REG_A, insn, load_bytes(insn));
	else if (BPF_CLASS(insn->code) == BPF_LD && BPF_MODE(insn->code) == BPF_IND)
		direct_indirect(converter, insn);
	else
		return false;
	return true;
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

	if (converter->there && convert_direct(converter, insn))
		return;
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
	if (converter->there) {
		emit_field(converter, REG_DATA, offsetof(struct __sk_buff, data));
		emit_field(converter, REG_END, offsetof(struct __sk_buff, data_end));
	}
	for (u32 at = 0; at < converter->count; at++) {
		if (converter->place[at] == UNREACHED)
			continue;
		converter->place[at] = converter->at;
		convert_insn(converter, at);
	}
	converter->out_of_packet = converter->at;
	if (converter->there) {
		emit_imm(converter, REG_A, 0);
		emit_exit(converter);
	}
}

static int convert_twice(struct converter *converter, struct bpf_insn **out, u32 *out_count,
			 struct skep_error *err)
{
	converter->place = reallocarray(NULL, converter->count, sizeof(*converter->place));
	if (!converter->place)
		return error_set(err, SKEP_STAGE_DECODE, -ENOMEM, "out of memory");
	mark_reached(converter);
	convert_all(converter);
	converter->out = reallocarray(NULL, converter->at, sizeof(*converter->out));
	if (converter->out)
		convert_all(converter);
	free(converter->place);
	if (!converter->out)
		return error_set(err, SKEP_STAGE_DECODE, -ENOMEM, "out of memory");
	*out = converter->out;
	*out_count = converter->at;
	return 0;
}

/* Ancillary loads are not of the packet, and what is far behind is out of direct reach. */
static bool can_be_direct(const struct sock_filter *filter, u32 count)
{
	for (u32 at = 0; at < count; at++)
		if (ancillary_find(&filter[at]) || bytes_needed(&filter[at]) > DIRECT_MAX)
			return false;
	return count <= DIRECT_INSNS_MAX;
}

static void lower(u32 *value, u32 limit)
{
	*value = *value < limit ? *value : limit;
}

/* What is known before an instruction is the least of what is known behind those before it. */
static void find_there(const struct sock_filter *filter, u32 count, u32 *there)
{
	for (u32 at = 0; at < count; at++)
		there[at] = at ? DIRECT_MAX : 0;
	for (u32 at = 0; at < count; at++) {
		const struct sock_filter *insn = &filter[at];
		const u32 needed = (u32)bytes_needed(insn);
		const u32 behind = needed > there[at] ? needed : there[at];

		if (BPF_CLASS(insn->code) == BPF_RET)
			continue;
		if (classic_is_branch(insn)) {
			lower(&there[at + 1 + insn->jt], behind);
			lower(&there[at + 1 + insn->jf], behind);
		} else {
			lower(&there[at + 1 + (insn->code == (BPF_JMP | BPF_JA) ? insn->k : 0)],
			      behind);
		}
	}
}

int classic_convert_direct(const struct sock_filter *filter, u32 count, struct bpf_insn **out,
			   u32 *out_count, struct skep_error *err)
{
	struct converter converter = {.filter = filter, .count = count};
	int code;

	if (!can_be_direct(filter, count))
		return error_set(err, SKEP_STAGE_DECODE, -EOPNOTSUPP,
				 "not only loads from the first 64 KiB of a packet");
	converter.there = reallocarray(NULL, count, sizeof(*converter.there));
	if (!converter.there)
		return error_set(err, SKEP_STAGE_DECODE, -ENOMEM, "out of memory");
	find_there(filter, count, converter.there);
	code = convert_twice(&converter, out, out_count, err);
	free(converter.there);
	return code;
}

int classic_convert(const struct sock_filter *filter, u32 count, struct bpf_insn **out,
		    u32 *out_count, struct skep_error *err)
{
	struct converter converter = {.filter = filter, .count = count};

	return convert_twice(&converter, out, out_count, err);
}
