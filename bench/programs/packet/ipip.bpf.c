/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* IPIP encapsulation with adjust_head and a fresh header checksum, then decapsulation, so that
 * a run leaves the packet as it was */
ENTRY int prog(struct xdp_md *ctx)
{
	u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
	if (p + 34 > end)
		return XDP_ABORTED;
	if (LD16(p + 12) != ETH_IP)
		return XDP_PASS;
	u16 ilen = BE16(LD16(p + 16));
	u32 src = LD32(p + 26);
	if (ADJUST_HEAD(ctx, -20))
		return XDP_ABORTED;
	p = (u8 *)(long)ctx->data;
	end = (u8 *)(long)ctx->data_end;
	if (p + 54 > end)
		return XDP_ABORTED;
	__builtin_memcpy(p, p + 20, 14);
	struct ip4 *o = (void *)(p + 14);
	o->vihl = 0x45;
	o->tos = 0;
	o->len = BE16(ilen + 20);
	o->id = 0;
	o->frag = 0;
	o->ttl = 64;
	o->proto = 4;
	o->csum = 0;
	o->src = 0x0100000a ^ (src & 0xff00);
	o->dst = 0x0200000a;
	u32 s = 0;
	u16 *w = (u16 *)o;
#pragma unroll
	for (int i = 0; i < 10; i++)
		s += w[i];
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	o->csum = ~s;
	u8 h[14];
	__builtin_memcpy(h, p, 14);
	if (ADJUST_HEAD(ctx, 20))
		return XDP_ABORTED;
	p = (u8 *)(long)ctx->data;
	end = (u8 *)(long)ctx->data_end;
	if (p + 34 > end)
		return XDP_ABORTED;
	__builtin_memcpy(p, h, 14);
	return XDP_TX;
}
LICENSE;
