/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* FNV-1a 64 over 1500 packet bytes */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u64 h = 0xcbf29ce484222325ull;
	for (int i = 0; i < 1500; i++) {
		h ^= p[i];
		h *= 0x100000001b3ull;
	}
	return (u32)(h ^ h >> 32);
}
LICENSE;
