/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open-coded iterators: new, then next until it gives NULL, then destroy. Nobody knows how many
 * times next gives something: at each call the walk goes on with NULL, and is put off to go
 * round once more. The loop ends when a round changes nothing (prune.c).
 *
 * Of the slots, the first has the reference; `sub` is whether next gave NULL.
 */
#include "verify/stack_object.h"

#include "verify/helpers.h"
#include "verify/precision.h"
#include "verify/prune.h"
#include "verify/sections.h"

#include <stdio.h>
#include <string.h>

enum { ITERATOR_ACTIVE, ITERATOR_DRAINED };

#define PREFIX	  "bpf_iter_"
#define WHAT_SIZE 64

static const char *type_name(const struct kfunc *kfunc, u32 index)
{
	const char *name = btf_type_name(kfunc->btf, kfunc->arg[index].target_id);

	return strncmp(name, PREFIX, strlen(PREFIX)) ? name : name + strlen(PREFIX);
}

static u32 slot_count(const struct kfunc *kfunc, u32 index)
{
	return (u32)btf_size(kfunc->btf, kfunc->arg[index].target_id) / SLOT_BYTES;
}

static int find_place(struct walk *walk, const struct kfunc *kfunc, u32 index,
		      struct stack_place *out)
{
	return place_find(walk, kfunc_arg_reg(index), slot_count(kfunc, index), "iter", out);
}

static int prove_fresh(struct walk *walk, const struct kfunc *kfunc, u32 index,
		       const struct stack_place *place)
{
	for (u32 i = 0; i < slot_count(kfunc, index); i++)
		if (place_is_touched(place, i, BYTE_ITERATOR))
			return reject(walk, iterator_not_fresh, type_name(kfunc, index), index);
	return dynptr_prove_overwrite(walk, place->frame, walk->access.low,
				      walk->access.low + walk->access.size);
}

static bool is_part(const struct stack_place *place, u32 slot, const struct kfunc *kfunc,
		    u32 index)
{
	const struct reg_state *part = &place_slot(place, slot)->spilled;

	return place_is_filled(place, slot, BYTE_ITERATOR) && !!part->ref_id == !slot &&
	       part->btf == kfunc->btf && part->type_id == kfunc->arg[index].target_id;
}

static int prove_there(struct walk *walk, const struct kfunc *kfunc, u32 index,
		       const struct stack_place *place)
{
	for (u32 i = 0; i < slot_count(kfunc, index); i++) {
		if (place_is_touched(place, i, BYTE_ITERATOR) &&
		    place_slot(place, i)->spilled.flags & REG_UNTRUSTED)
			return reject(walk, iterator_needs_rcu, kfunc->name);
		if (!is_part(place, i, kfunc, index))
			return reject(walk, iterator_not_initialised, type_name(kfunc, index),
				      index);
	}
	walk->call.ref_id = place_slot(place, 0)->spilled.ref_id; /* elements go with it */
	return 0;
}

/* Walking a group's tasks takes a lock that most places may hold already. */
static bool may_walk_tasks(const struct walk *walk)
{
	return walk->input->type == BPF_PROG_TYPE_LSM ||
	       walk->input->attach_type == BPF_TRACE_ITER || walk_may_sleep(walk);
}

int iterator_prove(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	struct stack_place place;
	int ret;

	if (kfunc->row->special == KFUNC_ITER_CSS_TASK_NEW && !may_walk_tasks(walk))
		return reject(walk, iterator_css_task);
	if (walk_reg(walk, kfunc_arg_reg(index))->kind != REG_STACK)
		return reject(walk, iterator_expected, index);
	ret = find_place(walk, kfunc, index, &place);
	if (ret)
		return ret;
	return kfunc_has_flag(kfunc, KF_ITER_NEW) ? prove_fresh(walk, kfunc, index, &place)
						  : prove_there(walk, kfunc, index, &place);
}

static int make(struct walk *walk, const struct kfunc *kfunc, u32 index,
		const struct stack_place *place)
{
	struct reg_state iterator;

	reg_set_pointer(&iterator, REG_ITERATOR);
	iterator.btf = kfunc->btf;
	iterator.type_id = kfunc->arg[index].target_id;
	if (kfunc_has_flag(kfunc, KF_RCU_PROTECTED))
		iterator.flags = section_has_rcu(walk) ? REG_RCU : REG_UNTRUSTED;
	dynptr_overwrite(walk, place->frame, walk->access.low,
			 walk->access.low + walk->access.size);
	place_put(walk, place, slot_count(kfunc, index), BYTE_ITERATOR, &iterator);
	iterator.ref_id = walk_new_id(walk);
	place_object(place, 0)->spilled = iterator;
	if (!state_acquire(&walk->state,
			   (struct resource){.id = iterator.ref_id, .insn = walk->at}))
		return reject(walk, too_many_references, RESOURCES_MAX);
	return 0;
}

int iterator_transfer(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	struct stack_place place;
	int ret = find_place(walk, kfunc, index, &place);

	if (ret)
		return ret;
	if (kfunc_has_flag(kfunc, KF_ITER_NEW))
		return make(walk, kfunc, index, &place);
	if (kfunc_has_flag(kfunc, KF_ITER_DESTROY)) {
		call_forget_reference(walk, place_slot(&place, 0)->spilled.ref_id);
		place_clear(&place, slot_count(kfunc, index));
	}
	if (kfunc_has_flag(kfunc, KF_ITER_NEXT))
		walk->call.iterator = place_object(&place, 0);
	return 0;
}

/* Puts off the path on which next gave one more element. */
static int put_off_round(struct walk *walk)
{
	struct packed_state *here = walk_save(walk);
	struct reg_state *result = walk_reg(walk, BPF_REG_0);
	int ret;

	if (!here)
		return -ENOMEM;
	result->flags &= ~REG_MAY_BE_NULL;
	if (result->kind == REG_BTF)
		result->flags |=
			walk->call.iterator->spilled.flags & REG_RCU ? REG_RCU : REG_TRUSTED;
	prune_widen(walk, walk->at, path_position(walk) - 1);
	ret = walk_put_off_round(walk, walk->next);
	walk_restore(walk, here);
	return ret;
}

int iterator_branch(struct walk *walk)
{
	struct reg_state *iterator = &walk->call.iterator->spilled;
	int ret = iterator->sub == ITERATOR_ACTIVE ? put_off_round(walk) : 0;

	iterator->sub = ITERATOR_DRAINED;
	reg_set_const(walk_reg(walk, BPF_REG_0), 0);
	return ret;
}

bool iterator_goes_on(struct walk *walk)
{
	const struct kfunc *kfunc = insn_fact_kfunc(&walk->out->facts[walk->at]);
	const struct reg_state *reg = walk_reg(walk, BPF_REG_1);
	struct stack_place place;

	if (!kfunc || !kfunc_has_flag(kfunc, KF_ITER_NEXT))
		return true;
	if (reg->kind != REG_STACK || !scalar_is_const(&reg->number))
		return false;
	place.frame = &walk->state.frames[reg->frame];
	place.slot = (u32)(-((s64)reg->number.bits.value + reg->off) - 1) / SLOT_BYTES;
	return place.slot < STACK_SLOTS && place_is_filled(&place, 0, BYTE_ITERATOR) &&
	       place_slot(&place, 0)->spilled.sub == ITERATOR_ACTIVE;
}
