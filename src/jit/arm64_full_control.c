/* SPDX-License-Identifier: BSD-2-Clause */
/* The full tier's frames, jumps, calls and limits on arm64. */
#include "jit/arm64_full.h"
#include "jit/runtime.h"
#include "jit/unwind.h"
#include "run/run.h"

#include <stddef.h>

/* --- frames: what is saved stands at the end, where the stack pointer is --- */

#define FIRST_KEPT X19
#define LAST_KEPT  X27
#define KEPT_MAX   (LAST_KEPT - FIRST_KEPT + 1)

static u32 kept(const struct full *full, u8 *out)
{
	u32 count = 0;

	for (u8 reg = FIRST_KEPT; reg <= LAST_KEPT; reg++)
		if (full->saved & 1u << reg)
			out[count++] = reg;
	return count;
}

u32 full_frame_bytes(const struct full *full)
{
	return (u32)round_up(full->fn->frame_bytes + 8 * full->slots +
				     8 * (u32)__builtin_popcount(full->saved),
			     16);
}

static void note_frame(const struct full *full, struct unwind_function *out)
{
	u8 list[KEPT_MAX];
	const u32 count = kept(full, list);

	out->saved_by = emit_offset(full->emit) - out->start;
	out->first_saved = -(s32)full_frame_bytes(full) + 8 * (s32)count - 8;
	for (u32 i = count; i-- > 0;)
		out->saved[out->saved_cnt++] = list[i];
}

static void move_kept(struct full *full, struct a64_op pair, struct a64_op single)
{
	u8 list[KEPT_MAX];
	const u32 count = kept(full, list);

	for (u32 i = 0; i < count; i += 2)
		if (i + 1 < count)
			a64_pair(full->emit, pair, list[i], list[i + 1], SP, 8 * (s32)i);
		else
			a64_memory(full->emit, single, list[i], a64_at(SP, 8 * (s32)i));
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
	a64_pair(emit, a64_stp_pre, X29, X30, SP, -16);
	a64_imm12(emit, a64_add_imm, W64, X29, SP, 0);
	if (bytes && a64_is_imm12(bytes)) {
		a64_imm12(emit, a64_sub_imm, W64, SP, SP, bytes);
	} else if (bytes) {
		a64_imm12(emit, a64_sub_imm, W64, SP, SP, bytes & 0xfff000);
		a64_imm12(emit, a64_sub_imm, W64, SP, SP, bytes & 0xfff);
	}
	move_kept(full, a64_stp, a64_store64);
	note_frame(full, unwind);
	full_take_arguments(full);
}

void full_leave_frame(struct full *full)
{
	if (full->has_no_frame)
		return;
	move_kept(full, a64_ldp, a64_load64);
	if (full_frame_bytes(full))
		a64_imm12(full->emit, a64_add_imm, W64, SP, X29, 0);
	a64_pair(full->emit, a64_ldp_post, X29, X30, SP, 16);
}

void full_leave(struct full *full)
{
	full_leave_frame(full);
	a64_reg(full->emit, a64_ret, X30);
}

/* --- jumps --- */

static void go(struct full *full, u32 block)
{
	block = full_target(full, block);
	full->is_wanted[block] = true;
	if (!full_is_next(full, block))
		full_jump_to(full, a64_far(full->emit, a64_b), block);
}

/* A way to jump if something holds, or if it does not: by flags, or by a register that is 0 or
 * has a bit. */
struct test {
	enum { BY_FLAGS, BY_ZERO, BY_BIT } kind;
	machine_condition taken; /* BY_ZERO: EQ; BY_BIT: NE, the bit is set */
	machine_width width;
	u8 reg, bit;
};

static u32 jump_by(struct full *full, const struct test *test, bool is_wanted)
{
	const machine_condition taken = (machine_condition)(test->taken ^ !is_wanted);

	switch (test->kind) {
	case BY_FLAGS: return arm64_jump_if(full->base, taken);
	case BY_ZERO:
		return arm64_jump_if_zero(full->base, taken == A64_EQ, test->width, test->reg);
	case BY_BIT: break;
	}
	return a64_bit(full->emit, taken == A64_EQ ? a64_tbz : a64_tbnz, test->reg, test->bit);
}

static void go_if(struct full *full, const struct test *test, const u32 *succ)
{
	u32 yes = full_target(full, succ[0]), no = full_target(full, succ[1]);

	/* The way back is the one that is taken more often. */
	if (full_is_next(full, yes) || (!full_is_next(full, no) && full->is_made[no])) {
		full_jump_to(full, jump_by(full, test, false), no);
		go(full, yes);
		return;
	}
	full_jump_to(full, jump_by(full, test, true), yes);
	go(full, no);
}

/* Functions of so few values have no jump that reaches too far for a test of one bit. */
#define BIT_VALUES_MAX 800

