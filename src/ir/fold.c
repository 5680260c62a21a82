/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each instruction becomes the simplest that it is equal to: constants are calculated, the rows
 * of fold.def applied, extensions dropped where the bits are known, constants moved into
 * addresses, branches decided.
 */
#include "ir/fold.h"
#include "ir/combine.h"
#include "ir/constant.h"
#include "ir/divide.h"
#include "ir/idiom.h"
#include "ir/rule.h"

#include <limits.h>

/* --- which bits may be set --- */

static u64 low_bits(u64 largest)
{
	return largest ? ~0ull >> __builtin_clzll(largest) : 0;
}

static u64 load_bits(const struct ir_insn *insn)
{
	return insn->is_signed || insn->bytes == 8 ? ~0ull : (1ull << 8 * insn->bytes) - 1;
}

#define BITS_DEPTH 6

static u64 bits_of(const struct ir_function *fn, ir_ref value, u32 depth);

static u64 shifted_bits(const struct ir_function *fn, const struct ir_insn *insn, u32 depth)
{
	const u64 count =
		ir_at(fn, ir_value(fn, insn->b))->imm & (insn->width == IR_64 ? 63 : 31);
	u64 bits = bits_of(fn, insn->a, depth);

	if (insn->width == IR_32)
		bits = (u32)bits;
	return insn->op == IR_shl ? bits << count : bits >> count;
}

static u64 operation_bits(const struct ir_function *fn, const struct ir_insn *insn, u32 depth)
{
	const bool by_constant = insn->b && ir_is_const(fn, ir_value(fn, insn->b));

	switch (insn->op) {
	case IR_const: return (u64)insn->imm;
	case IR_load: return load_bits(insn);
	case IR_and: return bits_of(fn, insn->a, depth) & bits_of(fn, insn->b, depth);
	case IR_or:
	case IR_xor: return bits_of(fn, insn->a, depth) | bits_of(fn, insn->b, depth);
	case IR_shl:
	case IR_shr: return by_constant ? shifted_bits(fn, insn, depth) : ~0ull;
	case IR_zext8: return bits_of(fn, insn->a, depth) & 0xff;
	case IR_zext16: return bits_of(fn, insn->a, depth) & 0xffff;
	case IR_zext32: return bits_of(fn, insn->a, depth) & 0xffffffff;
	case IR_bswap16: return 0xffff;
	case IR_bswap32: return 0xffffffff;
	case IR_umod:
		if (by_constant && ir_at(fn, ir_value(fn, insn->b))->imm)
			return low_bits((u64)ir_at(fn, ir_value(fn, insn->b))->imm - 1);
		return ~0ull;
	case IR_popcnt:
	case IR_clz:
	case IR_ctz: return 0x7f;
	case IR_udiv: return low_bits(bits_of(fn, insn->a, depth));
	case IR_select: return bits_of(fn, insn->a, depth) | bits_of(fn, insn->b, depth);
	default: return ~0ull;
	}
}

/* The width of a choice is that of what it compares. */
static u64 most_bits(const struct ir_insn *insn)
{
	return insn->width == IR_32 && insn->op != IR_select ? UINT32_MAX : ~0ull;
}

static u64 bits_of(const struct ir_function *fn, ir_ref value, u32 depth)
{
	const struct ir_insn *insn = ir_at(fn, ir_value(fn, value));
	u64 bits = 0;

	if (!depth)
		return most_bits(insn);
	if (insn->op != IR_phi)
		bits = operation_bits(fn, insn, depth - 1);
	for (u32 i = 0; insn->op == IR_phi && i < insn->arg_cnt; i++)
		bits |= bits_of(fn, fn->args[insn->args + i], depth > 2 ? 2 : depth - 1);
	return bits & most_bits(insn);
}

u64 ir_bits(const struct ir_function *fn, ir_ref value)
{
	return bits_of(fn, value, BITS_DEPTH);
}

static bool fits32(const struct ir_function *fn, ir_ref value)
{
	return ir_bits(fn, value) <= UINT32_MAX;
}

