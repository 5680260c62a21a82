/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
#include "flow.h"
/* 5-tuple hash, packet and byte counters in a 4096-entry array map */
struct cnt {
	u64 pkts, bytes;
};
BMAP(cnts, BPF_MAP_TYPE_ARRAY, u32, struct cnt, 4096, 0);
ENTRY int prog(struct xdp_md *ctx)
{
	u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
	if (p + 54 > end)
		return XDP_ABORTED;
	struct eth *e = (void *)p;
	struct ip4 *ip = (void *)(p + 14);
	struct l4 *t = (void *)(p + 34);
	if (e->proto != ETH_IP || ip->vihl != 0x45)
		return XDP_PASS;
	u32 a = ip->src ^ flow_next(0xffff), b = ip->dst, c = LD32(&t->sport) ^ ip->proto;
	a += 0xdeadbeef;
	b += 0xdeadbeef;
	c += 0xdeadbeef;
	c ^= b;
	c -= ROL32(b, 14);
	a ^= c;
	a -= ROL32(c, 11);
	b ^= a;
	b -= ROL32(a, 25);
	c ^= b;
	c -= ROL32(b, 16);
	a ^= c;
	a -= ROL32(c, 4);
	b ^= a;
	b -= ROL32(a, 14);
	c ^= b;
	c -= ROL32(b, 24);
	u32 k = c & 4095;
	struct cnt *v = LOOKUP(cnts, &k);
	if (!v)
		return XDP_ABORTED;
	v->pkts++;
	v->bytes += end - p;
	return XDP_DROP;
}
LICENSE;
