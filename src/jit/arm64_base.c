/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands before a program on arm64, its registers and its constants. */
#include "jit/arm64_base.h"
#include "jit/runtime.h"
#include "jit/unwind.h"
#include "run/extension.h"
#include "run/run.h"

#include <stddef.h>

const u8 base_reg[MAX_BPF_REG + 1] = {X7, X0, X1, X2, X3, X4, X19, X20, X21, X22, X29, X8};

/* Registers that C's functions keep, in pairs. */
#define KEPT_BY_C 10

/* --- frames: x29 points to the caller's x29 and the return address --- */

static void begin(struct base *base, struct unwind_function *frame, u32 bytes)
{
	struct emit *emit = &base->emit;

	*frame = (struct unwind_function){.start = emit_offset(emit)};
	a64_pair(emit, a64_stp_pre, X29, X30, SP, -16);
	a64_imm12(emit, a64_add_imm, W64, X29, SP, 0);
	if (bytes)
		a64_imm12(emit, a64_sub_imm, W64, SP, SP, bytes);
}

static void end(struct base *base, struct unwind_function *frame)
{
	struct emit *emit = &base->emit;

	a64_imm12(emit, a64_add_imm, W64, SP, X29, 0);
	a64_pair(emit, a64_ldp_post, X29, X30, SP, 16);
	a64_reg(emit, a64_ret, X30);
	frame->end = emit_offset(emit);
}

/* The frame of enter(): where it was entered before, then what C keeps. */
#define ENTER_BYTES (8 * KEPT_BY_C + 16)

static void keep_by_c(struct emit *emit, struct a64_op op)
{
	for (u8 i = 0; i < KEPT_BY_C; i += 2)
		a64_pair(emit, op, X19 + i, X19 + i + 1, SP, ENTER_BYTES - 8 * KEPT_BY_C + 8 * i);
}

static u32 enter_and_return(struct base *base, struct unwind_function *frame)
{
	const struct a64_mem native_sp = a64_at(REG_EXEC, offsetof(struct executor, native_sp));
	struct emit *emit = &base->emit;
	u32 back;

	begin(base, frame, ENTER_BYTES);
	keep_by_c(emit, a64_stp);
	frame->saved_by = emit_offset(emit);
	frame->saved_cnt = KEPT_BY_C;
	frame->first_saved = -8;
	for (u8 i = 0; i < KEPT_BY_C; i++)
		frame->saved[i] = X28 - i;
	a64_mov(emit, W64, REG_EXEC, X1);
	a64_mov(emit, W64, S2, X2);
	a64_mov(emit, W64, S1, X0);
	/* What enters inside of it comes back to it. */
	a64_memory(emit, a64_load64, S3, native_sp);
	a64_memory(emit, a64_store64, S3, a64_at(SP, 0));
	a64_imm12(emit, a64_add_imm, W64, S3, SP, 0);
	a64_memory(emit, a64_store64, S3, native_sp);
	a64_pair(emit, a64_ldp, X0, X1, S1, 0);
	a64_pair(emit, a64_ldp, X2, X3, S1, 16);
	a64_memory(emit, a64_load64, X4, a64_at(S1, 32));
	a64_reg(emit, a64_blr, S2);
	back = emit_offset(emit);
	a64_memory(emit, a64_load64, S3, a64_at(SP, 0));
	a64_memory(emit, a64_store64, S3, native_sp);
	keep_by_c(emit, a64_ldp);
	end(base, frame);
	return back;
}

/* Where a run that has to end comes from wherever it is, with what is left of its fuel at hand
 * or not: out of all frames, with 1. */
static void stop_stub(struct base *base, u32 back)
{
	struct emit *emit = &base->emit;

	base->stop = emit_offset(emit);
	a64_mov_imm(emit, S1, -1ull);
	a64_memory(emit, a64_store64, S1, a64_at(REG_EXEC, offsetof(struct executor, fuel)));
	a64_memory(emit, a64_load64, S1, a64_at(REG_EXEC, offsetof(struct executor, native_sp)));
	a64_imm12(emit, a64_add_imm, W64, SP, S1, 0);
	a64_imm12(emit, a64_add_imm, W64, X29, SP, ENTER_BYTES);
	a64_mov_imm(emit, X0, 1);
	base_aim(base, a64_far(emit, a64_b), back);
}

void base_enter_stub(struct base *base, struct unwind_function *frame)
{
	stop_stub(base, enter_and_return(base, frame));
}

void base_run_stub(struct base *base, struct unwind_function *frame)
{
	struct emit *emit = &base->emit;

	begin(base, frame, 16);
	a64_memory(emit, a64_store64, REG_EXEC, a64_at(SP, 8));
	frame->saved_by = emit_offset(emit) - frame->start;
	frame->saved_cnt = 1;
	frame->saved[0] = REG_EXEC;
	frame->first_saved = -8;
	a64_mov(emit, W64, REG_EXEC, X1);
	base_call_subprog(base, 0);
	a64_memory(emit, a64_load64, REG_EXEC, a64_at(SP, 8));
	end(base, frame);
}

void base_interpret_stub(struct base *base, struct unwind_function *frame)
{
	begin(base, frame, 0);
	a64_mov(&base->emit, W64, X1, REG_EXEC);
	base_call(base, runtime_interpret);
	end(base, frame);
}