/* Compares that are one instruction with the jump. */
static bool is_test_of_register(const struct full *full, const struct ir_insn *insn, struct test *out)
{
	const machine_width width = full_width(insn);
	u64 number;

	if (!full_in_reg(full, insn->a) || !arm64_number_of(full, insn->b, width, &number))
		return false;
	*out = (struct test){.taken = arm64_condition((enum ir_cond)insn->cond),
			     .width = width,
			     .reg = (u8)full->place[insn->a]};
	switch (insn->cond) {
	case IR_EQ:
	case IR_NE: out->kind = BY_ZERO; return !number;
	case IR_UGT: /* than 0 */
		out->kind = BY_ZERO;
		out->taken = A64_NE;
		return !number;
	default: break;
	}
	out->kind = BY_BIT;
	if (full->base->is_large || full->fn->insn_cnt > BIT_VALUES_MAX)
		return false;
	switch (insn->cond) {
	case IR_ANY:
	case IR_NONE:
		if (!is_power_of_two(number))
			return false;
		out->bit = (u8)__builtin_ctzll(number);
		return true;
	case IR_SLT:
	case IR_SGE:
		out->bit = arm64_bits(width) - 1;
		out->taken = insn->cond == IR_SLT ? A64_NE : A64_EQ;
		return !number;
	default: return false;
	}
}

bool full_is_small_sum(const struct full *full, const struct ir_insn *insn)
{
	u64 number;

	return !insn->scale && arm64_number_of(full, insn->b, full_width(insn), &number) &&
	       (a64_is_imm12(number) || a64_is_imm12(-number));
}

void full_small_sum(struct full *full, ir_ref at)
{
	full_pure(full, at);
}

/* Once: the other edge's moves would see the registers as they are then. */
static bool move_early(struct full *full, const u32 *succ, u32 registers)
{
	return full_move_early(full, succ[0], succ[1], registers) ||
	       full_move_early(full, succ[1], succ[0], registers);
}

/* A test of a register comes behind what is moved early: what changes the register needs flags. */
static void branch(struct full *full, const struct ir_insn *insn)
{
	const u32 *succ = full->fn->blocks[insn->block].succ;
	struct test test;

	if (is_test_of_register(full, insn, &test) &&
	    (move_early(full, succ, 1u << test.reg) || !full_may_move_early(full, succ))) {
		go_if(full, &test, succ);
		return;
	}
	test = (struct test){.kind = BY_FLAGS};
	test.taken = full_compare(full, (enum ir_cond)insn->cond, (enum ir_width)insn->width,
				  insn->a, insn->b);
	move_early(full, succ, 0);
	go_if(full, &test, succ);
}

static void may_goto(struct full *full, const struct ir_insn *insn)
{
	const machine_mem left = a64_at(REG_EXEC, offsetof(struct executor, may_goto_left));
	const u32 *succ = full->fn->blocks[insn->block].succ;
	struct emit *emit = full->emit;

	a64_memory(emit, a64_load32, S1, left);
	full_jump_to(full, arm64_jump_if_zero(full->base, true, W32, S1),
		     full_target(full, succ[0]));
	a64_imm12(emit, a64_sub_imm, W32, S1, S1, 1);
	a64_memory(emit, a64_store32, S1, left);
	go(full, succ[1]);
}

void full_leave_way(struct full *full, ir_ref at, u32 block, bool when_taken)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	const machine_condition taken = full_compare(full, (enum ir_cond)insn->cond,
						     (enum ir_width)insn->width, insn->a, insn->b);

	full->is_entered[block] = true;
	full_jump_to(full,
		     arm64_jump_if(full->base, when_taken ? taken : (machine_condition)(taken ^ 1)),
		     full_target(full, block));
}

static void jump(struct full *full, u32 block)
{
	u32 target = full->fn->blocks[block].succ[0];

	full_phi_moves(full, block);
	if (full_thread(full, block, &target))
		full->is_entered[target] = true;
	go(full, target);
}

static void ret(struct full *full, const struct ir_insn *insn)
{
	full_load(full, X0, W64, insn->a);
	full_leave(full);
}

/* --- calls --- */

static void load_packet(struct full *full, ir_ref at)
{
	const struct ir_insn *insn = ir_at(full->fn, at);
	struct emit *emit = full->emit;
	struct full_moves moves = {.count = 2, .list = {{X1, insn->a, 0}, {X2, insn->b, 0}}};
	u32 there;

	full_move_all(full, &moves);
	a64_mov_imm(emit, X3, (u64)insn->imm);
	a64_mov(emit, W64, X0, REG_EXEC);
	base_call(full->base, runtime_packet_load);
	there = a64_near_reg(emit, a64_cbnz, W64, X1);
	a64_mov_imm(emit, X0, 0);
	full_leave(full);
	a64_land(emit, there);
	full_done(full, at, X0);
}

static void slot(struct full *full, ir_ref at)
{
	const u8 reg = full_result(full, at);

	arm64_load_slot(full->base, reg);
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
