/* SPDX-License-Identifier: BSD-2-Clause */
#define USE_B64
#include "bench.h"
#include "tables.h"
/* base64 of 768 packet bytes into .bss */
static u8 o[1024];
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
#pragma clang loop unroll(disable)
	for (int i = 0; i < 256; i++) {
		u32 v = p[i * 3] << 16 | p[i * 3 + 1] << 8 | p[i * 3 + 2];
		o[i * 4] = b64_tab[v >> 18];
		o[i * 4 + 1] = b64_tab[v >> 12 & 63];
		o[i * 4 + 2] = b64_tab[v >> 6 & 63];
		o[i * 4 + 3] = b64_tab[v & 63];
	}
	u32 r = 0;
	for (int i = 0; i < 1024; i += 4)
		r = r * 31 + LD32(o + i);
	return r;
}
LICENSE;
