/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack: which bytes may be read and written, and what they hold afterwards. Offsets are
 * negative, from the top of the frame; byte `off` is in slot (-off - 1) / 8.
 */
#include "verify/helpers.h"
#include "verify/precision.h"
#include "verify/speculation.h"
#include "verify/stack_object.h"

#include <stdio.h>
#include <string.h>

static u32 slot_of(s64 off)
{
	return (u32)(-off - 1) / SLOT_BYTES;
}

static u8 *byte_at(struct frame *frame, s64 off)
{
	u32 slot = slot_of(off);

	return &frame->slots[slot].bytes[off + (s64)(slot + 1) * SLOT_BYTES];
}

static struct frame *frame_of(struct walk *walk, const struct reg_state *reg)
{
	return &walk->state.frames[reg->frame];
}

void stack_grow(struct walk *walk, struct frame *frame, s64 off)
{
	struct subprog *subprog = &walk->cfg.subprogs[frame->subprog];
	u32 depth = (slot_of(off) + 1) * SLOT_BYTES;

	subprog->stack_depth = max(subprog->stack_depth, depth);
	for (u32 want = slot_of(off) + 1; frame->slot_cnt < want; frame->slot_cnt++)
		memset(frame->slots[frame->slot_cnt].bytes, BYTE_INVALID, SLOT_BYTES);
}

/* --- bounds --- */

static const char *access_words(const struct extent *extent)
{
	return extent->access & ACCESS_READ ? " read from" : " write to";
}

static int reject_stack_bounds(struct walk *walk, const struct extent *extent)
{
	const struct reg_state *reg = walk_reg(walk, extent->reg);
	s32 off = reg->off + extent->off;
	char bits[NUMBER_BITS_TEXT];

	if (!scalar_is_const(&reg->number))
		return reject(walk, stack_variable_range, access_words(extent), extent->reg,
			      number_bits_text(&reg->number, bits), off, extent->size);
	return reject(walk, stack_range, access_words(extent), extent->reg,
		      (s32)reg->number.bits.value + off, extent->size);
}

int stack_prove_bounds(struct walk *walk, const struct extent *extent)
{
	const struct reg_state *reg = walk_reg(walk, extent->reg);
	struct frame *frame = frame_of(walk, reg);
	s64 off = (s64)reg->off + extent->off, low, high, lowest = -STACK_BYTES;

	if (reg->number.smax >= POINTER_OFFSET_LIMIT ||
	    reg->number.smin <= -POINTER_OFFSET_LIMIT)
		return reject(walk, stack_unbounded, access_words(extent), extent->reg);
	low = reg->number.smin + off;
	high = reg->number.smax + off;
	if (!(extent->access & ACCESS_WRITE) && !walk->rules.may_read_uninit)
		lowest = -(s64)frame->slot_cnt * SLOT_BYTES;
	if (low < lowest || low > -1 || high + extent->size > 0 || extent->size < 0)
		return reject_stack_bounds(walk, extent);
	stack_grow(walk, frame, low);
	walk->access = (struct access){.kind = extent->access,
				       .is_fixed = scalar_is_const(&reg->number),
				       .low = low,
				       .high = high,
				       .size = (u32)extent->size,
				       .frame = (u32)reg->frame};
	return 0;
}

/* --- reads --- */

/* Whether the load takes the low bytes of what was spilled, so that its value is known. */
static bool is_spill_refill(const struct stack_slot *slot, s64 off, u32 size)
{
	return off % SLOT_BYTES == 0 && slot_is_spill(slot) &&
	       slot->bytes[size - 1] == BYTE_SPILL;
}

static bool byte_is_readable(const struct walk *walk, u8 byte)
{
	return byte == BYTE_MISC || byte == BYTE_ZERO ||
	       (byte == BYTE_INVALID && walk->rules.may_read_uninit);
}

static int prove_bytes_readable(struct walk *walk, struct frame *frame)
{
	const struct access *access = &walk->access;
	const struct stack_slot *slot = &frame->slots[slot_of(access->low)];
	bool is_number = slot_is_spill(slot) && slot->spilled.kind == REG_SCALAR;

	if (is_number && is_spill_refill(slot, access->low, access->size))
		return 0;
	for (u32 i = 0; i < access->size; i++) {
		u8 byte = *byte_at(frame, access->low + i);

		if (byte_is_readable(walk, byte) || (byte == BYTE_SPILL && is_number))
			continue;
		return reject(walk, stack_read_unwritten, (s32)access->low, i, access->size);
	}
	return 0;
}

static int prove_fixed_read(struct walk *walk, struct frame *frame)
{
	const struct access *access = &walk->access;
	const struct stack_slot *slot = &frame->slots[slot_of(access->low)];

	if (slot_is_spill(slot) && slot->spilled.kind != REG_SCALAR) {
		if (access->size != SLOT_BYTES || !slot_is_full_spill(slot))
			return reject(walk, fill_size);
		return 0;
	}
	return prove_bytes_readable(walk, frame);
}

