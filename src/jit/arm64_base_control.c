/* SPDX-License-Identifier: BSD-2-Clause */
/* The base tier's jumps, calls and frames on arm64. */
#include "jit/arm64_base.h"
#include "jit/runtime.h"
#include "jit/unwind.h"
#include "map/map.h"
#include "run/run.h"

#include <limits.h>
#include <stddef.h>

/* --- frames --- */

/* Registers that a subprogram keeps, from the frame's end up. */
static const u8 kept[] = {BPF_REG_6, BPF_REG_7, BPF_REG_8, BPF_REG_9};

static bool is_used(const struct base *base, u8 reg)
{
	return base->used & 1u << reg;
}

static u32 kept_count(const struct base *base)
{
	u32 count = 0;

	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		count += is_used(base, kept[i]);
	return count;
}

static u32 frame_bytes(const struct base *base)
{
	return (u32)round_up(base->subprog->stack_depth + 8 * kept_count(base), 16);
}

static void move_kept(struct base *base, struct a64_op op)
{
	s32 place = 0;

	for (u32 i = 0; i < ARRAY_SIZE(kept); i++) {
		if (!is_used(base, kept[i]))
			continue;
		a64_memory(&base->emit, op, base_reg[kept[i]], a64_at(SP, place));
		place += 8;
	}
}

/* As C has it, so that stacks can be walked: x29 points to the caller's and the return address.
 * Below it are the program's stack, then what is saved. */
void base_prologue(struct base *base)
{
	struct emit *emit = &base->emit;

	a64_pair(emit, a64_stp_pre, X29, X30, SP, -16);
	a64_imm12(emit, a64_add_imm, W64, X29, SP, 0);
	if (frame_bytes(base))
		a64_imm12(emit, a64_sub_imm, W64, SP, SP, frame_bytes(base));
	move_kept(base, a64_store64);
}

void base_frame(const struct base *base, struct unwind_function *out)
{
	out->first_saved = -(s32)frame_bytes(base) + 8 * (s32)kept_count(base) - 8;
	for (u32 i = ARRAY_SIZE(kept); i-- > 0;)
		if (is_used(base, kept[i]))
			out->saved[out->saved_cnt++] = base_reg[kept[i]];
}

void base_leave_frame(struct base *base)
{
	struct emit *emit = &base->emit;

	move_kept(base, a64_load64);
	a64_imm12(emit, a64_add_imm, W64, SP, X29, 0);
	a64_pair(emit, a64_ldp_post, X29, X30, SP, 16);
}

static void leave(struct base *base)
{
	base_leave_frame(base);
	a64_mov(&base->emit, W64, X0, base_reg[BPF_REG_0]);
	a64_reg(&base->emit, a64_ret, X30);
}

void base_exit(struct base *base, u32 at)
{
	leave(base);
}

/* --- jumps --- */

static u32 target_of(const struct base *base, u32 at)
{
	return at + base->code->insns[at].jump / (s32)sizeof(struct code_insn);
}

static void jump_to(struct base *base, u32 at, u32 target)
{
	base_add(base, &base->jumps, at, target);
}

void base_burn(struct base *base, u32 cost)
{
	const struct a64_mem fuel = a64_at(REG_EXEC, offsetof(struct executor, fuel));
	struct emit *emit = &base->emit;

	a64_memory(emit, a64_load64, S1, fuel);
	if (a64_is_imm12(cost)) {
		a64_imm12(emit, a64_subs_imm, W64, S1, S1, cost);
	} else {
		a64_mov_imm(emit, S2, cost);
		a64_rrr(emit, a64_subs, W64, S1, S1, S2);
	}
	a64_memory(emit, a64_store64, S1, fuel);
}

void base_round(struct base *base, u32 at)
{
	base_burn(base, code_round(base->code, at));
	base_stop_below_0(base);
}

void base_ja(struct base *base, u32 at)
{
	if (target_of(base, at) != at + 1)
		jump_to(base, a64_far(&base->emit, a64_b), target_of(base, at));
}

static bool is_zero_test(const struct base_condition *condition, const struct code_insn *insn)
{
	return !condition->is_test && !condition->is_reg && !insn->operand &&
	       (condition->taken == A64_EQ || condition->taken == A64_NE);
}

void base_jump(struct base *base, u32 at, const struct code_insn *insn,
	       const struct base_condition *condition)
{
	const struct insn_fact *fact = &base->verified->facts[at];

	if (fact->never_taken)
		return;
	if (fact->always_taken) {
		base_ja(base, at);
		return;
	}
	if (is_zero_test(condition, insn)) {
		jump_to(base, arm64_jump_if_zero(base, condition->taken == A64_EQ, condition->width,
						 dst_of(insn)),
			target_of(base, at));
		return;
	}
	if (condition->is_test)
		base_test(base, insn, condition->width, condition->is_reg);
	else
		base_compare(base, insn, condition->width, condition->is_reg);
	jump_to(base, arm64_jump_if(base, condition->taken), target_of(base, at));
}

