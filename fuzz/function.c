/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of a program: what each finds in its registers, steps, an end. */
#include "fuzz/generator.h"

#define CALM_STEPS 10 /* so many of the last may well be wrong by themselves */

static void emit_step(struct generator *gen)
{
	static step_fn *const steps[] = {
		step_alu,      step_alu,       step_alu,    step_move,	   step_branch,
		step_branch,   step_value,     step_spill,  step_random,   step_loop,
		step_lookup,   step_call,      step_stack,  step_variable, step_variable,
		step_variable, step_packet,    step_packet, step_context,  step_buffer,
		step_leak,     step_open_loop,
	};

	if (!gen->family) {
		steps[below(gen, ARRAY_SIZE(steps))](gen);
	} else if (chance(gen, 70)) {
		steps[below(gen, ARRAY_SIZE(steps) - (chance(gen, 80) ? CALM_STEPS : 0))](gen);
	} else if (gen->out->count + ROOM_FOR_SCOPE < GENERATED_INSNS_MAX) {
		gen->family(gen);
	}
}

void emit_steps(struct generator *gen, u32 most)
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

void emit_exit(struct generator *gen, s32 most)
{
	emit_mov(gen, BPF_REG_0, gen->family && chance(gen, 80) ? BPF_REG_7 : pick_number(gen));
	emit(gen, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0,
	     chance(gen, 90) ? most : 2 * most + 1);
	patch_jumps(gen);
	emit(gen, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* --- what they begin with: r7 and r9 become numbers, r8 a map value --- */

static void begin_with_value(struct generator *gen)
{
	emit(gen, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, 0);
	emit_map(gen, BPF_REG_1, GENERATED_ARRAY);
	emit_frame(gen, BPF_REG_2, -4);
	emit_helper(gen, BPF_FUNC_map_lookup_elem);
	emit_jump(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, STEP_OF_EXIT);
	emit_mov(gen, BPF_REG_8, BPF_REG_0);
}

static void begin_with_numbers(struct generator *gen, u8 first, u8 second)
{
	emit_mov(gen, BPF_REG_7, first);
	emit_mov(gen, BPF_REG_9, second);
	begin_with_value(gen);
}

/* `pointer`: to `size` bytes, or not quite. */
static void touch(struct generator *gen, u8 pointer, u32 size)
{
	if (chance(gen, 60))
		access_memory(gen, pointer, 8 * (s32)below(gen, size / 8 + chance(gen, 5)));
	emit_const(gen, BPF_REG_0, 0);
}

static void begin_callee(struct generator *gen)
{
	emit_mov(gen, BPF_REG_7, BPF_REG_1);
	emit_mov(gen, BPF_REG_8, BPF_REG_2);
	emit_mov(gen, BPF_REG_9, BPF_REG_1);
	emit_const(gen, BPF_REG_0, 0);
	if (chance(gen, 60))
		access_memory(gen, BPF_REG_3, 8 * (s32)below(gen, 2));
}

static void begin_round(struct generator *gen)
{
	emit_mov(gen, BPF_REG_3, BPF_REG_1);
	emit_mov(gen, BPF_REG_4, BPF_REG_1);
	emit_const(gen, BPF_REG_5, pick_imm(gen));
	touch(gen, BPF_REG_2, 16);
	emit_mov(gen, BPF_REG_7, chance(gen, 50) ? BPF_REG_3 : BPF_REG_1);
	emit_mov(gen, BPF_REG_9, chance(gen, 50) ? BPF_REG_4 : BPF_REG_5);
	begin_with_value(gen);
}

static void begin_element(struct generator *gen)
{
	emit_mov(gen, BPF_REG_8, BPF_REG_3);
	emit(gen, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_7, BPF_REG_2, chance(gen, 95) ? 0 : 4, 0);
	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_9, BPF_REG_8, 8, 0);
	emit_const(gen, BPF_REG_3, 1);
	emit_const(gen, BPF_REG_5, pick_imm(gen));
	touch(gen, BPF_REG_4, 16);
}

static void begin_tick(struct generator *gen)
{
	emit(gen, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_7, BPF_REG_2, 0, 0);
	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_9, BPF_REG_3, chance(gen, 97) ? 16 : 8,
	     0);
	begin_with_value(gen);
}

