/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynptrs: 16 bytes of the stack that stand for memory whose size the kernel keeps. Both slots
 * describe it; `sub` is its kind, `id` names it (its clones have others), `ref_id` is the
 * reference that it and its clones hold. What bpf_dynptr_data() gives is a REG_MEM register
 * with its id as parent.
 */
#include "verify/stack_object.h"

#include "verify/helpers.h"

#include <string.h>

#define DYNPTR_SLOTS 2
#define WHAT	     "dynptr"

static const char *kind_text(enum dynptr_kind kind)
{
	static const char *const text[] = {"", "local", "ringbuf", "skb", "xdp", "skb_meta"};

	return text[kind];
}

static bool is_first_slot(const struct stack_slot *slot)
{
	return !(slot->spilled.flags & REG_SECOND_SLOT);
}

static bool is_dynptr_slot(const struct stack_slot *slot)
{
	return slot->bytes[0] == BYTE_DYNPTR;
}

/* --- a dynptr as argument --- */

int dynptr_prove_place(struct walk *walk, u32 regno)
{
	struct stack_place place;
	int ret;

	if (walk_reg(walk, regno)->kind == REG_DYNPTR)
		return reject(walk, dynptr_not_fresh);
	if (walk_reg(walk, regno)->kind != REG_STACK)
		return reject(walk, dynptr_expected, regno - BPF_REG_1);
	ret = place_find(walk, regno, DYNPTR_SLOTS, WHAT, &place);
	return ret ? ret
		   : dynptr_prove_overwrite(walk, place.frame, walk->access.low,
					    walk->access.low + walk->access.size);
}

/* The dynptr on the stack that the register points to; NULL: there is none. */
static const struct reg_state *find(const struct stack_place *place)
{
	const struct stack_slot *first = place_slot(place, 0), *second = place_slot(place, 1);

	if (!place_is_filled(place, 0, BYTE_DYNPTR) ||
	    !place_is_filled(place, 1, BYTE_DYNPTR) || !is_first_slot(first) ||
	    is_first_slot(second))
		return NULL;
	return &first->spilled;
}

static int prove_on_stack(struct walk *walk, u32 regno, const struct reg_state **out)
{
	struct stack_place place;
	int ret = place_find(walk, regno, DYNPTR_SLOTS, WHAT, &place);

	if (ret)
		return ret;
	*out = find(&place);
	return *out ? 0 : reject(walk, dynptr_not_initialised, regno - BPF_REG_1);
}

int dynptr_prove(struct walk *walk, u32 regno, enum dynptr_kind kind, bool changes)
{
	const struct reg_state *reg = walk_reg(walk, regno), *dynptr = reg;
	int ret;

	if (reg->kind != REG_STACK && reg->kind != REG_DYNPTR)
		return reject(walk, dynptr_expected, regno - BPF_REG_1);
	if (reg->kind == REG_DYNPTR && changes)
		return reject(walk, dynptr_constant);
	ret = reg->kind == REG_STACK ? prove_on_stack(walk, regno, &dynptr) : 0;
	if (ret)
		return ret;
	if (kind != DYNPTR_NONE && dynptr->sub != kind)
		return reject(walk, dynptr_kind, kind_text(kind), regno - BPF_REG_1);
	walk->call.dynptr = *dynptr;
	return 0;
}

int dynptr_prove_release(struct walk *walk, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno), *dynptr;
	struct stack_place place;
	int ret;

	if (reg->kind != REG_STACK)
		return reg->kind == REG_DYNPTR
			       ? reject(walk, dynptr_not_owned)
			       : reject(walk, dynptr_expected, regno - BPF_REG_1);
	ret = place_find(walk, regno, DYNPTR_SLOTS, WHAT, &place);
	if (ret)
		return ret;
	dynptr = find(&place);
	if (!dynptr || !dynptr->ref_id)
		return reject(walk, dynptr_not_acquired, regno);
	return dynptr_prove(walk, regno, DYNPTR_RINGBUF, false);
}

/* --- making and ending --- */

