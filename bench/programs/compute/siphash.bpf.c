/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* SipHash-2-4 over 1024 packet bytes: 64-bit rotates */
#define ROUND                       \
	{                           \
		v0 += v1;           \
		v1 = ROL64(v1, 13); \
		v1 ^= v0;           \
		v0 = ROL64(v0, 32); \
		v2 += v3;           \
		v3 = ROL64(v3, 16); \
		v3 ^= v2;           \
		v0 += v3;           \
		v3 = ROL64(v3, 21); \
		v3 ^= v0;           \
		v2 += v1;           \
		v1 = ROL64(v1, 17); \
		v1 ^= v2;           \
		v2 = ROL64(v2, 32); \
	}
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u64 k0 = 0x0706050403020100ull, k1 = 0x0f0e0d0c0b0a0908ull;
	u64 v0 = k0 ^ 0x736f6d6570736575ull, v1 = k1 ^ 0x646f72616e646f6dull;
	u64 v2 = k0 ^ 0x6c7967656e657261ull, v3 = k1 ^ 0x7465646279746573ull;
	for (int i = 0; i < 1024; i += 8) {
		u64 m = LD64(p + i);
		v3 ^= m;
		ROUND ROUND v0 ^= m;
	}
	u64 b = 1024ull << 56;
	v3 ^= b;
	ROUND ROUND v0 ^= b;
	v2 ^= 0xff;
	ROUND ROUND ROUND ROUND u64 r = v0 ^ v1 ^ v2 ^ v3;
	return (u32)(r ^ r >> 32);
}
LICENSE;
