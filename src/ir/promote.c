/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stack slots to values. A place of the stack frame becomes a variable when every access to it is
 * a plain load or store of the same bytes, and nobody else is given its address.
 */
#include "ir/fold.h"
#include "ir/frame.h"
#include "ir/ssa.h"
#include "run/run.h"

#include <stdlib.h>

#define FRAME_MAX 4096

struct frame_byte {
	u16 start; /* of the access that covers it, plus 1; 0: none */
	u8 bytes;  /* of the access that begins here */
	bool is_shared;
};

struct promotion {
	struct ir_function *fn;
	struct frame_byte *bytes; /* [i] is at the frame's end - frame_bytes + i */
	s64 low;		  /* where the first is */
	struct ssa ssa;
};

static struct frame_byte *byte_at(const struct promotion *promotion, s64 offset)
{
	return &promotion->bytes[offset - promotion->low];
}

static void share(struct promotion *promotion, s64 from, s64 to)
{
	from = max(from, promotion->low);
	for (s64 at = from; at < min(to, 0ll); at++)
		byte_at(promotion, at)->is_shared = true;
}

static void share_all(struct promotion *promotion)
{
	share(promotion, promotion->low, 0);
}

static bool is_inside(const struct promotion *promotion, s64 offset, u32 bytes)
{
	return offset >= promotion->low && offset + bytes <= 0;
}

static void note_access(struct promotion *promotion, const struct ir_insn *insn, s64 offset)
{
	struct frame_byte *first;

	if (!is_inside(promotion, offset, insn->bytes)) {
		share_all(promotion);
		return;
	}
	first = byte_at(promotion, offset);
	if (insn->is_ordered || (first->bytes && first->bytes != insn->bytes))
		share(promotion, offset, offset + max(insn->bytes, first->bytes));
	first->bytes = max(first->bytes, insn->bytes);
	for (s64 at = offset; at < offset + insn->bytes; at++) {
		struct frame_byte *byte = byte_at(promotion, at);
		const u16 start = (u16)(offset - promotion->low + 1);

		if (byte->start && byte->start != start)
			byte->is_shared = true;
		byte->start = start;
	}
}

static void note_argument(struct promotion *promotion, const struct ir_insn *insn, u32 index,
			  ir_ref value)
{
	const s64 bytes = ir_touched(promotion->fn, insn, index);
	const s64 offset = ir_at(promotion->fn, value)->imm;

	if (bytes < 0)
		share_all(promotion);
	else
		share(promotion, offset, offset + bytes);
}

static void note_uses(struct promotion *promotion, struct ir_insn *insn)
{
	struct ir_function *fn = promotion->fn;
	s64 offset;

	if (ir_frame_access(fn, insn, &offset))
		note_access(promotion, insn, offset);
	IR_FOR_EACH_OPERAND(fn, insn, place) {
		const ir_ref value = *place = ir_value(fn, *place);

		if (ir_at(fn, value)->op != IR_frame)
			continue;
		if (place == &insn->a && (insn->op == IR_load || insn->op == IR_store))
			continue;
		if (place == &insn->a || place == &insn->b || place == &insn->c)
			share_all(promotion);
		else
			note_argument(promotion, insn, (u32)(place - fn->args) - insn->args,
				      value);
	}
}

static bool is_variable(const struct promotion *promotion, const struct ir_insn *insn,
			s64 offset)
{
	for (s64 at = offset; at < offset + insn->bytes; at++)
		if (byte_at(promotion, at)->is_shared)
			return false;
	return true;
}

/* What the loaded bytes are of the value that was stored there. */
static ir_ref extended(struct ir_function *fn, ir_ref where, ir_ref value)
{
	const struct ir_insn *load = ir_at(fn, where);
	const bool is_signed = load->is_signed;

	switch (load->bytes) {
	case 1:
		return ir_fold_before(fn, where, is_signed ? IR_sext8 : IR_zext8, IR_64, value,
				      0);
	case 2:
		return ir_fold_before(fn, where, is_signed ? IR_sext16 : IR_zext16, IR_64,
				      value, 0);
	case 4:
		return ir_fold_before(fn, where, is_signed ? IR_sext32 : IR_zext32, IR_64,
				      value, 0);
	default: return value;
	}
}

static void promote(struct promotion *promotion, u32 block, ir_ref at)
{
	struct ir_function *fn = promotion->fn;
	const struct ir_insn *insn = ir_at(fn, at);
	s64 offset;
	u32 variable;

	if (!ir_frame_access(fn, insn, &offset) || !is_inside(promotion, offset, insn->bytes) ||
	    !is_variable(promotion, insn, offset))
		return;
	variable = (u32)(offset - promotion->low);
	if (insn->op == IR_store) {
		ssa_write(&promotion->ssa, block, variable, insn->b);
		ir_unlink(fn, at);
		return;
	}
	ir_replace(fn, at, extended(fn, at, ssa_read(&promotion->ssa, block, variable)));
}

/* The verifier lets programs with full rights read what they did not write. */
static ir_ref unwritten(struct ssa *ssa, u32 variable)
{
	ir_ref zero = ir_new(ssa->fn, &(struct ir_insn){.op = IR_const, .width = IR_64});

	ir_insert_first(ssa->fn, 0, zero);
	return zero;
}

static void for_each(struct promotion *promotion, bool notes_only)
{
	struct ir_function *fn = promotion->fn;

	for (u32 i = 0; i < fn->order_cnt && !fn->failed; i++) {
		const u32 block = fn->order[i];
		ir_ref next;

		for (ir_ref at = fn->blocks[block].first; at && !fn->failed; at = next) {
			next = ir_at(fn, at)->next;
			if (notes_only)
				note_uses(promotion, ir_at(fn, at));
			else
				promote(promotion, block, at);
		}
	}
}

void ir_promote(struct ir_function *fn)
{
	struct promotion promotion = {
		.fn = fn, .low = -(s64)fn->frame_bytes, .ssa = {.fn = fn, .unwritten = unwritten}};

	if (!fn->frame_bytes || fn->frame_bytes > FRAME_MAX)
		return;
	promotion.bytes = calloc(fn->frame_bytes, sizeof(*promotion.bytes));
	if (!promotion.bytes) {
		fn->failed = true;
		return;
	}
	for_each(&promotion, true);
	for_each(&promotion, false);
	if (!fn->failed)
		ssa_finish(&promotion.ssa);
	ssa_done(&promotion.ssa);
	free(promotion.bytes);
}
