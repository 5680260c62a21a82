/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * States that are kept: what is alive, in one block. Of a register only what is unusual is
 * there: most are numbers of which nothing is known, constants, or pointers to the start of
 * something.
 */
#include "verify/state.h"

#include <stdlib.h>
#include <string.h>

/* --- registers --- */

/* How the number of a register is kept. */
enum number_form {
	NUMBER_ZERO,
	NUMBER_CONST, /* 8 bytes */
	NUMBER_BYTE,  /* any number of this size */
	NUMBER_HALF,
	NUMBER_WORD,
	NUMBER_WIDE,
	NUMBER_OTHER, /* all of it */
};

#define FORM_SHIFT 5 /* above the kind */

/* Which parts of the register follow, in this order. */
enum reg_part {
	PART_SUB = 1 << 0,
	PART_FLAGS = 1 << 1,
	PART_RANGE = 1 << 2,
	PART_OFF = 1 << 3,
	PART_ID = 1 << 4,
	PART_REF_ID = 1 << 5,
	PART_TYPE_ID = 1 << 6,
	PART_WORD = 1 << 7,
};

_Static_assert(REG_KINDS <= 1 << FORM_SHIFT, "a kind and a form fit into a byte");

static const struct scalar *number_of_form(enum number_form form)
{
	return &scalar_of_bytes[1 << (form - NUMBER_BYTE)];
}

static bool is_const_form(const struct scalar *number)
{
	struct scalar constant = scalar_const(number->bits.value);

	return !memcmp(number, &constant, sizeof(constant));
}

static enum number_form form_of(const struct scalar *number)
{
	enum number_form form;

	if (scalar_is_const(number) && is_const_form(number))
		return number->bits.value ? NUMBER_CONST : NUMBER_ZERO;
	switch (number->umax) {
	case UINT8_MAX: form = NUMBER_BYTE; break;
	case UINT16_MAX: form = NUMBER_HALF; break;
	case UINT32_MAX: form = NUMBER_WORD; break;
	case UINT64_MAX: form = NUMBER_WIDE; break;
	default: return NUMBER_OTHER;
	}
	return memcmp(number, number_of_form(form), sizeof(*number)) ? NUMBER_OTHER : form;
}

static u8 *put(u8 *at, const void *data, size_t size)
{
	memcpy(at, data, size);
	return at + size;
}

static const u8 *take(const u8 *at, void *data, size_t size)
{
	memcpy(data, at, size);
	return at + size;
}

static u8 *put_parts(u8 *at, const struct reg_state *reg, u8 parts)
{
	if (parts & PART_SUB)
		at = put(at, &reg->sub, sizeof(reg->sub));
	if (parts & PART_FLAGS)
		at = put(at, &reg->flags, sizeof(reg->flags));
	if (parts & PART_RANGE)
		at = put(at, &reg->range, sizeof(reg->range));
	if (parts & PART_OFF)
		at = put(at, &reg->off, sizeof(reg->off));
	if (parts & PART_ID)
		at = put(at, &reg->id, sizeof(reg->id));
	if (parts & PART_REF_ID)
		at = put(at, &reg->ref_id, sizeof(reg->ref_id));
	if (parts & PART_TYPE_ID)
		at = put(at, &reg->type_id, sizeof(reg->type_id));
	if (parts & PART_WORD)
		at = put(at, &reg->word, sizeof(reg->word));
	return at;
}

static u8 *reg_pack(u8 *at, const struct reg_state *reg)
{
	enum number_form form = form_of(&reg->number);
	u8 parts = (reg->sub ? PART_SUB : 0) | (reg->flags ? PART_FLAGS : 0) |
		   (reg->range ? PART_RANGE : 0) | (reg->off ? PART_OFF : 0) |
		   (reg->id ? PART_ID : 0) | (reg->ref_id ? PART_REF_ID : 0) |
		   (reg->type_id ? PART_TYPE_ID : 0) | (reg->word ? PART_WORD : 0);

	*at++ = (u8)(reg->kind | form << FORM_SHIFT);
	*at++ = parts;
	if (parts)
		at = put_parts(at, reg, parts);
	if (form == NUMBER_CONST)
		return put(at, &reg->number.bits.value, sizeof(reg->number.bits.value));
	return form == NUMBER_OTHER ? put(at, &reg->number, sizeof(reg->number)) : at;
}

static const u8 *take_parts(const u8 *at, u8 parts, struct reg_state *out)
{
	if (parts & PART_SUB)
		at = take(at, &out->sub, sizeof(out->sub));
	if (parts & PART_FLAGS)
		at = take(at, &out->flags, sizeof(out->flags));
	if (parts & PART_RANGE)
		at = take(at, &out->range, sizeof(out->range));
	if (parts & PART_OFF)
		at = take(at, &out->off, sizeof(out->off));
	if (parts & PART_ID)
		at = take(at, &out->id, sizeof(out->id));
	if (parts & PART_REF_ID)
		at = take(at, &out->ref_id, sizeof(out->ref_id));
	if (parts & PART_TYPE_ID)
		at = take(at, &out->type_id, sizeof(out->type_id));
	if (parts & PART_WORD)
		at = take(at, &out->word, sizeof(out->word));
	return at;
}

