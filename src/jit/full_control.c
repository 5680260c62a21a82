/* SPDX-License-Identifier: BSD-2-Clause */
/* The full tier's frames, jumps and calls. */
#include "catalog/ctx.h"
#include "jit/full.h"
#include "jit/runtime.h"
#include "jit/unwind.h"

#include <stddef.h>

const u8 full_argument[5] = {RDI, RSI, RDX, RCX, R8};

/* Saved, in this order, below the frame. */
static const u8 kept[] = {RBX, R13, R14, R15};

static bool is_saved(const struct full *full, u8 reg)
{
	return full->saved & 1u << reg;
}

u32 full_frame_bytes(const struct full *full)
{
	u32 words = 2; /* return address, rbp */

	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		words += is_saved(full, kept[i]);
	return (u32)round_up(full->fn->frame_bytes + 8 * full->slots + 8 * words, 16) -
	       8 * words;
}

static void note_frame(const struct full *full, struct unwind_function *out)
{
	out->saved_by = emit_offset(full->emit) - out->start;
	out->first_saved = -(s32)full_frame_bytes(full) - 8;
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		if (is_saved(full, kept[i]))
			out->saved[out->saved_cnt++] = kept[i];
}

void full_prologue(struct full *full)
{
	struct unwind_function *unwind = base_frame_of(full->base, full->fn->subprog);
	struct emit *emit = full->emit;
	const u32 bytes = full_frame_bytes(full);

	full->has_no_frame = unwind->has_no_frame = !full_needs_frame(full);
	if (full->has_no_frame) {
		full_take_arguments(full);
		return;
	}
	x86_push(emit, RBP);
	base_move(full->base, W64, RBP, RSP);
	if (bytes) {
		x86_rr(emit, x86_sub_imm32, W64, 0, RSP);
		emit32(emit, bytes);
	}
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		if (is_saved(full, kept[i]))
			x86_push(emit, kept[i]);
	note_frame(full, unwind);
	full_take_arguments(full);
}

void full_leave_frame(struct full *full)
{
	if (full->has_no_frame)
		return;
	for (u32 i = ARRAY_SIZE(kept); i-- > 0;)
		if (is_saved(full, kept[i]))
			x86_pop(full->emit, kept[i]);
	x86_leave(full->emit);
}

void full_leave(struct full *full)
{
	full_leave_frame(full);
	x86_ret(full->emit);
}

/* --- jumps --- */

/* Whether the block stands so close before this place that a short jump reaches it. */
static bool is_near(const struct full *full, u32 block)
{
	return full->is_made[block] && x86_is_near(full->emit, full->offset[block]);
}

static void jump_if(struct full *full, enum x86_condition taken, u32 block)
{
	full->is_wanted[block] = true;
	if (is_near(full, block))
		x86_jcc_back(full->emit, taken, full->offset[block]);
	else
		full_jump_to(full, x86_jcc32(full->emit, taken), block);
}

static bool is_next(const struct full *full, u32 block)
{
	return full_is_next(full, block);
}

static void go(struct full *full, u32 block)
{
	block = full_target(full, block);
	full->is_wanted[block] = true;
	if (is_next(full, block))
		return;
	if (is_near(full, block))
		x86_jmp_back(full->emit, full->offset[block]);
	else
		full_jump_to(full, x86_jmp32(full->emit), block);
}

static void go_if(struct full *full, enum x86_condition taken, const u32 *succ)
{
	u32 yes = full_target(full, succ[0]), no = full_target(full, succ[1]);

	/* The way back is the one that is taken more often. */
	if (is_next(full, yes) || (!is_next(full, no) && full->is_made[no])) {
		jump_if(full, taken ^ 1, no);
		go(full, yes);
		return;
	}
	jump_if(full, taken, yes);
	go(full, no);
}

/* lea makes a sum and keeps flags. */
bool full_is_small_sum(const struct full *full, const struct ir_insn *insn)
{
	s32 imm;

	return full_is_imm(full, insn->b, (enum ir_width)insn->width, &imm);
}

void full_small_sum(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);

	x86_rm(full->emit, x86_lea, full_width(insn), (u8)full->place[at],
	       x86_at((u8)full->place[insn->a], (s32)ir_at(full->fn, insn->b)->imm));
}

static void branch(struct full *full, const struct ir_insn *insn)
{
	const u32 *succ = full->fn->blocks[insn->block].succ;
	enum x86_condition taken = full_compare(full, (enum ir_cond)insn->cond,
						(enum ir_width)insn->width, insn->a, insn->b);

	/* Once: the other edge's moves would see the registers as they are then. */
	if (!full_move_early(full, succ[0], succ[1], 0))
		full_move_early(full, succ[1], succ[0], 0);
	go_if(full, taken, succ);
}

static void may_goto(struct full *full, const struct ir_insn *insn)
{
	const struct x86_mem left = x86_at(REG_EXEC, offsetof(struct executor, may_goto_left));
	const u32 *succ = full->fn->blocks[insn->block].succ;
	u32 is_left;

	x86_rm(full->emit, x86_cmp_imm8, W32, 0, left);
	emit8(full->emit, 0);
	is_left = x86_jcc8(full->emit, CC_NE);
	full_jump_to(full, x86_jmp32(full->emit), full_target(full, succ[0]));
	x86_land(full->emit, is_left);
	x86_rm(full->emit, x86_dec, W32, 0, left);
	go(full, succ[1]);
}

