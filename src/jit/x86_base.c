/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands before a program on x86-64, its registers and its constants. */
#include "jit/base.h"
#include "jit/runtime.h"
#include "jit/unwind.h"
#include "run/extension.h"

const u8 base_reg[MAX_BPF_REG + 1] = {RAX, RDI, RSI, RDX, RCX, R8,
				      RBX, R13, R14, R15, RBP, R9};

#define REGS_KEPT_BY_C 5

static const u8 kept_by_c[REGS_KEPT_BY_C] = {RBX, R12, R13, R14, R15};

/* --- what stands before the program --- */

/* u64 enter(args, exec, target): from C into a subprogram. Where the subprogram returns to. */
static u32 enter_and_return(struct base *base, struct unwind_function *frame)
{
	static const u8 argument[] = {RDI, RSI, RDX, RCX, R8};
	const struct x86_mem native_sp = x86_at(REG_EXEC, offsetof(struct executor, native_sp));
	struct emit *emit = &base->emit;
	u32 back;

	x86_push(emit, RBP);
	base_move(base, W64, RBP, RSP);
	for (u32 i = 0; i < REGS_KEPT_BY_C; i++)
		x86_push(emit, kept_by_c[i]);
	*frame = (struct unwind_function){
		.saved_by = emit_offset(emit), .saved_cnt = REGS_KEPT_BY_C, .first_saved = -8};
	memcpy(frame->saved, kept_by_c, sizeof(kept_by_c));
	base_move(base, W64, REG_EXEC, RSI);
	base_move(base, W64, R10, RDX);
	base_move(base, W64, R11, RDI);
	for (u32 i = 0; i < ARRAY_SIZE(argument); i++)
		x86_rm(emit, x86_load, W64, argument[i], x86_at(R11, 8 * (s32)i));
	/* One word more, which aligns the stack: what enters inside of it comes back to it. */
	x86_rm(emit, x86_load, W64, R11, native_sp);
	x86_push(emit, R11);
	x86_rm(emit, x86_store, W64, RSP, native_sp);
	x86_rr(emit, x86_call, W64, 0, R10);
	back = emit_offset(emit);
	x86_pop(emit, R11);
	x86_rm(emit, x86_store, W64, R11, native_sp);
	for (u32 i = REGS_KEPT_BY_C; i-- > 0;)
		x86_pop(emit, kept_by_c[i]);
	x86_pop(emit, RBP);
	x86_ret(emit);
	frame->end = emit_offset(emit);
	return back;
}

/* Where a run that has to end comes from wherever it is, with what is left of its fuel at hand
 * or not: out of all frames, with 1. */
static void stop_stub(struct base *base, u32 back)
{
	struct emit *emit = &base->emit;
	u32 jump;

	base->stop = emit_offset(emit);
	x86_rm(emit, x86_store_imm, W64, 0, x86_at(REG_EXEC, offsetof(struct executor, fuel)));
	emit32(emit, UINT32_MAX);
	x86_rm(emit, x86_load, W64, RSP,
	       x86_at(REG_EXEC, offsetof(struct executor, native_sp)));
	x86_mov_imm(emit, RAX, 1);
	jump = x86_jmp32(emit);
	x86_aim(emit, jump, back);
}

void base_enter_stub(struct base *base, struct unwind_function *frame)
{
	stop_stub(base, enter_and_return(base, frame));
}

/* u64 run(ctx, exec): from C into the program, of which nothing comes back from elsewhere. */
void base_run_stub(struct base *base, struct unwind_function *frame)
{
	struct emit *emit = &base->emit;

	*frame = (struct unwind_function){.start = emit_offset(emit),
					  .saved_cnt = 1,
					  .saved = {REG_EXEC},
					  .first_saved = -8};
	x86_push(emit, RBP);
	base_move(base, W64, RBP, RSP);
	/* The second time for the stack's alignment. */
	x86_push(emit, REG_EXEC);
	x86_push(emit, REG_EXEC);
	frame->saved_by = emit_offset(emit) - frame->start;
	base_move(base, W64, REG_EXEC, RSI);
	base_call_subprog(base, 0);
	x86_pop(emit, REG_EXEC);
	x86_pop(emit, REG_EXEC);
	x86_pop(emit, RBP);
	x86_ret(emit);
	frame->end = emit_offset(emit);
	/* The program itself begins on a line of the processor's caches. */
	x86_align(emit, CACHE_LINE);
}

/* Where a tail call to a program without machine code jumps: r1 is its context. */
void base_interpret_stub(struct base *base, struct unwind_function *frame)
{
	struct emit *emit = &base->emit;

	*frame = (struct unwind_function){.start = emit_offset(emit)};
	x86_push(emit, RBP);
	base_move(base, W64, RBP, RSP);
	base_move(base, W64, RSI, REG_EXEC);
	base_call(base, runtime_interpret);
	x86_pop(emit, RBP);
	x86_ret(emit);
	frame->end = emit_offset(emit);
}

/* Where a call goes whose function is replaced: the extension is in r11. */
void base_extension_stub(struct base *base, struct unwind_function *frame)
{
	static const u8 argument[] = {R8, RCX, RDX, RSI, RDI};
	struct emit *emit = &base->emit;

	*frame = (struct unwind_function){.start = emit_offset(emit)};
	x86_push(emit, RBP);
	base_move(base, W64, RBP, RSP);
	x86_push(emit, RAX); /* aligns the stack */
	for (u32 i = 0; i < ARRAY_SIZE(argument); i++)
		x86_push(emit, argument[i]);
	base_move(base, W64, RDX, RSP);
	base_move(base, W64, RSI, R11);
	base_move(base, W64, RDI, REG_EXEC);
	base_call(base, extension_run);
	x86_leave(emit);
	x86_ret(emit);
	frame->end = emit_offset(emit);
}

/* --- constants --- */

static void of_32_bits(struct base *base, u8 to, enum x86_width width, u32 value)
{
	const u32 key = (u32)base_blind_key(base);

	x86_rr(&base->emit, x86_store_imm, width, 0, to);
	emit32(&base->emit, value ^ key);
	x86_rr(&base->emit, x86_xor_imm32, width, 0, to);
	emit32(&base->emit, key);
}

void base_load_const(struct base *base, u8 to, u64 value, u8 scratch)
{
	u64 key;

	if (!base_blinds(base, value)) {
		x86_mov_imm(&base->emit, to, value);
	} else if (value == (u32)value) {
		of_32_bits(base, to, W32, (u32)value);
	} else if ((s64)value == (s32)value) {
		of_32_bits(base, to, W64, (u32)value);
	} else {
		key = base_blind_key(base);
		x86_mov_imm(&base->emit, to, value ^ key);
		x86_mov_imm(&base->emit, scratch, key);
		x86_rr(&base->emit, x86_xor_store, W64, scratch, to);
	}
}
