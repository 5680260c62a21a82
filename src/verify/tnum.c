/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/tnum.h"

/* Long multiplication: each bit of `a` adds a shifted `b`, nothing, or one of the two. */
struct tnum tnum_mul(struct tnum a, struct tnum b)
{
	struct tnum sum = tnum_const(0);

	for (; a.value | a.mask; a = tnum_shr(a, 1), b = tnum_shl(b, 1)) {
		if (a.value & 1)
			sum = tnum_add(sum, b);
		else if (a.mask & 1)
			sum = tnum_union(sum, tnum_add(sum, b));
	}
	return sum;
}

struct tnum tnum_sign_extend(struct tnum a, u32 from, u32 to)
{
	struct tnum wide = {(u64)sign_extend(a.value, from), (u64)sign_extend(a.mask, from)};

	return tnum_cast(wide, to);
}

struct tnum tnum_sar(struct tnum a, u32 shift, u32 width)
{
	struct tnum shifted = {(u64)(sign_extend(a.value, width) >> shift),
			       (u64)(sign_extend(a.mask, width) >> shift)};

	return tnum_cast(shifted, width);
}

struct tnum tnum_byte_swap(struct tnum a, u32 width)
{
	return (struct tnum){__builtin_bswap64(a.value) >> (64 - width),
			     __builtin_bswap64(a.mask) >> (64 - width)};
}