/* --- new values --- */

static ir_ref new_before(struct ir_function *fn, ir_ref where, const struct ir_insn *what)
{
	ir_ref insn = ir_new(fn, what);

	if (!insn)
		return 0;
	ir_at(fn, insn)->at = ir_at(fn, where)->at;
	ir_insert_before(fn, where, insn);
	return insn;
}

ir_ref ir_const_before(struct ir_function *fn, ir_ref where, u64 value)
{
	return new_before(fn, where,
			  &(struct ir_insn){.op = IR_const, .width = IR_64, .imm = (s64)value});
}

static void fold(struct ir_function *fn, ir_ref at);

ir_ref ir_fold_before(struct ir_function *fn, ir_ref where, enum ir_op op, enum ir_width width,
		      ir_ref a, ir_ref b)
{
	ir_ref insn = new_before(fn, where,
				 &(struct ir_insn){.op = op, .width = width, .a = a, .b = b});

	if (insn)
		fold(fn, insn);
	return insn ? ir_value(fn, insn) : 0;
}

/* --- rows --- */

struct match {
	const struct rule *rule;
	enum ir_width width;
	ir_ref values[3];
	u64 constants[3];
	bool has_constant[3];
};

static u64 low(u64 value, enum ir_width width)
{
	return width == IR_64 ? value : (u32)value;
}

static bool matches(const struct ir_function *fn, struct match *match, u8 index, ir_ref value);

static bool matches_operands(const struct ir_function *fn, struct match *match,
			     const struct rule_node *node, ir_ref a, ir_ref b)
{
	const struct match before = *match;

	if (matches(fn, match, node->child[0], a) &&
	    (!node->child[1] || matches(fn, match, node->child[1], b)))
		return true;
	*match = before;
	return false;
}

static bool matches_op(const struct ir_function *fn, struct match *match,
		       const struct rule_node *node, ir_ref value)
{
	const struct ir_insn *insn = ir_at(fn, value);
	const u8 width = node->width == RULE_WIDTH ? match->width : node->width;

	if (insn->op != node->op || insn->width != width)
		return false;
	if (matches_operands(fn, match, node, insn->a, insn->b))
		return true;
	return ir_commutes((enum ir_op)insn->op) &&
	       matches_operands(fn, match, node, insn->b, insn->a);
}

static bool matches_constant(const struct ir_function *fn, struct match *match, u8 number,
			     ir_ref value)
{
	const u64 constant = low((u64)ir_at(fn, value)->imm, match->width);

	if (!ir_is_const(fn, value) ||
	    (match->has_constant[number] && match->constants[number] != constant))
		return false;
	match->has_constant[number] = true;
	match->constants[number] = constant;
	return true;
}

static bool matches(const struct ir_function *fn, struct match *match, u8 index, ir_ref value)
{
	const struct rule_node *node = &match->rule->nodes[index];

	value = ir_value(fn, value);
	switch ((enum rule_kind)node->kind) {
	case RULE_VALUE:
		if (match->values[node->number])
			return match->values[node->number] == value;
		match->values[node->number] = value;
		return true;
	case RULE_CONSTANT: return matches_constant(fn, match, node->number, value);
	case RULE_NUMBER:
		return ir_is_const(fn, value) &&
		       low((u64)ir_at(fn, value)->imm, match->width) ==
			       low((u64)node->value, match->width);
	case RULE_OP: return matches_op(fn, match, node, value);
	case RULE_CALCULATED: break;
	}
	return false;
}

static ir_ref make(struct ir_function *fn, const struct match *match, u8 index, ir_ref where)
{
	const struct rule_node *node = &match->rule->nodes[index];
	const u8 width = node->width == RULE_WIDTH ? match->width : node->width;
	ir_ref a, b;

	if (node->kind == RULE_VALUE)
		return match->values[node->number];
	if (node->kind != RULE_OP)
		return ir_const_before(
			fn, where,
			rule_calculate(match->rule, index, match->width, match->constants));
	a = make(fn, match, node->child[0], where);
	b = node->child[1] ? make(fn, match, node->child[1], where) : 0;
	return ir_fold_before(fn, where, (enum ir_op)node->op, (enum ir_width)width, a, b);
}

