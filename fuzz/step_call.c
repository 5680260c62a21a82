/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps that call helpers and the one function, and loops of unknown length. */
#include "fuzz/generator.h"

void step_lookup(struct generator *gen)
{
	enum generated_map map = chance(gen, 50) ? GENERATED_ARRAY : GENERATED_HASH;
	s32 key = -4 * (1 + (s32)below(gen, 4));

	emit(gen, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, key,
	     (s32)below(gen, GENERATED_ENTRIES + 1));
	emit_map(gen, BPF_REG_1, map);
	emit_frame(gen, BPF_REG_2, key);
	emit_helper(gen, BPF_FUNC_map_lookup_elem);
	if (chance(gen, 90))
		emit_jump(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, STEP_OF_EXIT);
	emit_mov(gen, BPF_REG_1, BPF_REG_0);
	emit_const(gen, BPF_REG_0, 0);
	access_memory(gen, BPF_REG_1, (s32)below(gen, GENERATED_VALUE + 2) & ~3);
	emit_numbers(gen, BPF_REG_1);
}

/* A helper that writes memory of a length that was bounded. */
void step_buffer(struct generator *gen)
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

void step_random(struct generator *gen)
{
	emit_helper(gen, chance(gen, 50) ? BPF_FUNC_get_prandom_u32 : BPF_FUNC_ktime_get_ns);
	if (chance(gen, 60))
		emit_mov(gen, chance(gen, 50) ? BPF_REG_7 : BPF_REG_9, BPF_REG_0);
	emit_numbers(gen, BPF_REG_1);
	gen->out->is_deterministic = false;
}

/* The callee is given a number, a map value and sometimes the caller's stack. */
void step_call(struct generator *gen)
{
	if (!may_use(gen, FUZZ_CALLEE))
		return;
	emit_mov(gen, BPF_REG_1, pick_number(gen));
	emit_mov(gen, BPF_REG_2, BPF_REG_8);
	emit_frame(gen, BPF_REG_3, -16);
	emit_call(gen, FUZZ_CALLEE);
	emit_numbers(gen, BPF_REG_1);
}

static void emit_inner_step(struct generator *gen)
{
	static step_fn *const steps[] = {
		step_alu,   step_alu,	step_alu,      step_move,     step_branch, step_stack,
		step_spill, step_value, step_variable, step_variable, step_lookup,
	};

	steps[below(gen, ARRAY_SIZE(steps))](gen);
}

void emit_inner_steps(struct generator *gen, u32 most)
{
	for (u32 i = below(gen, most + 1); i > 0; i--) {
		u32 skip = gen->out->count;
		bool skips = chance(gen, 50);

		if (skips)
			emit(gen, pick_compare(gen) | BPF_K, pick_number(gen), 0, 0,
			     pick_imm(gen));
		emit_inner_step(gen);
		if (skips)
			land(gen, skip);
	}
}

/* may_goto, and a number that nobody knows lest it be too many rounds; with branches inside. */
void step_open_loop(struct generator *gen)
{
	u32 start = gen->out->count, leave;

	if (start + ROOM_FOR_SCOPE > GENERATED_INSNS_MAX || chance(gen, 60))
		return;
	gen->out->is_deterministic = false;
	gen->goes_on_long = true;
	emit(gen, BPF_JMP | BPF_JCOND, 0, 0, 0, 0);
	emit_helper(gen, BPF_FUNC_get_prandom_u32);
	emit_numbers(gen, BPF_REG_1);
	leave = gen->out->count;
	emit(gen, BPF_JMP | BPF_JSET | BPF_K, BPF_REG_0, 0, 0, 1 + (s32)below(gen, 3));
	emit_inner_steps(gen, 4);
	emit(gen, BPF_JMP | BPF_JA, 0, 0, (s32)start - (s32)gen->out->count - 1, 0);
	land(gen, start);
	land(gen, leave);
}
