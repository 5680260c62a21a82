/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64, as what both machines share sees it. */
#ifndef SKEP_JIT_ARM64_MACHINE_H
#define SKEP_JIT_ARM64_MACHINE_H

#include "jit/arm64.h"

#define REG_EXEC	X28 /* the run's executor */
#define MACHINE_RESULT	X0
#define MACHINE_SCRATCH X16
#define MACHINE_SECOND	X17 /* scratch, too */
#define MACHINE_RUN	X5 /* the run's context, behind a helper's arguments */
#define MACHINE_PADDING 0

typedef struct a64_op machine_op;
typedef struct a64_mem machine_mem;
typedef enum a64_width machine_width;
typedef enum a64_condition machine_condition;

#define CALLER_SAVED ((1u << X19) - 1)

#define LOAD_u8	 a64_load8, W32
#define LOAD_u16 a64_load16, W32
#define LOAD_u32 a64_load32, W32
#define LOAD_u64 a64_load64, W64
#define LOAD_s8	 a64_load_s8_64, W64
#define LOAD_s16 a64_load_s16_64, W64
#define LOAD_s32 a64_load_s32, W64

enum {
	TAKEN_jeq = A64_EQ,
	TAKEN_jne = A64_NE,
	TAKEN_jgt = A64_HI,
	TAKEN_jge = A64_HS,
	TAKEN_jlt = A64_LO,
	TAKEN_jle = A64_LS,
	TAKEN_jset = A64_NE,
	TAKEN_jsgt = A64_GT,
	TAKEN_jsge = A64_GE,
	TAKEN_jslt = A64_LT,
	TAKEN_jsle = A64_LE,
};

/* What LSE has: or sets bits, and clears those that are not. */
#define ATOMIC_OP(name) A64_ATOMIC_##name
#define A64_ATOMIC_add	a64_ldadd
#define A64_ATOMIC_or	a64_ldset
#define A64_ATOMIC_and	a64_ldclr
#define A64_ATOMIC_xor	a64_ldeor

/* False: the target is too far away. */
static inline bool machine_aim(struct emit *emit, u32 at, u32 target)
{
	return a64_aim(emit, at, target);
}

static inline void machine_mov_imm(struct emit *emit, u8 to, u64 value)
{
	a64_mov_imm(emit, to, value);
}

static inline void machine_store64(struct emit *emit, u8 value, u8 base, u32 offset)
{
	a64_memory(emit, a64_store64, value, a64_at(base, (s32)offset));
}

static inline void machine_barrier(struct emit *emit)
{
	a64_plain(emit, a64_dsb_nsh);
	a64_plain(emit, a64_isb);
}

static inline void machine_align(struct emit *emit, u32 bytes)
{
	while (emit_offset(emit) % bytes)
		a64_plain(emit, a64_nop);
}

#endif
