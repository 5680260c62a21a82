/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* decimal conversion: division and modulo by the constants 10 and 1000000 (native turns them
 * into multiplications) */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u64 r = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 40; i++) {
		u64 v = LD64(p + i * 8);
		r += v / 1000000;
		v %= 1000000;
		for (int k = 0; k < 6; k++) {
			r = r * 11 + v % 10;
			v /= 10;
		}
	}
	return (u32)(r ^ r >> 32);
}
LICENSE;
