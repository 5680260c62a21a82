/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs on skep and on Linux: the same verdict, the same bytes.
 *
 *	random_programs FIRST_SEED COUNT
 *
 * A program takes registers and stack words from its packet, so that no verifier knows them,
 * does a few dozen random things with them (any row of isa.def that computes, branches forward
 * or touches the stack), and writes all of them back into the packet. As TAP, one line for all.
 */
#include "isa/isa.h"
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BODY_MAX    40 /* slots */
#define STACK_WORDS 4
#define INPUTS	    4
#define PACKET_REG  BPF_REG_2
#define LOG_SIZE    (1u << 20)

/* What the program computes with; r1 is scratch, r2 the packet, r10 the stack. */
static const u8 registers[] = {0, 3, 4, 5, 6, 7, 8, 9};

#define WORDS	    (ARRAY_SIZE(registers) + STACK_WORDS)
#define PACKET_SIZE (8 * WORDS)
#define PROGRAM_MAX (BODY_MAX + 4 * WORDS + 16)

struct program {
	struct bpf_insn insns[PROGRAM_MAX];
	u32 count;
};

/* --- numbers --- */

static u64 seed_state;

static u64 random_bits(void)
{
	seed_state ^= seed_state << 13;
	seed_state ^= seed_state >> 7;
	seed_state ^= seed_state << 17;
	return seed_state * 0x2545f4914f6cdd1d;
}

static u32 below(u32 limit)
{
	return (u32)((random_bits() >> 32) % limit);
}

/* Often near a power of two, where carries, signs and widths meet. */
static u64 random_word(void)
{
	u64 near = (1ull << below(64)) + below(5) - 2;

	switch (below(4)) {
	case 0: return random_bits();
	case 1: return near;
	case 2: return -near;
	default: return below(16);
	}
}

/* --- programs --- */

static void emit(struct program *program, struct bpf_insn insn)
{
	program->insns[program->count++] = insn;
}

#define EMIT(...) emit(program, (struct bpf_insn){__VA_ARGS__})

static s16 stack_offset(u32 word)
{
	return -8 * (s16)(word + 1);
}

/* r2 = packet, checked to hold PACKET_SIZE bytes; every register and stack word from it. */
static void emit_start(struct program *program)
{
	EMIT(.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = PACKET_REG, .src_reg = 1);
	EMIT(.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 3, .src_reg = 1, .off = 4);
	EMIT(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 4, .src_reg = PACKET_REG);
	EMIT(.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 4, .imm = PACKET_SIZE);
	EMIT(.code = BPF_JMP | BPF_JLE | BPF_X, .dst_reg = 4, .src_reg = 3, .off = 2);
	EMIT(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1);
	EMIT(.code = BPF_JMP | BPF_EXIT);
	for (u32 i = 0; i < STACK_WORDS; i++) {
		EMIT(.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = PACKET_REG,
		     .off = 8 * (ARRAY_SIZE(registers) + i));
		EMIT(.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 10, .src_reg = 1,
		     .off = stack_offset(i));
	}
	for (u32 i = 0; i < ARRAY_SIZE(registers); i++)
		EMIT(.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = registers[i],
		     .src_reg = PACKET_REG, .off = 8 * i);
}

static void emit_end(struct program *program)
{
	for (u32 i = 0; i < ARRAY_SIZE(registers); i++)
		EMIT(.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = PACKET_REG,
		     .src_reg = registers[i], .off = 8 * i);
	for (u32 i = 0; i < STACK_WORDS; i++) {
		EMIT(.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 10,
		     .off = stack_offset(i));
		EMIT(.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = PACKET_REG, .src_reg = 1,
		     .off = 8 * (ARRAY_SIZE(registers) + i));
	}
	EMIT(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2);
	EMIT(.code = BPF_JMP | BPF_EXIT);
}

/*
 * Linux 6.18 on x86 can lose the zero extension of r0 after a successful 32-bit compare and
 * exchange: it is added only when a path was seen that reads all of r0, and a pruned path is
 * not seen. Found by this test; the ISA and skep always clear the upper half.
 */
static bool is_lost_by_linux(const struct insn_desc *desc)
{
	return desc->code == (BPF_STX | BPF_ATOMIC | BPF_W) && desc->imm.value == BPF_CMPXCHG;
}

