/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* 32-bit mixing, 4 lanes, multiplications and rotates (murmur-like) over 1500 bytes */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u32 h1 = 1, h2 = 2, h3 = 3, h4 = 4;
	for (int i = 0; i < 1488; i += 16) {
		u32 k1 = LD32(p + i), k2 = LD32(p + i + 4), k3 = LD32(p + i + 8),
		    k4 = LD32(p + i + 12);
		k1 *= 0x239b961b;
		k1 = ROL32(k1, 15);
		k1 *= 0xab0e9789;
		h1 ^= k1;
		h1 = ROL32(h1, 19);
		h1 += h2;
		h1 = h1 * 5 + 0x561ccd1b;
		k2 *= 0xab0e9789;
		k2 = ROL32(k2, 16);
		k2 *= 0x38b34ae5;
		h2 ^= k2;
		h2 = ROL32(h2, 17);
		h2 += h3;
		h2 = h2 * 5 + 0x0bcaa747;
		k3 *= 0x38b34ae5;
		k3 = ROL32(k3, 17);
		k3 *= 0xa1e38b93;
		h3 ^= k3;
		h3 = ROL32(h3, 15);
		h3 += h4;
		h3 = h3 * 5 + 0x96cd1c35;
		k4 *= 0xa1e38b93;
		k4 = ROL32(k4, 18);
		k4 *= 0x239b961b;
		h4 ^= k4;
		h4 = ROL32(h4, 13);
		h4 += h1;
		h4 = h4 * 5 + 0x32ac3b17;
	}
	return h1 ^ h2 ^ h3 ^ h4;
}
LICENSE;
