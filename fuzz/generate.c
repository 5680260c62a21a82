/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz/generate.h"

#include "fuzz/mutation.h"
#include "isa/isa.h"

#include <string.h>

#define STEPS_MIN     4
#define STEPS_MAX     24
#define JUMPS_MAX     256
#define LOOP_MAX      20
#define ROOM_FOR_STEP 64  /* the longest step, and the exit */
#define ROOM_FOR_LOOP 256 /* the longest of unknown length, and the exit */
#define STEP_OF_EXIT  UINT32_MAX
#define STACK_WRITTEN (-64) /* the prologue writes from here up; below is anything */

/* A jump whose target is known when all steps are there. */
struct forward {
	u32 insn, step;
};

struct generator {
	u64 random;
	struct generated *out;
	u32 step_starts[STEPS_MAX + 2];
	u32 step_cnt;
	struct forward jumps[JUMPS_MAX];
	u32 jump_cnt;
	bool in_callee;
	bool has_open_loop;
	u32 calls[4]; /* calls of the one subprogram */
	u32 call_cnt;
};

/* --- chance --- */

static u32 below(struct generator *gen, u32 limit)
{
	return random_below(&gen->random, limit);
}

static bool chance(struct generator *gen, u32 percent)
{
	return below(gen, 100) < percent;
}

static s32 pick_imm(struct generator *gen)
{
	static const s32 corners[] = {0,   1,	   -1,	      2,	 7,  8,	 15,  16,  31,
				      32,  47,	   48,	      49,	 63, 64, 255, 256, 511,
				      512, 0xffff, INT32_MAX, INT32_MIN, -2, -8, -512};

	switch (below(gen, 4)) {
	case 0: return (s32)below(gen, GENERATED_VALUE + 2);
	case 1: return (s32)(random_next(&gen->random) >> below(gen, 32));
	case 2: return (s32)((1u << below(gen, 32)) - below(gen, 2));
	default: return corners[below(gen, ARRAY_SIZE(corners))];
	}
}

/* A register that holds a number: r0 to r5, r7 or r9. */
static u8 pick_number(struct generator *gen)
{
	static const u8 numbers[] = {0, 2, 3, 4, 5, 7, 9, 7, 9};

	return numbers[below(gen, ARRAY_SIZE(numbers))];
}

static u8 pick_size(struct generator *gen)
{
	static const u8 sizes[] = {BPF_B, BPF_H, BPF_W, BPF_DW};

	return sizes[below(gen, ARRAY_SIZE(sizes))];
}

static u32 size_bytes(u8 size)
{
	return size == BPF_B ? 1 : size == BPF_H ? 2 : size == BPF_W ? 4 : 8;
}

/* --- emission --- */

static void emit(struct generator *gen, u8 code, u8 dst, u8 src, s32 off, s32 imm)
{
	gen->out->insns[gen->out->count++] =
		(struct bpf_insn){code, dst & 0xf, src & 0xf, (s16)off, imm};
}