static void become(struct ir_function *fn, ir_ref at, ir_ref value)
{
	if (!value)
		return;
	if (ir_at(fn, at)->width == IR_32 && !fits32(fn, value))
		value = ir_fold_before(fn, at, IR_zext32, IR_64, value, 0);
	ir_replace(fn, at, value);
}

static bool apply_rows(struct ir_function *fn, ir_ref at)
{
	u32 count;
	const struct rule *const *list = rules_of((enum ir_op)ir_at(fn, at)->op, &count);

	for (u32 i = 0; i < count; i++) {
		const struct rule *rule = list[i];
		struct match match = {.rule = rule,
				      .width = (enum ir_width)ir_at(fn, at)->width};

		if (!matches_op(fn, &match, &rule->nodes[rule->pattern], at) ||
		    (rule->condition &&
		     !rule_calculate(rule, rule->condition, match.width, match.constants)))
			continue;
		become(fn, at, make(fn, &match, rule->result, at));
		return true;
	}
	return false;
}

/* --- one instruction --- */

static bool is_pure(const struct ir_insn *insn)
{
	return insn->op >= IR_add && insn->op <= IR_bswap64;
}

/* Behind an operation that looks at fewer bits, what only changes the others is idle. */
static void narrow(struct ir_function *fn, ir_ref *place, u32 bytes)
{
	for (;; *place = ir_at(fn, *place)->a) {
		const struct ir_insn *insn;

		*place = ir_value(fn, *place);
		insn = ir_at(fn, *place);
		if (insn->op == IR_zext32 || (insn->op == IR_sext32 && insn->width == IR_64)) {
			if (bytes > 4)
				return;
		} else if (insn->op == IR_zext16 || insn->op == IR_sext16) {
			if (bytes > 2)
				return;
		} else if (insn->op == IR_zext8 || insn->op == IR_sext8) {
			if (bytes > 1)
				return;
		} else {
			return;
		}
	}
}

static void calculate(struct ir_function *fn, ir_ref at)
{
	const struct ir_insn *insn = ir_at(fn, at);
	const u64 a = (u64)ir_at(fn, insn->a)->imm,
		  b = insn->b ? (u64)ir_at(fn, insn->b)->imm : 0;

	ir_replace(fn, at,
		   ir_const_before(
			   fn, at,
			   ir_eval((enum ir_op)insn->op, (enum ir_width)insn->width, a, b)));
}

/* An extension or a mask of bits that are not there. */
static bool is_idle(const struct ir_function *fn, const struct ir_insn *insn)
{
	const u64 bits = ir_bits(fn, insn->a);

	switch (insn->op) {
	case IR_zext8: return bits <= 0xff;
	case IR_zext16: return bits <= 0xffff;
	case IR_zext32: return bits <= UINT32_MAX;
	case IR_sext8: return bits <= 0x7f;
	case IR_sext16: return bits <= 0x7fff;
	case IR_sext32: return bits <= INT_MAX;
	case IR_and:
		return ir_is_const(fn, insn->b) &&
		       !(low(bits, (enum ir_width)insn->width) & ~(u64)ir_at(fn, insn->b)->imm);
	default: return false;
	}
}

