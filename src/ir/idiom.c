/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bits that are counted, as compilers write it for machines without such instructions: all of
 * them in pairs, nibbles and bytes; those above the highest after it was spread to all below; those
 * below the lowest by a table. And rotations of products, one half of which is a product already.
 * proofs/idioms.py proves it.
 */
#include "ir/idiom.h"
#include "ir/constant.h"
#include "ir/fold.h"

#define PAIRS	0x5555555555555555ull
#define FOURS	0x3333333333333333ull
#define NIBBLES 0x0f0f0f0f0f0f0f0full
#define BYTES	0x0101010101010101ull

static u32 bits_of(u8 width)
{
	return width == IR_64 ? 64 : 32;
}

static u64 low(u64 value, u8 width)
{
	return width == IR_64 ? value : (u32)value;
}

/* The instruction, when it is such an operation. */
static const struct ir_insn *operation(const struct ir_function *fn, ir_ref value, u8 op, u8 width)
{
	const struct ir_insn *insn = ir_at(fn, ir_value(fn, value));

	return insn->op == op && insn->width == width ? insn : NULL;
}

static bool is_number(const struct ir_function *fn, ir_ref value, u64 number, u8 width)
{
	value = ir_value(fn, value);
	return ir_is_const(fn, value) &&
	       low((u64)ir_at(fn, value)->imm, width) == low(number, width);
}

/* What the operation with the number is done to; 0: it is another. */
static ir_ref with_number(const struct ir_function *fn, ir_ref value, u8 op, u8 width, u64 number)
{
	const struct ir_insn *insn = operation(fn, value, op, width);

	return insn && is_number(fn, insn->b, number, width) ? ir_value(fn, insn->a) : 0;
}

/* (op x (shr x by)), either way round: x. */
static ir_ref with_shifted(const struct ir_function *fn, ir_ref value, u8 op, u8 width, u32 by)
{
	const struct ir_insn *insn = operation(fn, value, op, width);
	ir_ref a, b;

	if (!insn)
		return 0;
	a = ir_value(fn, insn->a);
	b = ir_value(fn, insn->b);
	if (with_number(fn, b, IR_shr, width, by) == a)
		return a;
	return with_number(fn, a, IR_shr, width, by) == b ? b : 0;
}

/* --- all bits that are set --- */

/* What the value has the count of in each two bits. */
static ir_ref counted_in_pairs(const struct ir_function *fn, ir_ref value, u8 width)
{
	const struct ir_insn *difference = operation(fn, value, IR_sub, width);
	ir_ref half, from;

	if (!difference)
		return 0;
	from = ir_value(fn, difference->a);
	half = with_number(fn, difference->b, IR_and, width, PAIRS);
	return half && with_number(fn, half, IR_shr, width, 1) == from ? from : 0;
}

static ir_ref counted_in_nibbles(const struct ir_function *fn, ir_ref value, u8 width)
{
	const struct ir_insn *sum = operation(fn, value, IR_add, width);
	ir_ref a, b;

	if (!sum)
		return 0;
	a = with_number(fn, sum->a, IR_and, width, FOURS);
	b = with_number(fn, sum->b, IR_and, width, FOURS);
	if (!a || !b)
		return 0;
	if (with_number(fn, a, IR_shr, width, 2) == b)
		return counted_in_pairs(fn, b, width);
	return with_number(fn, b, IR_shr, width, 2) == a ? counted_in_pairs(fn, a, width) : 0;
}

/* What all set bits are counted of; 0: something else is done. */
static ir_ref counted(const struct ir_function *fn, ir_ref at)
{
	const u8 width = ir_at(fn, at)->width;
	const ir_ref product = with_number(fn, at, IR_shr, width, bits_of(width) - 8);
	const ir_ref bytes = product ? with_number(fn, product, IR_mul, width, BYTES) : 0;
	const ir_ref sum = bytes ? with_number(fn, bytes, IR_and, width, NIBBLES) : 0;
	const ir_ref nibbles = sum ? with_shifted(fn, sum, IR_add, width, 4) : 0;

	return nibbles ? counted_in_nibbles(fn, nibbles, width) : 0;
}

/* What the value is with its highest bit spread to all below; 0: something else. */
static ir_ref spread(const struct ir_function *fn, ir_ref value, u8 width)
{
	for (u32 by = bits_of(width) / 2; by && value; by /= 2)
		value = with_shifted(fn, value, IR_or, width, by);
	return value;
}

