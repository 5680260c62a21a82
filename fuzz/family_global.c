/* SPDX-License-Identifier: BSD-2-Clause */
/* Global functions: what their prototypes promise, and what calls of them give. */
#include "fuzz/generator.h"

static void emit_number(struct generator *gen, u8 reg)
{
	emit_mov(gen, reg, chance(gen, 97) ? BPF_REG_7 : BPF_REG_8);
}

static void emit_pair(struct generator *gen)
{
	switch (below(gen, 8)) {
	case 0: emit_const(gen, BPF_REG_1, 0); break;
	case 1: emit_mov(gen, BPF_REG_1, BPF_REG_9); break;
	case 2:
		gen->out->is_deterministic = false;
		emit_frame(gen, BPF_REG_1, chance(gen, 80) ? -72 : -8);
		break;
	case 3:
	case 4:
		emit_mov(gen, BPF_REG_1, BPF_REG_8);
		emit_add(gen, BPF_REG_1, chance(gen, 80) ? 32 : 40);
		break;
	default: emit_frame(gen, BPF_REG_1, -8 * (2 + (s32)below(gen, 6))); break;
	}
}

static void emit_dynptr(struct generator *gen)
{
	emit_mov(gen, BPF_REG_1, BPF_REG_8);
	emit_const(gen, BPF_REG_2, 16);
	emit_const(gen, BPF_REG_3, 0);
	emit_frame(gen, BPF_REG_4, SLOT_DYNPTR);
	if (chance(gen, 95))
		emit_helper(gen, BPF_FUNC_dynptr_from_mem);
	emit_frame(gen, BPF_REG_1, SLOT_DYNPTR);
}

static enum fuzz_type emit_first(struct generator *gen)
{
	switch (below(gen, 5)) {
	case 0: emit_dynptr(gen); return FUZZ_OF_DYNPTR;
	case 1:
		emit_mov(gen, BPF_REG_1, chance(gen, 97) ? BPF_REG_6 : BPF_REG_8);
		return gen->out->type == BPF_PROG_TYPE_XDP ? FUZZ_OF_XDP : FUZZ_OF_SKB;
	case 2: emit_number(gen, BPF_REG_1); return FUZZ_OF_NUMBERS;
	default: emit_pair(gen); return FUZZ_OF_MEMORY;
	}
}

void step_global(struct generator *gen)
{
	enum fuzz_type func;

	if (gen->in_callee)
		return;
	func = emit_first(gen);
	emit_number(gen, BPF_REG_2);
	if (may_use(gen, func))
		emit_call(gen, func);
	else
		emit_const(gen, BPF_REG_0, 0);
	if (chance(gen, 50))
		emit_mov(gen, chance(gen, 50) ? BPF_REG_7 : BPF_REG_9, BPF_REG_0);
	emit_numbers(gen, BPF_REG_1);
}
