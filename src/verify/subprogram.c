/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of the program's own functions, and the way out of them and of the program. */
#include "verify/global.h"
#include "verify/kfunc.h"
#include "verify/memory.h"
#include "verify/precision.h"
#include "verify/prune.h"

/* --- calls --- */

int prove_callee(struct walk *walk)
{
	const struct bpf_insn *insn = walk_insn(walk);
	s32 callee = walk->out->facts[walk->at].callee;

	if (insn_is_kfunc_call(insn))
		return prove_kfunc(walk);
	if (walk->cfg.subprogs[callee].is_global)
		return global_prove_call(walk, (u32)callee);
	if (walk->state.frame_cnt == MAX_FRAMES)
		return reject(walk, frame_depth, walk->state.frame_cnt + 1);
	return 0;
}

static void enter_callee(struct walk *walk, u32 subprog)
{
	struct state *state = &walk->state;
	struct frame *caller = state_top(state);
	struct frame *callee = &state->frames[state->frame_cnt];

	frame_init(callee, walk->at, subprog, state->frame_cnt);
	for (u32 i = BPF_REG_1; i <= BPF_REG_5; i++)
		callee->regs[i] = caller->regs[i];
	for (u32 i = BPF_REG_0; i <= BPF_REG_5; i++)
		reg_set_not_init(&caller->regs[i]);
	state->frame_cnt++;
	walk->next = walk->cfg.subprogs[subprog].start;
}

void transfer_subprog_call(struct walk *walk)
{
	u32 callee = (u32)walk->out->facts[walk->at].callee;

	if (walk->cfg.subprogs[callee].is_global)
		global_transfer_call(walk, callee);
	else
		enter_callee(walk, callee);
}

/* --- exits --- */

int prove_released(struct walk *walk)
{
	const struct state *state = &walk->state;

	if (state->frame_cnt > 1)
		return 0;
	if (state_lock(state))
		return reject(walk, lock_held, "BPF_EXIT instruction in main prog");
	if (state_reference(state))
		return reject(walk, unreleased, state_reference(state)->id,
			      state_reference(state)->insn);
	return 0;
}

static int prove_result_range(struct walk *walk, const char *place, s64 least, s64 most)
{
	const struct reg_state *result = walk_reg(walk, BPF_REG_0);
	const struct scalar *number = &result->number;
	char kind[REG_KIND_TEXT];

	if (result->kind != REG_SCALAR)
		return reject(walk, result_not_number, place, reg_kind_text(result, kind));
	precision_need(walk, 1u << BPF_REG_0);
	if (number->smin >= least && number->smax <= most)
		return 0;
	if (scalar_is_unknown(number))
		return reject(walk, result_unknown, place, least, most);
	return reject(walk, result_range, place, number->smin, number->smax, least, most);
}

/* A function called by a helper says whether to go on, a timer's nothing. */
static int prove_callback_result(struct walk *walk, enum callback_kind callback)
{
	if (walk_reg(walk, BPF_REG_0)->kind == REG_NOT_INIT)
		return reject(walk, not_initialised, BPF_REG_0);
	if (walk_reg(walk, BPF_REG_0)->kind == REG_STACK && callback == CALLBACK_NOW)
		return reject(walk, stack_returned);
	if (callback == CALLBACK_NOW)
		return prove_result_range(walk, "callback return", 0, 1);
	return prove_result_range(walk, "async callback return", 0, 0);
}

static int prove_program_result(struct walk *walk)
{
	const struct reg_state *result = walk_reg(walk, BPF_REG_0);
	struct ret_range range;

	if (result->kind == REG_NOT_INIT)
		return reject(walk, not_initialised, BPF_REG_0);
	if (walk_hides_pointer(walk, result))
		return reject(walk, leak_as_result);
	range = prog_ret_range(walk->input->type, walk->input->attach_type);
	if (!range.checked)
		return 0;
	return prove_result_range(walk, "program exit", range.low, range.high);
}

/* Of a global function, which is walked on its own: its callers take any number. */
static int prove_global_result(struct walk *walk)
{
	const struct reg_state *result = walk_reg(walk, BPF_REG_0);
	char kind[REG_KIND_TEXT];

	if (result->kind == REG_NOT_INIT)
		return reject(walk, not_initialised, BPF_REG_0);
	if (walk_hides_pointer(walk, result))
		return reject(walk, leak_as_result);
	if (result->kind != REG_SCALAR)
		return reject(walk, subprogram_result, reg_kind_text(result, kind));
	return 0;
}

int prove_result(struct walk *walk)
{
	enum callback_kind callback = state_top(&walk->state)->callback;

	if (callback != CALLBACK_NONE)
		return prove_callback_result(walk, callback);
	if (walk->state.frame_cnt == 1)
		return state_top(&walk->state)->subprog ? prove_global_result(walk)
							: prove_program_result(walk);
	if (walk_reg(walk, BPF_REG_0)->kind == REG_STACK)
		return reject(walk, stack_returned);
	return 0;
}

int transfer_exit(struct walk *walk)
{
	struct state *state = &walk->state;
	struct frame *callee = state_top(state);

	if (state->frame_cnt == 1) {
		walk->path_ends = true;
		return 0;
	}
	state->frame_cnt--;
	walk->next = callee->call_site;
	if (callee->callback == CALLBACK_NOW) {
		prune_widen(walk, walk->next, PRUNE_ANY_STEP);
		return 0;
	}
	state_top(state)->regs[BPF_REG_0] = callee->regs[BPF_REG_0];
	walk->next++;
	return 0;
}

int subprogram_may_end(struct walk *walk, struct scalar result)
{
	u32 next = walk->next;
	struct packed_state *here;
	int ret;

	if (walk->state.frame_cnt == 1)
		return 0;
	here = state_pack(&walk->pool, &walk->state, &all_alive);
	if (!here)
		return -ENOMEM;
	reg_set_scalar(walk_reg(walk, BPF_REG_0), result);
	ret = state_top(&walk->state)->callback == CALLBACK_NONE ? 0 : prove_result(walk);
	ret = ret ? ret : transfer_exit(walk);
	ret = ret ? ret : walk_put_off(walk, walk->next, false);
	state_unpack(here, &walk->state);
	state_free(&walk->pool, here);
	walk->next = next;
	return ret;
}

/* --- LD_ABS and LD_IND leave the program where the packet ends --- */

int prove_packet_load(struct walk *walk)
{
	const struct state *state = &walk->state;
	const struct reg_state *reg = walk_reg(walk, BPF_REG_6);

	if (!walk->row->has_ld_abs)
		return reject(walk, ld_abs_type);
	if (state_lock(state))
		return reject(walk, lock_held, "BPF_LD_[ABS|IND]");
	if (state_reference(state))
		return reject(walk, unreleased, state_reference(state)->id,
			      state_reference(state)->insn);
	if (reg->kind == REG_NOT_INIT)
		return reject(walk, not_initialised, BPF_REG_6);
	if (reg->kind != REG_CTX)
		return reject(walk, ld_abs_context);
	return memory_prove_unmoved(walk, BPF_REG_6);
}
