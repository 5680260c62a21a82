/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: from code to values. */
#ifndef SKEP_IR_BUILD_H
#define SKEP_IR_BUILD_H

#include "ir/ssa.h"
#include "run/code.h"

/* A subprogram as it stands in the function: the function's own, or one that is inlined. */
struct build_instance {
	const struct subprog *subprog;
	u32 *block;	   /* of each instruction that begins one; IR_NO_BLOCK */
	u32 caller;	   /* instance */
	u32 ret;	   /* block of the caller to go on in; IR_NO_BLOCK: none */
	s32 frame;	   /* its frame pointer, from the function's */
	u32 depth;	   /* of inlining */
	u32 at;		   /* of the call */
};

#define BUILD_INSTANCES 512

/* What a block begins with. */
struct build_origin {
	u32 instance, at;
};

struct build {
	struct ir_function *fn;
	struct arena arena;
	const struct prog_code *code;
	const struct verified *verified;
	struct ssa ssa;
	struct build_instance *instances;
	u32 instance_cnt;
	u32 inlined; /* instructions */
	bool is_blinded; /* constants must not be seen */
	bool has_fuel;		      /* runs are limited */
	bool keeps_fuel;	      /* the function has loops: what is left is a value */
	struct build_origin *origins; /* of each block */
	u32 origin_room;
	/* What is being translated. */
	u32 instance, block, at;
	int err;
};

enum build_flow { FLOW_NEXT, FLOW_JUMP, FLOW_BRANCH, FLOW_INLINE, FLOW_END };

/* build_flow.c: the blocks and edges of all instances; 0, -ENOMEM or -EOPNOTSUPP. */
int build_flow(struct build *build);
/* How control leaves the instruction. */
enum build_flow build_flow_of(const struct build *build, const struct build_instance *instance,
			      u32 at);
u32 build_target(const struct build *build, u32 at);
/* The instance that the call at `at` became. */
u32 build_callee(const struct build *build, u32 caller, u32 at);

/* build_insn.c */
void build_insn(struct build *build);

/* --- values, build.c --- */
ir_ref build_emit(struct build *build, const struct ir_insn *what);
ir_ref build_const(struct build *build, u64 value);
/* One that the program's author chose. */
ir_ref build_own_const(struct build *build, u64 value);
ir_ref build_binary(struct build *build, enum ir_op op, enum ir_width width, ir_ref a, ir_ref b);
ir_ref build_reg(struct build *build, u8 reg);
void build_set_reg(struct build *build, u8 reg, ir_ref value);
ir_ref build_reg_of(struct build *build, u32 instance, u8 reg);
void build_set_reg_of(struct build *build, u32 instance, u8 reg, ir_ref value);
/* The variable of what is left of the fuel, build_fuel.c. */
#define BUILD_FUEL MAX_BPF_REG
ir_ref build_fuel_at_start(struct ir_function *fn);
/* Takes fuel for the call, or the round of a loop that begins, at build->at. */
void build_burn_call(struct build *build);
void build_burn_round(struct build *build);
/* Others see what is left, and may burn some until build_fuel_back(). */
void build_fuel_out(struct build *build);
void build_fuel_back(struct build *build);
/* build_call.c */
void build_call(struct build *build, const struct code_insn *insn);

#endif