static void put(struct walk *walk, const struct stack_place *place,
		struct reg_state description)
{
	struct reg_state second = description;

	second.flags |= REG_SECOND_SLOT;
	dynptr_overwrite(walk, place->frame, -(s64)(place->slot + 1) * SLOT_BYTES,
			 -(s64)(place->slot - 1) * SLOT_BYTES);
	place_put(walk, place, DYNPTR_SLOTS, BYTE_DYNPTR, &description);
	place_object(place, 1)->spilled = second;
}

int dynptr_make(struct walk *walk, u32 regno, enum dynptr_kind kind)
{
	struct reg_state dynptr;
	struct stack_place place;
	int ret = place_find(walk, regno, DYNPTR_SLOTS, WHAT, &place);

	if (ret)
		return ret;
	reg_set_pointer(&dynptr, REG_DYNPTR);
	dynptr.sub = kind;
	dynptr.id = walk_new_id(walk);
	if (kind == DYNPTR_RINGBUF) {
		dynptr.ref_id = walk_new_id(walk);
		if (!state_acquire(&walk->state,
				   (struct resource){.id = dynptr.ref_id, .insn = walk->at}))
			return reject(walk, too_many_references, RESOURCES_MAX);
	}
	put(walk, &place, dynptr);
	return 0;
}

int dynptr_clone(struct walk *walk, u32 regno)
{
	struct reg_state dynptr = walk->call.dynptr;
	struct stack_place place;
	int ret = place_find(walk, regno, DYNPTR_SLOTS, WHAT, &place);

	if (ret)
		return ret;
	dynptr.id = walk_new_id(walk);
	dynptr.flags = 0;
	dynptr.off = 0;
	put(walk, &place, dynptr);
	return 0;
}

static void forget_slices(struct walk *walk, u32 id)
{
	struct reg_cursor cursor = {0};
	struct reg_state *reg;

	while ((reg = state_next_reg(&walk->state, &cursor)))
		if (reg->kind == REG_MEM && reg->parent_id == id)
			call_forget_pointer(walk, reg);
}

/* Ends the dynptr that slot `index` of the frame is a part of. */
static void end(struct walk *walk, struct frame *frame, u32 index)
{
	u32 first = is_first_slot(&frame->slots[index]) ? index : index + 1;
	u32 id = frame->slots[first].spilled.id;
	struct stack_place place = {frame, first};

	place_clear(&place, DYNPTR_SLOTS);
	forget_slices(walk, id);
}

void dynptr_release(struct walk *walk, u32 regno)
{
	u32 ref_id = walk->call.dynptr.ref_id;

	call_forget_reference(walk, ref_id);
	for (u32 i = 0; i < walk->state.frame_cnt; i++) {
		struct frame *frame = &walk->state.frames[i];

		for (u32 slot = 0; slot < frame->slot_cnt; slot++)
			if (is_dynptr_slot(&frame->slots[slot]) &&
			    frame->slots[slot].spilled.ref_id == ref_id)
				end(walk, frame, slot);
	}
}

/* --- writing over one --- */

static void slots_between(const struct frame *frame, s64 low, s64 high, u32 *first, u32 *last)
{
	*first = (u32)-high / SLOT_BYTES;
	*last = min((u32)(-low - 1) / SLOT_BYTES + 1, frame->slot_cnt);
}

int dynptr_prove_overwrite(struct walk *walk, struct frame *frame, s64 low, s64 high)
{
	u32 first, last;

	slots_between(frame, low, high, &first, &last);
	for (u32 i = first; i < last; i++) {
		const struct stack_slot *slot = &frame->slots[i];

		if (is_dynptr_slot(slot) && slot->spilled.ref_id)
			return reject(walk, dynptr_reference_lost);
	}
	return 0;
}

void dynptr_overwrite(struct walk *walk, struct frame *frame, s64 low, s64 high)
{
	u32 first, last;

	slots_between(frame, low, high, &first, &last);
	for (u32 i = first; i < last; i++)
		if (is_dynptr_slot(&frame->slots[i]))
			end(walk, frame, i);
}
