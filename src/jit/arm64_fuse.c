/* SPDX-License-Identifier: BSD-2-Clause */
/* Values that arm64 has one instruction for become one: a second operand that is shifted or
 * inverted, products that are added or subtracted, fields of bits. How that is written is in
 * arm64_full.h. */
#include "jit/arm64_full.h"

#include <stdlib.h>

struct fuse {
	struct ir_function *fn;
	u8 *uses; /* of each value: 0, 1, or more */
};

static struct ir_insn *insn_of(const struct fuse *fuse, ir_ref value)
{
	return ir_at(fuse->fn, ir_value(fuse->fn, value));
}

/* The instruction that makes the value, for nobody else. */
static const struct ir_insn *only_for(const struct fuse *fuse, ir_ref value)
{
	value = ir_value(fuse->fn, value);
	return fuse->uses[value] == 1 ? ir_at(fuse->fn, value) : NULL;
}

static bool is_number(const struct fuse *fuse, ir_ref value, u64 *out)
{
	const struct ir_insn *insn = insn_of(fuse, value);

	*out = (u64)insn->imm;
	return insn->op == IR_const;
}

static bool is_const(const struct fuse *fuse, ir_ref value)
{
	return insn_of(fuse, value)->op == IR_const;
}

static u32 bits_of(const struct ir_insn *insn)
{
	return insn->width == IR_64 ? 64 : 32;
}

/* --- a second operand that is shifted or inverted --- */

static bool is_logic(const struct ir_insn *insn)
{
	return insn->op == IR_and || insn->op == IR_or || insn->op == IR_xor;
}

static bool take_shift(const struct fuse *fuse, struct ir_insn *insn, const struct ir_insn *shift)
{
	u64 amount;

	if (!shift || shift->bytes || !is_number(fuse, shift->b, &amount))
		return false;
	amount &= bits_of(shift) - 1;
	/* The low bits of a shift to the left are those of a narrower one. */
	if (shift->width != insn->width && (shift->op != IR_shl || insn->width != IR_32 || amount > 31))
		return false;
	switch (shift->op) {
	case IR_shl: insn->cond = A64_LSL; break;
	case IR_shr: insn->cond = A64_LSR; break;
	case IR_sar: insn->cond = A64_ASR; break;
	default: return false;
	}
	insn->b = shift->a;
	insn->scale = (u8)amount;
	return true;
}

static bool take_not(struct ir_insn *insn, const struct ir_insn *inverted)
{
	if (!is_logic(insn) || !inverted || inverted->op != IR_not ||
	    (inverted->width != insn->width && insn->width == IR_64))
		return false;
	insn->b = inverted->a;
	insn->is_signed = true;
	return true;
}

static void swap(struct ir_insn *insn)
{
	const ir_ref a = insn->a;

	insn->a = insn->b;
	insn->b = a;
}

static void second_operand(const struct fuse *fuse, struct ir_insn *insn)
{
	if (is_const(fuse, insn->a) || is_const(fuse, insn->b) ||
	    insn_of(fuse, insn->a)->op == IR_frame || insn_of(fuse, insn->b)->op == IR_frame)
		return;
	if (take_shift(fuse, insn, only_for(fuse, insn->b)) || take_not(insn, only_for(fuse, insn->b)) ||
	    insn->op == IR_sub)
		return;
	swap(insn);
	if (!take_shift(fuse, insn, only_for(fuse, insn->b)) && !take_not(insn, only_for(fuse, insn->b)))
		swap(insn);
}

/* --- products --- */

static bool is_product(const struct fuse *fuse, const struct ir_insn *insn, const struct ir_insn *mul)
{
	u64 factor;

	if (!mul || mul->op != IR_mul || mul->c || (mul->width != insn->width && insn->width == IR_64))
		return false;
	/* Others are sums themselves. */
	return !is_number(fuse, mul->b, &factor) || !is_power_of_two(factor - 1);
}

static void add_product(struct ir_insn *insn, const struct ir_insn *mul, ir_ref other, bool is_sub)
{
	insn->op = IR_mul;
	insn->a = mul->a;
	insn->b = mul->b;
	insn->c = other;
	insn->cond = is_sub;
}

static bool product(const struct fuse *fuse, struct ir_insn *insn)
{
	const struct ir_insn *a = only_for(fuse, insn->a), *b = only_for(fuse, insn->b);

	if (is_const(fuse, insn->a) || is_const(fuse, insn->b))
		return false;
	if (is_product(fuse, insn, b))
		add_product(insn, b, insn->a, insn->op == IR_sub);
	else if (insn->op == IR_add && is_product(fuse, insn, a))
		add_product(insn, a, insn->b, false);
	else
		return false;
	return true;
}

/* --- fields --- */