/* (and (not x) (add x -1)), either way round: x. */
static ir_ref below_lowest(const struct ir_function *fn, ir_ref value, u8 width)
{
	const struct ir_insn *mask = operation(fn, value, IR_and, width);
	ir_ref of[2];

	if (!mask)
		return 0;
	of[0] = ir_value(fn, mask->a);
	of[1] = ir_value(fn, mask->b);
	for (u32 i = 0; i < 2; i++) {
		const struct ir_insn *inverse = operation(fn, of[i], IR_not, width);

		if (inverse &&
		    with_number(fn, of[1 - i], IR_add, width, ~0ull) == ir_value(fn, inverse->a))
			return ir_value(fn, inverse->a);
	}
	return 0;
}

static ir_ref count_bits(struct ir_function *fn, ir_ref at)
{
	const enum ir_width width = (enum ir_width)ir_at(fn, at)->width;
	const ir_ref value = counted(fn, at);
	const struct ir_insn *inverse;
	ir_ref from;

	if (!value)
		return 0;
	inverse = operation(fn, value, IR_not, width);
	from = inverse ? spread(fn, inverse->a, width) : 0;
	if (from)
		return ir_fold_before(fn, at, IR_clz, width, from, 0);
	from = below_lowest(fn, value, width);
	if (from)
		return ir_fold_before(fn, at, IR_ctz, width, from, 0);
	return ir_fold_before(fn, at, IR_popcnt, width, value, 0);
}

/* --- zeros below the lowest bit, by a table --- */

/* (and x (neg x)), either way round: x. */
static ir_ref lowest_bit(const struct ir_function *fn, ir_ref value, u8 width)
{
	const struct ir_insn *mask = operation(fn, value, IR_and, width), *inverse;

	if (!mask)
		return 0;
	inverse = operation(fn, mask->b, IR_neg, width);
	if (inverse && ir_value(fn, inverse->a) == ir_value(fn, mask->a))
		return ir_value(fn, mask->a);
	inverse = operation(fn, mask->a, IR_neg, width);
	return inverse && ir_value(fn, inverse->a) == ir_value(fn, mask->b) ? ir_value(fn, mask->b)
									    : 0;
}

/* table[lowest bit of `value` * factor >> shift] */
struct table {
	u64 address, factor;
	ir_ref value;
	u32 shift, scale;
	u8 width;
};

static bool find_index(const struct ir_function *fn, ir_ref index, struct table *out)
{
	const struct ir_insn *insn = ir_at(fn, ir_value(fn, index)), *product;

	if (insn->op == IR_shl && insn->width == IR_64 && ir_is_const(fn, ir_value(fn, insn->b))) {
		out->scale = (u32)ir_at(fn, ir_value(fn, insn->b))->imm & 63;
		insn = ir_at(fn, ir_value(fn, insn->a));
	}
	if (insn->op != IR_shr || !ir_is_const(fn, ir_value(fn, insn->b)))
		return false;
	out->width = insn->width;
	out->shift = (u32)ir_at(fn, ir_value(fn, insn->b))->imm & (bits_of(out->width) - 1);
	product = operation(fn, insn->a, IR_mul, out->width);
	if (!product || !ir_is_const(fn, ir_value(fn, product->b)))
		return false;
	out->factor = (u64)ir_at(fn, ir_value(fn, product->b))->imm;
	out->value = lowest_bit(fn, product->a, out->width);
	return out->value;
}

static bool find_table(const struct ir_function *fn, const struct ir_insn *load, struct table *out)
{
	const struct ir_insn *sum = operation(fn, load->a, IR_add, IR_64);

	*out = (struct table){0};
	if (!sum || load->b || load->is_ordered || load->is_signed ||
	    !ir_is_const(fn, ir_value(fn, sum->b)) || !find_index(fn, sum->a, out))
		return false;
	out->address = (u64)(ir_at(fn, ir_value(fn, sum->b))->imm + load->imm);
	return true;
}

/* The entry of what is multiplied; false: it is not there, or may change. */
static bool entry(const struct ir_function *fn, const struct table *table, u8 bytes, u64 lowest,
		  u64 *out)
{
	const u64 index = low(lowest * table->factor, table->width) >> table->shift;
	const u8 *from = ir_constant_bytes(fn, table->address + (index << table->scale), bytes);

	if (!from)
		return false;
	*out = 0;
	for (u32 i = 0; i < bytes; i++)
		*out |= (u64)from[i] << 8 * i;
	return true;
}