static bool computes(const struct insn_desc *desc)
{
	if (is_lost_by_linux(desc))
		return false;
	switch (BPF_CLASS(desc->code)) {
	case BPF_ALU:
	case BPF_ALU64: return desc->imm.kind != FIELD_SPACES;
	case BPF_LD: return desc->imm.kind == FIELD_WIDE && !desc->src.value;
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX: return true;
	default: return desc->off.kind == FIELD_TARGET && BPF_OP(desc->code) != BPF_JCOND;
	}
}

static u32 access_size(u8 code)
{
	static const u8 sizes[] = {4, 2, 1, 8};

	return sizes[BPF_SIZE(code) >> 3];
}

static bool reads_memory(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_LDX ||
	       (BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC &&
		insn->imm == BPF_LOAD_ACQ);
}

/* Accesses go to the stack, aligned. */
static void point_to_stack(struct bpf_insn *insn)
{
	u32 size = access_size(insn->code);

	insn->off = -8 * STACK_WORDS + (s16)(size * below(8 * STACK_WORDS / size));
	if (reads_memory(insn))
		insn->src_reg = 10;
	else
		insn->dst_reg = 10;
}

static s32 random_imm(const struct insn_desc *desc)
{
	s32 word = (s32)random_word();

	switch ((enum field_kind)desc->imm.kind) {
	case FIELD_SELECT: return desc->imm.value;
	case FIELD_VALUE:
	case FIELD_WIDE: return word;
	case FIELD_DIVISOR: return word ? word : 1;
	case FIELD_SHIFT: return below(BPF_CLASS(desc->code) == BPF_ALU64 ? 64 : 32);
	case FIELD_ZERO:
	case FIELD_ANY:
	case FIELD_READ:
	case FIELD_WRITE:
	case FIELD_READ_WRITE:
	case FIELD_DISPLACEMENT:
	case FIELD_TARGET:
	case FIELD_SPACES: return 0;
	}
	return 0;
}

static void emit_random(struct program *program)
{
	enum insn_op op = 1 + below(INSN_OPS - 1);
	const struct insn_desc *desc = insn_desc(op);
	struct bpf_insn insn = {.code = desc->code, .imm = random_imm(desc)};

	if (!computes(desc))
		return;
	if (desc->dst.kind != FIELD_ZERO)
		insn.dst_reg = registers[below(ARRAY_SIZE(registers))];
	if (desc->src.kind != FIELD_ZERO && desc->src.kind != FIELD_SELECT)
		insn.src_reg = registers[below(ARRAY_SIZE(registers))];
	if (desc->off.kind == FIELD_SELECT)
		insn.off = desc->off.value;
	if (desc->off.kind == FIELD_TARGET)
		insn.off = 1 + below(6); /* made to fit by aim_jumps() */
	if (desc->off.kind == FIELD_DISPLACEMENT)
		point_to_stack(&insn);
	emit(program, insn);
	if (insn_is_wide(&insn))
		EMIT(.imm = (s32)random_word());
}

static bool is_second_slot(const struct program *program, u32 at)
{
	return at && insn_is_wide(&program->insns[at - 1]);
}

/* Jumps end at an instruction inside the body or right behind it; an unconditional one skips
 * nothing, so that all code can be reached. */
static void aim_jumps(struct program *program, u32 start)
{
	for (u32 at = start; at < program->count; at++) {
		struct bpf_insn *insn = &program->insns[at];
		u32 target = min(at + 1 + insn->off, program->count);

		if (is_second_slot(program, at) ||
		    insn_desc(insn_op(insn))->off.kind != FIELD_TARGET)
			continue;
		if (target < program->count && is_second_slot(program, target))
			target++;
		insn->off = insn->code == (BPF_JMP | BPF_JA) ? 0 : target - at - 1;
	}
}

static void make_program(u64 seed, struct program *program)
{
	u32 start;

	seed_state = seed * 0x9e3779b97f4a7c15 + 1;
	program->count = 0;
	emit_start(program);
	start = program->count;
	for (u32 i = 8 + below(BODY_MAX / 2 - 8); i; i--)
		emit_random(program);
	aim_jumps(program, start);
	emit_end(program);
}

/* --- comparing --- */

struct result {
	int error; /* of loading or running */
	u64 packets[INPUTS][WORDS];
};

