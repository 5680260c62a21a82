/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* 64-bit xor-shift generator, 1000 steps: one dependency chain */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u64 x = LD64(p) | 1;
	for (int i = 0; i < 1000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	return (u32)(x ^ x >> 32);
}
LICENSE;
