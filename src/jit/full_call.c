/* SPDX-License-Identifier: BSD-2-Clause */
/* The full tier's calls, of whatever machine. */
#include "jit/full.h"
#include "jit/runtime.h"
#include "jit/tail_call.h"

void full_call(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);

	full_pass(full, insn, full_argument);
	switch (insn->op) {
	case IR_call_site: base_call_body(full->base, u64_to_ptr((u64)insn->imm)); break;
	case IR_call_local:
	case IR_call_global:
		if (insn->op == IR_call_local)
			base_call_subprog(full->base, (u32)insn->imm);
		else
			base_call_replaceable(full->base, (u32)insn->imm);
		if (full->base->verified->has_tail_call)
			base_restore_program(full->base);
		break;
	case IR_call: base_load_run(full->base, MACHINE_RUN); __attribute__((fallthrough));
	default: base_call(full->base, u64_to_ptr((u64)insn->imm)); break;
	}
	full_done(full, at, MACHINE_RESULT);
}

void full_probe(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);

	full_load(full, full_argument[0], W64, insn->a);
	machine_mov_imm(full->emit, full_argument[1], (u32)insn->imm);
	base_call(full->base, probe_load);
	full_done(full, at, MACHINE_RESULT);
}

static void leave_for_another(void *cookie)
{
	full_leave_frame(cookie);
}

void full_tail_call(struct full *full, const struct ir_insn *insn)
{
	const struct ir_function *fn = full->fn;
	const ir_ref map = ir_value(fn, fn->args[insn->args + 1]);
	const ir_ref index = ir_value(fn, fn->args[insn->args + 2]);
	struct tail_call call = {.leave = leave_for_another, .cookie = full};
	struct ir_insn passed = *insn;

	if (ir_is_const(fn, map))
		call.map = u64_to_ptr((u64)ir_at(fn, map)->imm);
	if (call.map && ir_is_const(fn, index)) {
		call.has_index = true;
		call.index = (u32)ir_at(fn, index)->imm;
		passed.arg_cnt = 1;
	}
	full_pass(full, &passed, full_argument);
	tail_call(full->base, &call);
}
