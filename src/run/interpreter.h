/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter's one source, included by its two builds (interpret_fast.c,
 * interpret_checked.c). It is the reference for what each instruction does. The includer
 * defines
 *
 *	INTERPRET			the function's name
 *	NEXT_HANDLER			where control goes for the instruction at pc
 *	ACCESS(address, size, write)	what happens before an access to memory
 *	ATOMIC_ACCESS(address, size)	the same for atomic operations
 *	PACKET_CHECK			... before r6 is taken for the packet's context
 *	FRAME_CHECK			... before a frame is entered
 *	JUMP_TAKEN(taken)		... after a condition was computed
 *	ROUND				... before a round of a loop, when runs are limited
 *	CALLED(length)			... before a function of the program is called
 *	AFTER_HELPER			... after the call of a helper
 *	MASK_CHECK(offset, masked)	... after an offset was masked
 *	DEAD_CODE			... at an instruction that is never reached
 *	STOP_LABEL			where the checks go to end the run
 *	WITH_FUSED			only where there are superinstructions
 *
 * The checks may `goto stop`. Handlers are labels in one function; each ends with its own
 * indirect jump, which the processor predicts by what came before.
 */
#include "run/arena.h"
#include "run/code.h"
#include "run/extension.h"

#include <string.h>

typedef u8 mem_u8;
typedef u16 __attribute__((aligned(1), may_alias)) mem_u16;
typedef u32 __attribute__((aligned(1), may_alias)) mem_u32;
typedef u64 __attribute__((aligned(1), may_alias)) mem_u64;
typedef s8 mem_s8;
typedef s16 __attribute__((aligned(1), may_alias)) mem_s16;
typedef s32 __attribute__((aligned(1), may_alias)) mem_s32;

#define SIGNED(a)     _Generic((a), u32 : (s32)(a), u64 : (s64)(a))
#define SHIFT_MASK(a) (sizeof(a) * 8 - 1)

#define DST	      reg[pc->dst]
#define SRC	      reg[pc->src]

#define GO	      goto *NEXT_HANDLER
#define NEXT          \
	do {          \
		pc++; \
		GO;   \
	} while (0)
#define JUMP_BY(bytes) (pc = (const struct code_insn *)((const char *)pc + (bytes)))
#define HANDLER(name)  do_##name:

#if defined(__x86_64__)
#define SPECULATION_BARRIER __builtin_ia32_lfence()
#elif defined(__aarch64__)
#define SPECULATION_BARRIER __asm__ volatile("dsb nsh\n\tisb" ::: "memory")
#else
#define SPECULATION_BARRIER __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

/* Fuel: what a round of a loop has, and how long a function is that is called. */
#define FUEL_BEFORE_ROUND                                                     \
	do {                                                                  \
		exec->fuel -= code_round(exec->code, pc - exec->code->insns); \
		if (exec->fuel < 0)                                           \
			goto stop;                                            \
	} while (0)
#define FUEL_AFTER_CALL(length)                                    \
	do {                                                       \
		exec->fuel -= (length);                            \
		if (exec->fuel < 0 && !code_holds(exec->code, pc)) \
			goto stop;                                 \
	} while (0)

/* --- families --- */
#define ALU_FORM(name, type, second, result)                  \
	HANDLER(name)                                         \
	{                                                     \
		const type a = (type)DST, b = (type)(second); \
		(void)a;                                      \
		DST = (type)(result);                         \
		NEXT;                                         \
	}
