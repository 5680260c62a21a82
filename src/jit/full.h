/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the room: the full tier. A subprogram becomes values (src/ir), the values get registers
 * or places in the frame (allocate.c), and each instruction its machine code. What calls from
 * outside see is as in the base tier: r12 is the run's executor, arguments are where C has them.
 *
 *	x86-64	rbp: the frame   r12: the executor   r11, and r10 when it is asked for: scratch
 *	arm64	x29: the frame   x28: the executor   x15 to x17: scratch
 *
 * What is said of full_X.c below is in arm64_full_X.c on arm64.
 */
#ifndef SKEP_JIT_FULL_H
#define SKEP_JIT_FULL_H

#include "ir/ir.h"
#include "jit/base.h"

/* Where a value is: a register, or SLOT(n), the n-th 8 bytes below the program's own stack. */
#define NOWHERE	       (-1)
#define SLOT(n)	       (-2 - (s32)(n))
#define SLOT_NUMBER(s) ((u32)(-2 - (s)))

#define SCRATCH	       MACHINE_SCRATCH

struct full {
	struct base *base;
	struct emit *emit;
	struct ir_function *fn;
	s32 *place;	   /* of each value */
	u32 *position;	   /* of each instruction, counted through the blocks in order */
	u32 *start, *end;  /* of each block, likewise */
	u32 *alive;	   /* of each block: registers in use where it begins */
	u32 slots;	   /* how many are used */
	u32 saved;	   /* registers that the function must save, as bits */
	bool has_no_frame; /* it needs none */
	bool has_second;   /* r10 is scratch, too */
	bool wants_second; /* it was not, and should have been: all is void */
	bool failed;	   /* out of memory */
	/* Jumps to blocks. */
	u32 *offset; /* of each block in the code */
	bool *is_made; /* of each block: its code is there */
	struct base_fixup *jumps;
	u32 jump_cnt, jump_room;
	bool *is_early;	  /* of each block: what stands in it was done before the branch there */
	bool *is_wanted;  /* somebody goes there */
	bool *is_entered; /* others than its predecessors jump there */
	u32 copied;	  /* instructions, full_thread() */
	u32 *alias; /* of each block: where a jump to it goes on to */
	u32 layout; /* the place in fn->order of the block that is being made */
};

/* 0, -ENOMEM, or -EOPNOTSUPP: the program needs the base tier. */
int full_compile(const struct prog *prog, struct native **out);

/* layout.c: where blocks stand, in fn->order, which afterwards is no postorder any more. */
void full_lay_out(struct ir_function *fn);

/* allocate.c: registers for all values. */
void full_allocate(struct full *full);
/* Registers that the instruction changes beside its result; and those that it must not find its
 * operands in. */
u32 full_clobbers(const struct full *full, const struct ir_insn *insn);
u32 full_forbids(const struct full *full, const struct ir_insn *insn);
extern const u8 full_argument[5];
/* The registers that values may have, what is best first. */
extern const u8 full_preferred[];
extern const u32 full_preferred_cnt;

/* moves.c: all at once. */
struct full_move {
	s32 to;	     /* a place */
	ir_ref from; /* a value, wherever it is; 0: the place `place` */
	s32 place;
};

#define MOVES_MAX 64

struct full_moves {
	struct full_move list[MOVES_MAX];
	u32 count;
};

void full_move_all(struct full *full, struct full_moves *moves);
/* Of the phis of the block's only successor. */
void full_phi_moves(struct full *full, u32 block);
/* Whether they are between registers alone, so that flags stay, and none of `registers` changes. */
bool full_moves_keep(struct full *full, u32 block, u32 registers);
/* Whether they are none. */
bool full_has_phi_moves(struct full *full, u32 block);