void base_extension_stub(struct base *base, struct unwind_function *frame)
{
	struct emit *emit = &base->emit;

	begin(base, frame, 48);
	a64_pair(emit, a64_stp, X0, X1, SP, 0);
	a64_pair(emit, a64_stp, X2, X3, SP, 16);
	a64_memory(emit, a64_store64, X4, a64_at(SP, 32));
	a64_imm12(emit, a64_add_imm, W64, X2, SP, 0);
	a64_mov(emit, W64, X1, S1);
	a64_mov(emit, W64, X0, REG_EXEC);
	base_call(base, extension_run);
	end(base, frame);
}

/* --- constants --- */

void base_load_const(struct base *base, u8 to, u64 value, u8 scratch)
{
	u64 key;

	if (!base_blinds(base, value)) {
		a64_mov_imm(&base->emit, to, value);
		return;
	}
	key = base_blind_key(base);
	if (value == (u32)value)
		key = (u32)key;
	a64_mov_imm(&base->emit, to, value ^ key);
	a64_mov_imm(&base->emit, scratch, key);
	a64_rrr(&base->emit, a64_eor, W64, to, to, scratch);
}

void arm64_add_const(struct emit *emit, machine_width width, u8 d, u8 a, s64 number, u8 scratch)
{
	const u64 size = number < 0 ? -(u64)number : (u64)number;

	if (a64_is_imm12(size)) {
		a64_imm12(emit, number < 0 ? a64_sub_imm : a64_add_imm, width, d, a, (u32)size);
		return;
	}
	a64_mov_imm(emit, scratch, width == W64 ? (u64)number : (u32)number);
	a64_rrr(emit, a64_add, width, d, a, scratch);
}

void arm64_logic_const(struct emit *emit, struct a64_op imm, struct a64_op reg, machine_width width,
		       u8 d, u8 a, u64 number, u8 scratch)
{
	u32 pattern;

	if (a64_is_pattern(number, width, &pattern)) {
		a64_logic(emit, imm, width, d, a, pattern);
		return;
	}
	a64_mov_imm(emit, scratch, width == W64 ? number : (u32)number);
	a64_rrr(emit, reg, width, d, a, scratch);
}

void arm64_compare_const(struct emit *emit, machine_width width, u8 a, s64 number, u8 scratch)
{
	if (number >= 0 && a64_is_imm12((u64)number)) {
		a64_imm12(emit, a64_subs_imm, width, XZR, a, (u32)number);
	} else if (number < 0 && a64_is_imm12(-(u64)number)) {
		a64_imm12(emit, a64_adds_imm, width, XZR, a, (u32)-number);
	} else {
		a64_mov_imm(emit, scratch, width == W64 ? (u64)number : (u32)number);
		a64_rrr(emit, a64_subs, width, XZR, a, scratch);
	}
}

/* --- jumps, in large programs over a far one --- */

u32 arm64_jump_if(struct base *base, machine_condition taken)
{
	struct emit *emit = &base->emit;
	u32 other, jump;

	if (!base->is_large)
		return a64_near(emit, taken);
	other = a64_near(emit, (machine_condition)(taken ^ 1));
	jump = a64_far(emit, a64_b);
	a64_land(emit, other);
	return jump;
}

u32 arm64_jump_if_zero(struct base *base, bool is_zero, machine_width width, u8 reg)
{
	struct emit *emit = &base->emit;
	u32 other, jump;

	if (!base->is_large)
		return a64_near_reg(emit, is_zero ? a64_cbz : a64_cbnz, width, reg);
	other = a64_near_reg(emit, is_zero ? a64_cbnz : a64_cbz, width, reg);
	jump = a64_far(emit, a64_b);
	a64_land(emit, other);
	return jump;
}

void base_stop_below_0(struct base *base)
{
	base_aim(base, arm64_jump_if(base, A64_LT), base->stop);
}

/* --- calls --- */

void base_move(struct base *base, machine_width width, u8 to, u8 from)
{
	/* 32 bits of a register to itself clear the others. */
	if (to != from || width == W32)
		a64_mov(&base->emit, width, to, from);
}

void base_call(struct base *base, const void *function)
{
	struct emit *emit = &base->emit;

	if (base->is_large)
		a64_mov_imm(emit, S1, ptr_to_u64(function));
	else
		base_add(base, &base->pool_uses, a64_literal(emit, S1),
			 base_pool_entry(base, ptr_to_u64(function)));
	a64_reg(emit, a64_blr, S1);
}

void base_call_subprog(struct base *base, u32 index)
{
	base_add(base, &base->calls, a64_far(&base->emit, a64_bl), index);
}

void base_call_replaceable(struct base *base, u32 callee)
{
	struct emit *emit = &base->emit;
	u32 own, done;

	emit->registers |= 1u << REG_EXEC; /* by what stands there */
	a64_mov_imm(emit, S1, ptr_to_u64(&base->code->extensions[callee]));
	a64_memory(emit, a64_load64, S1, a64_at(S1, 0));
	own = a64_near_reg(emit, a64_cbz, W64, S1);
	base_aim(base, a64_far(emit, a64_bl), base->extension);
	done = a64_far(emit, a64_b);
	a64_land(emit, own);
	base_call_subprog(base, callee);
	a64_land(emit, done);
}

void base_load_run(struct base *base, u8 to)
{
	a64_memory(&base->emit, a64_load64, to,
		   a64_at(REG_EXEC, offsetof(struct executor, run)));
}

void arm64_load_slot(struct base *base, u8 to)
{
	base_load_run(base, to);
	a64_memory(&base->emit, a64_load32, to, a64_at(to, offsetof(struct run_context, slot)));
}