void full_leave_way(struct full *full, ir_ref at, u32 block, bool when_taken)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const enum x86_condition taken = full_compare(
		full, (enum ir_cond)insn->cond, (enum ir_width)insn->width, insn->a, insn->b);

	full->is_entered[block] = true;
	jump_if(full, when_taken ? taken : taken ^ 1, full_target(full, block));
}

/* What the function returns when the block's successor does nothing but that; 0: it does more. */
static ir_ref returned(const struct full *full, u32 block)
{
	const struct ir_function *fn = full->fn;
	const u32 succ = fn->blocks[block].succ[0];
	ir_ref at = fn->blocks[succ].first, value;

	while (ir_at(fn, at)->op == IR_phi)
		at = ir_at(fn, at)->next;
	if (ir_at(fn, at)->op != IR_ret)
		return 0;
	value = ir_value(fn, ir_at(fn, at)->a);
	if (ir_at(fn, value)->op == IR_phi && ir_at(fn, value)->block == succ)
		value = ir_value(fn, fn->args[ir_at(fn, value)->args + ir_pred_place(fn, succ, block)]);
	return value;
}

/* A return is shorter than a jump to it, unless there is a frame to leave. */
static void jump(struct full *full, u32 block)
{
	const ir_ref value = full->has_no_frame ? returned(full, block) : 0;
	u32 target = full->fn->blocks[block].succ[0];

	if (value && !is_next(full, full_target(full, target))) {
		full_load(full, RAX, W64, value);
		full_leave(full);
		return;
	}
	full_phi_moves(full, block);
	if (full_thread(full, block, &target))
		full->is_entered[target] = true;
	go(full, target);
}

static void ret(struct full *full, const struct ir_insn *insn)
{
	full_load(full, RAX, W64, insn->a);
	full_leave(full);
}

/* --- calls --- */

/* Bytes in network order at rax + rdx, into rax. */
static void load_big_endian(struct emit *emit, s64 bytes)
{
	const struct x86_mem mem = {.base = RAX, .index = RDX};

	if (bytes == 1) {
		x86_rm(emit, x86_movzx8, W32, RAX, mem);
	} else if (bytes == 2) {
		x86_rm(emit, x86_movzx16, W32, RAX, mem);
		x86_rr(emit, x86_rol_imm8, W16, 0, RAX);
		emit8(emit, 8);
	} else {
		x86_rm(emit, x86_load, W32, RAX, mem);
		x86_bswap(emit, W32, RAX);
	}
}

/* The context is in rsi, the offset in edx: both stay for a call where the bytes are not
 * between data and data_end. */
static void load_packet_here(struct emit *emit, s64 bytes, u32 elsewhere[2])
{
	x86_rm(emit, x86_load, W64, RAX, x86_at(RSI, offsetof(struct skb_ctx, data)));
	x86_rm(emit, x86_load, W64, RCX, x86_at(RSI, offsetof(struct skb_ctx, data_end)));
	x86_rr(emit, x86_load, W32, RDX, RDX);
	x86_rr(emit, x86_test, W32, RDX, RDX);
	elsewhere[0] = x86_jcc8(emit, CC_S);
	x86_rr(emit, x86_sub_load, W64, RCX, RAX);
	x86_rr(emit, x86_sub_load, W64, RCX, RDX);
	x86_rr(emit, x86_cmp_imm8, W64, 0, RCX);
	emit8(emit, (u8)bytes);
	elsewhere[1] = x86_jcc8(emit, CC_L);
	load_big_endian(emit, bytes);
}

static void load_packet(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	struct emit *emit = full->emit;
	struct full_moves moves = {.count = 2, .list = {{RSI, insn->a, 0}, {RDX, insn->b, 0}}};
	u32 elsewhere[2], there, here;

	full_move_all(full, &moves);
	load_packet_here(emit, insn->imm, elsewhere);
	here = x86_jmp8(emit);
	x86_land(emit, elsewhere[0]);
	x86_land(emit, elsewhere[1]);
	x86_mov_imm(emit, RCX, (u64)insn->imm);
	base_move(full->base, W64, RDI, REG_EXEC);
	base_call(full->base, runtime_packet_load);
	x86_rr(emit, x86_test, W64, RDX, RDX);
	there = x86_jcc8(emit, CC_NE);
	x86_mov_imm(emit, RAX, 0);
	full_leave(full);
	x86_land(emit, there);
	x86_land(emit, here);
	full_done(full, at, RAX);
}

static void slot(struct full *full, ir_ref at)
{
	const u8 reg = full_result(full, at);

	base_load_run(full->base, reg);
	x86_rm(full->emit, x86_load, W32, reg, x86_at(reg, offsetof(struct run_context, slot)));
	full_done(full, at, reg);
}

void full_control(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);

	switch (insn->op) {
	case IR_jump: jump(full, insn->block); return;
	case IR_branch: branch(full, insn); return;
	case IR_may_goto: may_goto(full, insn); return;
	case IR_ret: ret(full, insn); return;
	case IR_probe: full_probe(full, at); return;
	case IR_tail_call: full_tail_call(full, insn); return;
	case IR_packet_load: load_packet(full, at); return;
	case IR_slot: slot(full, at); return;
	case IR_find: full_find(full, at); return;
	case IR_fuel:
	case IR_set_fuel:
	case IR_burn:
	case IR_burn_here:
	case IR_blind:
	case IR_mask:
	case IR_barrier: full_limits(full, at); return;
	case IR_call:
	case IR_call_map:
	case IR_call_site:
	case IR_call_global:
	case IR_call_local: full_call(full, at); return;
	default: full->failed = true; return;
	}
}
