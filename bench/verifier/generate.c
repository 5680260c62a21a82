/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that are each heavy in one way. They are XDP programs: r1 is the context; after
 * prologue() r2 is the packet, of which 64 bytes are there, r3 its end, r5 to r7 hold eight
 * bytes of it each, and two stack slots are filled.
 */
#include "verifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSNS_MAX   (1u << 20)
#define PACKET_SIZE 64

/* --- the assembler --- */

static struct bpf_insn insns[INSNS_MAX];
static u32 count, random_state;

static void emit(u8 code, u8 dst, u8 src, s16 off, s32 imm)
{
	insns[count++] = (struct bpf_insn){code, dst, src, off, imm};
}

static u32 random_below(u32 limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 16) % limit;
}

static void move_imm(u8 dst, s32 imm)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static void move(u8 dst, u8 src)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void alu_imm(u8 op, u8 dst, s32 imm)
{
	emit(BPF_ALU64 | op | BPF_K, dst, 0, 0, imm);
}

static void alu(u8 op, u8 dst, u8 src)
{
	emit(BPF_ALU64 | op | BPF_X, dst, src, 0, 0);
}

static void load(u8 size, u8 dst, u8 src, s16 off)
{
	emit(BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

static void store(s16 off, u8 src)
{
	emit(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, src, off, 0);
}

static void jump_imm(u8 op, u8 dst, s32 imm, s16 off)
{
	emit(BPF_JMP | op | BPF_K, dst, 0, off, imm);
}

/* Back to `start` while dst < imm. */
static void loop_while_below(u8 dst, s32 imm, u32 start)
{
	alu_imm(BPF_ADD, dst, 1);
	jump_imm(BPF_JLT, dst, imm, (s16)(start - count - 1));
}

static void leave(u8 result)
{
	move(BPF_REG_0, result);
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* The program ends unless `bytes` are there behind the pointer. */
static void need_packet(u8 pointer, s32 bytes)
{
	move(BPF_REG_4, pointer);
	alu_imm(BPF_ADD, BPF_REG_4, bytes);
	emit(BPF_JMP | BPF_JGE | BPF_X, BPF_REG_3, BPF_REG_4, 2, 0);
	move_imm(BPF_REG_0, 0);
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void prologue(void)
{
	load(BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct xdp_md, data));
	load(BPF_W, BPF_REG_3, BPF_REG_1, offsetof(struct xdp_md, data_end));
	need_packet(BPF_REG_2, PACKET_SIZE);
	for (u8 reg = BPF_REG_5; reg <= BPF_REG_7; reg++)
		load(BPF_DW, reg, BPF_REG_2, (s16)((reg - BPF_REG_5) * 8));
	store(-8, BPF_REG_5);
	store(-16, BPF_REG_6);
}

static u8 random_reg(void)
{
	return (u8)(BPF_REG_5 + random_below(3));
}

/* --- the programs; `size` is of instructions, or of those processed --- */

static void random_alu(void)
{
	static const u8 by_reg[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_OR, BPF_AND, BPF_MOV};
	static const u8 by_imm[] = {BPF_ADD, BPF_SUB, BPF_XOR, BPF_LSH, BPF_RSH, BPF_MUL};

	switch (random_below(3)) {
	case 0:
		alu(by_reg[random_below(ARRAY_SIZE(by_reg))], random_reg(), random_reg());
		break;
	case 1:
		emit(BPF_ALU | by_reg[random_below(3)] | BPF_X, random_reg(), random_reg(), 0,
		     0);
		break;
	default:
		alu_imm(by_imm[random_below(ARRAY_SIZE(by_imm))], random_reg(),
			1 + (s32)random_below(30));
		break;
	}
}

/* No branch: arithmetic, stack, packet. */
static void straight(u32 size)
{
	prologue();
	while (count < size - 2) {
		s16 slot = (s16)(-8 - 8 * (s32)random_below(2));

		switch (random_below(5)) {
		case 0: load(BPF_DW, random_reg(), BPF_REG_10, slot); break;
		case 1: store(slot, random_reg()); break;
		case 2: load(BPF_B, random_reg(), BPF_REG_2, (s16)random_below(60)); break;
		default: random_alu(); break;
		}
	}
	leave(BPF_REG_5);
}

/* Branches on unknown bytes that come together again, as parsers are. */
static void diamonds(u32 size)
{
	prologue();
	while (count < size - 10) {
		load(BPF_B, BPF_REG_5, BPF_REG_2, (s16)random_below(60));
		jump_imm(BPF_JNE, BPF_REG_5, (s32)random_below(256), 3);
		alu_imm(BPF_ADD, BPF_REG_6, (s32)random_below(100));
		alu_imm(BPF_XOR, BPF_REG_6, (s32)random_below(100));
		emit(BPF_JMP | BPF_JA, 0, 0, 2, 0);
		alu_imm(BPF_ADD, BPF_REG_7, (s32)random_below(100));
		alu(BPF_ADD, BPF_REG_6, BPF_REG_7);
		store(-8, BPF_REG_6);
	}
	leave(BPF_REG_6);
}

static void loop_body(void)
{
	alu(BPF_ADD, BPF_REG_5, BPF_REG_6);
	alu(BPF_MUL, BPF_REG_6, BPF_REG_5);
	alu_imm(BPF_RSH, BPF_REG_6, 3);
	alu(BPF_ADD, BPF_REG_7, BPF_REG_6);
	store(-8, BPF_REG_7);
	load(BPF_DW, BPF_REG_5, BPF_REG_10, -8);
	alu(BPF_ADD, BPF_REG_5, BPF_REG_8);
}

/* One counted loop, walked round by round. */
static void loop(u32 size)
{
	u32 start;

	prologue();
	move_imm(BPF_REG_8, 0);
	start = count;
	loop_body();
	loop_while_below(BPF_REG_8, (s32)(size / 9), start);
	leave(BPF_REG_5);
}

/* Three loops, each inside the other. */
static void nested(u32 size)
{
	u32 rounds = 1, start[3];

	while (rounds * rounds * rounds * 9 < size)
		rounds++;
	prologue();
	move_imm(BPF_REG_9, 0);
	start[0] = count;
	move_imm(BPF_REG_1, 0);
	start[1] = count;
	move_imm(BPF_REG_8, 0);
	start[2] = count;
	loop_body();
	loop_while_below(BPF_REG_8, (s32)rounds, start[2]);
	loop_while_below(BPF_REG_1, (s32)rounds, start[1]);
	loop_while_below(BPF_REG_9, (s32)rounds, start[0]);
	leave(BPF_REG_5);
}

/* Calls of a few functions that call one another, with a branch in each. */
static void calls(u32 size)
{
	enum { FUNCTIONS = 6, LENGTH = 7 };
	u32 start = size - FUNCTIONS * LENGTH;

	prologue();
	move(BPF_REG_8, BPF_REG_5);
	while (count < start - 4) {
		u32 callee = start + random_below(FUNCTIONS) * LENGTH;

		move(BPF_REG_1, BPF_REG_8);
		emit(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, (s32)(callee - count - 1));
		alu(BPF_ADD, BPF_REG_8, BPF_REG_0);
	}
	while (count < start - 2)
		alu_imm(BPF_ADD, BPF_REG_8, 1);
	leave(BPF_REG_8);
	for (u32 i = 0; i < FUNCTIONS; i++) {
		store(-8, BPF_REG_1);
		jump_imm(BPF_JSGT, BPF_REG_1, (s32)random_below(1000), 1);
		alu_imm(BPF_ADD, BPF_REG_1, 1);
		if (i + 1 < FUNCTIONS)
			emit(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, LENGTH - 4);
		else
			move_imm(BPF_REG_0, 1);
		load(BPF_DW, BPF_REG_0, BPF_REG_10, -8);
		alu_imm(BPF_AND, BPF_REG_0, 0xff);
		emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	}
}

/* A loop over values that live on the stack. */
static void spills(u32 size)
{
	enum { SLOTS = 24 };
	u32 start;

	prologue();
	for (s16 slot = 1; slot <= SLOTS; slot++)
		store((s16)(-8 * slot), BPF_REG_5);
	move_imm(BPF_REG_8, 0);
	start = count;
	for (s16 slot = 1; slot < SLOTS; slot++) {
		load(BPF_DW, BPF_REG_6, BPF_REG_10, (s16)(-8 * slot));
		alu(BPF_ADD, BPF_REG_6, BPF_REG_8);
		store((s16)(-8 * (slot + 1)), BPF_REG_6);
	}
	loop_while_below(BPF_REG_8, (s32)(size / (3 * SLOTS)), start);
	leave(BPF_REG_6);
}

static void map_of_world(u8 dst)
{
	emit(BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, 0);
	emit(0, 0, 0, 0, 0);
}

/* Map look-ups with a null check, the value branched on and counted up. */
static void lookups(u32 size)
{
	prologue();
	move_imm(BPF_REG_6, 0);
	while (count < size - 16) {
		emit(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, (s32)random_below(16));
		map_of_world(BPF_REG_1);
		move(BPF_REG_2, BPF_REG_10);
		alu_imm(BPF_ADD, BPF_REG_2, -4);
		emit(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
		jump_imm(BPF_JEQ, BPF_REG_0, 0, 4);
		load(BPF_DW, BPF_REG_7, BPF_REG_0, 0);
		jump_imm(BPF_JGT, BPF_REG_7, (s32)random_below(1000), 1);
		alu_imm(BPF_ADD, BPF_REG_7, 1);
		emit(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_7, 8, 0);
	}
	leave(BPF_REG_6);
}

/* Headers of unknown length, one behind the other. */
static void headers(u32 size)
{
	prologue();
	while (count < size - 14) {
		need_packet(BPF_REG_2, 16);
		load(BPF_B, BPF_REG_5, BPF_REG_2, 0);
		jump_imm(BPF_JGT, BPF_REG_5, 8, 2);
		load(BPF_H, BPF_REG_6, BPF_REG_2, 2);
		emit(BPF_JMP | BPF_JA, 0, 0, 1, 0);
		load(BPF_W, BPF_REG_6, BPF_REG_2, 4);
		alu_imm(BPF_AND, BPF_REG_5, 15);
		jump_imm(BPF_JNE, BPF_REG_5, 3, 1);
		alu(BPF_ADD, BPF_REG_2, BPF_REG_5);
	}
	leave(BPF_REG_6);
}

/* A loop over options of unknown length: r7 is the offset of the next. */
static void options(u32 size)
{
	u32 start;

	prologue();
	move_imm(BPF_REG_8, 0);
	move_imm(BPF_REG_7, 0);
	start = count;
	jump_imm(BPF_JGT, BPF_REG_7, 200, 12);
	move(BPF_REG_9, BPF_REG_2);
	alu(BPF_ADD, BPF_REG_9, BPF_REG_7);
	need_packet(BPF_REG_9, 8);
	load(BPF_B, BPF_REG_5, BPF_REG_9, 0);
	load(BPF_B, BPF_REG_6, BPF_REG_9, 1);
	jump_imm(BPF_JNE, BPF_REG_5, 1, 1);
	move_imm(BPF_REG_6, 1);
	alu(BPF_ADD, BPF_REG_7, BPF_REG_6);
	loop_while_below(BPF_REG_8, (s32)size / 14, start);
	leave(BPF_REG_7);
}

/* Every way through `size` branches leaves another number, and it matters which. */
static void explosion(u32 size)
{
	prologue();
	move_imm(BPF_REG_8, 0);
	for (u32 i = 0; i < size; i++) {
		load(BPF_B, BPF_REG_5, BPF_REG_2, (s16)i);
		jump_imm(BPF_JNE, BPF_REG_5, 7, 1);
		alu_imm(BPF_OR, BPF_REG_8, 1 << i);
	}
	jump_imm(BPF_JNE, BPF_REG_8, 12345, 1);
	move_imm(BPF_REG_8, 0);
	leave(BPF_REG_8);
}

#define GENERATOR(shape, size)                \
	{                                     \
#shape " " #size, size, shape \
	}

const struct generator generators[] = {
	GENERATOR(straight, 10000),  GENERATOR(straight, 100000), GENERATOR(straight, 900000),
	GENERATOR(diamonds, 10000),  GENERATOR(diamonds, 60000),  GENERATOR(diamonds, 100000),
	GENERATOR(diamonds, 600000), GENERATOR(loop, 100000),	  GENERATOR(loop, 900000),
	GENERATOR(nested, 500000),   GENERATOR(calls, 500),	  GENERATOR(spills, 500000),
	GENERATOR(lookups, 10000),   GENERATOR(headers, 1000),	  GENERATOR(options, 600),
	GENERATOR(explosion, 25),
};
const u32 generator_cnt = ARRAY_SIZE(generators);

/* --- into both worlds --- */

static int make_map(enum world world)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = 16,
			       .max_entries = 16};

	return world_bpf(world, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static void set_attr(struct program *program, enum world world)
{
	struct bpf_insn *own = malloc(count * sizeof(*own));
	int map = make_map(world);

	if (!own)
		abort();
	memcpy(own, insns, count * sizeof(*own));
	for (u32 i = 0; i < count; i++)
		if (own[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			own[i].imm = map;
	program->attr[world] = (union bpf_attr){.prog_type = BPF_PROG_TYPE_XDP,
						.insns = ptr_to_u64(own),
						.insn_cnt = count,
						.license = ptr_to_u64("GPL")};
	program->is_there[world] = true;
}

struct program *generate_program(const struct generator *generator)
{
	struct program *program = calloc(1, sizeof(*program));

	if (!program)
		abort();
	count = 0;
	random_state = 1;
	generator->generate(generator->size);
	snprintf(program->name, sizeof(program->name), "%s", generator->name);
	for (enum world world = 0; world < WORLDS; world++)
		set_attr(program, world);
	return program;
}
