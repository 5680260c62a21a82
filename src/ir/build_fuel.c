/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuel: how much a run may repeat. A function that has loops keeps what is left as a value, so
 * that it is in a register while they run; the run's own count is right wherever somebody else
 * looks at it: in callees, in helpers that call back, behind the function's end. A function
 * without loops has no value and takes from the run's count.
 */
#include "ir/build.h"

static ir_ref left(struct build *build)
{
	return ssa_read(&build->ssa, build->block, BUILD_FUEL);
}

static void set_left(struct build *build, ir_ref value)
{
	ssa_write(&build->ssa, build->block, BUILD_FUEL, value);
}

ir_ref build_fuel_at_start(struct ir_function *fn)
{
	ir_ref value = ir_new(fn, &(struct ir_insn){.op = IR_fuel, .width = IR_64});

	ir_insert_first(fn, 0, value);
	return value;
}

static void burn(struct build *build, u32 cost, bool is_held)
{
	struct ir_insn what = {
		.op = IR_burn_here, .width = IR_64, .cond = is_held, .imm = cost};

	if (!build->has_fuel)
		return;
	if (!build->keeps_fuel) {
		build_emit(build, &what);
		return;
	}
	what.op = IR_burn;
	what.a = left(build);
	set_left(build, build_emit(build, &what));
}

void build_fuel_out(struct build *build)
{
	ir_ref value;

	if (!build->keeps_fuel)
		return;
	value = left(build);
	if (ir_at(build->fn, value)->op != IR_fuel)
		build_emit(build,
			   &(struct ir_insn){.op = IR_set_fuel, .width = IR_64, .a = value});
}

void build_fuel_back(struct build *build)
{
	if (build->keeps_fuel)
		set_left(build,
			 build_emit(build, &(struct ir_insn){.op = IR_fuel, .width = IR_64}));
}

void build_burn_call(struct build *build)
{
	const struct code_insn *insn = &build->code->insns[build->at];
	const struct insn_fact *fact = &build->verified->facts[build->at];
	const u32 callee = insn->op == OP_call_local ? (u32)fact->callee : (u32)insn->operand;

	burn(build, code_length(build->code, callee), fact->holds);
}

void build_burn_round(struct build *build)
{
	const u32 length = code_round(build->code, build->at);

	if (length)
		burn(build, length, false);
}
