/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* the naive checksum: 750 big-endian 16-bit loads */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u32 s = 0;
	for (int i = 0; i < 1500; i += 2)
		s += BE16(LD16(p + i));
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (u16)~s;
}
LICENSE;
