/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* copies 1024 packet bytes to .bss in fixed pieces of 64, then 14-byte headers back and forth
 */
static u8 buf[1024 + 64];
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
#pragma clang loop unroll(disable)
	for (int i = 0; i < 1024; i += 64)
		__builtin_memcpy(buf + i, p + i, 64);
#pragma clang loop unroll(disable)
	for (int i = 0; i < 32; i++) {
		u8 h[14];
		__builtin_memcpy(h, p, 14);
		h[6] ^= i;
		__builtin_memcpy(buf + i * 16, h, 14);
	}
	u64 r = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 1024; i += 64)
		r += LD64(buf + i);
	return (u32)(r ^ r >> 32);
}
LICENSE;
