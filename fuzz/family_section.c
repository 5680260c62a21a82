/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections: RCU, preemption and interrupts that are off, locks. */
#include "fuzz/generator.h"

static const enum generated_kfunc kfuncs[][2] = {
	{GENERATED_bpf_rcu_read_lock, GENERATED_bpf_rcu_read_unlock},
	{GENERATED_bpf_preempt_disable, GENERATED_bpf_preempt_enable},
	{GENERATED_bpf_local_irq_save, GENERATED_bpf_local_irq_restore},
};

static void emit_edge(struct generator *gen, u32 kind, bool is_end)
{
	if (kind == 2)
		emit_frame(gen, BPF_REG_1, chance(gen, 98) ? SLOT_FLAGS : SLOT_FLAGS + 8);
	emit_kfunc(gen, kfuncs[kind][is_end]);
	emit_const(gen, BPF_REG_0, pick_imm(gen));
	emit_numbers(gen, BPF_REG_1);
}

void step_section(struct generator *gen)
{
	u32 kind = below(gen, ARRAY_SIZE(kfuncs)), scope = open_scope(gen);

	emit_edge(gen, kind, false);
	emit_inner_steps(gen, 3);
	if (chance(gen, 15) && gen->scopes == 1)
		step_section(gen);
	close_scope(gen, scope);
	if (chance(gen, 96))
		emit_edge(gen, chance(gen, 98) ? kind : below(gen, ARRAY_SIZE(kfuncs)), true);
}

/* Steps that need no call. */
static void emit_held_steps(struct generator *gen)
{
	static step_fn *const steps[] = {step_alu,   step_move,	  step_stack,	 step_value,
					 step_spill, step_branch, step_variable, step_lookup};

	for (u32 i = below(gen, 4); i > 0; i--)
		steps[below(gen, ARRAY_SIZE(steps) - (chance(gen, 95) ? 1 : 0))](gen);
	access_memory(gen, BPF_REG_9, chance(gen, 95) ? 8 : 4 * (s32)below(gen, 7));
}

static void emit_lock(struct generator *gen, bool is_resilient, bool is_end)
{
	emit_mov(gen, BPF_REG_1, BPF_REG_9);
	if (chance(gen, 2))
		emit_add(gen, BPF_REG_1, 4);
	if (is_resilient)
		emit_kfunc(gen, is_end ? GENERATED_bpf_res_spin_unlock
				       : GENERATED_bpf_res_spin_lock);
	else
		emit_helper(gen, is_end ? BPF_FUNC_spin_unlock : BPF_FUNC_spin_lock);
}

/* r9: the value with the lock. */
void step_lock(struct generator *gen)
{
	bool is_resilient = chance(gen, 40);
	u32 scope, failed = 0;

	gen->out->is_deterministic = false; /* r9 may be compared */
	emit_lookup(gen, is_resilient ? GENERATED_RES_LOCKED : GENERATED_LOCKED);
	emit_mov(gen, BPF_REG_9, BPF_REG_0);
	emit_lock(gen, is_resilient, false);
	if (is_resilient) {
		failed = gen->out->count;
		emit(gen, BPF_JMP | (chance(gen, 97) ? BPF_JNE : BPF_JEQ) | BPF_K, BPF_REG_0, 0,
		     0, 0);
	}
	scope = open_scope(gen);
	emit_const(gen, BPF_REG_0, pick_imm(gen));
	emit_numbers(gen, BPF_REG_1);
	emit_held_steps(gen);
	close_scope(gen, scope);
	if (chance(gen, 96))
		emit_lock(gen, is_resilient, true);
	if (failed)
		land(gen, failed);
	emit_const(gen, BPF_REG_0, pick_imm(gen));
	emit_const(gen, BPF_REG_9, pick_imm(gen));
	emit_numbers(gen, BPF_REG_1);
}