static void begin_of_memory(struct generator *gen)
{
	emit_mov(gen, BPF_REG_7, BPF_REG_2);
	if (chance(gen, 90))
		emit_jump(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, 0, STEP_OF_EXIT);
	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_9, BPF_REG_1,
	     8 * (s32)below(gen, chance(gen, 5) ? 3 : 2), 0);
	if (chance(gen, 50))
		emit(gen, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_7, 0, 0);
	begin_with_value(gen);
}

static void begin_of_dynptr(struct generator *gen)
{
	emit_mov(gen, BPF_REG_7, BPF_REG_2);
	if (chance(gen, 80))
		emit_kfunc(gen, GENERATED_bpf_dynptr_size);
	else
		emit_const(gen, BPF_REG_0, 0);
	emit_mov(gen, BPF_REG_9, BPF_REG_0);
	begin_with_value(gen);
}

static void begin_of_context(struct generator *gen)
{
	emit(gen, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_9, BPF_REG_1, 4 * (s32)below(gen, 6), 0);
	begin_with_numbers(gen, BPF_REG_2, BPF_REG_9);
}

static void begin_of_numbers(struct generator *gen)
{
	begin_with_numbers(gen, BPF_REG_1, BPF_REG_2);
}

static void begin(struct generator *gen, enum fuzz_type func)
{
#define AT(name) (FUZZ_##name - FUZZ_FIRST_FUNC) / 2
	static step_fn *const begins[FUZZ_FUNCS] = {
		[AT(CALLEE)] = begin_callee,	     [AT(ROUND)] = begin_round,
		[AT(ELEMENT)] = begin_element,	     [AT(TICK)] = begin_tick,
		[AT(OF_NUMBERS)] = begin_of_numbers, [AT(OF_MEMORY)] = begin_of_memory,
		[AT(OF_DYNPTR)] = begin_of_dynptr,   [AT(OF_SKB)] = begin_of_context,
		[AT(OF_XDP)] = begin_of_context,
	};
#undef AT

	begins[fuzz_func(func)](gen);
	emit_const(gen, BPF_REG_0, pick_imm(gen));
	emit_const(gen, BPF_REG_6, 0);
	emit_numbers(gen, BPF_REG_1);
}

/* The order of two nodes of a tree, by what is before them in their objects. */
static void emit_less(struct generator *gen)
{
	s32 first = -FUZZ_OWN_TREE + 8 * (s32)below(gen, 2);

	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_3, BPF_REG_1, first, 0);
	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_4, BPF_REG_2,
	     chance(gen, 95) ? first : first + 8 * (s32)below(gen, 12), 0);
	if (chance(gen, 20))
		emit(gen, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_4, first, 0);
	emit_const(gen, BPF_REG_0, 1);
	emit(gen, BPF_JMP | BPF_JLT | BPF_X, BPF_REG_3, BPF_REG_4, 1, 0);
	emit_const(gen, BPF_REG_0, chance(gen, 95) ? 0 : 2);
	emit(gen, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void emit_function(struct generator *gen, enum fuzz_type func)
{
	const struct uses *uses = &gen->uses[fuzz_func(func)];
	struct generated *out = gen->out;
	u32 start = out->count;

	for (u32 i = 0; i < uses->count; i++)
		out->insns[uses->insn[i]].imm = (s32)(start - uses->insn[i] - 1);
	out->funcs[out->func_cnt++] = (struct generated_func){start, func};
	if (func == FUZZ_LESS) {
		emit_less(gen);
		return;
	}
	gen->step_cnt = 0;
	begin(gen, func);
	emit_steps(gen, STEPS_MIN + 4);
	emit_exit(gen, func == FUZZ_TICK ? 0 : 1);
}

void emit_functions(struct generator *gen)
{
	gen->in_callee = true;
	gen->out->funcs[gen->out->func_cnt++] = (struct generated_func){0, FUZZ_ENTRY};
	for (u32 i = 1; i < FUZZ_FUNCS; i++) {
		if (gen->uses[i].count)
			emit_function(gen, FUZZ_FIRST_FUNC + 2 * i);
	}
	if (!gen->has_types)
		gen->out->func_cnt = 0;
}
