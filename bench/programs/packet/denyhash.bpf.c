/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
#include "flow.h"
/* exact-match deny list of one million IPv4 addresses, half of the packets hit */
#define N 1000000
BMAP(deny, BPF_MAP_TYPE_HASH, u32, u32, N, 0);
static u32 setup_seq;
ENTRY int setup(struct xdp_md *ctx)
{
	u32 i = setup_seq++, h = mix32(i * 2 + 1);
	UPDATE(deny, &h, &i, 0);
	return 0;
}
ENTRY int prog(struct xdp_md *ctx)
{
	u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
	if (p + 34 > end)
		return XDP_ABORTED;
	if (LD16(p + 12) != ETH_IP)
		return XDP_PASS;
	u32 f = flow_next(0xfffff);
	u32 a = f & 1 ? mix32(f) : mix32((f % N) * 2 + 1);
	u32 *v = LOOKUP(deny, &a);
	return v ? XDP_DROP : XDP_PASS;
}
LICENSE;