static bool counts_zeros(const struct ir_function *fn, const struct table *table, u8 bytes)
{
	u64 value;

	for (u32 bit = 0; bit < bits_of(table->width); bit++)
		if (!entry(fn, table, bytes, 1ull << bit, &value) || value != bit)
			return false;
	return true;
}

#define BRANCHES_MAX 8

/* Whether a branch before leads here only when the value is not 0. */
static bool is_nonzero(const struct ir_function *fn, ir_ref value, u8 width, u32 block)
{
	for (u32 i = 0; i < BRANCHES_MAX && fn->blocks[block].pred_cnt == 1; i++) {
		const u32 pred = fn->blocks[block].pred[0];
		const struct ir_insn *branch = ir_at(fn, fn->blocks[pred].last);

		if (branch->op == IR_branch && branch->cond <= IR_NE && branch->width == width &&
		    ir_value(fn, branch->a) == value && is_number(fn, branch->b, 0, width) &&
		    fn->blocks[pred].succ[branch->cond == IR_EQ] == block)
			return true;
		block = pred;
	}
	return false;
}

/* The table's entry for 0, where the machine counts all bits. */
static ir_ref unless_zero(struct ir_function *fn, ir_ref at, const struct table *table,
			  ir_ref zeros, u64 of_zero)
{
	const u32 args = ir_new_args(fn, 2);
	ir_ref number = ir_const_before(fn, at, 0), select;

	fn->args[args] = table->value;
	fn->args[args + 1] = number;
	number = ir_const_before(fn, at, of_zero);
	select = ir_new(fn, &(struct ir_insn){.op = IR_select,
					      .width = table->width,
					      .cond = IR_EQ,
					      .a = number,
					      .b = zeros,
					      .args = args,
					      .arg_cnt = 2,
					      .at = ir_at(fn, at)->at});
	ir_insert_before(fn, at, select);
	return select;
}

static ir_ref count_by_table(struct ir_function *fn, ir_ref at)
{
	const struct ir_insn load = *ir_at(fn, at);
	struct table table;
	u64 of_zero;
	ir_ref zeros;

	if (!find_table(fn, &load, &table) || !counts_zeros(fn, &table, load.bytes) ||
	    !entry(fn, &table, load.bytes, 0, &of_zero))
		return 0;
	zeros = ir_fold_before(fn, at, IR_ctz, (enum ir_width)table.width, table.value, 0);
	if (!zeros || of_zero == bits_of(table.width) ||
	    is_nonzero(fn, table.value, table.width, load.block))
		return zeros;
	return unless_zero(fn, at, &table, zeros, of_zero);
}

/* --- rotations --- */

/* (or (shr (mul x A) B) (mul x C)), where C is A shifted by as much as B lacks. */
static ir_ref rotate(struct ir_function *fn, ir_ref at, ir_ref high, ir_ref low_part)
{
	const struct ir_insn insn = *ir_at(fn, at);
	const struct ir_insn *shift = operation(fn, high, IR_shr, insn.width),
			     *left = operation(fn, low_part, IR_mul, insn.width), *right;
	u64 count;

	if (!shift || !left || !ir_is_const(fn, ir_value(fn, shift->b)))
		return 0;
	right = operation(fn, shift->a, IR_mul, insn.width);
	count = -(u64)ir_at(fn, ir_value(fn, shift->b))->imm & (bits_of(insn.width) - 1);
	if (!right || !count || ir_value(fn, left->a) != ir_value(fn, right->a) ||
	    !ir_is_const(fn, ir_value(fn, right->b)) ||
	    !is_number(fn, left->b, (u64)ir_at(fn, ir_value(fn, right->b))->imm << count,
		       insn.width))
		return 0;
	return ir_fold_before(fn, at, IR_rotl, (enum ir_width)insn.width, ir_value(fn, shift->a),
			      ir_const_before(fn, at, count));
}

ir_ref ir_idiom(struct ir_function *fn, ir_ref at)
{
	const struct ir_insn insn = *ir_at(fn, at);

	switch (insn.op) {
	case IR_shr: return fn->counts_bits ? count_bits(fn, at) : 0;
	case IR_load: return fn->counts_bits ? count_by_table(fn, at) : 0;
	case IR_or:
	case IR_add:
	case IR_xor: return rotate(fn, at, insn.a, insn.b) ?: rotate(fn, at, insn.b, insn.a);
	default: return 0;
	}
}
