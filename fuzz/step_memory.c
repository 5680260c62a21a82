/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps on the stack and on map values. */
#include "fuzz/generator.h"

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

void access_bytes(struct generator *gen, u8 base, s32 off, u8 size)
{
	u8 reg = pick_number(gen);

	gen->out->is_deterministic &= base != BPF_REG_10 || off >= STACK_WRITTEN;
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
void access_memory(struct generator *gen, u8 base, s32 off)
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

void step_stack(struct generator *gen)
{
	access_memory(gen, BPF_REG_10, pick_stack_offset(gen));
}

/* A number on its way over the stack keeps what is known of it. */
void step_spill(struct generator *gen)
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
void step_variable(struct generator *gen)
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

void step_value(struct generator *gen)
{
	u8 size = pick_size(gen);
	s32 last = GENERATED_VALUE - (s32)size_bytes(size);

	access_memory(gen, BPF_REG_8,
		      chance(gen, 70) ? (s32)below(gen, (u32)last + 1) & ~7 : last);
}

/* What shows an address, or part of one: only some loaders may. */
void step_leak(struct generator *gen)
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
