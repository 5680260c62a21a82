/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is read of the frame is what was stored there, be it in parts: a load becomes the values
 * of the stores before it, put together. A processor would make it wait for them. Stores of
 * bytes that nobody reads go.
 */
#include "ir/frame.h"
#include "ir/fold.h"
#include "map/map.h"
#include "run/run.h"

#include <stdlib.h>

/* Instructions that are looked at before a load. */
#define DISTANCE_MAX 96
#define FRAME_MAX    4096

bool ir_frame_access(const struct ir_function *fn, const struct ir_insn *insn, s64 *offset)
{
	const struct ir_insn *base = ir_at(fn, ir_value(fn, insn->a));

	if ((insn->op != IR_load && insn->op != IR_store) || base->op != IR_frame ||
	    ir_value(fn, insn->op == IR_load ? insn->b : insn->c))
		return false;
	*offset = base->imm + insn->imm;
	return true;
}

/* --- the bytes of a place, from the stores before --- */

struct place {
	struct ir_function *fn;
	ir_ref where, value; /* made of the stores that were met, 0: none */
	s64 offset;
	u32 bytes, missing; /* of each byte a bit: whose store was not met */
};

static u64 mask_of(u32 bytes)
{
	return bytes == 8 ? ~0ull : (1ull << 8 * bytes) - 1;
}

static ir_ref shift(struct place *place, enum ir_op op, ir_ref value, u32 bytes)
{
	return bytes ? ir_fold_before(place->fn, place->where, op, IR_64, value,
				      ir_const_before(place->fn, place->where, 8 * bytes))
		     : value;
}

/* Bytes from `first` on are those from `from` on of the store's value. */
static void add_part(struct place *place, ir_ref value, u32 from, u32 first, u32 bytes)
{
	struct ir_function *fn = place->fn;
	ir_ref part = shift(place, IR_shr, value, from);

	if (bytes < 8)
		part = ir_fold_before(fn, place->where, IR_and, IR_64, part,
				      ir_const_before(fn, place->where, mask_of(bytes)));
	part = shift(place, IR_shl, part, first);
	place->value = place->value
			       ? ir_fold_before(fn, place->where, IR_or, IR_64, place->value, part)
			       : part;
}

static void add_store(struct place *place, const struct ir_insn *store, s64 offset)
{
	const ir_ref value = ir_value(place->fn, store->b);
	const u32 bytes = store->bytes;

	for (u32 first = 0, count; first < place->bytes; first += count) {
		const s64 from = place->offset + first - offset;

		count = 0;
		while (first + count < place->bytes &&
		       place->missing >> (first + count) & 1 && from + count >= 0 &&
		       from + count < bytes)
			count++;
		if (count) {
			add_part(place, value, (u32)from, first, count);
			place->missing &= ~(((1u << count) - 1) << first);
		}
		count = max(count, 1u);
	}
}

/* Whether the instruction writes nothing to the frame but, at most, what a store says. */
static bool is_understood(const struct ir_function *fn, const struct ir_insn *insn)
{
	const enum mem_kind kind = (enum mem_kind)fn->prog->verified->facts[insn->at].mem;
	s64 offset;

	switch ((u32)insn->op) {
	case IR_store:
		return ir_frame_access(fn, insn, &offset) || kind == MEM_PACKET ||
		       kind == MEM_MAP_VALUE;
	case IR_call_map:
	case IR_find:
	case IR_burn:
	case IR_burn_here: return true;
	default: return !(ir_traits[insn->op] & IR_EFFECT);
	}
}

/* The instruction before it, in the only block that this one is reached from if need be. */
static ir_ref before(const struct ir_function *fn, ir_ref at)
{
	const struct ir_block *block = &fn->blocks[ir_at(fn, at)->block];

	if (ir_at(fn, at)->prev)
		return ir_at(fn, at)->prev;
	return block->pred_cnt == 1 ? ir_at(fn, fn->blocks[block->pred[0]].last)->prev : 0;
}

ir_ref ir_frame_value(struct ir_function *fn, ir_ref where, s64 offset, u32 bytes)
{
	struct place place = {.fn = fn,
			      .where = where,
			      .offset = offset,
			      .bytes = bytes,
			      .missing = (1u << bytes) - 1};
	ir_ref at = before(fn, where);
	s64 stored;

	for (u32 i = 0; at && place.missing && i < DISTANCE_MAX; i++, at = before(fn, at)) {
		if (!is_understood(fn, ir_at(fn, at)))
			break;
		if (ir_at(fn, at)->op == IR_store &&
		    ir_frame_access(fn, ir_at(fn, at), &stored))
			add_store(&place, ir_at(fn, at), stored);
	}
	return place.missing ? 0 : place.value;
}

