/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* NAT rewrite of addresses, ports and MACs with incremental IP and TCP checksums (flips back
 * the next time) */
INLINE u16 csum_fold(u32 s)
{
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return s;
}
INLINE u16 csum_repl4(u16 c, u32 o, u32 n)
{
	u32 s = (u16)~c;
	s += (u16) ~(o & 0xffff);
	s += (u16) ~(o >> 16);
	s += n & 0xffff;
	s += n >> 16;
	return ~csum_fold(s);
}
ENTRY int prog(struct xdp_md *ctx)
{
	u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
	if (p + 54 > end)
		return XDP_ABORTED;
	struct eth *e = (void *)p;
	struct ip4 *ip = (void *)(p + 14);
	struct l4 *t = (void *)(p + 34);
	if (e->proto != ETH_IP || ip->vihl != 0x45 || ip->proto != 6 || ip->ttl <= 1)
		return XDP_PASS;
	u32 os = ip->src, od = ip->dst, ns = os ^ 0x01020304, nd = od ^ 0x0a0b0c0d;
	u32 op = LD32(&t->sport), np = op ^ 0x11112222;
	u16 ic = csum_repl4(csum_repl4(ip->csum, os, ns), od, nd);
	u16 tc = csum_repl4(csum_repl4(csum_repl4(t->csum, os, ns), od, nd), op, np);
	ip->src = ns;
	ip->dst = nd;
	ip->csum = ic;
	ST32(&t->sport, np);
	t->csum = tc;
	u8 m[6];
	__builtin_memcpy(m, e->dst, 6);
	__builtin_memcpy(e->dst, e->src, 6);
	__builtin_memcpy(e->src, m, 6);
	return XDP_TX;
}
LICENSE;
