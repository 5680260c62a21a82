/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynptrs: made of map values, ring buffers and packets, used, given back. */
#include "fuzz/generator.h"

#define BUFFER	   STACK_WRITTEN /* on the stack, for what is read and written */
#define BUFFER_MAX 24
#define RECORD_MAX 40

static void emit_of_value(struct generator *gen)
{
	emit_mov(gen, BPF_REG_1, BPF_REG_8);
	if (chance(gen, 60)) {
		emit_const(gen, BPF_REG_2,
			   1 + (s32)below(gen, GENERATED_VALUE + chance(gen, 10)));
	} else {
		bound(gen, BPF_REG_7, GENERATED_VALUE);
		emit_mov(gen, BPF_REG_2, BPF_REG_7);
	}
	emit_const(gen, BPF_REG_3, 0);
	emit_frame(gen, BPF_REG_4, SLOT_DYNPTR);
	emit_helper(gen, BPF_FUNC_dynptr_from_mem);
}

static void emit_of_record(struct generator *gen)
{
	emit_map(gen, BPF_REG_1, GENERATED_RING);
	emit_const(gen, BPF_REG_2, 1 + (s32)below(gen, RECORD_MAX));
	emit_const(gen, BPF_REG_3, 0);
	emit_frame(gen, BPF_REG_4, SLOT_DYNPTR);
	emit_helper(gen, BPF_FUNC_ringbuf_reserve_dynptr);
}

static void emit_of_packet(struct generator *gen)
{
	emit_mov(gen, BPF_REG_1, BPF_REG_6);
	emit_const(gen, BPF_REG_2, 0);
	emit_frame(gen, BPF_REG_3, SLOT_DYNPTR);
	emit_kfunc(gen, gen->out->type == BPF_PROG_TYPE_XDP ? GENERATED_bpf_dynptr_from_xdp
							    : GENERATED_bpf_dynptr_from_skb);
}

static s32 pick_slot(struct generator *gen)
{
	return chance(gen, 90) ? SLOT_DYNPTR : SLOT_CLONE;
}

/* An offset: of the start, or unknown. */
static void emit_offset(struct generator *gen, u8 reg)
{
	if (chance(gen, 70))
		emit_const(gen, reg, (s32)below(gen, 16));
	else
		emit_mov(gen, reg, BPF_REG_7);
}

static void emit_copy(struct generator *gen, bool is_write)
{
	s32 slot = pick_slot(gen), length = 1 + (s32)below(gen, BUFFER_MAX);
	u8 first = is_write ? BPF_REG_3 : BPF_REG_1;

	if (chance(gen, 70)) {
		emit_const(gen, first + 1, length);
	} else {
		bound(gen, BPF_REG_9, BUFFER_MAX);
		emit_mov(gen, first + 1, BPF_REG_9);
	}
	emit_frame(gen, first, BUFFER);
	emit_frame(gen, is_write ? BPF_REG_1 : BPF_REG_3, slot);
	emit_offset(gen, is_write ? BPF_REG_2 : BPF_REG_4);
	emit_const(gen, BPF_REG_5, 0);
	emit_helper(gen, is_write ? BPF_FUNC_dynptr_write : BPF_FUNC_dynptr_read);
}

/* Memory of a constant length, or NULL. */
static void emit_memory(struct generator *gen)
{
	s32 length = 1 + (s32)below(gen, BUFFER_MAX);
	bool is_slice = chance(gen, 50), may_write = chance(gen, 50);

	emit_frame(gen, BPF_REG_1, pick_slot(gen));
	emit_offset(gen, BPF_REG_2);
	emit_const(gen, is_slice ? BPF_REG_4 : BPF_REG_3, length);
	if (is_slice) {
		emit_frame(gen, BPF_REG_3, BUFFER);
		emit_kfunc(gen, may_write ? GENERATED_bpf_dynptr_slice_rdwr
					  : GENERATED_bpf_dynptr_slice);
	} else {
		emit_helper(gen, BPF_FUNC_dynptr_data);
	}
	if (chance(gen, 93))
		emit_jump(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, STEP_OF_EXIT);
	emit_numbers(gen, BPF_REG_1);
	access_bytes(gen, BPF_REG_0, (s32)below(gen, (u32)length), BPF_B);
	emit_const(gen, BPF_REG_0, 0);
}

static void emit_change(struct generator *gen)
{
	emit_frame(gen, BPF_REG_1, pick_slot(gen));
	switch (below(gen, 5)) {
	case 0:
		emit_offset(gen, BPF_REG_2);
		emit_const(gen, BPF_REG_3, (s32)below(gen, RECORD_MAX));
		emit_kfunc(gen, GENERATED_bpf_dynptr_adjust);
		break;
	case 1: emit_kfunc(gen, GENERATED_bpf_dynptr_size); break;
	case 2: emit_kfunc(gen, GENERATED_bpf_dynptr_is_null); break;
	case 3:
		emit_frame(gen, BPF_REG_2, SLOT_CLONE);
		emit_kfunc(gen, GENERATED_bpf_dynptr_clone);
		break;
	default:
		emit_const(gen, BPF_REG_2, (s32)below(gen, 8));
		emit_const(gen, BPF_REG_3, (s32)below(gen, BUFFER_MAX));
		emit_const(gen, BPF_REG_4, pick_imm(gen));
		emit_kfunc(gen, GENERATED_bpf_dynptr_memset);
		break;
	}
}

static void emit_use(struct generator *gen)
{
	switch (below(gen, 10)) {
	case 0:
	case 1: emit_copy(gen, false); break;
	case 2:
	case 3: emit_copy(gen, true); break;
	case 4:
	case 5: emit_memory(gen); break;
	case 6:
		if (chance(gen, 30))
			access_memory(gen, BPF_REG_10, pick_slot(gen) + 8 * (s32)below(gen, 2));
		return;
	case 7: emit_inner_steps(gen, 1); return;
	default: emit_change(gen); break;
	}
	emit_numbers(gen, BPF_REG_1);
}

static void emit_give_back(struct generator *gen)
{
	emit_frame(gen, BPF_REG_1, chance(gen, 95) ? SLOT_DYNPTR : SLOT_CLONE);
	emit_const(gen, BPF_REG_2, 0);
	emit_helper(gen, chance(gen, 50) ? BPF_FUNC_ringbuf_submit_dynptr
					 : BPF_FUNC_ringbuf_discard_dynptr);
	emit_const(gen, BPF_REG_0, 0);
}

void step_dynptr(struct generator *gen)
{
	u32 kind = below(gen, gen->in_callee ? 2 : 3), scope = open_scope(gen);

	if (kind == 0)
		emit_of_value(gen);
	else if (kind == 1)
		emit_of_record(gen);
	else
		emit_of_packet(gen);
	emit_numbers(gen, BPF_REG_1);
	for (u32 i = 1 + below(gen, 4); i > 0; i--)
		emit_use(gen);
	close_scope(gen, scope);
	if (kind == 1 ? chance(gen, 96) : chance(gen, 2))
		emit_give_back(gen);
	if (chance(gen, 4))
		emit_memory(gen);
	emit_const(gen, BPF_REG_0, pick_imm(gen));
	emit_numbers(gen, BPF_REG_1);
	gen->out->is_deterministic &= kind == 0;
}