/* Only a register takes what is at an unknown offset. */
static int reject_atomic_offset(struct walk *walk, const struct requirement *need)
{
	const struct reg_state *reg = walk_reg(walk, need->reg);
	char bits[NUMBER_BITS_TEXT];

	return reject(walk, stack_variable_atomic, number_bits_text(&reg->number, bits),
		      reg->off + need->off, need->size);
}

int stack_prove_read(struct walk *walk, const struct requirement *need)
{
	struct frame *frame = frame_of(walk, walk_reg(walk, need->reg));
	struct extent extent = {
		.reg = need->reg, .off = need->off, .size = need->size, .access = ACCESS_READ};

	if (!walk->access.is_fixed && need->value == NO_REG)
		return reject_atomic_offset(walk, need);
	if (!walk->access.is_fixed)
		return stack_prove_initialised(walk, &extent);
	if (need->size == SLOT_BYTES && need->value == NO_REG) {
		const struct stack_slot *slot = &frame->slots[slot_of(walk->access.low)];

		/* The old value goes to memory or to a register as a plain number. */
		if (slot_is_spill(slot) && walk_hides_pointer(walk, &slot->spilled))
			return reject(walk, stack_leak, (s32)walk->access.low);
	}
	return prove_fixed_read(walk, frame);
}

/* A helper that may write to it turns what was spilled or zero into plain bytes. */
static bool helper_may_touch(struct walk *walk, struct frame *frame, s64 off)
{
	const struct stack_slot *slot = &frame->slots[slot_of(off)];

	if (byte_is_readable(walk, *byte_at(frame, off)))
		return true;
	return *byte_at(frame, off) == BYTE_SPILL && slot_is_spill(slot) &&
	       (slot->spilled.kind == REG_SCALAR || walk->rules.may_leak);
}

int stack_prove_initialised(struct walk *walk, const struct extent *extent)
{
	const struct reg_state *reg = walk_reg(walk, extent->reg);
	struct frame *frame = frame_of(walk, reg);
	for (s64 off = walk->access.low; off < walk->access.high + extent->size; off++)
		if (!helper_may_touch(walk, frame, off))
			return reject(walk, stack_indirect_read, extent->reg,
				      (s32)walk->access.low, (s32)(off - walk->access.low),
				      extent->size);
	return 0;
}

int stack_prove_no_dynptr(struct walk *walk)
{
	const struct access *access = &walk->access;
	struct frame *frame = &walk->state.frames[access->frame];

	for (s64 off = access->low; off < access->high + access->size; off++)
		if (*byte_at(frame, off) == BYTE_DYNPTR)
			return reject(walk, dynptr_write, (s32)off);
	return 0;
}

static bool slot_is_spilled_zero(const struct stack_slot *slot)
{
	return reg_is_const(&slot->spilled) && slot->spilled.number.bits.value == 0;
}

/* All bytes are zero: as bytes, or as part of a spilled zero. */
static bool bytes_are_zero(struct walk *walk, struct frame *frame)
{
	const struct access *access = &walk->access;

	for (s64 off = access->low; off < access->high + access->size; off++) {
		u8 byte = *byte_at(frame, off);

		if (byte != BYTE_ZERO &&
		    (byte != BYTE_SPILL || !slot_is_spilled_zero(&frame->slots[slot_of(off)])))
			return false;
	}
	return true;
}

static bool number_fits(const struct reg_state *reg, u32 size)
{
	return size == 8 || reg->number.umax < 1ull << (size * 8);
}

void stack_load(struct walk *walk, struct reg_state *dst)
{
	struct frame *frame = &walk->state.frames[walk->access.frame];
	const struct access *access = &walk->access;
	const struct stack_slot *slot = &frame->slots[slot_of(access->low)];

	if (access->is_fixed && is_spill_refill(slot, access->low, access->size)) {
		*dst = slot->spilled;
		if (dst->kind == REG_SCALAR && !number_fits(dst, access->size)) {
			reg_unlink(dst);
			scalar_truncate(&dst->number, access->size);
		}
		return;
	}
	if (bytes_are_zero(walk, frame))
		reg_set_const(dst, 0);
	else
		reg_set_scalar(dst, scalar_unsigned_bytes(access->size));
}

/* Of a wider number, only the upper part of a constant is one to Linux, too. */
bool stack_holds_number(struct walk *walk, struct reg_state *number)
{
	const struct access *access = &walk->access;
	struct frame *frame = &walk->state.frames[access->frame];
	const struct stack_slot *slot = &frame->slots[slot_of(access->low)];
	u32 first = (u32)access->low % SLOT_BYTES;

	if (slot_is_spill(slot) && slot->spilled.kind != REG_SCALAR)
		return false;
	if (!slot_is_full_spill(slot) || access->size >= SLOT_BYTES) {
		stack_load(walk, number);
		return number->kind == REG_SCALAR;
	}
	reg_set_const(number, slot->spilled.number.bits.value >> first * 8);
	scalar_truncate(&number->number, access->size);
	return reg_is_const(&slot->spilled) && first + access->size == SLOT_BYTES;
}

