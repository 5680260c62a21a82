/* SPDX-License-Identifier: BSD-2-Clause */
/* Code to values: the variables are the registers, of the subprogram and of each inlined one. */
#include "ir/build.h"
#include "run/run.h"

#include <errno.h>
#include <stdlib.h>

/* Variables of one instance. */
#define VARIABLES 16

ir_ref build_emit(struct build *build, const struct ir_insn *what)
{
	ir_ref insn = ir_new(build->fn, what);

	build->fn->insns[insn].at = build->at;
	ir_append(build->fn, build->block, insn);
	return insn;
}

ir_ref build_const(struct build *build, u64 value)
{
	return build_emit(build,
			  &(struct ir_insn){.op = IR_const, .width = IR_64, .imm = (s64)value});
}

ir_ref build_own_const(struct build *build, u64 value)
{
	/* Out of small ones folding would make any other. */
	if (!build->is_blinded || !value)
		return build_const(build, value);
	return build_emit(build,
			  &(struct ir_insn){.op = IR_blind, .width = IR_64, .imm = (s64)value});
}

ir_ref build_binary(struct build *build, enum ir_op op, enum ir_width width, ir_ref a, ir_ref b)
{
	return build_emit(build, &(struct ir_insn){.op = op, .width = width, .a = a, .b = b});
}

ir_ref build_reg_of(struct build *build, u32 instance, u8 reg)
{
	const struct build_instance *in = &build->instances[instance];

	if (reg == BPF_REG_10)
		return build_emit(build, &(struct ir_insn){
						 .op = IR_frame, .width = IR_64, .imm = in->frame});
	return ssa_read(&build->ssa, build->block, instance * VARIABLES + reg);
}

void build_set_reg_of(struct build *build, u32 instance, u8 reg, ir_ref value)
{
	ssa_write(&build->ssa, build->block, instance * VARIABLES + reg, value);
}

ir_ref build_reg(struct build *build, u8 reg)
{
	return build_reg_of(build, build->instance, reg);
}

void build_set_reg(struct build *build, u8 reg, ir_ref value)
{
	build_set_reg_of(build, build->instance, reg, value);
}

/* Arguments of the function; no program reads any other register that it has not written. */
static ir_ref unwritten(struct ssa *ssa, u32 variable)
{
	const bool is_arg = variable >= BPF_REG_1 && variable <= BPF_REG_5;
	ir_ref value;

	if (variable == BUILD_FUEL)
		return build_fuel_at_start(ssa->fn);
	value = ir_new(ssa->fn, &(struct ir_insn){
					.op = is_arg ? IR_arg : IR_const,
					.width = IR_64,
					.imm = is_arg ? variable - BPF_REG_1 : 0,
				});

	ir_insert_first(ssa->fn, 0, value);
	return value;
}

/* --- blocks --- */

static void jump(struct build *build)
{
	build_emit(build, &(struct ir_insn){.op = IR_jump});
}

/* The callee finds its arguments in the caller's registers. */
static void enter_inlined(struct build *build)
{
	const u32 callee = build_callee(build, build->instance, build->at);

	build_burn_call(build);
	for (u8 reg = BPF_REG_1; reg <= BPF_REG_5; reg++)
		build_set_reg_of(build, callee, reg, build_reg(build, reg));
	jump(build);
}

static void leave(struct build *build)
{
	const struct build_instance *instance = &build->instances[build->instance];
	ir_ref result = build_reg(build, BPF_REG_0);

	if (instance->ret == IR_NO_BLOCK) {
		build_fuel_out(build);
		build_emit(build, &(struct ir_insn){.op = IR_ret, .width = IR_64, .a = result});
		return;
	}
	build_set_reg_of(build, instance->caller, BPF_REG_0, result);
	jump(build);
}

/* Whether the instruction ends the block. */
static bool end_block(struct build *build)
{
	const struct build_instance *instance = &build->instances[build->instance];
	const struct code_insn *insn = &build->code->insns[build->at];
	const u32 next = build->at + 1 + (insn->op == OP_ld_imm64);
	const enum build_flow flow = build_flow_of(build, instance, build->at);

	build_burn_round(build);
	if (code_needs_barrier(build->code, build->at))
		build_emit(build, &(struct ir_insn){.op = IR_barrier});
	switch (flow) {
	case FLOW_INLINE: enter_inlined(build); return true;
	case FLOW_END: leave(build); return true;
	case FLOW_JUMP: jump(build); return true;
	case FLOW_BRANCH: build_insn(build); return true;
	case FLOW_NEXT: break;
	}
	build_insn(build);
	if (instance->block[next - instance->subprog->start] == IR_NO_BLOCK)
		return false;
	jump(build);
	return true;
}

static void fill_block(struct build *build, u32 block)
{
	build->block = block;
	build->instance = build->origins[block].instance;
	build->at = build->origins[block].at;
	/* Proven dead, although an edge leads here. */
	if (!build->verified->facts[build->at].visited) {
		build_emit(build, &(struct ir_insn){.op = IR_ret,
						    .width = IR_64,
						    .a = build_const(build, 0)});
		return;
	}
	while (!build->err && !build->fn->failed && !end_block(build))
		build->at += 1 + (build->code->insns[build->at].op == OP_ld_imm64);
}

/* A block after the one it is only reached from, whose variables it reads. */
static void fill(struct build *build)
{
	ir_order(build->fn);
	ir_append(build->fn, 0, ir_new(build->fn, &(struct ir_insn){.op = IR_jump}));
	for (u32 i = 1; !build->err && !build->fn->failed && i < build->fn->order_cnt; i++)
		fill_block(build, build->fn->order[i]);
}

int ir_build(struct ir_function *fn, const struct prog *prog, u32 subprog)
{
	struct build build = {
		.fn = fn,
		.code = prog->code,
		.verified = prog->verified,
		.ssa = {.fn = fn},
		.is_blinded = prog->is_blinded,
		.has_fuel = code_has_fuel(prog->code),
	};

	build.ssa.unwritten = unwritten;
	ir_init(fn, prog, subprog);
	arena_init(&build.arena);
	build.err = build_flow(&build);
	if (!build.err)
		fill(&build);
	if (!build.err)
		ssa_finish(&build.ssa);
	fn->frame_bytes = (u32)round_up(fn->frame_bytes, 8);
	ssa_done(&build.ssa);
	free(build.origins);
	arena_done(&build.arena);
	return build.err ?: fn->failed ? -ENOMEM : 0;
}
