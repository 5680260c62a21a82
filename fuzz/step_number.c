/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps on numbers. */
#include "fuzz/generator.h"

u8 pick_compare(struct generator *gen)
{
	static const u8 ops[] = {BPF_JEQ, BPF_JNE,  BPF_JSET, BPF_JGT,	BPF_JGE, BPF_JLT,
				 BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE};

	return ops[below(gen, ARRAY_SIZE(ops))] | (chance(gen, 40) ? BPF_JMP32 : BPF_JMP);
}

void step_alu(struct generator *gen)
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

void step_move(struct generator *gen)
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
void bound(struct generator *gen, u8 reg, s32 limit)
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

void step_branch(struct generator *gen)
{
	u8 code = pick_compare(gen), dst = pick_number(gen);
	u32 target = gen->step_cnt + 1 + below(gen, 4);

	if (chance(gen, 65))
		emit_jump(gen, code | BPF_K, dst, 0, pick_imm(gen), target);
	else
		emit_jump(gen, code | BPF_X, dst, pick_number(gen), 0, target);
}

void step_loop(struct generator *gen)
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
