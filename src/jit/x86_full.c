/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of x86-64, as the full tier has them. */
#include "jit/full.h"

/* The shortest codes first; what must be saved last. */
const u8 full_preferred[] = {RAX, RCX, RDX, RSI, RDI, R8, R9, R10, RBX, R13, R14, R15, R12};
const u32 full_preferred_cnt = ARRAY_SIZE(full_preferred);

bool full_has_bmi2(void)
{
	return __builtin_cpu_supports("bmi2");
}

/* Where a kernel has its arguments, and its result. */
#define KERNEL_CLOBBERS \
	(1u << RAX | 1u << RCX | 1u << RDX | 1u << RSI | 1u << RDI | 1u << R8 | 1u << R9)

u32 full_clobbers(const struct full *full, const struct ir_insn *insn)
{
	switch (insn->op) {
	case IR_call:
	case IR_call_map:
	case IR_find:
	case IR_call_site:
	case IR_call_local:
	case IR_call_global:
	case IR_tail_call:
	case IR_packet_load:
	case IR_probe: return CALLER_SAVED;
	case IR_udiv:
	case IR_sdiv:
	case IR_umod:
	case IR_smod:
	case IR_mulhi: return 1u << RAX | 1u << RDX;
	case IR_shl:
	case IR_shr:
	case IR_sar:
		return ir_is_const(full->fn, ir_value(full->fn, insn->b)) || full_has_bmi2()
			       ? 0
			       : 1u << RCX;
	case IR_rotl:
		return ir_is_const(full->fn, ir_value(full->fn, insn->b)) ? 0 : 1u << RCX;
	case IR_reduce: return KERNEL_CLOBBERS;
	case IR_fetch:
	case IR_cmpxchg: return 1u << RAX;
	default: return 0;
	}
}

/* A tail call asks for its way by a stub that has a frame of its own. */
bool full_calls(const struct full *full, const struct ir_insn *insn)
{
	return insn->op != IR_tail_call && full_clobbers(full, insn) == CALLER_SAVED;
}

u32 full_forbids(const struct full *full, const struct ir_insn *insn)
{
	return insn->op == IR_fetch || insn->op == IR_cmpxchg ? 1u << RAX : 0;
}

/* That of 32 bits with a sign, which ir_hoist() knows. */
ir_has_room *const full_has_room = NULL;

void full_fuse(struct ir_function *fn)
{
}
