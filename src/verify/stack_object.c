/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/stack_object.h"

#include "verify/helpers.h"
#include "verify/precision.h"
#include "verify/speculation.h"

#include <string.h>

int place_find(struct walk *walk, u32 regno, u32 slots, const char *what,
	       struct stack_place *out)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	s64 off = (s64)reg->number.bits.value + reg->off;

	if (!scalar_is_const(&reg->number))
		return reject(walk, object_variable_offset, what);
	if (off % SLOT_BYTES || off > -(s64)(slots * SLOT_BYTES) || off < -STACK_BYTES)
		return reject(walk, object_offset, what, (s32)off);
	out->frame = &walk->state.frames[reg->frame];
	out->slot = (u32)(-off - 1) / SLOT_BYTES;
	walk->access = (struct access){.kind = ACCESS_ATOMIC,
				       .object = REG_STACK,
				       .is_fixed = true,
				       .low = off,
				       .high = off,
				       .size = slots * SLOT_BYTES,
				       .frame = (u32)reg->frame};
	return 0;
}

const struct stack_slot *place_slot(const struct stack_place *place, u32 index)
{
	static const struct stack_slot nothing;
	u32 slot = place->slot - index;

	return slot < place->frame->slot_cnt ? &place->frame->slots[slot] : &nothing;
}

struct stack_slot *place_object(const struct stack_place *place, u32 index)
{
	return &place->frame->slots[place->slot - index];
}

bool place_is_filled(const struct stack_place *place, u32 index, enum byte_kind kind)
{
	const struct stack_slot *slot = place_slot(place, index);

	for (u32 i = 0; i < SLOT_BYTES; i++)
		if (slot->bytes[i] != kind)
			return false;
	return true;
}

bool place_is_touched(const struct stack_place *place, u32 index, enum byte_kind kind)
{
	return memchr(place_slot(place, index)->bytes, kind, SLOT_BYTES);
}

void place_put(struct walk *walk, const struct stack_place *place, u32 slots,
	       enum byte_kind kind, const struct reg_state *description)
{
	const struct access access = {.low = -(s64)(place->slot + 1) * SLOT_BYTES,
				      .high = -(s64)(place->slot + 1) * SLOT_BYTES,
				      .size = slots * SLOT_BYTES};

	stack_grow(walk, place->frame, access.low);
	speculation_note_store(walk, place->frame, &access, NULL);
	for (u32 i = 0; i < slots; i++) {
		struct stack_slot *slot = place_object(place, i);

		memset(slot->bytes, kind, SLOT_BYTES);
		slot->spilled = *description;
	}
}

void place_clear(const struct stack_place *place, u32 slots)
{
	for (u32 i = 0; i < slots; i++)
		memset(place_object(place, i)->bytes, BYTE_INVALID, SLOT_BYTES);
}
