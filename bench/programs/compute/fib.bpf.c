/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* Fibonacci modulo 2^64, 2000 additions: loop overhead */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u64 a = LD64(p), b = LD64(p + 8);
	u32 n = 1000 + (p[0] & 1);
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < n; i++) {
		u64 t = a + b;
		a = b;
		b = t ^ i;
	}
	return (u32)(a ^ a >> 32);
}
LICENSE;
