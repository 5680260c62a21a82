/* SPDX-License-Identifier: BSD-2-Clause */
#define USE_CRC
#include "bench.h"
#include "tables.h"
/* CRC-32 by table, 1500 bytes */
ENTRY int prog(struct xdp_md *ctx)
{
	PKT(p, 1500);
	u32 c = ~0u;
	for (int i = 0; i < 1500; i++)
		c = crc_tab[(u8)(c ^ p[i])] ^ c >> 8;
	return ~c;
}
LICENSE;
