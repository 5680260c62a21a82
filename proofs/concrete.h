/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What instructions do with numbers, at any width up to 64: what the proofs measure the domain
 * against. Numbers are zero-extended.
 */
#ifndef SKEP_PROOFS_CONCRETE_H
#define SKEP_PROOFS_CONCRETE_H

#include "verify/view.h"

#include <linux/bpf.h>

static inline u64 concrete_divide(u64 a, u64 b, u8 op, bool is_signed, u32 width)
{
	s64 signed_a = sign_extend(a, width), signed_b = sign_extend(b, width);

	if (!b)
		return op == BPF_DIV ? 0 : a;
	if (!is_signed)
		return op == BPF_DIV ? a / b : a % b;
	if (signed_b == -1)
		return op == BPF_DIV ? (0 - a) & low_ones(width) : 0;
	return (u64)(op == BPF_DIV ? signed_a / signed_b : signed_a % signed_b) &
	       low_ones(width);
}

static inline bool is_shift(u8 op)
{
	return op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;
}

/* Shifts by the width or more may give anything: left out by the caller. */
static inline u64 concrete_alu(u64 a, u64 b, u8 op, bool is_signed, u32 width)
{
	u64 ones = low_ones(width);

	switch (op) {
	case BPF_ADD: return (a + b) & ones;
	case BPF_SUB: return (a - b) & ones;
	case BPF_MUL: return (a * b) & ones;
	case BPF_AND: return a & b;
	case BPF_OR: return a | b;
	case BPF_XOR: return a ^ b;
	case BPF_LSH: return (a << b) & ones;
	case BPF_RSH: return a >> b;
	case BPF_ARSH: return (u64)(sign_extend(a, width) >> b) & ones;
	default: return concrete_divide(a, b, op, is_signed, width);
	}
}

static inline bool concrete_jump(u64 a, u64 b, u8 op, u32 width)
{
	s64 signed_a = sign_extend(a, width), signed_b = sign_extend(b, width);

	switch (op) {
	case BPF_JEQ: return a == b;
	case BPF_JNE: return a != b;
	case BPF_JSET: return a & b;
	case BPF_JGT: return a > b;
	case BPF_JGE: return a >= b;
	case BPF_JLT: return a < b;
	case BPF_JLE: return a <= b;
	case BPF_JSGT: return signed_a > signed_b;
	case BPF_JSGE: return signed_a >= signed_b;
	case BPF_JSLT: return signed_a < signed_b;
	default: return signed_a <= signed_b;
	}
}

#endif
