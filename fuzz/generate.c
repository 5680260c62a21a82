/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz/generate.h"

#include "fuzz/generator.h"
#include "fuzz/mutation.h"

#include <string.h>

/* The first value of the array in r8, numbers in the others. */
static void emit_prologue(struct generator *gen)
{
	emit_mov(gen, BPF_REG_6, BPF_REG_1);
	for (s32 off = -8; off >= STACK_WRITTEN; off -= 8)
		emit(gen, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, off,
		     off == -8 ? 0 : pick_imm(gen));
	emit_map(gen, BPF_REG_1, GENERATED_ARRAY);
	emit_frame(gen, BPF_REG_2, -8);
	emit_helper(gen, BPF_FUNC_map_lookup_elem);
	emit(gen, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 1, 0);
	emit(gen, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	emit_mov(gen, BPF_REG_8, BPF_REG_0);
	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_7, BPF_REG_8, 0, 0);
	emit(gen, BPF_LDX | BPF_MEM | pick_size(gen), BPF_REG_9, BPF_REG_8, 8, 0);
	emit_const(gen, BPF_REG_0, pick_imm(gen));
	emit_numbers(gen, BPF_REG_1);
}

static enum bpf_prog_type pick_type(struct generator *gen)
{
	static const enum bpf_prog_type types[] = {BPF_PROG_TYPE_SOCKET_FILTER,
						   BPF_PROG_TYPE_SCHED_CLS,
						   BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_XDP};

	return types[below(gen, ARRAY_SIZE(types))];
}

/* What half of all programs are about. */
static step_fn *pick_family(struct generator *gen)
{
	static step_fn *const families[] = {
		step_callback, step_timer,    step_dynptr,  step_dynptr,
		step_iterator, step_iterator, step_section, step_lock,
		step_object,   step_graph,    step_arena,   step_global,
	};

	return chance(gen, 50) ? families[below(gen, ARRAY_SIZE(families))] : NULL;
}

static void pick_kind(struct generator *gen)
{
	gen->out->type = pick_type(gen);
	gen->family = pick_family(gen);
	if (gen->family == step_arena && chance(gen, 70)) {
		gen->out->type = BPF_PROG_TYPE_SYSCALL;
		gen->out->is_sleepable = true;
	} else if (gen->family && gen->out->type == BPF_PROG_TYPE_SOCKET_FILTER &&
		   chance(gen, 80)) {
		gen->out->type = BPF_PROG_TYPE_SCHED_CLS;
	}
}

void generate_program(u64 seed, struct generated *out)
{
	struct generator gen = {.random = random_seeded(seed), .out = out};

	memset(out, 0, sizeof(*out));
	out->is_deterministic = true;
	pick_kind(&gen);
	emit_prologue(&gen);
	emit_steps(&gen, gen.family ? STEPS_MAX / 2 : STEPS_MAX);
	emit_exit(&gen, 1);
	emit_functions(&gen);
	/* What goes on for long might go on for ever. */
	out->is_mutated = !gen.goes_on_long && chance(&gen, gen.family ? 10 : 25);
	if (out->is_mutated)
		mutate_insns(&gen.random, out->insns, out->count);
}
