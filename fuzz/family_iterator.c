/* SPDX-License-Identifier: BSD-2-Clause */
/* Open-coded iterators, one inside another, too. */
#include "fuzz/generator.h"

#define NUMBERS_MAX 12

static const enum generated_kfunc kfuncs[][3] = {
	{GENERATED_bpf_iter_num_new, GENERATED_bpf_iter_num_next,
	 GENERATED_bpf_iter_num_destroy},
	{GENERATED_bpf_iter_bits_new, GENERATED_bpf_iter_bits_next,
	 GENERATED_bpf_iter_bits_destroy},
};

enum { NEW, NEXT, DESTROY };

static void emit_new(struct generator *gen, bool is_bits, s32 slot)
{
	emit_frame(gen, BPF_REG_1, slot);
	if (is_bits) {
		gen->out->is_deterministic = false; /* they may be an address's */
		emit_frame(gen, BPF_REG_2, -8 * (1 + (s32)below(gen, 3)));
		emit_const(gen, BPF_REG_3, 1);
	} else {
		emit_const(gen, BPF_REG_2, (s32)below(gen, 3));
		emit_const(gen, BPF_REG_3, (s32)below(gen, NUMBERS_MAX));
	}
	emit_kfunc(gen, kfuncs[is_bits][NEW]);
}

static void emit_call_on(struct generator *gen, s32 slot, enum generated_kfunc kfunc)
{
	emit_frame(gen, BPF_REG_1, chance(gen, 99) ? slot : slot - 8);
	emit_kfunc(gen, kfunc);
}

static void iterate(struct generator *gen, s32 slot);

static void emit_body(struct generator *gen, s32 slot)
{
	u8 held = chance(gen, 50) ? BPF_REG_7 : BPF_REG_9;

	emit(gen, BPF_LDX | BPF_MEM | BPF_W, held, BPF_REG_0, chance(gen, 99) ? 0 : 4, 0);
	emit_const(gen, BPF_REG_0, pick_imm(gen));
	emit_numbers(gen, BPF_REG_1);
	emit_inner_steps(gen, 3);
	if (slot == SLOT_ITERATOR && chance(gen, 20))
		iterate(gen, SLOT_INNER);
}

static void iterate(struct generator *gen, s32 slot)
{
	bool is_bits = chance(gen, 25);
	u32 scope, start;

	emit_new(gen, is_bits, slot);
	scope = open_scope(gen);
	start = gen->out->count;
	emit_call_on(gen, slot, kfuncs[is_bits][NEXT]);
	if (chance(gen, 98))
		emit_jump(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, STEP_OF_EXIT);
	emit_body(gen, slot);
	if (chance(gen, 90))
		emit(gen, BPF_JMP | BPF_JA, 0, 0, (s32)start - (s32)gen->out->count - 1, 0);
	close_scope(gen, scope);
	if (chance(gen, 97))
		emit_call_on(gen, slot, kfuncs[is_bits][DESTROY]);
	emit_const(gen, BPF_REG_0, pick_imm(gen));
	emit_numbers(gen, BPF_REG_1);
}

void step_iterator(struct generator *gen)
{
	gen->goes_on_long = true;
	iterate(gen, SLOT_ITERATOR);
}
