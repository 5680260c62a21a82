/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* 16/32/64-bit big-endian fields read, changed and written in big-endian order */
static u8 o[1500];
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u64 r = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 1400; i += 28) {
		u16 a = BE16(LD16(p + i)), b = BE16(LD16(p + i + 2));
		u32 c = BE32(LD32(p + i + 4)), d = BE32(LD32(p + i + 8));
		u64 e = BE64(LD64(p + i + 12)), f = BE64(LD64(p + i + 20));
		r += a + b + c + d + (e ^ f);
		ST16(o + i, BE16((u16)(a + 1)));
		ST32(o + i + 4, BE32(c + 1));
		ST64(o + i + 12, BE64(e + 1));
	}
	return (u32)(r ^ r >> 32) + o[12];
}
LICENSE;
