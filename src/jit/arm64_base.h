/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: what both tiers have in common on arm64. */
#ifndef SKEP_JIT_ARM64_BASE_H
#define SKEP_JIT_ARM64_BASE_H

#include "jit/base.h"

/* Free within one instruction; the first is MACHINE_SCRATCH, where addresses come to be. */
#define S1 X16
#define S2 X17
#define S3 X15
#define S4 X14

/* The machine has atomic operations that are one instruction. */
bool arm64_has_lse(void);

/* d = a op constant, through `scratch` where the instruction has no place for it. */
void arm64_add_const(struct emit *emit, machine_width width, u8 d, u8 a, s64 number, u8 scratch);
void arm64_logic_const(struct emit *emit, struct a64_op imm, struct a64_op reg, machine_width width,
		       u8 d, u8 a, u64 number, u8 scratch);
/* Sets the flags of a - number. */
void arm64_compare_const(struct emit *emit, machine_width width, u8 a, s64 number, u8 scratch);

/* A jump that is aimed later, of base->jumps, or of whoever keeps such: `at` is its place. */
u32 arm64_jump_if(struct base *base, machine_condition taken);
/* The same if the register is 0, or is not. */
u32 arm64_jump_if_zero(struct base *base, bool is_zero, machine_width width, u8 reg);

/* *[address] op= value, or the same with the old value in `old`; S2 to S4, and without LSE x30,
 * change. */
enum arm64_atomic { ARM64_ADD, ARM64_AND, ARM64_OR, ARM64_XOR, ARM64_XCHG };
void arm64_atomic(struct emit *emit, enum arm64_atomic what, machine_width width, u8 value, u8 address);
void arm64_fetch(struct emit *emit, enum arm64_atomic what, machine_width width, u8 old, u8 value,
		 u8 address);
/* `compared` becomes the old value. */
void arm64_compare_exchange(struct emit *emit, machine_width width, u8 compared, u8 value, u8 address);

/* Tail calls: r1 to r3 are in x0 to x2 (tail_call.h). */
void arm64_load_slot(struct base *base, u8 to);

#endif
