/* SPDX-License-Identifier: BSD-2-Clause */
#define USE_MLP
#include "bench.h"
#include "tables.h"
/* 64-32-8 neural network on packet bytes, integer weights: multiply-add that native code
 * vectorises */
static s32 hid[32];
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u32 r = 0;
	for (int j = 0; j < 32; j++) {
		s32 a = 0;
		for (int i = 0; i < 64; i++)
			a += (s32)p[i] * w1[j * 64 + i];
		hid[j] = a > 0 ? a >> 8 : 0;
	}
	for (int j = 0; j < 8; j++) {
		s32 a = 0;
		for (int i = 0; i < 32; i++)
			a += hid[i] * w2[j * 32 + i];
		r = r * 31 + a;
	}
	return r;
}
LICENSE;
