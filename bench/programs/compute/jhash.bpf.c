/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* lookup3-style hash (three 32-bit lanes, rotates) over 1500 packet bytes */
#define MIX(a, b, c)               \
	{                          \
		a -= c;            \
		a ^= ROL32(c, 4);  \
		c += b;            \
		b -= a;            \
		b ^= ROL32(a, 6);  \
		a += c;            \
		c -= b;            \
		c ^= ROL32(b, 8);  \
		b += a;            \
		a -= c;            \
		a ^= ROL32(c, 16); \
		c += b;            \
		b -= a;            \
		b ^= ROL32(a, 19); \
		a += c;            \
		c -= b;            \
		c ^= ROL32(b, 4);  \
		b += a;            \
	}
#define FINAL(a, b, c)             \
	{                          \
		c ^= b;            \
		c -= ROL32(b, 14); \
		a ^= c;            \
		a -= ROL32(c, 11); \
		b ^= a;            \
		b -= ROL32(a, 25); \
		c ^= b;            \
		c -= ROL32(b, 16); \
		a ^= c;            \
		a -= ROL32(c, 4);  \
		b ^= a;            \
		b -= ROL32(a, 14); \
		c ^= b;            \
		c -= ROL32(b, 24); \
	}
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u32 a = 0xdeadbeef + 1500, b = a, c = a;
	for (int i = 0; i < 1488; i += 12) {
		a += LD32(p + i);
		b += LD32(p + i + 4);
		c += LD32(p + i + 8);
		MIX(a, b, c);
	}
	a += LD32(p + 1488);
	b += LD32(p + 1492);
	c += LD32(p + 1496);
	FINAL(a, b, c);
	return c;
}
LICENSE;
