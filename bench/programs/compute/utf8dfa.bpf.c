/* SPDX-License-Identifier: BSD-2-Clause */
#define USE_UTF8
#include "bench.h"
#include "tables.h"
/* UTF-8 validation of 1400 bytes by table */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u32 s = 0, n = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 1400; i++) {
		s = u8_next[(s & 15) * 16 + (u8_cls[p[i]] & 15)];
		if (s == 1) {
			n++;
			s = 0;
		}
	}
	return n;
}
LICENSE;
