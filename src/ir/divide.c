/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Division by a constant as a multiplication (Granlund and Montgomery, "Division by Invariant
 * Integers using Multiplication", 1994). With m = ceil(2^p / d) and e = m * d - 2^p, the quotient of
 * all n below 2^N is (n * m) >> p as long as e * 2^N <= 2^p.
 */
#include "ir/divide.h"
#include "ir/fold.h"

typedef unsigned __int128 u128;

static bool try_shift(u64 divisor, u32 bits, u32 shift, struct ir_magic *out)
{
	const u128 power = (u128)1 << shift;
	const u128 factor = (power - 1) / divisor + 1, error = factor * divisor - power;

	if (factor >> bits || error > power >> bits)
		return false;
	*out = (struct ir_magic){(u64)factor, shift, false};
	return true;
}

/* Neither 0 nor a power of two. */
struct ir_magic ir_magic(u64 divisor, u32 bits)
{
	const u32 length = 64 - (u32)__builtin_clzll(divisor);
	struct ir_magic magic;

	for (u32 shift = bits; shift < bits + length; shift++)
		if (try_shift(divisor, bits, shift, &magic))
			return magic;
	/* The factor has one bit more than there is room for: that bit is added. */
	return (struct ir_magic){
		(u64)((~(u128)0 >> (128 - bits - length)) / divisor + 1 - ((u128)1 << bits)),
		bits + length, true};
}

static ir_ref with(struct ir_function *fn, ir_ref where, enum ir_op op, enum ir_width width,
		   ir_ref a, u64 constant)
{
	return ir_fold_before(fn, where, op, width, a, ir_const_before(fn, where, constant));
}

static ir_ref quotient32(struct ir_function *fn, ir_ref at, ir_ref number, u64 divisor)
{
	const struct ir_magic magic = ir_magic(divisor, 32);
	ir_ref wide = ir_fold_before(fn, at, IR_zext32, IR_64, number, 0);

	if (magic.adds) /* twice as many bits leave room for any factor */
		return with(fn, at, IR_mulhi, IR_64, wide, ~0ull / divisor + 1);
	return with(fn, at, IR_shr, IR_64, with(fn, at, IR_mul, IR_64, wide, magic.factor),
		    magic.shift);
}

static ir_ref quotient64(struct ir_function *fn, ir_ref at, ir_ref number, u64 divisor)
{
	const struct ir_magic magic = ir_magic(divisor, 64);
	ir_ref high = with(fn, at, IR_mulhi, IR_64, number, magic.factor), half;

	if (!magic.adds)
		return with(fn, at, IR_shr, IR_64, high, magic.shift - 64);
	half = with(fn, at, IR_shr, IR_64, ir_fold_before(fn, at, IR_sub, IR_64, number, high),
		    1);
	return with(fn, at, IR_shr, IR_64, ir_fold_before(fn, at, IR_add, IR_64, half, high),
		    magic.shift - 65);
}

ir_ref ir_divide(struct ir_function *fn, ir_ref at)
{
	const struct ir_insn insn = *ir_at(fn, at);
	const enum ir_width width = (enum ir_width)insn.width;
	const u64 number = (u64)ir_at(fn, insn.b)->imm;
	const u64 divisor = width == IR_64 ? number : (u32)number;
	ir_ref quotient;

	if ((insn.op != IR_udiv && insn.op != IR_umod) || !ir_is_const(fn, insn.b) ||
	    divisor < 3 || is_power_of_two(divisor))
		return 0;
	quotient = width == IR_64 ? quotient64(fn, at, insn.a, divisor)
				  : quotient32(fn, at, insn.a, divisor);
	if (insn.op == IR_udiv)
		return quotient;
	return ir_fold_before(fn, at, IR_sub, width, insn.a,
			      with(fn, at, IR_mul, width, quotient, divisor));
}
