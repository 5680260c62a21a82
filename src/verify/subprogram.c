/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of the program's own functions, and the way out of them and of the program. */
#include "verify/attach.h"
#include "verify/global.h"
#include "verify/kfunc.h"
#include "verify/memory.h"
#include "verify/precision.h"
#include "verify/prune.h"
#include "verify/sections.h"

#include <stdio.h>

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
	return section_prove_left(walk, "BPF_EXIT instruction in main prog",
				  walk->state.frame_cnt == 1);
}

#define ENDS_TEXT 64

/* The ends of a range that are known: Linux leaves the others out. */
static const char *known_ends(const struct scalar *number, char *out)
{
	int length = 0;

	*out = '\0';
	if (number->smin > INT64_MIN)
		length = snprintf(out, ENDS_TEXT, " smin=%lld", number->smin);
	if (number->smax < INT64_MAX)
		snprintf(out + length, ENDS_TEXT - length, " smax=%lld", number->smax);
	return out;
}

static int prove_result_range(struct walk *walk, u32 regno, const char *place, s64 least,
			      s64 most)
{
	const struct reg_state *result = walk_reg(walk, regno);
	const struct scalar *number = &result->number;
	char kind[REG_KIND_TEXT], ends[ENDS_TEXT];

	if (result->kind != REG_SCALAR)
		return reject(walk, result_not_number, place, regno,
			      reg_kind_text(result, kind));
	precision_need(walk, 1u << regno);
	if (number->smin >= least && number->smax <= most)
		return 0;
	if (number->smin == INT64_MIN && number->smax == INT64_MAX)
		return reject(walk, result_unknown, place, regno, least, most);
	return reject(walk, result_range, place, regno, known_ends(number, ends), least, most);
}

/* What a host's hook is given is an int, whatever the other half of the register has. */
static bool fits_int(struct walk *walk, u32 regno, const struct ret_range *range)
{
	const struct reg_state *result = walk_reg(walk, regno);

	if (!walk->attach.host_hook || result->kind != REG_SCALAR)
		return false;
	precision_need(walk, 1u << regno);
	return result->number.smin32 >= range->low && result->number.smax32 <= range->high;
}

static int prove_readable(struct walk *walk, u32 regno)
{
	if (walk_reg(walk, regno)->kind == REG_NOT_INIT)
		return reject(walk, not_initialised, regno);
	return 0;
}

/* A function called by a helper says whether to go on, a timer's nothing, a task's any int. */
static int prove_callback_result(struct walk *walk, enum callback_kind callback)
{
	int ret = prove_readable(walk, BPF_REG_0);

	if (ret)
		return ret;
	if (walk_reg(walk, BPF_REG_0)->kind == REG_STACK && callback == CALLBACK_NOW)
		return reject(walk, stack_returned);
	if (callback == CALLBACK_NOW)
		return prove_result_range(walk, BPF_REG_0, "callback return", 0, 1);
	if (callback == CALLBACK_TASK)
		return prove_result_range(walk, BPF_REG_0, "async callback return", INT32_MIN,
					  INT32_MAX);
	return prove_result_range(walk, BPF_REG_0, "async callback return", 0, 0);
}

/* Functions that attach to what returns nothing need not set r0. */
static bool returns_nothing(const struct walk *walk)
{
	const struct attach *attach = &walk->attach;

	return attach->proto && !attach->proto->type &&
	       (attach->ops || (walk->input->type == BPF_PROG_TYPE_LSM &&
				walk->input->attach_type != BPF_LSM_CGROUP));
}

/* A member of a structure may give the kernel a reference. */
static bool returns_reference(const struct walk *walk, const struct reg_state *result)
{
	const struct attach *attach = &walk->attach;
	const struct btf_type *type;
	u32 id = attach->ops ? btf_resolve(attach->btf, attach->proto->type) : 0;

	if (!id || result->kind != REG_BTF || !result->ref_id || result->btf != attach->btf)
		return false;
	type = btf_type(attach->btf, id);
	return btf_kind(type) == BTF_KIND_PTR &&
	       btf_resolve(attach->btf, type->type) == result->type_id && !result->off;
}

static int prove_program_result(struct walk *walk, u32 regno)
{
	struct ret_range range = attach_ret_range(walk);
	int ret;

	if (returns_nothing(walk) || returns_reference(walk, walk_reg(walk, regno)))
		return 0;
	ret = prove_readable(walk, regno);
	if (ret)
		return ret;
	if (walk_hides_pointer(walk, walk_reg(walk, regno)))
		return reject(walk, leak_as_result);
	if (!range.checked || fits_int(walk, regno, &range))
		return 0;
	return prove_result_range(walk, regno, "program exit", range.low, range.high);
}

/* Of a global function, which is walked on its own: its callers take any number. */
static int prove_global_result(struct walk *walk)
{
	const struct reg_state *result = walk_reg(walk, BPF_REG_0);
	char kind[REG_KIND_TEXT];
	int ret = prove_readable(walk, BPF_REG_0);

	if (ret)
		return ret;
	if (walk_hides_pointer(walk, result))
		return reject(walk, leak_as_result);
	if (result->kind != REG_SCALAR)
		return reject(walk, subprogram_result, reg_kind_text(result, kind));
	return 0;
}

/* The walk is of the program itself, not of a function alone. */
static bool is_in_program(const struct walk *walk)
{
	const struct frame *first = &walk->state.frames[0];

	return !first->subprog && first->callback == CALLBACK_NONE;
}

int prove_cookie(struct walk *walk)
{
	return is_in_program(walk) ? prove_program_result(walk, BPF_REG_1) : 0;
}

int prove_result(struct walk *walk)
{
	const struct frame *frame = state_top(&walk->state);
	bool is_exception_callback = walk->cfg.subprogs[frame->subprog].is_exception_callback;

	if (frame->callback != CALLBACK_NONE)
		return prove_callback_result(walk, frame->callback);
	if (walk->state.frame_cnt == 1)
		return is_in_program(walk) || is_exception_callback
			       ? prove_program_result(walk, BPF_REG_0)
			       : prove_global_result(walk);
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
		prune_widen(walk, walk->next, PRUNE_ANY_POSITION);
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
	here = walk_save(walk);
	if (!here)
		return -ENOMEM;
	reg_set_scalar(walk_reg(walk, BPF_REG_0), result);
	ret = state_top(&walk->state)->callback == CALLBACK_NONE ? 0 : prove_result(walk);
	ret = ret ? ret : transfer_exit(walk);
	ret = ret ? ret : walk_put_off(walk, walk->next, false);
	walk_restore(walk, here);
	walk->next = next;
	return ret;
}

/* --- LD_ABS and LD_IND leave the program where the packet ends --- */

int prove_packet_load(struct walk *walk)
{
	const struct reg_state *reg = walk_reg(walk, BPF_REG_6);
	int ret;

	if (!walk->row->has_ld_abs)
		return reject(walk, ld_abs_type);
	ret = section_prove_left(walk, "BPF_LD_[ABS|IND]", true);
	if (ret)
		return ret;
	if (reg->kind == REG_NOT_INIT)
		return reject(walk, not_initialised, BPF_REG_6);
	if (reg->kind != REG_CTX)
		return reject(walk, ld_abs_context);
	return memory_prove_unmoved(walk, BPF_REG_6);
}
