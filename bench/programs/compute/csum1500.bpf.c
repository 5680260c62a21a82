/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* Internet checksum of 1500 bytes, 32-bit loads, the way datapath programs do it */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u64 s = 0;
	for (int i = 0; i < 1500; i += 4)
		s += LD32(p + i);
	s = (s & 0xffffffff) + (s >> 32);
	s = (s & 0xffffffff) + (s >> 32);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (u16)~s;
}
LICENSE;
