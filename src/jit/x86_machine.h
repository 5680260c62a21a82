/* SPDX-License-Identifier: BSD-2-Clause */
/* x86-64, as what both machines share sees it. */
#ifndef SKEP_JIT_X86_MACHINE_H
#define SKEP_JIT_X86_MACHINE_H

#include "jit/x86.h"

#define REG_EXEC	R12 /* the run's executor */
#define MACHINE_RESULT	RAX
#define MACHINE_SCRATCH R11
#define MACHINE_SECOND	R10 /* scratch, too, when it is asked for */
#define MACHINE_RUN	R9 /* the run's context, behind a helper's arguments */
#define MACHINE_PADDING 0xcc

typedef struct x86_op machine_op;
typedef struct x86_mem machine_mem;
typedef enum x86_width machine_width;
typedef enum x86_condition machine_condition;

#define CALLER_SAVED                                                                          \
	(1u << RAX | 1u << RCX | 1u << RDX | 1u << RSI | 1u << RDI | 1u << R8 | 1u << R9 | \
	 1u << R10 | 1u << R11)

#define LOAD_u8	 x86_movzx8, W32
#define LOAD_u16 x86_movzx16, W32
#define LOAD_u32 x86_load, W32
#define LOAD_u64 x86_load, W64
#define LOAD_s8	 x86_movsx8, W64
#define LOAD_s16 x86_movsx16, W64
#define LOAD_s32 x86_movsxd, W64

enum {
	TAKEN_jeq = CC_E,
	TAKEN_jne = CC_NE,
	TAKEN_jgt = CC_A,
	TAKEN_jge = CC_AE,
	TAKEN_jlt = CC_B,
	TAKEN_jle = CC_BE,
	TAKEN_jset = CC_NE,
	TAKEN_jsgt = CC_G,
	TAKEN_jsge = CC_GE,
	TAKEN_jslt = CC_L,
	TAKEN_jsle = CC_LE,
};

#define ATOMIC_OP(name) x86_##name##_store

/* False: the target is too far away. */
static inline bool machine_aim(struct emit *emit, u32 at, u32 target)
{
	x86_aim(emit, at, target);
	return true;
}

static inline void machine_mov_imm(struct emit *emit, u8 to, u64 value)
{
	x86_mov_imm(emit, to, value);
}

static inline void machine_store64(struct emit *emit, u8 value, u8 base, u32 offset)
{
	x86_rm(emit, x86_store, W64, value, x86_at(base, (s32)offset));
}

static inline void machine_barrier(struct emit *emit)
{
	x86_lfence(emit);
}

static inline void machine_align(struct emit *emit, u32 bytes)
{
	x86_align(emit, bytes);
}

#endif
