/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A callback may run any number of times, none included. So the walk goes on behind the
 * helper's call, and the callback's body is put off; where it ends, the walk is back at the
 * call with whatever the body changed, and goes on behind the call and into the body again.
 * That ends when a round brings nothing new: numbers that differ from those of the round before
 * and decided nothing are forgotten (prune_widen), and at the call a state that an earlier one
 * covers needs no walk (prune.c). Where the number of rounds is known to be small, it ends that
 * way (bpf_loop).
 *
 * A timer's function runs later, alone: it starts with a frame of its own and no caller.
 */
#include "verify/callback.h"

#include "verify/own.h"
#include "verify/precision.h"
#include "verify/stack_object.h"

#include <string.h>

bool callback_is_later(u32 helper)
{
	return helper == BPF_FUNC_timer_set_callback;
}

int callback_prove(struct walk *walk, u32 helper)
{
	if (!callback_is_later(helper) && walk->state.frame_cnt == MAX_FRAMES)
		return reject(walk, frame_depth, walk->state.frame_cnt + 1);
	return 0;
}

/* --- arguments of callbacks --- */

static void set_map_element(struct frame *frame, const struct map_desc *map)
{
	static const enum reg_kind kinds[] = {REG_MAP, REG_MAP_KEY, REG_MAP_VALUE};

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		reg_set_pointer(&frame->regs[BPF_REG_1 + i], kinds[i]);
		frame->regs[BPF_REG_1 + i].map = map;
	}
}

static void set_memory_area(struct walk *walk, struct reg_state *reg)
{
	reg_set_pointer(reg, REG_BTF);
	reg->btf = walk_kernel(walk);
	reg->type_id = walk_kernel_struct(walk, "vm_area_struct");
}

static void set_arguments(struct walk *walk, const struct frame *caller, struct frame *callee,
			  u32 helper)
{
	struct reg_state *regs = callee->regs;

	switch (helper) {
	case BPF_FUNC_loop:
		reg_set_unknown(&regs[BPF_REG_1]);
		regs[BPF_REG_2] = caller->regs[BPF_REG_3];
		return;
	case BPF_FUNC_find_vma:
		regs[BPF_REG_1] = caller->regs[BPF_REG_1];
		set_memory_area(walk, &regs[BPF_REG_2]);
		regs[BPF_REG_3] = caller->regs[BPF_REG_4];
		return;
	case BPF_FUNC_user_ringbuf_drain:
		reg_set_pointer(&regs[BPF_REG_1], REG_DYNPTR);
		regs[BPF_REG_1].sub = DYNPTR_LOCAL;
		regs[BPF_REG_1].id = walk_new_id(walk);
		regs[BPF_REG_2] = caller->regs[BPF_REG_3];
		return;
	default: break;
	}
	set_map_element(callee, walk->call.map);
	regs[BPF_REG_3].id = walk_new_id(walk);
	regs[BPF_REG_4] = caller->regs[BPF_REG_3];
}

/* --- putting off --- */

int callback_put_off_later(struct walk *walk, const struct map_desc *map,
			   enum callback_kind kind)
{
	struct packed_state *here = walk_save(walk);
	struct subprog *subprog = &walk->cfg.subprogs[walk->call.callback];
	struct state *state = &walk->state;
	int ret;

	if (!here)
		return -ENOMEM;
	subprog->is_callback = subprog->is_async = true;
	state->frame_cnt = 1;
	state->resources = (struct resources){0};
	frame_init(&state->frames[0], 0, walk->call.callback, 0);
	state->frames[0].callback = kind;
	set_map_element(&state->frames[0], map);
	walk_reg(walk, BPF_REG_3)->id = walk_new_id(walk);
	ret = walk_put_off_round(walk, subprog->start); /* it may start itself again */
	walk_restore(walk, here);
	return ret;
}

int callback_put_off_less(struct walk *walk)
{
	struct subprog *subprog = &walk->cfg.subprogs[walk->call.callback];
	struct state *state = &walk->state;
	struct frame *callee = &state->frames[state->frame_cnt];
	int ret;

	if (state->frame_cnt == MAX_FRAMES)
		return reject(walk, frame_depth, walk->state.frame_cnt + 1);
	subprog->is_callback = true;
	frame_init(callee, walk->at, walk->call.callback, state->frame_cnt);
	callee->callback = CALLBACK_NOW;
	graph_set_node(walk, walk->call.field, &callee->regs[BPF_REG_1]);
	graph_set_node(walk, walk->call.field, &callee->regs[BPF_REG_2]);
	state_top(state)->rounds++;
	state->frame_cnt++;
	ret = walk_put_off_round(walk, subprog->start);
	state->frame_cnt--;
	state_top(state)->rounds = 0;
	return ret;
}

static int put_off_round(struct walk *walk, u32 entry, u32 helper)
{
	struct state *state = &walk->state;
	struct frame *caller = state_top(state), *callee = &state->frames[state->frame_cnt];
	int ret;

	frame_init(callee, walk->at, walk->call.callback, state->frame_cnt);
	callee->callback = CALLBACK_NOW;
	set_arguments(walk, caller, callee, helper);
	caller->rounds++;
	state->frame_cnt++;
	ret = walk_put_off_round(walk, entry);
	state->frame_cnt--;
	return ret;
}

/* bpf_loop says how often, by its first argument. */
static int prove_times(struct walk *walk)
{
	const struct reg_state *times = walk_reg(walk, BPF_REG_1);
	char kind[REG_KIND_TEXT];

	if (times->kind != REG_SCALAR)
		return reject(walk, arg_kind, BPF_REG_1, reg_kind_text(times, kind), "scalar");
	precision_need(walk, 1u << BPF_REG_1);
	return 0;
}

static bool may_call_again(struct walk *walk, u32 helper)
{
	return helper != BPF_FUNC_loop ||
	       state_top(&walk->state)->rounds < walk_reg(walk, BPF_REG_1)->number.umax;
}

int callback_put_off(struct walk *walk, u32 helper)
{
	u32 subprog = walk->call.callback, entry = walk->cfg.subprogs[subprog].start;
	int ret = 0;

	if (callback_is_later(helper))
		return callback_put_off_later(walk, walk_reg(walk, BPF_REG_1)->map,
					      CALLBACK_LATER);
	walk->cfg.subprogs[subprog].is_callback = true;
	if (helper == BPF_FUNC_loop)
		ret = prove_times(walk);
	if (!ret && may_call_again(walk, helper))
		ret = put_off_round(walk, entry, helper);
	state_top(&walk->state)->rounds = 0;
	return ret;
}