static void emit_mov(struct generator *gen, u8 dst, u8 src)
{
	emit(gen, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void emit_const(struct generator *gen, u8 dst, s32 value)
{
	emit(gen, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value);
}

static void emit_add(struct generator *gen, u8 dst, s32 value)
{
	emit(gen, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value);
}

static void emit_jump(struct generator *gen, u8 code, u8 dst, u8 src, s32 imm, u32 step)
{
	if (gen->jump_cnt == JUMPS_MAX)
		return;
	gen->jumps[gen->jump_cnt++] = (struct forward){gen->out->count, step};
	emit(gen, code, dst, src, 0, imm);
}

static void emit_helper(struct generator *gen, s32 id)
{
	emit(gen, BPF_JMP | BPF_CALL, 0, 0, 0, id);
}

static void emit_map(struct generator *gen, u8 dst, enum generated_map map)
{
	emit(gen, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, (s32)map);
	emit(gen, 0, 0, 0, 0, 0);
}

/* A call destroyed r1 to r5: they become numbers again. */
static void emit_numbers(struct generator *gen, u8 first)
{
	for (u8 reg = first; reg <= BPF_REG_5; reg++) {
		if (chance(gen, 50))
			emit_const(gen, reg, pick_imm(gen));
		else
			emit_mov(gen, reg, BPF_REG_7);
	}
}

/* --- numbers --- */

static u8 pick_compare(struct generator *gen)
{
	static const u8 ops[] = {BPF_JEQ, BPF_JNE,  BPF_JSET, BPF_JGT,	BPF_JGE, BPF_JLT,
				 BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE};

	return ops[below(gen, ARRAY_SIZE(ops))] | (chance(gen, 40) ? BPF_JMP32 : BPF_JMP);
}

static void step_alu(struct generator *gen)
{
	static const u8 ops[] = {BPF_ADD, BPF_SUB,  BPF_MUL, BPF_OR,  BPF_AND, BPF_LSH, BPF_RSH,
				 BPF_XOR, BPF_ARSH, BPF_ADD, BPF_AND, BPF_DIV, BPF_MOD};
	u8 op = ops[below(gen, ARRAY_SIZE(ops))], dst = pick_number(gen);
	u8 class = chance(gen, 40) ? BPF_ALU : BPF_ALU64;
	bool is_shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;
	bool is_division = op == BPF_DIV || op == BPF_MOD;
	s32 imm = pick_imm(gen), off = is_division && chance(gen, 40);

	if (is_shift)
		imm = (s32)below(gen, class == BPF_ALU ? 32 : 64);
	if (is_division && !imm)
		imm = 3;
	if (chance(gen, 60))
		emit(gen, class | op | BPF_K, dst, 0, off, imm);
	else
		emit(gen, class | op | BPF_X, dst, pick_number(gen), off, 0);
}

static void step_move(struct generator *gen)
{
	static const u8 widths[] = {8, 16, 32};
	u8 dst = pick_number(gen), src = pick_number(gen);

	switch (below(gen, 6)) {
	case 0: emit_const(gen, dst, pick_imm(gen)); break;
	case 1: emit_mov(gen, dst, src); break;
	case 2: emit(gen, BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0); break;
	case 3:
		emit(gen, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, widths[below(gen, 3)], 0);
		break;
	case 4: emit(gen, BPF_ALU64 | BPF_NEG, dst, 0, 0, 0); break;
	default:
		emit(gen, (chance(gen, 50) ? BPF_ALU64 : BPF_ALU) | BPF_END | BPF_K, dst, 0, 0,
		     16 << below(gen, 3));
		break;
	}
}

/* Makes a number at most `limit`, or leaves it at that. */
static void bound(struct generator *gen, u8 reg, s32 limit)
{
	s32 slack = chance(gen, 8) ? 1 : 0;

	switch (below(gen, 13) / 2) {
	case 0:
		emit_jump(gen, BPF_JMP | BPF_JGT | BPF_K, reg, 0, limit + slack, STEP_OF_EXIT);
		break;
	case 1:
		emit_jump(gen, BPF_JMP | BPF_JSGT | BPF_K, reg, 0, limit + slack, STEP_OF_EXIT);
		emit_jump(gen, BPF_JMP | BPF_JSLT | BPF_K, reg, 0, -slack, STEP_OF_EXIT);
		break;
	case 2:
		emit(gen, BPF_ALU | BPF_MOV | BPF_X, reg, reg, 0, 0);
		emit_jump(gen, BPF_JMP32 | BPF_JGE | BPF_K, reg, 0, limit + 1 + slack,
			  STEP_OF_EXIT);
		break;
	case 3:
		emit_jump(gen, BPF_JMP32 | BPF_JGT | BPF_K, reg, 0, limit, STEP_OF_EXIT);
		emit(gen, BPF_ALU | BPF_MOV | BPF_X, reg, reg, 0, 0);
		break;
	case 4:
		emit(gen, BPF_ALU64 | BPF_AND | BPF_K, reg, 0, 0, (limit | (limit >> 1)) >> 1);
		break;
	case 5:
		emit_const(gen, BPF_REG_1, limit + slack);
		emit_jump(gen, BPF_JMP | BPF_JGT | BPF_X, reg, BPF_REG_1, 0, STEP_OF_EXIT);
		break;
	default: break;
	}
}

static void step_branch(struct generator *gen)
{
	u8 code = pick_compare(gen), dst = pick_number(gen);
	u32 target = gen->step_cnt + 1 + below(gen, 4);

	if (chance(gen, 65))
		emit_jump(gen, code | BPF_K, dst, 0, pick_imm(gen), target);
	else
		emit_jump(gen, code | BPF_X, dst, pick_number(gen), 0, target);
}

static void step_loop(struct generator *gen)
{
	u8 counter = chance(gen, 50) ? BPF_REG_7 : BPF_REG_9;
	u32 start;

	emit_const(gen, counter, 0);
	start = gen->out->count;
	for (u32 i = below(gen, 4); i > 0; i--)
		step_alu(gen);
	emit_add(gen, counter, 1);
	emit(gen, BPF_JMP | (chance(gen, 70) ? BPF_JLT : BPF_JNE) | BPF_K, counter, 0,
	     (s32)start - (s32)gen->out->count - 1, (s32)below(gen, LOOP_MAX) + 1);
}

/* --- memory --- */

static void access_atomically(struct generator *gen, u8 base, s32 off, u8 size)
{
	static const s32 operations[] = {BPF_ADD, BPF_ADD | BPF_FETCH, BPF_OR | BPF_FETCH,
					 BPF_XCHG, BPF_CMPXCHG};
	u8 reg = pick_number(gen);

	switch (below(gen, 8)) {
	case 0: /* the address is in the source */
		emit(gen, BPF_STX | BPF_ATOMIC | size, reg, base, off, BPF_LOAD_ACQ);
		break;
	case 1: emit(gen, BPF_STX | BPF_ATOMIC | size, base, reg, off, BPF_STORE_REL); break;
	default:
		emit(gen, BPF_STX | BPF_ATOMIC | (size == BPF_W ? BPF_W : BPF_DW), base, reg,
		     off, operations[below(gen, ARRAY_SIZE(operations))]);
		break;
	}
}

static void access_bytes(struct generator *gen, u8 base, s32 off, u8 size)
{
	u8 reg = pick_number(gen);

	switch (below(gen, 8)) {
	case 0:
	case 1: emit(gen, BPF_STX | BPF_MEM | size, base, reg, off, 0); break;
	case 2: emit(gen, BPF_ST | BPF_MEM | size, base, 0, off, pick_imm(gen)); break;
	case 3: access_atomically(gen, base, off, size); break;
	case 4:
		emit(gen, BPF_LDX | BPF_MEMSX | (size == BPF_DW ? BPF_W : size), reg, base, off,
		     0);
		break;
	default: emit(gen, BPF_LDX | BPF_MEM | size, reg, base, off, 0); break;
	}
}

/* Mostly aligned. */
static void access_memory(struct generator *gen, u8 base, s32 off)
{
	u8 size = pick_size(gen);

	if (chance(gen, 95))
		off &= -(s32)size_bytes(size);
	access_bytes(gen, base, off, size);
}

static s32 pick_stack_offset(struct generator *gen)
{
	s32 slot = -8 * (1 + (s32)below(gen, chance(gen, 90) ? 6 : 66));

	gen->out->is_deterministic &= slot >= STACK_WRITTEN && !gen->in_callee;
	return chance(gen, 80) ? slot : slot + (s32)below(gen, 8);
}

static void step_stack(struct generator *gen)
{
	access_memory(gen, BPF_REG_10, pick_stack_offset(gen));
}

/* A number on its way over the stack keeps what is known of it. */
static void step_spill(struct generator *gen)
{
	s32 off = -8 * (1 + (s32)below(gen, 4));
	u8 size = chance(gen, 70) ? BPF_DW : pick_size(gen);
	u8 from = chance(gen, 20) ? BPF_REG_8 : pick_number(gen), to = pick_number(gen);

	emit(gen, BPF_STX | BPF_MEM | (from == BPF_REG_8 ? BPF_DW : size), BPF_REG_10, from,
	     off, 0);
	for (u32 i = below(gen, 3); i > 0; i--)
		step_alu(gen);
	if (from != BPF_REG_8) {
		emit(gen, BPF_LDX | BPF_MEM | size, to, BPF_REG_10, off, 0);
		return;
	}
	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_10, off, 0);
	access_memory(gen, BPF_REG_1, (s32)below(gen, GENERATED_VALUE));
	emit_const(gen, BPF_REG_1, 0);
}

/* A pointer plus a number that was bounded. */
static void step_variable(struct generator *gen)
{
	u8 base = chance(gen, 60) ? BPF_REG_8 : BPF_REG_10, number = pick_number(gen);
	s32 room = GENERATED_VALUE, off = 0;

	if (base == BPF_REG_10) {
		off = STACK_WRITTEN;
		gen->out->is_deterministic &= !gen->in_callee;
	}
	if (chance(gen, 30))
		step_alu(gen);
	bound(gen, number, (s32)below(gen, chance(gen, 60) ? 32 : (u32)room));
	if (chance(gen, 30))
		step_alu(gen);
	emit_mov(gen, BPF_REG_1, base);
	off += (s32)below(gen, 16);
	if (chance(gen, 50)) {
		emit_add(gen, BPF_REG_1, off);
		off = 0;
	}
	emit(gen, BPF_ALU64 | (chance(gen, 85) ? BPF_ADD : BPF_SUB) | BPF_X, BPF_REG_1, number,
	     0, 0);
	access_memory(gen, BPF_REG_1, off);
	emit_const(gen, BPF_REG_1, 0);
}

static void step_value(struct generator *gen)
{
	u8 size = pick_size(gen);
	s32 last = GENERATED_VALUE - (s32)size_bytes(size);

	access_memory(gen, BPF_REG_8,
		      chance(gen, 70) ? (s32)below(gen, (u32)last + 1) & ~7 : last);
}

/* What shows an address, or part of one: only some loaders may. */
static void step_leak(struct generator *gen)
{
	static const u8 pointers[] = {BPF_REG_6, BPF_REG_8, BPF_REG_10};
	u8 pointer = pointers[below(gen, ARRAY_SIZE(pointers))], number = pick_number(gen);
	s32 slot = -8 * (1 + (s32)below(gen, 4));

	gen->out->is_deterministic = false;
	switch (below(gen, 8)) {
	case 0: emit(gen, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_8, pointer, 16, 0); break;
	case 1:
		emit(gen, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, pointer, slot, 0);
		access_memory(gen, BPF_REG_10, slot + (s32)below(gen, 8));
		emit(gen, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, slot, 1);
		break;
	case 2:
		emit_jump(gen, pick_compare(gen) | BPF_K, pointer, 0, pick_imm(gen) & 1,
			  gen->step_cnt + 1);
		break;
	case 3:
		emit_jump(gen, pick_compare(gen) | BPF_X, pointer, number, 0,
			  gen->step_cnt + 1);
		break;
	case 4: emit(gen, BPF_ALU | BPF_MOV | BPF_X, number, pointer, 0, 0); break;
	case 5:
		emit_mov(gen, BPF_REG_1, pointer);
		emit(gen, (chance(gen, 50) ? BPF_ALU : BPF_ALU64) | BPF_SUB | BPF_X, BPF_REG_1,
		     chance(gen, 50) ? pointer : number, 0, 0);
		emit_const(gen, BPF_REG_1, 0);
		break;
	case 6:
		emit_mov(gen, BPF_REG_1, number);
		emit(gen, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_1, pointer, 0, 0);
		access_memory(gen, BPF_REG_1, pointer == BPF_REG_10 ? slot : 8);
		emit_const(gen, BPF_REG_1, 0);
		break;
	default:
		emit(gen, BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_8, pointer, 8,
		     chance(gen, 50) ? BPF_XCHG : BPF_ADD);
		break;
	}
}

/* --- context and packet --- */

static void load_packet(struct generator *gen, u8 start, u8 end)
{
	bool is_xdp = gen->out->type == BPF_PROG_TYPE_XDP;

	emit(gen, BPF_LDX | BPF_MEM | BPF_W, start, BPF_REG_6, is_xdp ? 0 : 76, 0);
	emit(gen, BPF_LDX | BPF_MEM | BPF_W, end, BPF_REG_6, is_xdp ? 4 : 80, 0);
}

static void step_packet(struct generator *gen)
{
	static const u8 ops[] = {BPF_JGT, BPF_JGE};
	s32 length = 1 + (s32)below(gen, 64), off = (s32)below(gen, (u32)length + 1);
	u8 number = chance(gen, 50) ? BPF_REG_7 : BPF_REG_9;
	bool is_variable = chance(gen, 50);

	if (gen->in_callee || gen->out->type == BPF_PROG_TYPE_SOCKET_FILTER)
		return;
	if (is_variable)
		bound(gen, number, (s32)below(gen, chance(gen, 80) ? 64 : 0xffff));
	load_packet(gen, BPF_REG_2, BPF_REG_3);
	if (is_variable)
		emit(gen, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_2, number, 0, 0);
	emit_mov(gen, BPF_REG_4, BPF_REG_2);
	emit_add(gen, BPF_REG_4, length);
	if (chance(gen, 70))
		emit_jump(gen, BPF_JMP | ops[below(gen, 2)] | BPF_X, BPF_REG_4, BPF_REG_3, 0,
			  STEP_OF_EXIT);
	else
		emit_jump(gen, BPF_JMP | (chance(gen, 50) ? BPF_JLT : BPF_JLE) | BPF_X,
			  BPF_REG_3, BPF_REG_4, 0, STEP_OF_EXIT);
	emit(gen, BPF_LDX | BPF_MEM | pick_size(gen), BPF_REG_0, BPF_REG_2, off & ~7, 0);
	if (chance(gen, 40))
		emit(gen, BPF_LDX | BPF_MEM | pick_size(gen), BPF_REG_0, BPF_REG_4,
		     -(s32)below(gen, (u32)length + 2), 0);
	emit_numbers(gen, BPF_REG_2);
}

static void step_context(struct generator *gen)
{
	static const s32 skb_fields[] = {0, 4, 8, 16, 32, 48, 52, 64};
	u8 reg = pick_number(gen);

	if (gen->in_callee)
		return;
	if (gen->out->type == BPF_PROG_TYPE_XDP)
		emit(gen, BPF_LDX | BPF_MEM | BPF_W, reg, BPF_REG_6, chance(gen, 90) ? 16 : 12,
		     0);
	else
		emit(gen, BPF_LDX | BPF_MEM | (chance(gen, 80) ? BPF_W : pick_size(gen)), reg,
		     BPF_REG_6, skb_fields[below(gen, ARRAY_SIZE(skb_fields))], 0);
}

/* --- calls --- */

static void step_lookup(struct generator *gen)
{
	enum generated_map map = chance(gen, 50) ? GENERATED_ARRAY : GENERATED_HASH;
	s32 key = -4 * (1 + (s32)below(gen, 4));

	emit(gen, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, key,
	     (s32)below(gen, GENERATED_ENTRIES + 1));
	emit_map(gen, BPF_REG_1, map);
	emit_mov(gen, BPF_REG_2, BPF_REG_10);
	emit_add(gen, BPF_REG_2, key);
	emit_helper(gen, BPF_FUNC_map_lookup_elem);
	if (chance(gen, 90))
		emit_jump(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, STEP_OF_EXIT);
	emit_mov(gen, BPF_REG_1, BPF_REG_0);
	emit_const(gen, BPF_REG_0, 0);
	access_memory(gen, BPF_REG_1, (s32)below(gen, GENERATED_VALUE + 2) & ~3);
	emit_numbers(gen, BPF_REG_1);
}

/* A helper that writes memory of a length that was bounded. */
static void step_buffer(struct generator *gen)
{
	bool on_stack = chance(gen, 60);
	s32 room = on_stack ? 8 * (1 + (s32)below(gen, 6)) : GENERATED_VALUE;

	if (gen->in_callee || gen->out->type != BPF_PROG_TYPE_SCHED_CLS)
		return;
	bound(gen, BPF_REG_7, room);
	emit_mov(gen, BPF_REG_1, BPF_REG_6);
	emit_const(gen, BPF_REG_2, (s32)below(gen, 16));
	emit_mov(gen, BPF_REG_3, on_stack ? BPF_REG_10 : BPF_REG_8);
	if (on_stack)
		emit_add(gen, BPF_REG_3, -room);
	emit_mov(gen, BPF_REG_4, BPF_REG_7);
	if (chance(gen, 60))
		emit_jump(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_4, 0, 0, STEP_OF_EXIT);
	emit_helper(gen, BPF_FUNC_skb_load_bytes);
	emit_numbers(gen, BPF_REG_1);
	if (on_stack)
		emit(gen, BPF_LDX | BPF_MEM | BPF_DW, pick_number(gen), BPF_REG_10, -room, 0);
}

static void step_random(struct generator *gen)
{
	emit_helper(gen, chance(gen, 50) ? BPF_FUNC_get_prandom_u32 : BPF_FUNC_ktime_get_ns);
	if (chance(gen, 60))
		emit_mov(gen, chance(gen, 50) ? BPF_REG_7 : BPF_REG_9, BPF_REG_0);
	emit_numbers(gen, BPF_REG_1);
	gen->out->is_deterministic = false;
}

/* The callee is given a number, a map value and sometimes the caller's stack. */
static void step_call(struct generator *gen)
{
	if (gen->in_callee || gen->call_cnt == ARRAY_SIZE(gen->calls))
		return;
	emit_mov(gen, BPF_REG_1, pick_number(gen));
	emit_mov(gen, BPF_REG_2, BPF_REG_8);
	emit_mov(gen, BPF_REG_3, BPF_REG_10);
	emit_add(gen, BPF_REG_3, -16);
	gen->calls[gen->call_cnt++] = gen->out->count;
	emit(gen, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
	emit_numbers(gen, BPF_REG_1);
}

/* --- loops of unknown length --- */

static void emit_inner_step(struct generator *gen)
{
	static void (*const steps[])(struct generator * gen) = {
		step_alu,   step_alu,	step_alu,      step_move,     step_branch, step_stack,
		step_spill, step_value, step_variable, step_variable, step_lookup,
	};

	steps[below(gen, ARRAY_SIZE(steps))](gen);
}

/* From `insn`, which is a jump, to here. */
static void land(struct generator *gen, u32 insn)
{
	gen->out->insns[insn].off = (s16)(gen->out->count - insn - 1);
}

/* may_goto, and a number that nobody knows lest it be too many rounds; with branches inside. */
static void step_open_loop(struct generator *gen)
{
	u32 start = gen->out->count, leave;

	if (start + ROOM_FOR_LOOP > GENERATED_INSNS_MAX || chance(gen, 60))
		return;
	gen->out->is_deterministic = false;
	gen->has_open_loop = true;
	emit(gen, BPF_JMP | BPF_JCOND, 0, 0, 0, 0);
	emit_helper(gen, BPF_FUNC_get_prandom_u32);
	emit_numbers(gen, BPF_REG_1);
	leave = gen->out->count;
	emit(gen, BPF_JMP | BPF_JSET | BPF_K, BPF_REG_0, 0, 0, 1 + (s32)below(gen, 3));
	for (u32 i = below(gen, 5); i > 0; i--) {
		u32 skip = gen->out->count;
		bool skips = chance(gen, 60);

		if (skips)
			emit(gen, pick_compare(gen) | BPF_K, pick_number(gen), 0, 0,
			     pick_imm(gen));
		emit_inner_step(gen);
		if (skips)
			land(gen, skip);
	}
	emit(gen, BPF_JMP | BPF_JA, 0, 0, (s32)start - (s32)gen->out->count - 1, 0);
	land(gen, start);
	land(gen, leave);
}

/* --- programs --- */

static void emit_step(struct generator *gen)
{
	static void (*const steps[])(struct generator * gen) = {
		step_alu,      step_alu,       step_alu,    step_move,	   step_branch,
		step_branch,   step_stack,     step_spill,  step_variable, step_variable,
		step_variable, step_value,     step_packet, step_packet,   step_context,
		step_lookup,   step_buffer,    step_random, step_loop,	   step_call,
		step_leak,     step_open_loop,
	};

	steps[below(gen, ARRAY_SIZE(steps))](gen);
}

static void emit_steps(struct generator *gen, u32 most)
{
	u32 count = STEPS_MIN + below(gen, most - STEPS_MIN);

	gen->step_cnt = 0;
	for (; gen->step_cnt < count; gen->step_cnt++) {
		gen->step_starts[gen->step_cnt] = gen->out->count;
		if (gen->out->count + ROOM_FOR_STEP < GENERATED_INSNS_MAX)
			emit_step(gen);
	}
	gen->step_starts[gen->step_cnt] = gen->out->count;
}

static void patch_jumps(struct generator *gen)
{
	for (u32 i = 0; i < gen->jump_cnt; i++) {
		const struct forward *jump = &gen->jumps[i];
		u32 step = jump->step < gen->step_cnt ? jump->step : gen->step_cnt;

		gen->out->insns[jump->insn].off =
			(s16)(gen->step_starts[step] - jump->insn - 1);
	}
	gen->jump_cnt = 0;
}

static void emit_exit(struct generator *gen)
{
	emit_mov(gen, BPF_REG_0, pick_number(gen));
	emit(gen, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0, chance(gen, 90) ? 1 : 3);
	patch_jumps(gen);
	emit(gen, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* The first value of the array in r8, numbers in the others. */
static void emit_prologue(struct generator *gen)
{
	emit_mov(gen, BPF_REG_6, BPF_REG_1);
	for (s32 off = -8; off >= STACK_WRITTEN; off -= 8)
		emit(gen, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, off,
		     off == -8 ? 0 : pick_imm(gen));
	emit_map(gen, BPF_REG_1, GENERATED_ARRAY);
	emit_mov(gen, BPF_REG_2, BPF_REG_10);
	emit_add(gen, BPF_REG_2, -8);
	emit_helper(gen, BPF_FUNC_map_lookup_elem);
	emit(gen, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 1, 0);
	emit(gen, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	emit_mov(gen, BPF_REG_8, BPF_REG_0);
	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_7, BPF_REG_8, 0, 0);
	emit(gen, BPF_LDX | BPF_MEM | pick_size(gen), BPF_REG_9, BPF_REG_8, 8, 0);
	emit_const(gen, BPF_REG_0, pick_imm(gen));
	emit_numbers(gen, BPF_REG_1);
}

static void emit_callee(struct generator *gen)
{
	u32 start = gen->out->count;

	for (u32 i = 0; i < gen->call_cnt; i++)
		gen->out->insns[gen->calls[i]].imm = (s32)(start - gen->calls[i] - 1);
	gen->in_callee = true;
	emit_mov(gen, BPF_REG_7, BPF_REG_1);
	emit_mov(gen, BPF_REG_8, BPF_REG_2);
	emit_mov(gen, BPF_REG_9, BPF_REG_1);
	emit_const(gen, BPF_REG_0, 0);
	if (chance(gen, 60))
		access_memory(gen, BPF_REG_3, 8 * (s32)below(gen, 2));
	emit_const(gen, BPF_REG_6, 0);
	emit_numbers(gen, BPF_REG_1);
	emit_steps(gen, STEPS_MIN + 4);
	emit_exit(gen);
}

void generate_program(u64 seed, struct generated *out)
{
	static const enum bpf_prog_type types[] = {BPF_PROG_TYPE_SOCKET_FILTER,
						   BPF_PROG_TYPE_SCHED_CLS,
						   BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_XDP};
	struct generator gen = {.random = random_seeded(seed), .out = out};

	memset(out, 0, sizeof(*out));
	out->is_deterministic = true;
	out->type = types[below(&gen, ARRAY_SIZE(types))];
	emit_prologue(&gen);
	emit_steps(&gen, STEPS_MAX);
	emit_exit(&gen);
	if (gen.call_cnt)
		emit_callee(&gen);
	/* Loops of unknown length might go round too often. */
	out->is_mutated = !gen.has_open_loop && chance(&gen, 25);
	if (out->is_mutated)
		mutate_insns(&gen.random, out->insns, out->count);
}