#define DO_ALU(name, op, is_signed, result)        \
	ALU_FORM(name##64_k, u64, pc->imm, result) \
	ALU_FORM(name##64_x, u64, SRC, result)     \
	ALU_FORM(name##32_k, u32, pc->imm, result) \
	ALU_FORM(name##32_x, u32, SRC, result)

#define DO_UNARY(name, result)     \
	HANDLER(name)              \
	{                          \
		const u64 a = SRC; \
		DST = (result);    \
		NEXT;              \
	}

#define JUMP_FORM(name, type, second, condition)              \
	HANDLER(name)                                         \
	{                                                     \
		const type a = (type)DST, b = (type)(second); \
		const bool taken = (condition);               \
		JUMP_TAKEN(taken);                            \
		if (taken) {                                  \
			JUMP_BY(pc->jump);                    \
			GO;                                   \
		}                                             \
		NEXT;                                         \
	}
#define DO_JUMP(name, op, condition)                            \
	JUMP_FORM(name##64_k, u64, (s64)pc->operand, condition) \
	JUMP_FORM(name##64_x, u64, SRC, condition)              \
	JUMP_FORM(name##32_k, u32, pc->operand, condition)      \
	JUMP_FORM(name##32_x, u32, SRC, condition)

#define DO_LOAD(name, mode, size, type)                                     \
	HANDLER(name)                                                       \
	{                                                                   \
		const u64 address = SRC + pc->off;                          \
		ACCESS(address, sizeof(type), false);                       \
		DST = (u64)(s64) * (const mem_##type *)u64_to_ptr(address); \
		NEXT;                                                       \
	}

#define STORE_FORM(name, type, stored)                               \
	HANDLER(name)                                                \
	{                                                            \
		const u64 address = DST + pc->off;                   \
		ACCESS(address, sizeof(type), true);                 \
		*(mem_##type *)u64_to_ptr(address) = (type)(stored); \
		NEXT;                                                \
	}
#define DO_STORE(bits, size, type)       \
	STORE_FORM(stx##bits, type, SRC) \
	STORE_FORM(st##bits, type, pc->imm)

/* Without the old value nothing is ordered, with it everything is, as on Linux. */
#define ATOMIC_FORM(name, operation, type)                                                     \
	HANDLER(name##_mem##type)                                                              \
	{                                                                                      \
		const u64 address = DST + pc->off;                                             \
		ATOMIC_ACCESS(address, sizeof(u##type));                                       \
		__atomic_fetch_##operation((u##type *)u64_to_ptr(address), (u##type)SRC,       \
					   __ATOMIC_RELAXED);                                  \
		NEXT;                                                                          \
	}                                                                                      \
	HANDLER(fetch_##name##type)                                                            \
	{                                                                                      \
		const u64 address = DST + pc->off;                                             \
		ATOMIC_ACCESS(address, sizeof(u##type));                                       \
		SRC = __atomic_fetch_##operation((u##type *)u64_to_ptr(address), (u##type)SRC, \
						 __ATOMIC_SEQ_CST);                            \
		NEXT;                                                                          \
	}
#define DO_ATOMIC(name, op)         \
	ATOMIC_FORM(name, name, 64) \
	ATOMIC_FORM(name, name, 32)

#define EXCHANGE_FORM(type)                                                             \
	HANDLER(xchg##type)                                                             \
	{                                                                               \
		const u64 address = DST + pc->off;                                      \
		ATOMIC_ACCESS(address, sizeof(u##type));                                \
		SRC = __atomic_exchange_n((u##type *)u64_to_ptr(address), (u##type)SRC, \
					  __ATOMIC_SEQ_CST);                            \
		NEXT;                                                                   \
	}                                                                               \
	HANDLER(cmpxchg##type)                                                          \
	{                                                                               \
		const u64 address = DST + pc->off;                                      \
		u##type expected = (u##type)reg[BPF_REG_0];                             \
		ATOMIC_ACCESS(address, sizeof(u##type));                                \
		__atomic_compare_exchange_n((u##type *)u64_to_ptr(address), &expected,  \
					    (u##type)SRC, false, __ATOMIC_SEQ_CST,      \
					    __ATOMIC_SEQ_CST);                          \
		reg[BPF_REG_0] = expected;                                              \
		NEXT;                                                                   \
	}

#define ORDERED_FORM(type)                                                                     \
	HANDLER(load_acquire##type)                                                            \
	{                                                                                      \
		const u64 address = SRC + pc->off;                                             \
		ATOMIC_ACCESS(address, sizeof(u##type));                                       \
		DST = __atomic_load_n((const u##type *)u64_to_ptr(address), __ATOMIC_ACQUIRE); \
		NEXT;                                                                          \
	}                                                                                      \
	HANDLER(store_release##type)                                                           \
	{                                                                                      \
		const u64 address = DST + pc->off;                                             \
		ATOMIC_ACCESS(address, sizeof(u##type));                                       \
		__atomic_store_n((u##type *)u64_to_ptr(address), (u##type)SRC,                 \
				 __ATOMIC_RELEASE);                                            \
		NEXT;                                                                          \
	}

#define CALL_HELPER                                                              \
	(((helper_fn *)u64_to_ptr((u64)pc->imm))(reg[BPF_REG_1], reg[BPF_REG_2], \
						 reg[BPF_REG_3], reg[BPF_REG_4], \
						 reg[BPF_REG_5], exec->run))

#define ENTER_FRAME                                                          \
	do {                                                                 \
		frame->ret = pc + 1;                                         \
		frame->code = exec->code;                                    \
		frame->prog = exec->run->prog;                               \
		memcpy(frame->saved, &reg[BPF_REG_6], sizeof(frame->saved)); \
		frame->fp = reg[BPF_REG_10];                                 \
		frame++;                                                     \
		reg[BPF_REG_10] -= pc->off;                                  \
	} while (0)

/* --- the function --- */
#ifdef __clang__
/* clang needs minutes for these checks of jumps from anywhere to anywhere; gcc makes them. */
__attribute__((no_sanitize("undefined")))
#endif
u64 INTERPRET(struct executor *exec, const struct code_insn *pc, u64 fp, const u64 args[5])
{
	static const void *const handlers[] = {
#define ALU(name, ...)                                                                \
	[OP_##name##64_k] = &&do_##name##64_k, [OP_##name##64_x] = &&do_##name##64_x, \
	[OP_##name##32_k] = &&do_##name##32_k, [OP_##name##32_x] = &&do_##name##32_x,
#define JUMP(name, ...)                                                               \
	[OP_##name##64_k] = &&do_##name##64_k, [OP_##name##64_x] = &&do_##name##64_x, \
	[OP_##name##32_k] = &&do_##name##32_k, [OP_##name##32_x] = &&do_##name##32_x,
#define UNARY(name, ...) [OP_##name] = &&do_##name,
#define LOAD(name, ...)	 [OP_##name] = &&do_##name,
#define STORE(bits, ...) [OP_stx##bits] = &&do_stx##bits, [OP_st##bits] = &&do_st##bits,
#define ATOMIC(name, ...)                                                                     \
	[OP_##name##_mem64] = &&do_##name##_mem64, [OP_##name##_mem32] = &&do_##name##_mem32, \
	[OP_fetch_##name##64] = &&do_fetch_##name##64,                                        \
	[OP_fetch_##name##32] = &&do_fetch_##name##32,
#define CONTROL(name) [OP_##name] = &&do_##name,
#include "run/ops.def"
#ifdef WITH_FUSED
#define FUSED_NAME(name) [FUSED_##name] = &&fused_##name,
#include "run/fused_names.h"
#endif
	};
	u64 reg[MAX_BPF_REG];
	const struct frame *outermost;
	struct frame *frame;

	if (!exec)
		return ptr_to_u64(handlers);
	outermost = frame = exec->frame;
	for (int i = 0; i < 5; i++)
		reg[BPF_REG_1 + i] = args[i];
	reg[BPF_REG_10] = fp;
	GO;

#define ALU    DO_ALU
#define UNARY  DO_UNARY
#define JUMP   DO_JUMP
#define LOAD   DO_LOAD
#define STORE  DO_STORE
#define ATOMIC DO_ATOMIC
#include "run/ops.def"
	EXCHANGE_FORM(64)
	EXCHANGE_FORM(32)
	ORDERED_FORM(8)
	ORDERED_FORM(16)
	ORDERED_FORM(32)
	ORDERED_FORM(64)

	HANDLER(masked_add)
	{
		const bool in_dst = pc->off & MASKED_DST;
		const u64 offset = in_dst ? DST : SRC, pointer = in_dst ? SRC : DST;
		const u64 masked = offset_masked(offset, pc->imm, pc->off);

		MASK_CHECK(offset, masked);
		DST = pointer + masked;
		NEXT;
	}
	HANDLER(masked_sub)
	{
		const u64 masked = offset_masked(SRC, pc->imm, pc->off);

		MASK_CHECK(SRC, masked);
		DST -= masked;
		NEXT;
	}
	HANDLER(barrier)
	{
		SPECULATION_BARRIER;
		goto *handlers[pc->op];
	}
	HANDLER(round)
	{
		ROUND;
		if (code_needs_barrier(exec->code, (u32)(pc - exec->code->insns)))
			SPECULATION_BARRIER;
		goto *handlers[pc->op];
	}
	HANDLER(ld_imm64)
	{
		DST = (u64)pc->imm;
		pc += 2;
		GO;
	}
	HANDLER(ja)
	{
		JUMP_BY(pc->jump);
		GO;
	}
	HANDLER(may_goto)
	{
		if (!exec->may_goto_left) {
			JUMP_BY(pc->jump);
			GO;
		}
		exec->may_goto_left--;
		NEXT;
	}
	HANDLER(ldx_probe)
	{
		reg[pc->dst] = probe_load(SRC + pc->off, pc->imm);
		NEXT;
	}
	HANDLER(arena_access)
	{
		arena_access(u64_to_ptr((u64)pc->imm), reg);
		NEXT;
	}
	HANDLER(arena_user)
	{
		DST = arena_user_address(SRC, (u64)pc->imm);
		NEXT;
	}
	HANDLER(call_helper)
	{
		reg[BPF_REG_0] = CALL_HELPER;
		AFTER_HELPER;
		NEXT;
	}
	HANDLER(call_iterator)
	{
		exec->frame = frame;
		exec->fp = reg[BPF_REG_10] - pc->off;
		reg[BPF_REG_0] = CALL_HELPER;
		AFTER_HELPER;
		NEXT;
	}
	HANDLER(call_site)
	{
		exec->frame = frame;
		exec->fp = reg[BPF_REG_10] - pc->off;
		exec->run->site = u64_to_ptr((u64)pc->imm);
		reg[BPF_REG_0] =
			exec->run->site->body(reg[BPF_REG_1], reg[BPF_REG_2], reg[BPF_REG_3],
					      reg[BPF_REG_4], reg[BPF_REG_5], exec->run);
		AFTER_HELPER;
		NEXT;
	}
	HANDLER(throw)
	{
		/* A tail call of a subprogram has left another program's frames below. */
		while (frame > outermost && frame[-1].code == exec->code)
			reg[BPF_REG_10] = (--frame)->fp;
		reg[BPF_REG_0] = reg[BPF_REG_1];
		if (!exec->code->exception)
			goto exit_frame;
		pc = exec->code->exception;
		GO;
	}
	HANDLER(call_local)
	{
		CALLED(pc->operand);
		FRAME_CHECK;
		ENTER_FRAME;
		JUMP_BY(pc->jump);
		GO;
	}
	HANDLER(call_global)
	{
		const struct prog *extension = extension_of(exec->code, (u32)pc->operand);

		CALLED(code_length(exec->code, (u32)pc->operand));
		FRAME_CHECK;
		ENTER_FRAME;
		if (likely(!extension)) {
			JUMP_BY(pc->jump);
			GO;
		}
		exec->extended = exec->run->prog;
		exec->run->prog = extension;
		exec->code = extension->code;
		pc = exec->code->insns;
		GO;
	}
	HANDLER(exit)
	{
exit_frame:
		if (frame == outermost)
			return reg[BPF_REG_0];
		frame--;
		memcpy(&reg[BPF_REG_6], frame->saved, sizeof(frame->saved));
		reg[BPF_REG_10] = frame->fp;
		pc = frame->ret;
		exec->code = frame->code;
		exec->run->prog = frame->prog;
		GO;
	}
	HANDLER(tail_call)
	{
		const struct prog *next =
			tail_call_target(exec->run, reg[BPF_REG_2], reg[BPF_REG_3]);

		if (!next)
			NEXT;
		exec->run->prog = next;
		exec->code = prog_code_of(next);
		pc = exec->code->insns;
		GO;
	}
	HANDLER(ld_abs)
	{
		PACKET_CHECK;
		if (packet_load(exec->run, u64_to_ptr(reg[BPF_REG_6]), pc->imm, pc->off,
				&reg[BPF_REG_0]))
			NEXT;
		reg[BPF_REG_0] = 0;
		goto exit_frame;
	}
	HANDLER(ld_ind)
	{
		PACKET_CHECK;
		if (packet_load(exec->run, u64_to_ptr(reg[BPF_REG_6]), (s32)(SRC + pc->imm),
				pc->off, &reg[BPF_REG_0]))
			NEXT;
		reg[BPF_REG_0] = 0;
		goto exit_frame;
	}
	HANDLER(dead)
	{
		DEAD_CODE;
		return 0;
	}
#ifdef WITH_FUSED
#include "run/fused_handlers.h"
#endif
	STOP_LABEL
}