static void fold_pure(struct ir_function *fn, ir_ref at)
{
	struct ir_insn *insn = ir_at(fn, at);
	ir_ref other;

	if (insn->width == IR_32) {
		narrow(fn, &insn->a, 4);
		if (insn->b)
			narrow(fn, &insn->b, 4);
	} else if (insn->op == IR_zext32 || insn->op == IR_sext32) {
		narrow(fn, &insn->a, 4);
	}
	if (insn->op == IR_zext8 || insn->op == IR_sext8)
		narrow(fn, &insn->a, 1);
	if (ir_is_const(fn, insn->a) && (!insn->b || ir_is_const(fn, insn->b))) {
		calculate(fn, at);
		return;
	}
	other = insn->a;
	if (ir_commutes((enum ir_op)insn->op) && ir_is_const(fn, insn->a)) {
		insn->a = insn->b;
		insn->b = other;
	}
	if (is_idle(fn, insn)) {
		become(fn, at, insn->a);
		return;
	}
	if (insn->op == IR_add && insn->width == IR_64 && ir_is_const(fn, insn->b) &&
	    ir_at(fn, insn->a)->op == IR_frame) {
		*insn = (struct ir_insn){.op = IR_frame,
					 .width = IR_64,
					 .imm = ir_at(fn, insn->a)->imm +
						ir_at(fn, insn->b)->imm,
					 .block = insn->block,
					 .prev = insn->prev,
					 .next = insn->next,
					 .at = insn->at};
		return;
	}
	other = ir_divide(fn, at) ?: ir_combine(fn, at) ?: ir_idiom(fn, at);
	if (other)
		become(fn, at, other);
	else
		apply_rows(fn, at);
}

/* What is added to the address becomes its displacement. */
static void fold_address(struct ir_function *fn, struct ir_insn *insn)
{
	for (;;) {
		const struct ir_insn *base = ir_at(fn, insn->a);
		s64 sum;

		if (base->op != IR_add || base->width != IR_64 || !ir_is_const(fn, base->b))
			return;
		sum = insn->imm + ir_at(fn, base->b)->imm;
		if (sum != (s32)sum)
			return;
		insn->imm = sum;
		insn->a = ir_value(fn, base->a);
	}
}

static void fold_load(struct ir_function *fn, ir_ref at)
{
	ir_ref value;
	u64 number;

	fold_address(fn, ir_at(fn, at));
	value = ir_constant_load(fn, ir_at(fn, at), &number) ? ir_const_before(fn, at, number)
							      : ir_idiom(fn, at);
	if (value)
		ir_replace(fn, at, value);
}

static void fold_condition(struct ir_function *fn, struct ir_insn *insn, ir_ref *a, ir_ref *b)
{
	ir_ref other = *a;
	const struct ir_insn *left;

	if (insn->width == IR_32) {
		narrow(fn, a, 4);
		narrow(fn, b, 4);
	}
	if (ir_is_const(fn, *a) && !ir_is_const(fn, *b)) {
		other = *a;
		*a = *b;
		*b = other;
		insn->cond = (u8)ir_swap((enum ir_cond)insn->cond);
	}
	left = ir_at(fn, *a);
	if (insn->cond <= IR_NE && left->op == IR_and && left->width == insn->width &&
	    ir_is_const(fn, *b) && !ir_at(fn, *b)->imm) {
		insn->cond = insn->cond == IR_EQ ? IR_NONE : IR_ANY;
		*b = ir_value(fn, left->b);
		*a = ir_value(fn, left->a);
	}
}

/* An address, or another sum that is never 0: what is added is none, and nothing carries. */
static bool is_never_0(const struct ir_function *fn, const struct ir_insn *insn)
{
	const u64 added = insn->op == IR_add && insn->width == IR_64 && ir_is_const(fn, insn->b)
				  ? (u64)ir_at(fn, insn->b)->imm
				  : 0;

	return added && ir_bits(fn, insn->a) <= ~added;
}

/* The same by the bits that may be set, compared with a constant. */
static s32 decide_by_bits(const struct ir_function *fn, const struct ir_insn *insn, ir_ref value,
			  u64 constant)
{
	const u64 bits = low(ir_bits(fn, value), (enum ir_width)insn->width);

	constant = low(constant, (enum ir_width)insn->width);
	switch ((u32)insn->cond) {
	case IR_ULT: return bits < constant ? 1 : -1;
	case IR_UGE: return bits < constant ? 0 : -1;
	case IR_UGT: return bits <= constant ? 0 : -1;
	case IR_ULE: return bits <= constant ? 1 : -1;
	case IR_ANY: return bits & constant ? -1 : 0;
	case IR_NONE: return bits & constant ? -1 : 1;
	case IR_EQ:
	case IR_NE:
		if (!(constant & ~bits) && (constant || insn->width == IR_32 ||
					    !is_never_0(fn, ir_at(fn, value))))
			return -1;
		return insn->cond == IR_NE;
	default: return -1;
	}
}

