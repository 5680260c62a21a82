/* SPDX-License-Identifier: BSD-2-Clause */
/* Neighbouring loads that are put together with shifts are one load of twice the size. */
#include "ir/combine.h"
#include "ir/fold.h"

/* Instructions that are looked at between the loads and where they are put together. */
#define DISTANCE_MAX 64

/* A load, shifted to the left. */
struct part {
	ir_ref load;
	u32 shift;
};

/* A shift of another width than the whole counts only where it loses no bit. */
static bool keeps_all(const struct ir_function *fn, const struct part *part)
{
	return part->shift + 8 * ir_at(fn, part->load)->bytes <= 32;
}

static bool as_part(const struct ir_function *fn, ir_ref value, u8 width, struct part *out)
{
	const struct ir_insn *insn = ir_at(fn, ir_value(fn, value));
	bool has_width = true;

	*out = (struct part){.load = ir_value(fn, value)};
	if (insn->op == IR_shl && ir_is_const(fn, ir_value(fn, insn->b))) {
		out->load = ir_value(fn, insn->a);
		out->shift = (u32)ir_at(fn, ir_value(fn, insn->b))->imm &
			     (insn->width == IR_64 ? 63 : 31);
		has_width = insn->width == width;
	}
	insn = ir_at(fn, out->load);
	return insn->op == IR_load && !insn->is_signed && !insn->is_ordered && insn->bytes < 8 &&
	       (has_width || keeps_all(fn, out));
}

/* Whether nothing is written between the load and `at`, which is in the same block. */
static bool reaches(const struct ir_function *fn, ir_ref load, ir_ref at)
{
	if (ir_at(fn, load)->block != ir_at(fn, at)->block)
		return false;
	for (u32 i = 0; i < DISTANCE_MAX && at; i++) {
		const struct ir_insn *insn = ir_at(fn, at);

		if (at == load)
			return true;
		if (ir_traits[insn->op] & IR_EFFECT || insn->is_ordered)
			return false;
		at = insn->prev;
	}
	return false;
}

/* The part that begins where the other ends. */
static bool follows(const struct ir_function *fn, const struct part *low, const struct part *high)
{
	const struct ir_insn *first = ir_at(fn, low->load), *second = ir_at(fn, high->load);

	return first->bytes == second->bytes &&
	       ir_value(fn, first->a) == ir_value(fn, second->a) &&
	       ir_value(fn, first->b) == ir_value(fn, second->b) &&
	       first->scale == second->scale && second->imm == first->imm + first->bytes &&
	       high->shift == low->shift + 8 * first->bytes;
}

ir_ref ir_earlier(const struct ir_function *fn, ir_ref x, ir_ref y)
{
	for (ir_ref at = x; at; at = ir_at(fn, at)->next)
		if (at == y)
			return x;
	return y;
}

/* Others who use the narrow load see the same memory: what was checked of it holds for the whole. */
static void become_part(struct ir_function *fn, ir_ref load, ir_ref wide, u32 shift)
{
	const enum ir_op op = ir_at(fn, load)->bytes == 1   ? IR_zext8
			      : ir_at(fn, load)->bytes == 2 ? IR_zext16
							    : IR_zext32;
	ir_ref part = wide;

	if (shift)
		part = ir_fold_before(fn, load, IR_shr, IR_64, wide,
				      ir_const_before(fn, load, shift));
	ir_replace(fn, load, ir_fold_before(fn, load, op, IR_64, part, 0));
}

ir_ref ir_wide_load(struct ir_function *fn, ir_ref low, ir_ref high)
{
	struct ir_insn load = *ir_at(fn, low);
	const u32 bits = 8 * load.bytes;
	ir_ref wide;

	load.bytes *= 2;
	wide = ir_new(fn, &load);
	if (!wide)
		return 0;
	ir_insert_before(fn, ir_earlier(fn, low, high), wide);
	become_part(fn, low, wide, 0);
	become_part(fn, high, wide, bits);
	return wide;
}

static ir_ref combine(struct ir_function *fn, ir_ref at, const struct part *low,
		      const struct part *high)
{
	const enum ir_width width = (enum ir_width)ir_at(fn, at)->width;
	ir_ref wide;

	if (!follows(fn, low, high) || !reaches(fn, low->load, at) ||
	    !reaches(fn, high->load, at))
		return 0;
	wide = ir_wide_load(fn, low->load, high->load);
	if (!wide || !low->shift)
		return wide;
	return ir_fold_before(fn, at, IR_shl, width, wide, ir_const_before(fn, at, low->shift));
}

static ir_ref combine_values(struct ir_function *fn, ir_ref at, ir_ref a, ir_ref b)
{
	const u8 width = ir_at(fn, at)->width;
	struct part x, y;

	if (!as_part(fn, a, width, &x) || !as_part(fn, b, width, &y))
		return 0;
	return x.shift < y.shift ? combine(fn, at, &x, &y) : combine(fn, at, &y, &x);
}

/* (x | a) | b, where a and b belong together. */
static ir_ref combine_below(struct ir_function *fn, ir_ref at, ir_ref sum, ir_ref part)
{
	const struct ir_insn inner = *ir_at(fn, sum), outer = *ir_at(fn, at);
	ir_ref both, rest = inner.b;

	if (inner.op != outer.op || inner.width != outer.width)
		return 0;
	both = combine_values(fn, at, inner.a, part);
	if (!both) {
		rest = inner.a;
		both = combine_values(fn, at, inner.b, part);
	}
	return both ? ir_fold_before(fn, at, (enum ir_op)outer.op, (enum ir_width)outer.width,
				     rest, both)
		    : 0;
}

/* The load that a sign is taken from can do that itself. */
static ir_ref load_signed(struct ir_function *fn, const struct ir_insn *extension)
{
	static const u8 bytes[] = {[IR_sext8 - IR_sext8] = 1,
				   [IR_sext16 - IR_sext8] = 2,
				   [IR_sext32 - IR_sext8] = 4};
	const ir_ref from = ir_value(fn, extension->a);
	struct ir_insn load = *ir_at(fn, from);
	ir_ref made;

	if (load.op != IR_load || load.is_signed || load.is_ordered ||
	    load.bytes != bytes[extension->op - IR_sext8])
		return 0;
	load.is_signed = true;
	load.width = extension->width;
	made = ir_new(fn, &load);
	if (!made)
		return 0;
	ir_insert_before(fn, from, made);
	become_part(fn, from, made, 0);
	return made;
}

ir_ref ir_combine(struct ir_function *fn, ir_ref at)
{
	const struct ir_insn insn = *ir_at(fn, at);

	if (insn.op >= IR_sext8 && insn.op <= IR_sext32)
		return load_signed(fn, &insn);
	if (insn.op != IR_or && insn.op != IR_add && insn.op != IR_xor)
		return 0;
	return combine_values(fn, at, insn.a, insn.b)
		       ?: combine_below(fn, at, insn.a, insn.b)
		       ?: combine_below(fn, at, insn.b, insn.a);
}
