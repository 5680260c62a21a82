/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* bit tricks BPF has no instruction for: population count, trailing/leading zeros, 150 words */
INLINE u32 pop(u64 x)
{
	return __builtin_popcountll(x);
}
INLINE u32 ctz(u64 x)
{
	return x ? __builtin_ctzll(x) : 64;
}
INLINE u32 clz(u64 x)
{
	return x ? __builtin_clzll(x) : 64;
}
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u32 r = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 150; i++) {
		u64 v = LD64(p + i * 8);
		r += pop(v) * 3 + ctz(v) * 5 + clz(v);
	}
	return r;
}
LICENSE;