const u8 *packed_reg(const u8 *at, struct reg_state *out)
{
	enum number_form form = *at >> FORM_SHIFT;
	u8 parts = at[1];
	u64 value = 0;

	memset(out, 0, offsetof(struct reg_state, number));
	out->kind = *at & ((1 << FORM_SHIFT) - 1);
	at += 2;
	if (parts)
		at = take_parts(at, parts, out);
	if (form == NUMBER_OTHER)
		return take(at, &out->number, sizeof(out->number));
	if (form == NUMBER_CONST)
		at = take(at, &value, sizeof(value));
	out->number = form <= NUMBER_CONST ? scalar_const(value) : *number_of_form(form);
	return at;
}

/* --- the pool --- */

const struct live_set all_alive = {
	.regs = {[0 ... MAX_FRAMES - 1] = 0x3ff},
	.slots = {[0 ... MAX_FRAMES - 1] = ~0ull},
};

void state_pool_init(struct state_pool *pool)
{
	arena_init(&pool->arena);
	pool->bytes_used = 0;
	pool->class_cnt = 0;
}

void state_pool_done(struct state_pool *pool)
{
	arena_done(&pool->arena);
}

static void *pool_take(struct state_pool *pool, u32 size_class)
{
	void *block;

	while (pool->class_cnt <= size_class)
		pool->free[pool->class_cnt++] = NULL;
	block = pool->free[size_class];
	pool->bytes_used += (u64)size_class * PACKED_STEP;
	if (block) {
		memcpy(&pool->free[size_class], block, sizeof(void *));
		return block;
	}
	return arena_alloc(&pool->arena, (size_t)size_class * PACKED_STEP);
}

void state_free(struct state_pool *pool, struct packed_state *packed)
{
	u32 size_class = packed->size_class;

	pool->bytes_used -= (u64)size_class * PACKED_STEP;
	memcpy(packed, &pool->free[size_class], sizeof(void *));
	pool->free[size_class] = packed;
}

/* --- packing --- */

/* Which of the frame's slots hold something that is alive. */
static u64 frame_used_slots(const struct frame *frame, u64 live, u64 *spills)
{
	u64 used = 0, written = frame->slot_cnt ? ~0ull >> (STACK_SLOTS - frame->slot_cnt) : 0;

	*spills = 0;
	for (u64 set = live & written; set; set &= set - 1) {
		const struct stack_slot *slot = &frame->slots[__builtin_ctzll(set)];
		u64 kinds;

		memcpy(&kinds, slot->bytes, sizeof(kinds));
		if (!kinds) /* all BYTE_INVALID */
			continue;
		used |= set & -set;
		if (slot_is_described(slot))
			*spills |= set & -set;
	}
	return used;
}

static u16 frame_used_regs(const struct frame *frame, u16 live)
{
	u16 used = 0;

	for (u32 set = live; set; set &= set - 1)
		if (frame->regs[__builtin_ctz(set)].kind != REG_NOT_INIT)
			used |= set & -set;
	return used;
}

static void outline_frame(const struct frame *frame, u16 live_regs, u64 live_slots,
			  struct packed_frame *out)
{
	out->call_site = frame->call_site;
	out->subprog = (u16)frame->subprog;
	out->callback = frame->callback;
	out->slot_cnt = (u8)frame->slot_cnt;
	out->rounds = frame->rounds;
	out->regs = frame_used_regs(frame, live_regs);
	out->slots = frame_used_slots(frame, live_slots, &out->spills);
}

static bool is_linked(const struct state_pool *pool, u32 count, u32 index)
{
	for (u32 i = 0; i < count; i++)
		if (i != index && pool->regs[i]->kind == REG_SCALAR &&
		    pool->regs[i]->id == pool->regs[index]->id)
			return true;
	return false;
}

/* The registers in their order, packed; the end. */
static u8 *pack_regs(struct state_pool *pool, u8 *at, u32 first, u32 last, u32 count,
		     enum pack_how how)
{
	for (u32 i = first; i < last; i++) {
		const struct reg_state *reg = pool->regs[i];
		struct reg_state alone;

		if (how == PACK_FOR_COMPARISON && reg->kind == REG_SCALAR && reg->id &&
		    !is_linked(pool, count, i)) {
			alone = *reg;
			reg_unlink(&alone);
			reg = &alone;
		}
		at = reg_pack(at, reg);
	}
	return at;
}

