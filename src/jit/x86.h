/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86-64 encoder. An instruction is a row of x86.def; operands are machine registers,
 * memory as base + index * scale + displacement, or 8 bytes behind the code (the pool).
 */
#ifndef SKEP_JIT_X86_H
#define SKEP_JIT_X86_H

#include "jit/emit.h"

enum x86_reg {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	R8,
	R9,
	R10,
	R11,
	R12,
	R13,
	R14,
	R15,
	X86_NO_REG = 0xff,
};

enum x86_width { W16, W32, W64 };

/* Of a condition, as jcc, setcc and cmovcc encode it. */
enum x86_condition {
	CC_B = 2,
	CC_AE,
	CC_E,
	CC_NE,
	CC_BE,
	CC_A,
	CC_S = 8,
	CC_NS,
	CC_L = 12,
	CC_GE,
	CC_LE,
	CC_G,
};

enum x86_flags {
	X86_BYTE_REG = 1 << 0, /* the register operand is a byte */
	X86_BYTE_RM = 1 << 1,  /* the other one is, when it is a register */
	X86_WIDE = 1 << 2,     /* 64 bits without a prefix */
	X86_LOCK = 1 << 3,
	X86_F3 = 1 << 4, /* a prefix that makes it another instruction */
};

struct x86_op {
	u16 opcode;
	u8 digit, flags;
};

#define X86(name, opcode, flags)	      extern const struct x86_op x86_##name;
#define X86_DIGIT(name, opcode, digit, flags) extern const struct x86_op x86_##name;
#include "jit/x86.def"

struct x86_mem {
	u8 base, index, scale; /* scale: log2 */
	s32 disp;
};

static inline struct x86_mem x86_at(u8 base, s32 disp)
{
	return (struct x86_mem){.base = base, .index = X86_NO_REG, .disp = disp};
}

/* reg, rm: for a row with a digit `reg` is ignored. */
void x86_rr(struct emit *emit, struct x86_op op, enum x86_width width, u8 reg, u8 rm);
void x86_rm(struct emit *emit, struct x86_op op, enum x86_width width, u8 reg,
	    struct x86_mem mem);
/* The memory is `pool` bytes into what follows the code; returns where its distance is. */
u32 x86_rip(struct emit *emit, struct x86_op op, enum x86_width width, u8 reg);
/* With the lock prefix. */
void x86_locked(struct emit *emit, struct x86_op op, enum x86_width width, u8 reg,
		struct x86_mem mem);

/* Moves when the condition holds. */
void x86_cmov(struct emit *emit, enum x86_condition condition, enum x86_width width, u8 reg, u8 rm);
void x86_cmov_memory(struct emit *emit, enum x86_condition condition, enum x86_width width, u8 reg,
		     struct x86_mem mem);

/* BMI2: reg = value shifted by count, no flag changed. */
enum x86_shift { X86_NO_SHIFT, X86_SHLX, X86_SARX, X86_SHRX };
void x86_shift_by_reg(struct emit *emit, enum x86_shift shift, enum x86_width width, u8 reg,
		      u8 value, u8 count);

void x86_push(struct emit *emit, u8 reg);
void x86_pop(struct emit *emit, u8 reg);
void x86_mov_imm(struct emit *emit, u8 reg, u64 value); /* the shortest form */
void x86_mov_imm_keeping_flags(struct emit *emit, u8 reg, u64 value);
void x86_bswap(struct emit *emit, enum x86_width width, u8 reg);
void x86_ret(struct emit *emit);
void x86_leave(struct emit *emit);
void x86_lfence(struct emit *emit);
void x86_sign_to_rdx(struct emit *emit, enum x86_width width); /* cdq, cqo */

/* Does nothing up to a multiple of so many bytes, at most 16. */
void x86_align(struct emit *emit, u32 bytes);

/* Jumps; the long forms return where their distance is. */
u32 x86_jmp32(struct emit *emit);
u32 x86_jcc32(struct emit *emit, enum x86_condition condition);
u32 x86_call32(struct emit *emit);
/* The distance of a long form, to the target. */
void x86_aim(struct emit *emit, u32 jump, u32 target);
/* A short jump forward, of which x86_land() makes the present place the target. */
u32 x86_jcc8(struct emit *emit, enum x86_condition condition);
u32 x86_jmp8(struct emit *emit);
void x86_land(struct emit *emit, u32 jump);
/* Jumps back, short ones, to what is near. */
bool x86_is_near(const struct emit *emit, u32 target);
void x86_jmp_back(struct emit *emit, u32 target);
void x86_jcc_back(struct emit *emit, enum x86_condition condition, u32 target);

#endif
