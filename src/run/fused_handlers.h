/* SPDX-License-Identifier: BSD-2-Clause */
/* What each superinstruction does: included by the fast build, after interpreter.h's macros. */

#define JUMP_IF(condition)                 \
	do {                               \
		if (condition) {           \
			JUMP_BY(pc->jump); \
			GO;                \
		}                          \
		NEXT;                      \
	} while (0)

/* --- from ops.def --- */
#define MOV_ALU_FORM(name, type, second, result)       \
	fused_mov_##name:                              \
	{                                              \
		const type a = (type)SRC;              \
		pc++;                                  \
		{                                      \
			const type b = (type)(second); \
			(void)a;                       \
			DST = (type)(result);          \
		}                                      \
		NEXT;                                  \
	}
#define FUSED_ALU(name, op, is_signed, result)         \
	MOV_ALU_FORM(name##64_k, u64, pc->imm, result) \
	MOV_ALU_FORM(name##64_x, u64, SRC, result)     \
	MOV_ALU_FORM(name##32_k, u32, pc->imm, result) \
	MOV_ALU_FORM(name##32_x, u32, SRC, result)

#define FUSED_LOAD(name, mode, size, type)                                                \
	fused_mov_add_##name:                                                             \
	{                                                                                 \
		const u64 base = SRC;                                                     \
		pc++;                                                                     \
		{                                                                         \
			const u64 sum = base + SRC;                                       \
			DST = sum;                                                        \
			pc++;                                                             \
			DST = (u64)(s64) * (const mem_##type *)u64_to_ptr(sum + pc->off); \
		}                                                                         \
		NEXT;                                                                     \
	}                                                                                 \
	fused_add_##name:                                                                 \
	{                                                                                 \
		const u64 sum = DST + SRC;                                                \
		DST = sum;                                                                \
		pc++;                                                                     \
		DST = (u64)(s64) * (const mem_##type *)u64_to_ptr(sum + pc->off);         \
		NEXT;                                                                     \
	}

#define ADD_JUMP_FORM(name, type, second, condition)                  \
	fused_add_##name:                                             \
	{                                                             \
		DST += pc->imm;                                       \
		pc++;                                                 \
		{                                                     \
			const type a = (type)DST, b = (type)(second); \
			JUMP_IF(condition);                           \
		}                                                     \
	}
#define FUSED_JUMP(name, op, condition)                             \
	ADD_JUMP_FORM(name##64_k, u64, (s64)pc->operand, condition) \
	ADD_JUMP_FORM(name##64_x, u64, SRC, condition)              \
	ADD_JUMP_FORM(name##32_k, u32, pc->operand, condition)      \
	ADD_JUMP_FORM(name##32_x, u32, SRC, condition)

#define ALU  FUSED_ALU
#define LOAD FUSED_LOAD
#define JUMP FUSED_JUMP
#include "run/ops.def"

/* --- from fused.def --- */
#define SHIFTED(value, operator) ((value) operator(pc->imm &SHIFT_MASK(value)))

#define SHIFT_JOIN_FORM(name, type, shift, join)                               \
	fused_mov_##name:                                                      \
	{                                                                      \
		const type value = (type)SRC;                                  \
		pc++;                                                          \
		{                                                              \
			const type shifted = SHIFTED(value, shift);            \
			pc++;                                                  \
			DST = (type)(shifted join(type) SRC);                  \
		}                                                              \
		NEXT;                                                          \
	}                                                                      \
	fused_##name:                                                          \
	{                                                                      \
		const type value = (type)DST, shifted = SHIFTED(value, shift); \
		pc++;                                                          \
		DST = (type)(shifted join(type) SRC);                          \
		NEXT;                                                          \
	}
#define SHIFT_INTO_FORM(name, type, shift, join)                    \
	fused_##name:                                               \
	{                                                           \
		const type value = (type)SRC;                       \
		pc++;                                               \
		{                                                   \
			const type shifted = SHIFTED(value, shift); \
			DST = shifted;                              \
			pc++;                                       \
			DST = (type)((type)DST join shifted);       \
		}                                                   \
		NEXT;                                               \
	}
#define SHIFT_JOIN(shift, join, shift_operator, join_operator)                       \
	SHIFT_JOIN_FORM(shift##_##join##64, u64, shift_operator, join_operator)      \
	SHIFT_JOIN_FORM(shift##_##join##32, u32, shift_operator, join_operator)      \
	SHIFT_INTO_FORM(shift##_into_##join##64, u64, shift_operator, join_operator) \
	SHIFT_INTO_FORM(shift##_into_##join##32, u32, shift_operator, join_operator)

#define EXTEND_FORM(name, type, result)                               \
	fused_##name:                                                 \
	{                                                             \
		const type value = (type)DST, a = SHIFTED(value, <<); \
		pc++;                                                 \
		DST = (type)(SHIFTED(result, >>));                    \
		NEXT;                                                 \
	}
#define EXTENDED_rsh(a)	 a
#define EXTENDED_arsh(a) SIGNED(a)
#define EXTEND(shift)                                             \
	EXTEND_FORM(extend_##shift##64, u64, EXTENDED_##shift(a)) \
	EXTEND_FORM(extend_##shift##32, u32, EXTENDED_##shift(a))

/* pc is at the move: t = pc->dst, a = pc->src. */
#define ROTATE_FORM(name, type, first, second, into_a)                          \
	fused_##name:                                                           \
	{                                                                       \
		const u32 t = pc->dst, a = pc->src;                             \
		const type value = (type)reg[a];                                \
		const type high = value first((pc[1].imm) & SHIFT_MASK(value)); \
		const type low = value second((pc[2].imm) & SHIFT_MASK(value)); \
		reg[t] = into_a ? high : high | low;                            \
		reg[a] = into_a ? high | low : low;                             \
		pc += 4;                                                        \
		GO;                                                             \
	}
#define ROTATE(first, second, first_operator, second_operator)                           \
	ROTATE_FORM(first##_##second##_a64, u64, first_operator, second_operator, true)  \
	ROTATE_FORM(first##_##second##_a32, u32, first_operator, second_operator, true)  \
	ROTATE_FORM(first##_##second##_t64, u64, first_operator, second_operator, false) \
	ROTATE_FORM(first##_##second##_t32, u32, first_operator, second_operator, false)

#define LOADED(type) (*(const mem_##type *)u64_to_ptr(SRC + pc->off))

#define LOAD_INTO_FORM(name, type, width, join)              \
	fused_##name:                                        \
	{                                                    \
		const type value = LOADED(type);             \
		DST = value;                                 \
		pc++;                                        \
		DST = (width)((width)DST join(width) value); \
		NEXT;                                        \
	}
#define LOAD_INTO(load, type, join, operator)                  \
	LOAD_INTO_FORM(load##_##join##64, type, u64, operator) \
	LOAD_INTO_FORM(load##_##join##32, type, u32, operator)

#define LOAD_MERGE_FORM(name, type, width)                        \
	fused_##name:                                             \
	{                                                         \
		const width value = LOADED(type);                 \
		pc++;                                             \
		{                                                 \
			const width shifted = SHIFTED(value, <<); \
			pc++;                                     \
			DST = shifted | (width)SRC;               \
		}                                                 \
		NEXT;                                             \
	}
#define LOAD_MERGE(load, type)                     \
	LOAD_MERGE_FORM(load##_merge64, type, u64) \
	LOAD_MERGE_FORM(load##_merge32, type, u32)

#define LOAD_JUMP_FORM(name, type, width, operator)              \
	fused_##name:                                            \
	{                                                        \
		const width value = LOADED(type);                \
		DST = value;                                     \
		pc++;                                            \
		JUMP_IF(value operator(width)(s64) pc->operand); \
	}
#define LOAD_JUMP(load, type, jump, operator)                  \
	LOAD_JUMP_FORM(load##_##jump##64, type, u64, operator) \
	LOAD_JUMP_FORM(load##_##jump##32, type, u32, operator)

#define COPY(bits, type)                                          \
	fused_copy##bits:                                         \
	{                                                         \
		const type value = LOADED(type);                  \
		DST = value;                                      \
		pc++;                                             \
		*(mem_##type *)u64_to_ptr(DST + pc->off) = value; \
		NEXT;                                             \
	}
#include "run/fused.def"
