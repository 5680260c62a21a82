/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stores to places that touch become one of twice the size, where their values are constants,
 * parts of one value, or loaded from places that touch: what was copied byte by byte goes in
 * words. The later store stands for both.
 */
#include "ir/combine.h"
#include "ir/fold.h"
#include "run/run.h"

/* Instructions that are looked at before a store, and accesses among them. */
#define DISTANCE_MAX 64
#define BETWEEN_MAX  24

/* --- which accesses may be of the same memory --- */

static bool is_plain(const struct ir_insn *insn)
{
	return (insn->op == IR_load || insn->op == IR_store) && !insn->is_ordered;
}

static ir_ref index_of(const struct ir_insn *insn)
{
	return insn->op == IR_load ? insn->b : insn->c;
}

static bool has_same_base(const struct ir_function *fn, const struct ir_insn *x,
			  const struct ir_insn *y)
{
	return ir_value(fn, x->a) == ir_value(fn, y->a) &&
	       ir_value(fn, index_of(x)) == ir_value(fn, index_of(y)) && x->scale == y->scale;
}

/* Memory of a kind that no other kind is a view of. */
static bool is_apart(enum mem_kind kind)
{
	return kind == MEM_STACK || kind == MEM_PACKET || kind == MEM_MAP_VALUE;
}

static enum mem_kind kind_of(const struct ir_function *fn, const struct ir_insn *insn)
{
	return (enum mem_kind)fn->prog->verified->facts[insn->at].mem;
}

static bool may_overlap(const struct ir_function *fn, const struct ir_insn *x,
			const struct ir_insn *y)
{
	const enum mem_kind kind = kind_of(fn, x), other = kind_of(fn, y);

	if (has_same_base(fn, x, y))
		return x->imm < y->imm + y->bytes && y->imm < x->imm + x->bytes;
	return kind == other || !is_apart(kind) || !is_apart(other);
}

/* --- two accesses that touch --- */

struct two {
	struct ir_insn *low, *high; /* by address */
};

static bool touch(const struct ir_function *fn, ir_ref x, ir_ref y, struct two *out)
{
	struct ir_insn *first = ir_at(fn, x), *second = ir_at(fn, y);
	const bool is_first_low = first->imm < second->imm;

	*out = (struct two){is_first_low ? first : second, is_first_low ? second : first};
	return x != y && is_plain(first) && is_plain(second) && first->op == second->op &&
	       first->bytes == second->bytes && first->bytes < 8 &&
	       has_same_base(fn, first, second) && out->high->imm == out->low->imm + first->bytes;
}

/* --- values that are neighbours --- */

static ir_ref constants(struct ir_function *fn, ir_ref where, ir_ref low, ir_ref high, u32 bits)
{
	const u64 mask = (1ull << bits) - 1;

	if (!ir_is_const(fn, low) || !ir_is_const(fn, high))
		return 0;
	return ir_const_before(fn, where, ((u64)ir_at(fn, low)->imm & mask) |
						  ((u64)ir_at(fn, high)->imm & mask) << bits);
}

/* The value that is shifted to the right by a constant, and how far: of the widths that lose none
 * of `bits` above that. */
static ir_ref shifted(const struct ir_function *fn, ir_ref value, u32 bits, u32 *count)
{
	const struct ir_insn *insn = ir_at(fn, value);
	u32 width;

	*count = 0;
	if (insn->op != IR_shr || !ir_is_const(fn, ir_value(fn, insn->b)))
		return value;
	width = insn->width == IR_64 ? 64 : 32;
	*count = (u32)ir_at(fn, ir_value(fn, insn->b))->imm & (width - 1);
	if (*count + bits <= width)
		return ir_value(fn, insn->a);
	*count = 0;
	return value;
}

/* low is x >> n, high is x >> (n + bits). */
static ir_ref parts(struct ir_function *fn, ir_ref low, ir_ref high, u32 bits)
{
	u32 low_count, high_count;
	const ir_ref of_low = shifted(fn, low, bits, &low_count),
		     of_high = shifted(fn, high, bits, &high_count);
	const struct ir_insn *insn = ir_at(fn, low);

	if (of_low != of_high || high_count != low_count + bits)
		return 0;
	/* Twice the bits are there behind the same shift, too. */
	return insn->op != IR_shr || insn->width == IR_64 || low_count + 2 * bits <= 32 ? low : 0;
}

/* Both are read where the first is: nothing that may be of them is written in between. */
static ir_ref loads(struct ir_function *fn, ir_ref low, ir_ref high)
{
	struct two two;
	ir_ref first = ir_earlier(fn, low, high), second = first == low ? high : low;

	if (ir_at(fn, low)->op != IR_load || ir_at(fn, low)->block != ir_at(fn, high)->block ||
	    !touch(fn, low, high, &two) || two.low != ir_at(fn, low))
		return 0;
	for (ir_ref at = first; at != second; at = ir_at(fn, at)->next) {
		const struct ir_insn *insn = ir_at(fn, at);

		if (ir_traits[insn->op] & IR_EFFECT &&
		    (!is_plain(insn) || may_overlap(fn, insn, ir_at(fn, second))))
			return 0;
	}
	return ir_wide_load(fn, low, high);
}

/* --- stores --- */

static ir_ref both(struct ir_function *fn, ir_ref where, const struct two *two)
{
	const ir_ref low = ir_value(fn, two->low->b), high = ir_value(fn, two->high->b);
	const u32 bits = 8 * two->low->bytes;

	return constants(fn, where, low, high, bits) ?: parts(fn, low, high, bits)
						     ?: loads(fn, low, high);
}

/* The store before `at` that touches it, and that can wait until then; 0: none. */
static ir_ref partner(const struct ir_function *fn, ir_ref at)
{
	ir_ref between[BETWEEN_MAX], before = ir_at(fn, at)->prev;
	struct two two;
	u32 count = 0;

	for (u32 i = 0; i < DISTANCE_MAX && before; i++, before = ir_at(fn, before)->prev) {
		const struct ir_insn *insn = ir_at(fn, before);

		if (insn->op == IR_store && touch(fn, before, at, &two))
			break;
		if (!is_plain(insn)) {
			if (ir_traits[insn->op] & IR_EFFECT || insn->is_ordered)
				return 0;
			continue;
		}
		if (count == BETWEEN_MAX)
			return 0;
		between[count++] = before;
	}
	if (!before || ir_at(fn, before)->op != IR_store || !touch(fn, before, at, &two))
		return 0;
	for (u32 i = 0; i < count; i++)
		if (may_overlap(fn, ir_at(fn, between[i]), ir_at(fn, before)))
			return 0;
	return before;
}

/* False: the store stays as it is. */
static bool widen(struct ir_function *fn, ir_ref at)
{
	const ir_ref before = partner(fn, at);
	struct two two;
	ir_ref value;
	s64 imm;

	if (!before || !touch(fn, before, at, &two))
		return false;
	imm = two.low->imm;
	value = both(fn, at, &two);
	if (!value)
		return false;
	ir_at(fn, at)->b = value;
	ir_at(fn, at)->imm = imm;
	ir_at(fn, at)->bytes *= 2;
	ir_unlink(fn, before);
	return true;
}

void ir_widen(struct ir_function *fn)
{
	for (u32 i = 0; i < fn->order_cnt && !fn->failed; i++)
		for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = ir_at(fn, at)->next)
			while (ir_at(fn, at)->op == IR_store && !fn->failed && widen(fn, at))
				;
}