/* How many low bits the operation leaves of its operand; 0: it does something else. */
static u32 kept_bits(const struct fuse *fuse, const struct ir_insn *insn)
{
	u64 mask;

	switch (insn->op) {
	case IR_zext8:
	case IR_sext8: return 8;
	case IR_zext16:
	case IR_sext16: return 16;
	case IR_zext32:
	case IR_sext32: return 32;
	case IR_and:
		if (insn->scale || insn->is_signed || !is_number(fuse, insn->b, &mask) || !mask)
			return 0;
		if (insn->width == IR_32)
			mask = (u32)mask;
		return mask & (mask + 1) ? 0 : (u32)__builtin_popcountll(mask);
	default: return 0;
	}
}

static bool is_sign_extension(const struct ir_insn *insn)
{
	return insn->op >= IR_sext8 && insn->op <= IR_sext32;
}

/* Bits from a place on. */
static bool field(const struct fuse *fuse, struct ir_insn *insn)
{
	const struct ir_insn *shift = only_for(fuse, insn->a);
	const u32 kept = kept_bits(fuse, insn);
	u64 amount;

	if (!kept || !shift || shift->op != IR_shr || shift->bytes || !is_number(fuse, shift->b, &amount))
		return false;
	amount &= bits_of(shift) - 1;
	if (amount + kept > bits_of(shift))
		return false;
	/* A sign is extended to the width of the whole. */
	if (is_sign_extension(insn) && insn->width != shift->width)
		return false;
	insn->op = is_sign_extension(insn) ? IR_sar : IR_shr;
	insn->width = shift->width;
	insn->a = shift->a;
	insn->b = shift->b;
	insn->bytes = (u8)kept;
	return true;
}

/* The low bits, moved to a place. */
static void moved_field(const struct fuse *fuse, struct ir_insn *insn)
{
	const struct ir_insn *low = only_for(fuse, insn->a);
	u64 amount;
	u32 kept;

	if (!low || insn->bytes || !is_number(fuse, insn->b, &amount) || is_sign_extension(low))
		return;
	kept = kept_bits(fuse, low);
	amount &= bits_of(insn) - 1;
	if (!kept || !amount || amount + kept > bits_of(insn))
		return;
	insn->a = low->a;
	insn->bytes = (u8)kept;
}

/* The bits that a shift to the left leaves in a mask. */
static bool masked_shift(const struct fuse *fuse, struct ir_insn *insn)
{
	const struct ir_insn *shift = only_for(fuse, insn->a);
	u64 mask, amount;

	if (!shift || shift->op != IR_shl || shift->bytes || shift->width != insn->width ||
	    !is_number(fuse, insn->b, &mask) || !is_number(fuse, shift->b, &amount))
		return false;
	amount &= bits_of(shift) - 1;
	if (insn->width == IR_32)
		mask = (u32)mask;
	if (!mask || (u64)__builtin_ctzll(mask) != amount || !amount ||
	    (mask >> amount) & ((mask >> amount) + 1))
		return false;
	insn->op = IR_shl;
	insn->a = shift->a;
	insn->b = shift->b;
	insn->bytes = (u8)__builtin_popcountll(mask);
	return true;
}

static void fuse_insn(const struct fuse *fuse, struct ir_insn *insn)
{
	switch (insn->op) {
	case IR_add:
	case IR_sub:
		if (!product(fuse, insn))
			second_operand(fuse, insn);
		return;
	case IR_and:
		if (field(fuse, insn) || masked_shift(fuse, insn))
			return;
		__attribute__((fallthrough));
	case IR_or:
	case IR_xor: second_operand(fuse, insn); return;
	case IR_shl: moved_field(fuse, insn); return;
	default: field(fuse, insn); return;
	}
}

static void count_uses(struct fuse *fuse)
{
	struct ir_function *fn = fuse->fn;

	for (u32 i = 0; i < fn->order_cnt; i++)
		for (ir_ref at = fn->blocks[fn->order[i]].first; at; at = ir_at(fn, at)->next)
			IR_FOR_EACH_OPERAND(fn, ir_at(fn, at), place) {
				const ir_ref value = ir_value(fn, *place);

				fuse->uses[value] = (u8)min(fuse->uses[value] + 1, 2);
			}
}

void full_fuse(struct ir_function *fn)
{
	struct fuse fuse = {fn, calloc(fn->insn_cnt, 1)};

	if (!fuse.uses) {
		fn->failed = true;
		return;
	}
	count_uses(&fuse);
	for (u32 i = fn->order_cnt; i-- > 0;)
		for (ir_ref at = fn->blocks[fn->order[i]].last; at; at = ir_at(fn, at)->prev)
			fuse_insn(&fuse, ir_at(fn, at));
	free(fuse.uses);
	ir_dead(fn);
}
