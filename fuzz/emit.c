/* SPDX-License-Identifier: BSD-2-Clause */
/* Chance, and instructions. */
#include "fuzz/generator.h"

/* --- chance --- */

u32 below(struct generator *gen, u32 limit)
{
	return random_below(&gen->random, limit);
}

bool chance(struct generator *gen, u32 percent)
{
	return below(gen, 100) < percent;
}

s32 pick_imm(struct generator *gen)
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

u8 pick_number(struct generator *gen)
{
	static const u8 numbers[] = {0, 2, 3, 4, 5, 7, 9, 7, 9};

	return numbers[below(gen, ARRAY_SIZE(numbers))];
}

u8 pick_size(struct generator *gen)
{
	static const u8 sizes[] = {BPF_B, BPF_H, BPF_W, BPF_DW};

	return sizes[below(gen, ARRAY_SIZE(sizes))];
}

u32 size_bytes(u8 size)
{
	return size == BPF_B ? 1 : size == BPF_H ? 2 : size == BPF_W ? 4 : 8;
}

/* --- emission --- */

void emit(struct generator *gen, u8 code, u8 dst, u8 src, s32 off, s32 imm)
{
	gen->out->insns[gen->out->count++] =
		(struct bpf_insn){code, dst & 0xf, src & 0xf, (s16)off, imm};
}

void emit_mov(struct generator *gen, u8 dst, u8 src)
{
	emit(gen, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

void emit_const(struct generator *gen, u8 dst, s32 value)
{
	emit(gen, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value);
}

void emit_add(struct generator *gen, u8 dst, s32 value)
{
	emit(gen, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value);
}

void emit_frame(struct generator *gen, u8 dst, s32 off)
{
	emit_mov(gen, dst, BPF_REG_10);
	emit_add(gen, dst, off);
}

void emit_jump(struct generator *gen, u8 code, u8 dst, u8 src, s32 imm, u32 step)
{
	if (gen->jump_cnt == JUMPS_MAX)
		return;
	if (gen->scopes && !chance(gen, 2))
		step = STEP_OF_SCOPE;
	gen->jumps[gen->jump_cnt++] = (struct forward){gen->out->count, step};
	emit(gen, code, dst, src, 0, imm);
}

void emit_helper(struct generator *gen, s32 id)
{
	emit(gen, BPF_JMP | BPF_CALL, 0, 0, 0, id);
}

void emit_kfunc(struct generator *gen, enum generated_kfunc kfunc)
{
	emit(gen, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, (s32)kfunc);
}

void emit_map(struct generator *gen, u8 dst, enum generated_map map)
{
	emit(gen, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, (s32)map);
	emit(gen, 0, 0, 0, 0, 0);
}

bool may_use(const struct generator *gen, enum fuzz_type func)
{
	return !gen->in_callee && gen->uses[fuzz_func(func)].count < USES_MAX;
}

static void note_use(struct generator *gen, enum fuzz_type func)
{
	struct uses *uses = &gen->uses[fuzz_func(func)];

	uses->insn[uses->count++] = gen->out->count;
	gen->has_types |= func != FUZZ_CALLEE;
}

void emit_call(struct generator *gen, enum fuzz_type func)
{
	note_use(gen, func);
	emit(gen, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
}

void emit_func(struct generator *gen, u8 dst, enum fuzz_type func)
{
	note_use(gen, func);
	emit(gen, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_FUNC, 0, 0);
	emit(gen, 0, 0, 0, 0, 0);
}

void emit_numbers(struct generator *gen, u8 first)
{
	for (u8 reg = first; reg <= BPF_REG_5; reg++) {
		if (chance(gen, 50))
			emit_const(gen, reg, pick_imm(gen));
		else
			emit_mov(gen, reg, BPF_REG_7);
	}
}

void emit_lookup(struct generator *gen, enum generated_map map)
{
	s32 key = -4 * (1 + (s32)below(gen, 4));

	emit(gen, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, key,
	     (s32)below(gen, GENERATED_ENTRIES + (chance(gen, 20) ? 1 : 0)));
	emit_map(gen, BPF_REG_1, map);
	emit_frame(gen, BPF_REG_2, key);
	emit_helper(gen, BPF_FUNC_map_lookup_elem);
	if (chance(gen, 95))
		emit_jump(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, STEP_OF_EXIT);
}

/* --- jumps --- */

void land(struct generator *gen, u32 insn)
{
	gen->out->insns[insn].off = (s16)(gen->out->count - insn - 1);
}

u32 open_scope(struct generator *gen)
{
	gen->scopes++;
	return gen->jump_cnt;
}

void close_scope(struct generator *gen, u32 scope)
{
	u32 kept = scope;

	gen->scopes--;
	for (u32 i = scope; i < gen->jump_cnt; i++) {
		if (gen->jumps[i].step == STEP_OF_SCOPE)
			land(gen, gen->jumps[i].insn);
		else
			gen->jumps[kept++] = gen->jumps[i];
	}
	gen->jump_cnt = kept;
}