static u32 list_regs(struct state_pool *pool, u32 count, const struct frame *frame,
		     const struct packed_frame *outline)
{
	for (u32 set = outline->regs; set; set &= set - 1)
		pool->regs[count++] = &frame->regs[__builtin_ctz(set)];
	for (u64 set = outline->spills; set; set &= set - 1)
		pool->regs[count++] = &frame->slots[__builtin_ctzll(set)].spilled;
	return count;
}

/* Fills in the frames' outlines and packs the registers; the length of these. */
static u32 outline_frames(struct state_pool *pool, const struct state *state,
			  const struct live_set *live, enum pack_how how,
			  struct packed_frame *out, u32 *slot_cnt)
{
	u32 count = 0, ends[MAX_FRAMES];
	u8 *at = pool->bytes;

	*slot_cnt = 0;
	for (u32 i = 0; i < state->frame_cnt; i++) {
		outline_frame(&state->frames[i], live->regs[i], live->slots[i], &out[i]);
		*slot_cnt += __builtin_popcountll(out[i].slots);
		ends[i] = count = list_regs(pool, count, &state->frames[i], &out[i]);
	}
	for (u32 i = 0; i < state->frame_cnt; i++) {
		out[i].regs_at = (u16)(at - pool->bytes);
		at = pack_regs(pool, at, i ? ends[i - 1] : 0, ends[i], count, how);
	}
	return (u32)(at - pool->bytes);
}

static void pack_slots(const struct state *state, struct packed_state *out)
{
	for (u32 i = 0; i < out->frame_cnt; i++) {
		u8(*bytes)[SLOT_BYTES] = packed_slots(out, i);

		for (u64 set = packed_frame(out, i)->slots; set; set &= set - 1)
			memcpy(bytes++, state->frames[i].slots[__builtin_ctzll(set)].bytes,
			       SLOT_BYTES);
	}
}

struct packed_state *state_pack(struct state_pool *pool, const struct state *state,
				const struct live_set *live, enum pack_how how)
{
	struct packed_frame outline[MAX_FRAMES];
	const struct resources *resources = &state->resources;
	size_t frames_size = state->frame_cnt * sizeof(outline[0]),
	       resources_size = resources->count * sizeof(struct resource), size;
	u32 slot_cnt, regs_size = outline_frames(pool, state, live, how, outline, &slot_cnt);
	struct packed_state *out;

	size = sizeof(*out) + frames_size + resources_size + slot_cnt * SLOT_BYTES + regs_size;
	size = (size + PACKED_STEP - 1) / PACKED_STEP;
	out = pool_take(pool, (u32)size);
	if (!out)
		return NULL;
	out->size_class = (u16)size;
	out->frame_cnt = (u8)state->frame_cnt;
	out->resource_cnt = (u8)resources->count;
	out->slot_cnt = (u16)slot_cnt;
	out->is_speculative = state->is_speculative;
	out->sections = resources->sections;
	memcpy(out->frames, outline, frames_size);
	memcpy(packed_resources(out), resources->all, resources_size);
	pack_slots(state, out);
	memcpy(packed_regs(out), pool->bytes, regs_size);
	return out;
}

/* --- unpacking --- */

static void unpack_frame(const struct packed_state *packed, u32 index, struct frame *out)
{
	const struct packed_frame *outline = packed_frame(packed, index);
	const u8 *reg = packed_regs(packed) + outline->regs_at;
	u8(*bytes)[SLOT_BYTES] = packed_slots(packed, index);

	frame_start(out, outline->call_site, outline->subprog, index);
	out->callback = outline->callback;
	out->slot_cnt = outline->slot_cnt;
	out->rounds = outline->rounds;
	for (u32 i = 0; i < out->slot_cnt; i++)
		memset(out->slots[i].bytes, BYTE_INVALID, SLOT_BYTES);
	for (u32 i = 0; i < FRAME_REG; i++)
		if (outline->regs >> i & 1)
			reg = packed_reg(reg, &out->regs[i]);
		else
			reg_set_not_init(&out->regs[i]);
	for (u64 set = outline->spills; set; set &= set - 1)
		reg = packed_reg(reg, &out->slots[__builtin_ctzll(set)].spilled);
	for (u64 set = outline->slots; set; set &= set - 1)
		memcpy(out->slots[__builtin_ctzll(set)].bytes, bytes++, SLOT_BYTES);
}

void state_unpack(const struct packed_state *packed, struct state *out)
{
	out->frame_cnt = packed->frame_cnt;
	out->is_speculative = packed->is_speculative;
	out->resources.sections = packed->sections;
	out->resources.count = packed->resource_cnt;
	memcpy(out->resources.all, packed_resources(packed),
	       packed->resource_cnt * sizeof(struct resource));
	for (u32 i = 0; i < packed->frame_cnt; i++)
		unpack_frame(packed, i, &out->frames[i]);
}
