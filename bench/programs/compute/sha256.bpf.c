/* SPDX-License-Identifier: BSD-2-Clause */
#define USE_SHA
#include "bench.h"
#include "tables.h"
/* SHA-256 compression of 4 blocks of packet bytes */
static u32 w[64];
#define S0(x) (ROR32(x, 2) ^ ROR32(x, 13) ^ ROR32(x, 22))
#define S1(x) (ROR32(x, 6) ^ ROR32(x, 11) ^ ROR32(x, 25))
#define s0(x) (ROR32(x, 7) ^ ROR32(x, 18) ^ ((x) >> 3))
#define s1(x) (ROR32(x, 17) ^ ROR32(x, 19) ^ ((x) >> 10))
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u32 h0 = 0x6a09e667, h1 = 0xbb67ae85, h2 = 0x3c6ef372, h3 = 0xa54ff53a;
	u32 h4 = 0x510e527f, h5 = 0x9b05688c, h6 = 0x1f83d9ab, h7 = 0x5be0cd19;
#pragma clang loop unroll(disable)
	for (int blk = 0; blk < 4; blk++) {
		for (int i = 0; i < 16; i++)
			w[i] = BE32(LD32(p + blk * 64 + i * 4));
#pragma clang loop unroll(disable)
		for (int i = 16; i < 64; i++)
			w[i] = s1(w[i - 2]) + w[i - 7] + s0(w[i - 15]) + w[i - 16];
		u32 a = h0, b = h1, c = h2, d = h3, e = h4, f = h5, g = h6, h = h7;
#pragma clang loop unroll(disable)
		for (int i = 0; i < 64; i++) {
			u32 t1 = h + S1(e) + ((e & f) ^ (~e & g)) + sha_k[i] + w[i];
			u32 t2 = S0(a) + ((a & b) ^ (a & c) ^ (b & c));
			h = g;
			g = f;
			f = e;
			e = d + t1;
			d = c;
			c = b;
			b = a;
			a = t1 + t2;
		}
		h0 += a;
		h1 += b;
		h2 += c;
		h3 += d;
		h4 += e;
		h5 += f;
		h6 += g;
		h7 += h;
	}
	return h0 ^ h7;
}
LICENSE;
