/* SPDX-License-Identifier: BSD-2-Clause */
/* The base tier's jumps, calls and frames. */
#include "jit/base.h"
#include "jit/runtime.h"
#include "jit/unwind.h"

#include <stddef.h>

/* Registers that a subprogram keeps, in the order in which it saves them. */
static const u8 kept[] = {BPF_REG_6, BPF_REG_7, BPF_REG_8, BPF_REG_9};

static bool is_used(const struct base *base, u8 reg)
{
	return base->used & 1u << reg;
}

/* Saved registers and the return address take 8 bytes each: the stack is aligned to 16. */
static u32 frame_bytes(const struct base *base)
{
	u32 words = 2; /* return address, rbp */

	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		words += is_used(base, kept[i]);
	return round_up(base->subprog->stack_depth + 8 * words, 16) - 8 * words;
}

/* As C has it, so that stacks can be walked: rbp points to the caller's and the return address.
 * Below it are the program's stack, then what is saved. */
void base_prologue(struct base *base)
{
	struct emit *emit = &base->emit;
	const u32 bytes = frame_bytes(base);

	x86_push(emit, RBP);
	base_move(base, W64, RBP, RSP);
	if (bytes) {
		x86_rr(emit, x86_sub_imm32, W64, 0, RSP);
		emit32(emit, bytes);
	}
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		if (is_used(base, kept[i]))
			x86_push(emit, base_reg[kept[i]]);
}

void base_frame(const struct base *base, struct unwind_function *out)
{
	out->first_saved = -(s32)frame_bytes(base) - 8;
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		if (is_used(base, kept[i]))
			out->saved[out->saved_cnt++] = base_reg[kept[i]];
}

void base_leave_frame(struct base *base)
{
	for (u32 i = ARRAY_SIZE(kept); i-- > 0;)
		if (is_used(base, kept[i]))
			x86_pop(&base->emit, base_reg[kept[i]]);
	x86_leave(&base->emit);
}

static void leave(struct base *base)
{
	base_leave_frame(base);
	x86_ret(&base->emit);
}

void base_exit(struct base *base, u32 at)
{
	leave(base);
}

void base_call(struct base *base, const void *function)
{
	base_add(base, &base->pool_uses, x86_rip(&base->emit, x86_call, W64, 0),
		 base_pool_entry(base, ptr_to_u64(function)));
}

void base_call_subprog(struct base *base, u32 index)
{
	base_add(base, &base->calls, x86_call32(&base->emit), index);
}

void base_load_run(struct base *base, u8 to)
{
	x86_rm(&base->emit, x86_load, W64, to,
	       x86_at(REG_EXEC, offsetof(struct executor, run)));
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
	x86_rm(&base->emit, x86_sub_imm32, W64, 0,
	       x86_at(REG_EXEC, offsetof(struct executor, fuel)));
	emit32(&base->emit, cost);
}

void base_stop_below_0(struct base *base)
{
	const u32 jump = x86_jcc32(&base->emit, CC_L);

	x86_aim(&base->emit, jump, base->stop);
}

void base_round(struct base *base, u32 at)
{
	base_burn(base, code_round(base->code, at));
	base_stop_below_0(base);
}

void base_ja(struct base *base, u32 at)
{
	if (target_of(base, at) != at + 1)
		jump_to(base, x86_jmp32(&base->emit), target_of(base, at));
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
	if (condition->is_test)
		base_test(base, insn, condition->width, condition->is_reg);
	else
		base_compare(base, insn, condition->width, condition->is_reg);
	jump_to(base, x86_jcc32(&base->emit, condition->taken), target_of(base, at));
}

void base_may_goto(struct base *base, u32 at)
{
	const struct x86_mem left = x86_at(REG_EXEC, offsetof(struct executor, may_goto_left));
	struct emit *emit = &base->emit;

	x86_rm(emit, x86_cmp_imm8, W32, 0, left);
	emit8(emit, 0);
	jump_to(base, x86_jcc32(emit, CC_E), target_of(base, at));
	x86_rm(emit, x86_dec, W32, 0, left);
}

/* --- calls --- */

void base_call_helper(struct base *base, u32 at)
{
	const struct code_insn *insn = &base->code->insns[at];
	const u32 space = base_widen_arguments(base, at);

	if (!base_helper_inline(base, at)) {
		base_load_run(base, R9);
		base_call(base, u64_to_ptr((u64)insn->imm));
	}
	if (space) {
		x86_rr(&base->emit, x86_add_imm32, W64, 0, RSP);
		emit32(&base->emit, space);
	}
}

void base_call_replaceable(struct base *base, u32 callee)
{
	struct emit *emit = &base->emit;
	u32 own, done, place;

	x86_mov_imm(emit, R11, ptr_to_u64(&base->code->extensions[callee]));
	x86_rm(emit, x86_load, W64, R11, x86_at(R11, 0));
	x86_rr(emit, x86_test, W64, R11, R11);
	own = x86_jcc8(emit, CC_E);
	place = x86_call32(emit);
	x86_aim(emit, place, base->extension);
	emit->registers |= 1u << REG_EXEC; /* by what stands there */
	done = x86_jmp8(emit);
	x86_land(emit, own);
	base_call_subprog(base, callee);
	x86_land(emit, done);
}

/* The offset is in edx. */
static void packet_load_at_edx(struct base *base, const struct code_insn *insn)
{
	struct emit *emit = &base->emit;
	u32 there;

	x86_mov_imm(emit, RCX, (u64)insn->off);
	base_move(base, W64, RSI, base_reg[BPF_REG_6]);
	base_move(base, W64, RDI, REG_EXEC);
	base_call(base, runtime_packet_load);
	x86_rr(emit, x86_test, W64, RDX, RDX);
	there = x86_jcc8(emit, CC_NE);
	x86_mov_imm(emit, RAX, 0);
	leave(base);
	x86_land(emit, there);
}

void base_ld_abs(struct base *base, u32 at)
{
	const struct code_insn *insn = &base->code->insns[at];

	base_load_const(base, RDX, (u32)insn->imm, R11);
	packet_load_at_edx(base, insn);
}

void base_ld_ind(struct base *base, u32 at)
{
	const struct code_insn *insn = &base->code->insns[at];

	base_move(base, W64, R10, src_of(insn));
	base_load_const(base, RDX, (u32)insn->imm, R11);
	x86_rr(&base->emit, x86_add_store, W64, R10, RDX);
	packet_load_at_edx(base, insn);
}