/* 1 and 0: always so; -1: not known. */
static s32 decide(const struct ir_function *fn, const struct ir_insn *insn, ir_ref a, ir_ref b)
{
	if (!ir_is_const(fn, b))
		return -1;
	if (!ir_is_const(fn, a))
		return decide_by_bits(fn, insn, a, (u64)ir_at(fn, b)->imm);
	return ir_eval_cond((enum ir_cond)insn->cond, (enum ir_width)insn->width,
			    (u64)ir_at(fn, a)->imm, (u64)ir_at(fn, b)->imm);
}

static void fold_branch(struct ir_function *fn, ir_ref at)
{
	struct ir_insn *insn = ir_at(fn, at);
	s32 taken;

	fold_condition(fn, insn, &insn->a, &insn->b);
	taken = decide(fn, insn, insn->a, insn->b);
	if (taken < 0)
		return;
	ir_drop_edge(fn, insn->block, fn->blocks[insn->block].succ[taken]);
	insn->op = IR_jump;
	insn->a = insn->b = 0;
}

/* All bits as the number of zeros of 0 is what the operation gives, too. */
static bool counts_all(const struct ir_function *fn, const struct ir_insn *select,
		       const ir_ref *compared)
{
	const bool is_equal = select->cond == IR_EQ;
	const ir_ref of_zero = is_equal ? select->a : select->b;
	const struct ir_insn *other = ir_at(fn, is_equal ? select->b : select->a);

	return select->cond <= IR_NE && (other->op == IR_clz || other->op == IR_ctz) &&
	       other->width == select->width && ir_value(fn, other->a) == compared[0] &&
	       ir_is_const(fn, compared[1]) && !ir_at(fn, compared[1])->imm &&
	       ir_is_const(fn, of_zero) &&
	       ir_at(fn, of_zero)->imm == (other->width == IR_64 ? 64 : 32);
}

static void fold_select(struct ir_function *fn, ir_ref at)
{
	struct ir_insn *insn = ir_at(fn, at);
	ir_ref *args = fn->args + insn->args;
	s32 taken;

	fold_condition(fn, insn, &args[0], &args[1]);
	taken = decide(fn, insn, args[0], args[1]);
	if (taken >= 0)
		ir_replace(fn, at, taken ? insn->a : insn->b);
	else if (insn->a == insn->b)
		ir_replace(fn, at, insn->a);
	else if (counts_all(fn, insn, args))
		ir_replace(fn, at, insn->cond == IR_EQ ? insn->b : insn->a);
}

static void fold(struct ir_function *fn, ir_ref at)
{
	struct ir_insn *insn = ir_at(fn, at);

	IR_FOR_EACH_OPERAND(fn, insn, place)
	*place = ir_value(fn, *place);
	if (is_pure(insn)) {
		fold_pure(fn, at);
		return;
	}
	switch (insn->op) {
	case IR_store:
		if (insn->bytes < 8)
			narrow(fn, &insn->b, insn->bytes);
		fold_address(fn, insn);
		return;
	case IR_load: fold_load(fn, at); return;
	case IR_atomic:
	case IR_fetch:
	case IR_cmpxchg: fold_address(fn, insn); return;
	case IR_branch: fold_branch(fn, at); return;
	case IR_select: fold_select(fn, at); return;
	default: return;
	}
}

void ir_fold(struct ir_function *fn)
{
	for (u32 i = 0; i < fn->order_cnt && !fn->failed; i++) {
		ir_ref next;

		for (ir_ref at = fn->blocks[fn->order[i]].first; at && !fn->failed; at = next) {
			next = ir_at(fn, at)->next;
			fold(fn, at);
		}
	}
}
