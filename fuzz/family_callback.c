/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that helpers call back: bpf_loop, elements of maps, timers. */
#include "fuzz/generator.h"

#define ROUNDS	 15	   /* at most: a power of two minus one */
#define TIMER_NS (1 << 30) /* later than the run */

/* What the callback gets, and may have changed afterwards. */
static void emit_callback_context(struct generator *gen, u8 reg)
{
	if (chance(gen, 85))
		emit_frame(gen, reg, -16);
	else
		emit_const(gen, reg, 0);
}

static void emit_loop(struct generator *gen)
{
	if (chance(gen, 60)) {
		emit_const(gen, BPF_REG_1, (s32)below(gen, 6));
	} else {
		emit_mov(gen, BPF_REG_1, pick_number(gen));
		emit(gen, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_1, 0, 0, ROUNDS);
	}
	emit_func(gen, BPF_REG_2, FUZZ_ROUND);
	emit_callback_context(gen, BPF_REG_3);
	emit_const(gen, BPF_REG_4, chance(gen, 97) ? 0 : 1);
	emit_helper(gen, BPF_FUNC_loop);
}

static void emit_for_each(struct generator *gen)
{
	bool is_hash = chance(gen, 50);

	gen->out->is_deterministic &= !is_hash; /* the order of its elements */
	emit_map(gen, BPF_REG_1, is_hash ? GENERATED_HASH : GENERATED_ARRAY);
	emit_func(gen, BPF_REG_2, FUZZ_ELEMENT);
	emit_callback_context(gen, BPF_REG_3);
	emit_const(gen, BPF_REG_4, 0);
	emit_helper(gen, BPF_FUNC_for_each_map_elem);
}

void step_callback(struct generator *gen)
{
	bool is_loop = chance(gen, 65);

	if (!may_use(gen, is_loop ? FUZZ_ROUND : FUZZ_ELEMENT))
		return;
	gen->goes_on_long = true;
	if (is_loop)
		emit_loop(gen);
	else
		emit_for_each(gen);
	emit_numbers(gen, BPF_REG_1);
	if (chance(gen, 50))
		emit(gen, BPF_LDX | BPF_MEM | BPF_DW, chance(gen, 50) ? BPF_REG_7 : BPF_REG_9,
		     BPF_REG_10, -16 + 8 * (s32)below(gen, 2), 0);
}

/* r9: the value with the timer. */
void step_timer(struct generator *gen)
{
	if (!may_use(gen, FUZZ_TICK))
		return;
	gen->out->is_deterministic = false;
	emit_lookup(gen, GENERATED_TIMED);
	emit_mov(gen, BPF_REG_9, BPF_REG_0);
	if (chance(gen, 85)) {
		emit_mov(gen, BPF_REG_1, BPF_REG_9);
		if (chance(gen, 4))
			emit_add(gen, BPF_REG_1, 8);
		emit_map(gen, BPF_REG_2, chance(gen, 95) ? GENERATED_TIMED : GENERATED_ARRAY);
		emit_const(gen, BPF_REG_3, 1); /* CLOCK_MONOTONIC */
		emit_helper(gen, BPF_FUNC_timer_init);
	}
	if (chance(gen, 85)) {
		emit_mov(gen, BPF_REG_1, BPF_REG_9);
		emit_func(gen, BPF_REG_2, FUZZ_TICK);
		emit_helper(gen, BPF_FUNC_timer_set_callback);
	}
	if (chance(gen, 70)) {
		emit_mov(gen, BPF_REG_1, BPF_REG_9);
		emit_const(gen, BPF_REG_2, TIMER_NS);
		emit_const(gen, BPF_REG_3, (s32)below(gen, 2) * 2);
		emit_helper(gen, BPF_FUNC_timer_start);
	}
	if (chance(gen, 50)) {
		emit_mov(gen, BPF_REG_1, BPF_REG_9);
		emit_helper(gen, BPF_FUNC_timer_cancel);
	}
	emit_const(gen, BPF_REG_0, 0);
	emit_numbers(gen, BPF_REG_1);
	if (chance(gen, 40))
		emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_9,
		     chance(gen, 80) ? 16 : 8, 0);
	emit_const(gen, BPF_REG_9, pick_imm(gen));
}
