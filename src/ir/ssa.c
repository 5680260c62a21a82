/* SPDX-License-Identifier: BSD-2-Clause */
#include "ir/ssa.h"

#include <stdlib.h>

void ssa_done(struct ssa *ssa)
{
	free(ssa->groups);
	free(ssa->pending);
	arena_done(&ssa->arena);
}

static bool prepare(struct ssa *ssa)
{
	if (!ssa->groups)
		ssa->groups = calloc(ssa->fn->block_cnt, sizeof(*ssa->groups));
	ssa->fn->failed |= !ssa->groups;
	return ssa->groups;
}

/* NULL: nothing is known of any of them. */
static struct ssa_group *find(struct ssa *ssa, u32 block, u32 number)
{
	struct ssa_group **first = &ssa->groups[block], *group = *first;

	if (!group || group->number == number)
		return group;
	for (struct ssa_group **link = &group->next; (group = *link); link = &group->next)
		if (group->number == number) {
			*link = group->next;
			group->next = *first;
			*first = group;
			return group;
		}
	return NULL;
}

static struct ssa_group *new_group(struct ssa *ssa, u32 block, u32 number)
{
	struct ssa_group *group = arena_alloc(&ssa->arena, sizeof(*group));

	if (!group) {
		ssa->fn->failed = true;
		return NULL;
	}
	*group = (struct ssa_group){.next = ssa->groups[block], .number = number};
	ssa->groups[block] = group;
	return group;
}

void ssa_write(struct ssa *ssa, u32 block, u32 variable, ir_ref value)
{
	const u32 number = variable / SSA_GROUP;
	struct ssa_group *group;

	if (!prepare(ssa))
		return;
	group = find(ssa, block, number) ?: new_group(ssa, block, number);
	if (group)
		group->value[variable % SSA_GROUP] = value;
}

static ir_ref known(struct ssa *ssa, u32 block, u32 variable)
{
	const struct ssa_group *group = find(ssa, block, variable / SSA_GROUP);

	return group ? group->value[variable % SSA_GROUP] : 0;
}

static bool add_pending(struct ssa *ssa, ir_ref phi, u32 variable)
{
	if (ssa->pending_cnt == ssa->pending_room) {
		u32 room = 2 * ssa->pending_room + 64;
		struct ssa_pending *grown =
			realloc(ssa->pending, room * sizeof(*ssa->pending));

		if (!grown) {
			ssa->fn->failed = true;
			return false;
		}
		ssa->pending = grown;
		ssa->pending_room = room;
	}
	ssa->pending[ssa->pending_cnt++] = (struct ssa_pending){phi, variable};
	return true;
}

static ir_ref new_phi(struct ssa *ssa, u32 block, u32 variable)
{
	ir_ref phi = ir_new(ssa->fn, &(struct ir_insn){.op = IR_phi, .width = IR_64});

	ir_insert_first(ssa->fn, block, phi);
	return phi && add_pending(ssa, phi, variable) ? phi : 0;
}

ir_ref ssa_read(struct ssa *ssa, u32 block, u32 variable)
{
	const struct ir_block *blocks = ssa->fn->blocks;
	ir_ref value = 0;
	u32 at = block;

	if (!prepare(ssa))
		return 0;
	while (!(value = known(ssa, at, variable)) && blocks[at].pred_cnt == 1)
		at = blocks[at].pred[0];
	if (!value) {
		value = blocks[at].pred_cnt ? new_phi(ssa, at, variable)
					    : ssa->unwritten(ssa, variable);
		ssa_write(ssa, at, variable, value);
	}
	if (at != block)
		ssa_write(ssa, block, variable, value);
	return value;
}

void ssa_finish(struct ssa *ssa)
{
	struct ir_function *fn = ssa->fn;

	for (u32 i = 0; i < ssa->pending_cnt && !fn->failed; i++) {
		const struct ssa_pending pending = ssa->pending[i];
		const u32 block = fn->insns[pending.phi].block;
		const u32 count = fn->blocks[block].pred_cnt, first = ir_new_args(fn, count);

		for (u32 p = 0; p < count && !fn->failed; p++) {
			ir_ref value = ssa_read(ssa, fn->blocks[block].pred[p],
						pending.variable);

			fn->args[first + p] = value;
		}
		fn->insns[pending.phi].args = first;
		fn->insns[pending.phi].arg_cnt = (u16)count;
	}
}
