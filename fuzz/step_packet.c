/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps on the context and on packets. */
#include "fuzz/generator.h"

static void load_packet(struct generator *gen, u8 start, u8 end)
{
	bool is_xdp = gen->out->type == BPF_PROG_TYPE_XDP;

	emit(gen, BPF_LDX | BPF_MEM | BPF_W, start, BPF_REG_6, is_xdp ? 0 : 76, 0);
	emit(gen, BPF_LDX | BPF_MEM | BPF_W, end, BPF_REG_6, is_xdp ? 4 : 80, 0);
}

void step_packet(struct generator *gen)
{
	static const u8 ops[] = {BPF_JGT, BPF_JGE};
	s32 length = 1 + (s32)below(gen, 64), off = (s32)below(gen, (u32)length + 1);
	u8 number = chance(gen, 50) ? BPF_REG_7 : BPF_REG_9;
	bool is_variable = chance(gen, 50);

	if (gen->in_callee || gen->out->type == BPF_PROG_TYPE_SOCKET_FILTER)
		return;
	if (is_variable)
		bound(gen, number, (s32)below(gen, chance(gen, 80) ? 64 : 0xffff));
	load_packet(gen, BPF_REG_2, BPF_REG_3);
	if (is_variable)
		emit(gen, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_2, number, 0, 0);
	emit_mov(gen, BPF_REG_4, BPF_REG_2);
	emit_add(gen, BPF_REG_4, length);
	if (chance(gen, 70))
		emit_jump(gen, BPF_JMP | ops[below(gen, 2)] | BPF_X, BPF_REG_4, BPF_REG_3, 0,
			  STEP_OF_EXIT);
	else
		emit_jump(gen, BPF_JMP | (chance(gen, 50) ? BPF_JLT : BPF_JLE) | BPF_X,
			  BPF_REG_3, BPF_REG_4, 0, STEP_OF_EXIT);
	emit(gen, BPF_LDX | BPF_MEM | pick_size(gen), BPF_REG_0, BPF_REG_2, off & ~7, 0);
	if (chance(gen, 40))
		emit(gen, BPF_LDX | BPF_MEM | pick_size(gen), BPF_REG_0, BPF_REG_4,
		     -(s32)below(gen, (u32)length + 2), 0);
	emit_numbers(gen, BPF_REG_2);
}

void step_context(struct generator *gen)
{
	static const s32 skb_fields[] = {0, 4, 8, 16, 32, 48, 52, 64};
	u8 reg = pick_number(gen);

	if (gen->in_callee)
		return;
	if (gen->out->type == BPF_PROG_TYPE_XDP)
		emit(gen, BPF_LDX | BPF_MEM | BPF_W, reg, BPF_REG_6, chance(gen, 90) ? 16 : 12,
		     0);
	else
		emit(gen, BPF_LDX | BPF_MEM | (chance(gen, 80) ? BPF_W : pick_size(gen)), reg,
		     BPF_REG_6, skb_fields[below(gen, ARRAY_SIZE(skb_fields))], 0);
}