static int run_once(const struct target *target, int fd, const u64 *in, u64 *out)
{
	union bpf_attr attr = {0};
	int error;

	attr.test.prog_fd = fd;
	attr.test.data_in = ptr_to_u64(in);
	attr.test.data_size_in = PACKET_SIZE;
	attr.test.data_out = ptr_to_u64(out);
	attr.test.data_size_out = PACKET_SIZE;
	error = target_bpf(target, BPF_PROG_TEST_RUN, &attr);
	return error < 0 ? error : attr.test.retval == 2 ? 0 : -EPROTO;
}

static void run_on(const struct target *target, const struct program *program,
		   const u64 inputs[INPUTS][WORDS], char *log, struct result *out)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = ptr_to_u64(program->insns),
		.insn_cnt = program->count,
		.license = ptr_to_u64("GPL"),
		.log_level = log ? 2 : 0,
		.log_buf = ptr_to_u64(log),
		.log_size = log ? LOG_SIZE : 0,
	};
	int fd = target_bpf(target, BPF_PROG_LOAD, &attr);

	out->error = min(fd, 0);
	for (u32 i = 0; i < INPUTS && !out->error; i++)
		out->error = run_once(target, fd, inputs[i], out->packets[i]);
	if (fd >= 0)
		close(fd);
}

static void print_program(const struct program *program)
{
	struct strbuf text;

	strbuf_init(&text);
	for (u32 at = 0; at < program->count; at += insn_slots(&program->insns[at])) {
		strbuf_addf(&text, "# %3u: ", at);
		insn_print(program->insns, program->count, at, INSN_SYNTAX_LLVM, NULL, &text);
		strbuf_addc(&text, '\n');
	}
	fputs(strbuf_text(&text), stdout);
	strbuf_done(&text);
}

static void print_difference(const struct result *one, const struct result *other,
			     const u64 inputs[INPUTS][WORDS])
{
	printf("# errors %d and %d\n", one->error, other->error);
	for (u32 i = 0; i < INPUTS && !one->error && !other->error; i++)
		for (u32 word = 0; word < WORDS; word++)
			if (one->packets[i][word] != other->packets[i][word])
				printf("# input %u, word %u: in %#llx, out %#llx and %#llx\n",
				       i, word, inputs[i][word], one->packets[i][word],
				       other->packets[i][word]);
}

static bool is_same(const struct result *one, const struct result *other)
{
	if (one->error || other->error)
		return !one->error == !other->error;
	return !memcmp(one->packets, other->packets, sizeof(one->packets));
}

static bool compare_targets(u64 seed, const struct target *targets, u32 count)
{
	static struct program program;
	static struct result results[3];
	u64 inputs[INPUTS][WORDS];
	bool same = true;

	make_program(seed, &program);
	for (u32 i = 0; i < INPUTS; i++)
		for (u32 word = 0; word < WORDS; word++)
			inputs[i][word] = random_word();
	for (u32 i = 0; i < count; i++) {
		run_on(&targets[i], &program, inputs, NULL, &results[i]);
		if (is_same(&results[0], &results[i]))
			continue;
		printf("# seed %llu: %s and %s differ\n", seed, targets[0].name,
		       targets[i].name);
		print_difference(&results[0], &results[i], inputs);
		same = false;
	}
	if (!same)
		print_program(&program);
	return same;
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"linux", "skep", "checked"};
	u64 first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	u64 count = argc > 2 ? strtoull(argv[2], NULL, 0) : 100;
	struct target targets[ARRAY_SIZE(names)];
	u32 open = 0;
	bool same = true;

	for (; open < ARRAY_SIZE(names); open++)
		if (target_open(names[open], &targets[open]))
			break;
	if (open < ARRAY_SIZE(names))
		printf("ok 1 - random programs # SKIP no %s here\n1..1\n", names[open]);
	for (u64 seed = first; open == ARRAY_SIZE(names) && seed < first + count; seed++)
		same &= compare_targets(seed, targets, open);
	if (open == ARRAY_SIZE(names))
		printf("%s 1 - %llu random programs do the same on skep and on Linux\n1..1\n",
		       same ? "ok" : "not ok", count);
	while (open)
		target_close(&targets[--open]);
	return !same;
}
