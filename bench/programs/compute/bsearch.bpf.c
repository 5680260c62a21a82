/* SPDX-License-Identifier: BSD-2-Clause */
#define USE_SORTED
#include "bench.h"
#include "tables.h"
/* lower bound in 1024 sorted words, 100 random keys: branch misses or conditional moves */
static volatile u32 zero; /* unknown to the verifier: its states then merge */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u32 r = 0;
#pragma clang loop unroll(disable)
	for (int k = 0; k < 100; k++) {
		u32 key = LD32(p + k * 4), b = zero & 1023;
#pragma clang loop unroll(disable)
		for (u32 s = 512; s; s >>= 1) {
			u32 m = (b + s) & 1023;
			if (sorted[m] <= key)
				b = m;
		}
		r = r * 31 + b;
	}
	return r;
}
LICENSE;
