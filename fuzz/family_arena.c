/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of the arena: allocated, or anywhere. */
#include "fuzz/generator.h"

#define TO_ARENA 1	   /* of addr_space_cast: from address space 1 to 0 */
#define TO_USER	 (1 << 16) /* and back */
#define ANY_NODE (-1)

static void emit_cast(struct generator *gen, u8 dst, u8 src, s32 spaces)
{
	emit(gen, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, BPF_ADDR_SPACE_CAST, spaces);
}

static void emit_pages(struct generator *gen)
{
	emit_map(gen, BPF_REG_1, chance(gen, 99) ? GENERATED_ARENA : GENERATED_ARRAY);
	if (chance(gen, 30)) {
		emit_mov(gen, BPF_REG_0, pick_number(gen));
		return;
	}
	emit_const(gen, BPF_REG_2, 0);
	emit_const(gen, BPF_REG_3, 1 + (s32)below(gen, 2));
	emit_const(gen, BPF_REG_4, ANY_NODE);
	emit_const(gen, BPF_REG_5, 0);
	emit_kfunc(gen, GENERATED_bpf_arena_alloc_pages);
	if (chance(gen, 50))
		emit_jump(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, STEP_OF_EXIT);
}

static void emit_free(struct generator *gen)
{
	emit_map(gen, BPF_REG_1, GENERATED_ARENA);
	emit_mov(gen, BPF_REG_2, BPF_REG_9);
	emit_const(gen, BPF_REG_3, 1);
	emit_kfunc(gen, GENERATED_bpf_arena_free_pages);
}

static void emit_arithmetic(struct generator *gen)
{
	static const u8 ops[] = {BPF_ADD, BPF_SUB, BPF_AND, BPF_OR, BPF_XOR, BPF_LSH, BPF_MUL};
	u8 op = ops[below(gen, chance(gen, 80) ? 2 : ARRAY_SIZE(ops))];
	u8 class = chance(gen, 90) ? BPF_ALU64 : BPF_ALU;

	if (chance(gen, 50))
		emit(gen, class | op | BPF_K, BPF_REG_2, 0, 0, (s32)below(gen, 32));
	else
		emit(gen, class | op | BPF_X, BPF_REG_2, BPF_REG_7, 0, 0);
}

/* r9: the address as the program keeps it, r2: as it is used. */
void step_arena(struct generator *gen)
{
	gen->out->is_deterministic = false;
	emit_pages(gen);
	emit_mov(gen, BPF_REG_9, BPF_REG_0);
	emit_const(gen, BPF_REG_0, 0);
	emit_numbers(gen, BPF_REG_1);
	if (chance(gen, 95))
		emit_cast(gen, BPF_REG_2, BPF_REG_9, TO_ARENA);
	else
		emit_mov(gen, BPF_REG_2, BPF_REG_9);
	for (u32 i = 1 + below(gen, 3); i > 0; i--) {
		if (chance(gen, 40))
			emit_arithmetic(gen);
		if (chance(gen, 20))
			emit_mov(gen, BPF_REG_3, BPF_REG_2);
		access_memory(gen, BPF_REG_2, chance(gen, 80) ? 8 * (s32)below(gen, 8) : 4096);
	}
	if (chance(gen, 40))
		emit_cast(gen, BPF_REG_9, BPF_REG_2, TO_USER);
	emit_const(gen, BPF_REG_2, 0);
	if (chance(gen, 30))
		emit_free(gen);
	emit_const(gen, BPF_REG_0, pick_imm(gen));
	emit_const(gen, BPF_REG_9, pick_imm(gen));
	emit_numbers(gen, BPF_REG_1);
}