void base_may_goto(struct base *base, u32 at)
{
	const struct a64_mem left = a64_at(REG_EXEC, offsetof(struct executor, may_goto_left));
	struct emit *emit = &base->emit;

	a64_memory(emit, a64_load32, S1, left);
	jump_to(base, arm64_jump_if_zero(base, true, W32, S1), target_of(base, at));
	a64_imm12(emit, a64_sub_imm, W32, S1, S1, 1);
	a64_memory(emit, a64_store32, S1, left);
}

/* --- calls: r0 is not where C has its result --- */

void base_call_helper(struct base *base, u32 at)
{
	const struct code_insn *insn = &base->code->insns[at];

	if (base_helper_inline(base, at))
		return;
	base_load_run(base, X5);
	base_call(base, u64_to_ptr((u64)insn->imm));
	base_take_result(base);
}

/* The offset is in x2. */
static void packet_load_at_x2(struct base *base, const struct code_insn *insn)
{
	struct emit *emit = &base->emit;
	u32 there;

	a64_mov_imm(emit, X3, (u64)insn->off);
	a64_mov(emit, W64, X1, base_reg[BPF_REG_6]);
	a64_mov(emit, W64, X0, REG_EXEC);
	base_call(base, runtime_packet_load);
	base_take_result(base);
	there = a64_near_reg(emit, a64_cbnz, W64, X1);
	a64_mov_imm(emit, base_reg[BPF_REG_0], 0);
	leave(base);
	a64_land(emit, there);
}

void base_ld_abs(struct base *base, u32 at)
{
	const struct code_insn *insn = &base->code->insns[at];

	base_load_const(base, X2, (u32)insn->imm, S1);
	packet_load_at_x2(base, insn);
}

void base_ld_ind(struct base *base, u32 at)
{
	const struct code_insn *insn = &base->code->insns[at];

	base_load_const(base, S2, (u32)insn->imm, S1);
	a64_rrr(&base->emit, a64_add, W64, X2, S2, src_of(insn));
	packet_load_at_x2(base, insn);
}

/* --- helpers that the code does itself, or whose map's own function it calls --- */

static bool lookup_row(struct base *base, const struct map *map)
{
	struct emit *emit = &base->emit;
	const u8 r0 = base_reg[BPF_REG_0];
	struct map_rows rows;
	u32 beyond;

	if (base->is_blinded || !map_rows(map, &rows) || rows.stride > INT_MAX || rows.slot_stride > INT_MAX)
		return false;
	a64_memory(emit, a64_load32, S1, a64_at(X1, 0));
	a64_mov_imm(emit, r0, 0);
	arm64_compare_const(emit, W32, S1, rows.count, S2);
	beyond = a64_near(emit, A64_HS);
	a64_mov_imm(emit, r0, ptr_to_u64(rows.values));
	a64_mov_imm(emit, S2, rows.stride);
	a64_rrrr(emit, a64_madd, W64, r0, S1, S2, r0);
	if (rows.slot_stride) {
		arm64_load_slot(base, S1);
		a64_mov_imm(emit, S2, rows.slot_stride);
		a64_rrrr(emit, a64_madd, W64, r0, S1, S2, r0);
	}
	a64_land(emit, beyond);
	return true;
}

static bool lookup(struct base *base, const struct map *map)
{
	if (!map || !map->lookup)
		return false;
	if (lookup_row(base, map))
		return true;
	arm64_load_slot(base, X2);
	base_call(base, map->lookup);
	base_take_result(base);
	return true;
}

/* The program sees the result in 64 bits. */
static bool update(struct base *base, const struct map *map)
{
	if (!map || !map->update)
		return false;
	arm64_load_slot(base, X4);
	base_call(base, map->update);
	a64_field(&base->emit, a64_sbfm, W64, base_reg[BPF_REG_0], X0, 0, 31);
	return true;
}

bool base_helper_inline(struct base *base, u32 at)
{
	const struct bpf_insn *insn = &base->verified->insns[at];

	if (insn->src_reg)
		return false;
	switch (insn->imm) {
	case BPF_FUNC_map_lookup_elem: return lookup(base, base_map_of_call(base, at));
	case BPF_FUNC_map_update_elem: return update(base, base_map_of_call(base, at));
	case BPF_FUNC_get_smp_processor_id:
		arm64_load_slot(base, base_reg[BPF_REG_0]);
		return true;
	default: return false;
	}
}