/* --- writes --- */

static int prove_fixed_write(struct walk *walk, const struct requirement *need,
			     struct frame *frame)
{
	const struct access *access = &walk->access;
	const struct stack_slot *slot = &frame->slots[slot_of(access->low)];
	const struct reg_state *value =
		need->value == NO_REG ? NULL : walk_reg(walk, need->value);

	if (!walk->rules.may_leak && slot_is_spill(slot) && slot->spilled.kind != REG_SCALAR &&
	    access->size != SLOT_BYTES)
		return reject(walk, spill_corrupted);
	if (!value || value->kind == REG_SCALAR)
		return 0;
	if (access->size != SLOT_BYTES)
		return reject(walk, spill_size);
	if (value->kind == REG_STACK && frame != state_top(&walk->state))
		return reject(walk, spill_to_caller);
	return 0;
}

/* Who may use unknown offsets into the stack may also overwrite spilled pointers. */
int stack_prove_write(struct walk *walk, const struct requirement *need)
{
	const struct access *access = &walk->access;
	struct frame *frame = frame_of(walk, walk_reg(walk, need->reg));
	int ret = access->is_fixed ? prove_fixed_write(walk, need, frame) : 0;

	if (access->is_fixed && !slot_is_object(&frame->slots[slot_of(access->low)]))
		return ret;
	return ret ? ret
		   : dynptr_prove_overwrite(walk, frame, access->low,
					    access->high + access->size);
}

/* What a spill that is partly overwritten leaves: bytes of some number. */
static void slot_scrub(struct stack_slot *slot)
{
	for (u32 i = 0; i < SLOT_BYTES; i++)
		if (slot->bytes[i] == BYTE_SPILL)
			slot->bytes[i] = BYTE_MISC;
}

void stack_clobber(struct walk *walk, const struct access *access)
{
	struct frame *frame = &walk->state.frames[access->frame];

	speculation_note_store(walk, frame, access, NULL);
	dynptr_overwrite(walk, frame, access->low, access->high + access->size);
	for (s64 off = access->low; off < access->high + access->size; off++) {
		slot_scrub(&frame->slots[slot_of(off)]);
		*byte_at(frame, off) = BYTE_MISC;
	}
}

static void store_bytes(struct frame *frame, const struct access *access, bool is_zero)
{
	slot_scrub(&frame->slots[slot_of(access->low)]);
	for (u32 i = 0; i < access->size; i++)
		*byte_at(frame, access->low + i) = is_zero ? BYTE_ZERO : BYTE_MISC;
}

static void spill(struct stack_slot *slot, const struct reg_state *value, u32 size)
{
	slot->spilled = *value;
	if (size == SLOT_BYTES) {
		memset(slot->bytes, BYTE_SPILL, SLOT_BYTES);
		return;
	}
	if (!number_fits(value, size)) {
		reg_unlink(&slot->spilled);
		scalar_truncate(&slot->spilled.number, size);
	}
	slot_scrub(slot);
	memset(slot->bytes, BYTE_SPILL, size);
}

/* Every slot that the write may have hit holds plain bytes; zeros stay where zero is written.
 */
static void store_anywhere(struct frame *frame, const struct access *access, bool is_zero)
{
	for (s64 off = access->low; off < access->high + access->size; off++) {
		struct stack_slot *slot = &frame->slots[slot_of(off)];
		u8 *byte = byte_at(frame, off);

		if (is_zero && *byte == BYTE_ZERO)
			continue;
		if (is_zero && *byte == BYTE_SPILL && slot_is_spilled_zero(slot))
			continue;
		slot_scrub(slot);
		*byte = BYTE_MISC;
	}
}

void stack_store(struct walk *walk, struct reg_state *value, s32 imm)
{
	const struct access *access = &walk->access;
	struct frame *frame = &walk->state.frames[access->frame];
	struct stack_slot *slot = &frame->slots[slot_of(access->low)];
	struct reg_state constant;
	bool is_number = !value || value->kind == REG_SCALAR;
	bool is_spilled = access->is_fixed && access->low % SLOT_BYTES == 0 &&
			  (walk->rules.may_loop || !is_number);
	bool is_zero = value ? reg_is_const(value) && value->number.bits.value == 0 : imm == 0;

	if (!walk->rules.may_speculate)
		speculation_note_store(walk, frame, access, value);
	if (!access->is_fixed || slot_is_object(slot))
		dynptr_overwrite(walk, frame, access->low, access->high + access->size);
	if (!is_spilled && value && is_zero)
		precision_need(walk, 1u << walk_insn(walk)->src_reg); /* the bytes say so */
	if (!access->is_fixed) {
		store_anywhere(frame, access, is_zero);
		return;
	}
	if (!is_spilled) {
		store_bytes(frame, access, is_zero);
		return;
	}
	if (!value) {
		reg_set_const(&constant, (u64)(s64)imm);
		value = &constant;
	} else if (value->kind == REG_SCALAR && number_fits(value, access->size)) {
		walk_link_number(walk, value);
	}
	spill(slot, value, access->size);
}