/* --- loads --- */

static void forward(struct ir_function *fn, ir_ref at)
{
	const struct ir_insn *insn = ir_at(fn, at);
	const u32 bytes = insn->bytes;
	const bool is_signed = insn->is_signed;
	const enum ir_width width = (enum ir_width)insn->width;
	ir_ref value;
	s64 offset;

	if (insn->op != IR_load || insn->is_ordered || !ir_frame_access(fn, insn, &offset))
		return;
	value = ir_frame_value(fn, at, offset, bytes);
	if (value && is_signed && bytes < 8)
		value = ir_fold_before(fn, at,
				       bytes == 1   ? IR_sext8
				       : bytes == 2 ? IR_sext16
						    : IR_sext32,
				       width, value, 0);
	if (value)
		ir_replace(fn, at, value);
}

/* --- stores --- */

struct reads {
	u8 bytes[FRAME_MAX]; /* [i]: at the frame's end - frame_bytes + i */
	s64 low;
};

static void note_read(struct reads *reads, s64 from, s64 to)
{
	for (s64 at = max(from, reads->low); at < min(to, 0ll); at++)
		reads->bytes[at - reads->low] = 1;
}

static void note_reads(struct ir_function *fn, struct reads *reads, struct ir_insn *insn)
{
	s64 offset;

	if (insn->op == IR_load && ir_frame_access(fn, insn, &offset)) {
		note_read(reads, offset, offset + insn->bytes);
		return;
	}
	IR_FOR_EACH_OPERAND(fn, insn, place)
	{
		const struct ir_insn *value = ir_at(fn, ir_value(fn, *place));
		s64 bytes = -1;

		if (value->op != IR_frame ||
		    (insn->op == IR_store && place == &insn->a && !insn->c))
			continue;
		if (place != &insn->a && place != &insn->b && place != &insn->c)
			bytes = ir_touched(fn, insn, (u32)(place - fn->args) - insn->args);
		if (bytes < 0)
			note_read(reads, reads->low, 0);
		else
			note_read(reads, value->imm, value->imm + bytes);
	}
}

static bool is_unread(const struct ir_function *fn, const struct reads *reads,
		      const struct ir_insn *insn)
{
	s64 offset;

	if (insn->op != IR_store || insn->is_ordered || !ir_frame_access(fn, insn, &offset) ||
	    offset < reads->low || offset + insn->bytes > 0)
		return false;
	for (s64 at = offset; at < offset + insn->bytes; at++)
		if (reads->bytes[at - reads->low])
			return false;
	return true;
}

static void for_each(struct ir_function *fn, struct reads *reads,
		     void (*call)(struct ir_function *fn, struct reads *reads, ir_ref at))
{
	for (u32 i = 0; i < fn->order_cnt && !fn->failed; i++) {
		ir_ref next;

		for (ir_ref at = fn->blocks[fn->order[i]].first; at && !fn->failed; at = next) {
			next = ir_at(fn, at)->next;
			call(fn, reads, at);
		}
	}
}

static void forward_one(struct ir_function *fn, struct reads *reads, ir_ref at)
{
	forward(fn, at);
}

static void note_one(struct ir_function *fn, struct reads *reads, ir_ref at)
{
	note_reads(fn, reads, ir_at(fn, at));
}

static void drop_one(struct ir_function *fn, struct reads *reads, ir_ref at)
{
	if (is_unread(fn, reads, ir_at(fn, at)))
		ir_unlink(fn, at);
}

void ir_forward(struct ir_function *fn)
{
	struct reads *reads;

	if (!fn->frame_bytes || fn->frame_bytes > FRAME_MAX)
		return;
	reads = calloc(1, sizeof(*reads));
	if (!reads) {
		fn->failed = true;
		return;
	}
	reads->low = -(s64)fn->frame_bytes;
	for_each(fn, reads, forward_one);
	ir_find(fn);
	for_each(fn, reads, note_one);
	for_each(fn, reads, drop_one);
	free(reads);
}