/* full_operand.c */
/* A register with the value: its own, or `scratch`. */
u8 full_reg(struct full *full, ir_ref value, u8 scratch);
u8 full_second(struct full *full);
/* The register to make the result in; full_done() puts it where it belongs. */
u8 full_result(const struct full *full, ir_ref at);
void full_done(struct full *full, ir_ref at, u8 reg);
/* Makes IR_wide, when it has a register; else it is made where it is used. */
void full_number(struct full *full, ir_ref at);
/* Loads the value into the register; flags may change. */
void full_load(struct full *full, u8 reg, machine_width width, ir_ref value);
machine_mem full_slot(const struct full *full, s32 place);
machine_mem full_frame(const struct full *full, s64 offset);
void full_from_slot(struct full *full, u8 reg, s32 place);
void full_to_slot(struct full *full, u8 reg, s32 place);
/* The value is a constant that fits into a sign-extended 32-bit immediate of the width. */
bool full_is_imm(const struct full *full, ir_ref value, enum ir_width width, s32 *imm);
static inline bool full_in_reg(const struct full *full, ir_ref value)
{
	return full->place[value] >= 0;
}
machine_mem full_address(struct full *full, const struct ir_insn *insn, ir_ref index);

static inline machine_width full_width(const struct ir_insn *insn)
{
	return insn->width == IR_64 ? W64 : W32;
}

/* full_alu.c, full_memory.c, full_control.c */
void full_pure(struct full *full, ir_ref at);
void full_select(struct full *full, ir_ref at);
/* full_find.c */
void full_find(struct full *full, ir_ref at);
extern const u8 full_find_argument[FIND_ARGS];
/* full_vector.c */
void full_reduce(struct full *full, ir_ref at);
extern const u8 full_kernel_argument[KERNEL_ARGS];
machine_condition full_compare(struct full *full, enum ir_cond cond, enum ir_width width, ir_ref a,
				ir_ref b);
void full_memory(struct full *full, ir_ref at);
void full_control(struct full *full, ir_ref at);
/* full_call.c */
void full_call(struct full *full, ir_ref at);
void full_probe(struct full *full, ir_ref at);
/* Machine's: whether it calls somebody who comes back. */
bool full_calls(const struct full *full, const struct ir_insn *insn);
void full_tail_call(struct full *full, const struct ir_insn *insn);
/* full_thread.c: behind a block that jumps, the way on as far as it is known there. False: it is
 * not; else where to jump. */
bool full_thread(struct full *full, u32 block, u32 *target);
void full_insn(struct full *full, ir_ref at);
/* A branch to one of its ways only: to the first, when its condition holds. */
void full_leave_way(struct full *full, ir_ref branch, u32 block, bool when_taken);
/* full_limits.c: fuel and masks. */
void full_limits(struct full *full, ir_ref at);
/* full_flow.c */
/* What calls somebody, or keeps something that calls may change. */
bool full_needs_frame(const struct full *full);
void full_take_arguments(struct full *full);
/* Where a jump to the block goes on to, and whether that stands behind what is being made. */
u32 full_target(const struct full *full, u32 block);
bool full_is_next(const struct full *full, u32 block);
/* The jump at the place is aimed at the block. */
void full_jump_to(struct full *full, u32 at, u32 block);
/* What stands on an edge is done before the branch, when that keeps the flags and nobody on the
 * other way reads the registers that change, nor is one of `registers` among them: then the edge
 * needs no place of its own. */
bool full_move_early(struct full *full, u32 edge, u32 other, u32 registers);
/* Whether that is so of one of a branch's edges, without such registers. */
bool full_may_move_early(struct full *full, const u32 *succ);
/* Whether the machine adds the number in one instruction that keeps flags; and that instruction. */
bool full_is_small_sum(const struct full *full, const struct ir_insn *insn);
void full_small_sum(struct full *full, ir_ref at);
extern ir_has_room *const full_has_room;
/* What the machine has one instruction for becomes one. */
void full_fuse(struct ir_function *fn);
void full_prologue(struct full *full);
void full_leave_frame(struct full *full);
void full_leave(struct full *full);
/* The arguments to these registers. */
void full_pass(struct full *full, const struct ir_insn *insn, const u8 *registers);
u32 full_frame_bytes(const struct full *full);

#if defined(__x86_64__)
bool full_has_bmi2(void);
/* op reg, value: the value in a register or in its slot. */
void full_op(struct full *full, struct x86_op op, machine_width width, u8 reg, ir_ref value);
#endif

#endif
