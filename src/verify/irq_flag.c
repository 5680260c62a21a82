/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flags of saved interrupts: 8 bytes of the stack, written by a function that turns interrupts off,
 * read by the one that turns them on again. They nest: the last one saved is restored first, by
 * a function of the same family (`sub`).
 */
#include "verify/stack_object.h"

#include "verify/helpers.h"

enum { FAMILY_NATIVE, FAMILY_LOCK };

static u8 family_of(const struct kfunc *kfunc)
{
	bool is_lock = kfunc->row->special == KFUNC_RES_SPIN_LOCK_IRQSAVE ||
		       kfunc->row->special == KFUNC_RES_SPIN_UNLOCK_IRQRESTORE;

	return is_lock ? FAMILY_LOCK : FAMILY_NATIVE;
}

static const char *family_text(u8 family)
{
	return family == FAMILY_LOCK ? "lock" : "native";
}

static bool saves(const struct kfunc *kfunc)
{
	return kfunc->row->special == KFUNC_LOCAL_IRQ_SAVE ||
	       kfunc->row->special == KFUNC_RES_SPIN_LOCK_IRQSAVE;
}

static int find_place(struct walk *walk, u32 index, struct stack_place *out)
{
	return place_find(walk, kfunc_arg_reg(index), 1, "irq_flag", out);
}

/* The insn at which the resource was acquired. */
static u32 acquired_at(const struct walk *walk, u32 id)
{
	const struct resources *held = &walk->state.resources;

	for (u32 i = 0; i < held->count; i++)
		if (held->all[i].kind == RESOURCE_IRQ && held->all[i].id == id)
			return held->all[i].insn;
	return 0;
}

static int prove_restore(struct walk *walk, const struct kfunc *kfunc, u32 index,
			 const struct stack_place *place)
{
	const struct reg_state *flag = &place_slot(place, 0)->spilled;
	u32 last = walk->state.resources.sections.irq_id;

	if (!place_is_filled(place, 0, BYTE_IRQ_FLAG) || !flag->ref_id)
		return reject(walk, irq_flag_not_initialised, index);
	if (flag->sub != family_of(kfunc))
		return reject(walk, irq_flag_family, family_text(flag->sub),
			      family_text(family_of(kfunc)));
	if (flag->ref_id != last)
		return reject(walk, irq_flag_order, last, acquired_at(walk, last));
	return 0;
}

int irq_flag_prove(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	struct stack_place place;
	int ret;

	if (walk_reg(walk, kfunc_arg_reg(index))->kind != REG_STACK)
		return reject(walk, irq_flag_expected, index);
	ret = find_place(walk, index, &place);
	if (ret)
		return ret;
	if (!saves(kfunc))
		return prove_restore(walk, kfunc, index, &place);
	if (place_is_touched(&place, 0, BYTE_IRQ_FLAG))
		return reject(walk, irq_flag_not_fresh, index);
	return dynptr_prove_overwrite(walk, place.frame, walk->access.low,
				      walk->access.low + walk->access.size);
}

/* The resource that is the innermost now. */
static u32 last_irq(const struct resources *held)
{
	for (u32 i = held->count; i-- > 0;)
		if (held->all[i].kind == RESOURCE_IRQ)
			return held->all[i].id;
	return 0;
}

int irq_flag_transfer(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	struct resources *held = &walk->state.resources;
	struct reg_state flag;
	struct stack_place place;
	int ret = find_place(walk, index, &place);

	if (ret)
		return ret;
	if (!saves(kfunc)) {
		state_release(&walk->state, RESOURCE_IRQ, held->sections.irq_id, NULL);
		held->sections.irq_id = last_irq(held);
		place_clear(&place, 1);
		return 0;
	}
	reg_set_pointer(&flag, REG_IRQ_FLAG);
	flag.sub = family_of(kfunc);
	flag.ref_id = walk_new_id(walk);
	dynptr_overwrite(walk, place.frame, walk->access.low,
			 walk->access.low + walk->access.size);
	place_put(walk, &place, 1, BYTE_IRQ_FLAG, &flag);
	held->sections.irq_id = flag.ref_id;
	if (!state_acquire(&walk->state, (struct resource){.kind = RESOURCE_IRQ,
							   .id = flag.ref_id,
							   .insn = walk->at}))
		return reject(walk, too_many_references, RESOURCES_MAX);
	return 0;
}
