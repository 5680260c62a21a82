/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* find a needle of four bytes (absent) in 1000, then the length of the common
 * part of two regions (400 equal bytes) */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u32 hit = 0, d = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 1000; i++)
		if (p[i] == 0xfe && p[i + 1] == 0x01 && p[i + 2] == 0xfd && p[i + 3] == 0x02) {
			hit = i;
			break;
		}
#pragma clang loop unroll(disable)
	for (int i = 0; i < 410; i++) {
		if (p[i + 100] != p[i + 600])
			break;
		d++;
	}
	return hit + d + p[3];
}
LICENSE;
