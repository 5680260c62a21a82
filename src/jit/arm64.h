/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arm64 encoder. An instruction is a row of arm64.def, made by the function of its shape;
 * operands are machine registers, of which 31 is the stack pointer or nothing (zero), as the
 * instruction has it.
 */
#ifndef SKEP_JIT_ARM64_H
#define SKEP_JIT_ARM64_H

#include "jit/emit.h"

enum a64_reg {
	X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X13, X14, X15,
	X16, X17, X18, X19, X20, X21, X22, X23, X24, X25, X26, X27, X28, X29, X30,
	XZR,
	SP = XZR,
	A64_NO_REG = 0xff,
};

enum a64_width { W32, W64 };

enum a64_condition {
	A64_EQ, A64_NE, A64_HS, A64_LO, A64_MI, A64_PL, A64_VS, A64_VC,
	A64_HI, A64_LS, A64_GE, A64_LT, A64_GT, A64_LE,
};

enum a64_shift { A64_LSL, A64_LSR, A64_ASR, A64_ROR };

struct a64_op {
	u32 bits;
};

#define A64(shape, name, opcode) extern const struct a64_op a64_##name;
#include "jit/arm64.def"

/* base + disp, or base + index << scale: `scale` is 0 or the logarithm of the bytes. */
struct a64_mem {
	u8 base, index, scale;
	s32 disp;
};

static inline struct a64_mem a64_at(u8 base, s32 disp)
{
	return (struct a64_mem){.base = base, .index = A64_NO_REG, .disp = disp};
}

/* rm shifted; LSL by 0: as it is. */
void a64_rrr_shifted(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u8 m,
		     enum a64_shift shift, u8 amount);
/* RRR without a shift, RRV, EXTRACT by 0. */
void a64_rrr(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u8 m);
void a64_rrrr(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u8 m, u8 a);
void a64_high(struct emit *emit, struct a64_op op, u8 d, u8 n, u8 m);
void a64_long(struct emit *emit, struct a64_op op, u8 d, u8 n, u8 m, u8 a);
void a64_rr(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n);

/* Whether the number is 12 bits, or 12 bits that are shifted by 12. */
bool a64_is_imm12(u64 imm);
void a64_imm12(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u32 imm);
/* Whether the number is a pattern that LOGIC has, and its 13 bits in the instruction. */
bool a64_is_pattern(u64 value, enum a64_width width, u32 *out);
void a64_logic(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u32 pattern);
/* 16 bits at bit 16 * place. */
void a64_wide(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u16 bits, u8 place);
void a64_field(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u8 r, u8 s);
void a64_extract(struct emit *emit, enum a64_width width, u8 d, u8 n, u8 m, u8 from);
void a64_choice(struct emit *emit, struct a64_op op, enum a64_width width, u8 d, u8 n, u8 m,
		enum a64_condition condition);

/* Whether the instruction has the displacement as it is. */
bool a64_reaches(struct a64_op op, s32 disp);
void a64_memory(struct emit *emit, struct a64_op op, u8 t, struct a64_mem mem);
void a64_pair(struct emit *emit, struct a64_op op, u8 t, u8 t2, u8 n, s32 disp);
/* `size`: the logarithm of the bytes. */
void a64_atomic(struct emit *emit, struct a64_op op, u8 size, u8 s, u8 t, u8 n);
void a64_ordered(struct emit *emit, struct a64_op op, u8 size, u8 t, u8 n);

void a64_vector(struct emit *emit, struct a64_op op, u8 d, u8 n);
void a64_vector3(struct emit *emit, struct a64_op op, u8 d, u8 n, u8 m);
void a64_vector_shift(struct emit *emit, struct a64_op op, u8 d, u8 n, u8 number);
void a64_vector_load(struct emit *emit, struct a64_op op, u8 t, u8 n, u8 bytes);
void a64_reg(struct emit *emit, struct a64_op op, u8 n);
void a64_plain(struct emit *emit, struct a64_op op);

/* What is aimed later: the place of the instruction. */
u32 a64_far(struct emit *emit, struct a64_op op);
u32 a64_near(struct emit *emit, enum a64_condition condition);
u32 a64_near_reg(struct emit *emit, struct a64_op op, enum a64_width width, u8 t);
u32 a64_bit(struct emit *emit, struct a64_op op, u8 t, u8 bit);
u32 a64_literal(struct emit *emit, u8 t);
/* False: it is too far away. */
bool a64_aim(struct emit *emit, u32 at, u32 target);
/* Aims it here. */
void a64_land(struct emit *emit, u32 at);

/* --- of several instructions --- */

/* A constant, in as few instructions as it takes. */
void a64_mov_imm(struct emit *emit, u8 d, u64 value);
/* d = n + number; `d` is neither 31 nor, unless the number is short, n. */
void a64_add_number(struct emit *emit, u8 d, u8 n, s64 number);
static inline void a64_mov(struct emit *emit, enum a64_width width, u8 d, u8 n)
{
	a64_rrr(emit, a64_orr, width, d, XZR, n);
}
void a64_shift_imm(struct emit *emit, enum a64_shift shift, enum a64_width width, u8 d, u8 n,
		   u8 amount);
/* The same memory without the index: `scratch` becomes the address. */
struct a64_mem a64_without_index(struct emit *emit, struct a64_mem mem, u8 scratch);
/* Memory that the instruction need not reach by itself: `scratch` may become the address. */
void a64_access(struct emit *emit, struct a64_op op, u8 t, struct a64_mem mem, u8 scratch);

#endif
