/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* 64-bit division and modulo by variables: 100 modular powers' worth */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u64 r = LD64(p) | 1;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 200; i++) {
		u64 d = (LD32(p + i * 4) | 3) + ((u64)(i & 3) << 33);
		r = r * 6364136223846793005ull + 1442695040888963407ull;
		r ^= r / d;
		r += r % (d >> 3 | 1);
	}
	return (u32)(r ^ r >> 32);
}
LICENSE;
