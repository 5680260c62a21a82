/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A callback may run any number of times, none included. So the walk goes on behind the
 * helper's call, and the callback's body is put off; where it ends, the walk is back at the
 * call with whatever the body changed, and goes on behind the call and into the body again.
 * That ends when a round brings nothing new: numbers that differ from those of the round before
 * are forgotten (callback_widen), and at the call a state that an earlier one covers needs no
 * walk (prune.c).
 *
 * A timer's function runs later, alone: it starts with a frame of its own and no caller.
 */
#include "verify/callback.h"

#include "verify/precision.h"

#include <string.h>

int callback_prove(struct walk *walk, u32 helper)
{
	switch (helper) {
	case BPF_FUNC_loop:
	case BPF_FUNC_for_each_map_elem:
		if (walk->state.frame_cnt == MAX_FRAMES)
			return reject(walk, call_depth, walk->state.frame_cnt + 1);
		return 0;
	case BPF_FUNC_timer_set_callback: return 0;
	default: return reject(walk, not_supported, "this helper that calls back");
	}
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

static void set_arguments(struct walk *walk, const struct frame *caller, struct frame *callee,
			  u32 helper)
{
	if (helper == BPF_FUNC_loop) {
		reg_set_unknown(&callee->regs[BPF_REG_1]);
		callee->regs[BPF_REG_2] = caller->regs[BPF_REG_3];
		return;
	}
	set_map_element(callee, walk->call.map);
	callee->regs[BPF_REG_3].id = walk_new_id(walk);
	if (helper == BPF_FUNC_for_each_map_elem)
		callee->regs[BPF_REG_4] = caller->regs[BPF_REG_3];
}

/* --- putting off --- */

static int put_off_timer(struct walk *walk, u32 entry)
{
	static const struct live_set all = {
		.regs = {[0 ... MAX_FRAMES - 1] = 0x3ff},
		.slots = {[0 ... MAX_FRAMES - 1] = ~0ull},
	};
	struct packed_state *here = state_pack(&walk->pool, &walk->state, &all);
	struct state *state = &walk->state;
	int ret;

	if (!here)
		return -ENOMEM;
	state->frame_cnt = 1;
	state->resources = (struct resources){0};
	frame_init(&state->frames[0], 0, walk->call.callback, 0);
	state->frames[0].callback = CALLBACK_LATER;
	set_arguments(walk, NULL, &state->frames[0], BPF_FUNC_timer_set_callback);
	ret = walk_put_off(walk, entry, false);
	state_unpack(here, state);
	state_free(&walk->pool, here);
	return ret;
}

int callback_put_off(struct walk *walk, u32 helper)
{
	struct state *state = &walk->state;
	u32 subprog = walk->call.callback, entry = walk->cfg.subprogs[subprog].start;
	struct frame *callee = &state->frames[state->frame_cnt];
	int ret;

	walk->cfg.subprogs[subprog].is_callback = true;
	if (helper == BPF_FUNC_timer_set_callback)
		return put_off_timer(walk, entry);
	frame_init(callee, walk->at, subprog, state->frame_cnt);
	callee->callback = CALLBACK_NOW;
	set_arguments(walk, state_top(state), callee, helper);
	state->frame_cnt++;
	ret = walk_put_off(walk, entry, false);
	state->frame_cnt--;
	return ret;
}
