/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* 200 x a chain of four bpf-to-bpf calls */
static NOINLINE u64 f4(u64 a, u64 b, u64 c)
{
	barrier();
	return (a ^ b) + c * 3;
}
static NOINLINE u64 f3(u64 a, u64 b, u64 c)
{
	barrier();
	return f4(b, c, a) ^ a;
}
static NOINLINE u64 f2(u64 a, u64 b, u64 c)
{
	barrier();
	return f3(b, c, a) + b;
}
static NOINLINE u64 f1(u64 a, u64 b, u64 c)
{
	barrier();
	return f2(a + 1, b, c) - c;
}
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u64 a = LD64(p), b = LD64(p + 8);
#pragma clang loop unroll(disable)
	for (int i = 0; i < 200; i++) {
		a = f1(a, b, i);
		b += a >> 7;
	}
	return (u32)(a ^ a >> 32);
}
LICENSE;
