/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
#include "flow.h"
/* a layer-4 load balancer: parse, VIP hash, LRU connection table, consistent-hash
 * ring, IPIP encapsulation, per-CPU statistics (decapsulated again at the end) */
#define RING 65537
#define NVIP 512
struct vip {
	u32 addr;
	u16 port;
	u8 proto, pad;
};
struct vipinfo {
	u32 flags, num;
};
struct flow {
	u32 src, dst;
	u16 sport, dport;
	u32 proto;
};
struct real {
	u32 dst, flags;
};
struct stats {
	u64 pkts, bytes;
};
BMAP(vips, BPF_MAP_TYPE_HASH, struct vip, struct vipinfo, NVIP, 0);
BMAP(conns, BPF_MAP_TYPE_LRU_HASH, struct flow, u32, 65536, 0);
BMAP(ring, BPF_MAP_TYPE_ARRAY, u32, u32, RING * 4, 0);
BMAP(reals, BPF_MAP_TYPE_ARRAY, u32, struct real, 4096, 0);
BMAP(stats, BPF_MAP_TYPE_PERCPU_ARRAY, u32, struct stats, NVIP, 0);
static u32 setup_seq;
ENTRY int setup(struct xdp_md *ctx)
{
	u32 i = setup_seq++;
	if (i < RING * 4) {
		u32 v = mix32(i) & 4095;
		UPDATE(ring, &i, &v, 0);
	}
	if (i < 4096) {
		struct real r = {0x0a000000 + i, 0};
		UPDATE(reals, &i, &r, 0);
	}
	if (i < 256) {
		struct vip k = {0x0a010000 + i, BE16(80), 6, 0};
		struct vipinfo f = {0, i & 3};
		UPDATE(vips, &k, &f, 0);
	}
	return 0;
}
ENTRY int prog(struct xdp_md *ctx)
{
	u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
	if (p + 54 > end)
		return XDP_DROP;
	struct eth *e = (void *)p;
	struct ip4 *ip = (void *)(p + 14);
	struct l4 *t = (void *)(p + 34);
	if (e->proto != ETH_IP || ip->vihl != 0x45)
		return XDP_PASS;
	u32 fl = flow_next(0x7fff); /* 32k flows, half the table */
	struct vip vk = {0x0a010000 + (fl & 255), t->dport, ip->proto, 0};
	struct vipinfo *vi = LOOKUP(vips, &vk);
	if (!vi)
		return XDP_PASS;
	struct flow fk = {ip->src ^ fl, vk.addr, t->sport, t->dport, ip->proto};
	u32 real_idx;
	u32 *c = LOOKUP(conns, &fk);
	if (c) {
		real_idx = *c;
	} else {
		u32 h = mix32(fk.src ^ mix32(fk.dst ^ LD32(&fk.sport)));
		u32 k = (vi->num & 3) * RING + h % RING;
		u32 *rr = LOOKUP(ring, &k);
		if (!rr)
			return XDP_DROP;
		real_idx = *rr;
		UPDATE(conns, &fk, &real_idx, 0);
	}
	struct real *rl = LOOKUP(reals, &real_idx);
	if (!rl)
		return XDP_DROP;
	u32 dst = rl->dst;
	u16 ilen = BE16(ip->len);
	if (ADJUST_HEAD(ctx, -20))
		return XDP_DROP;
	p = (u8 *)(long)ctx->data;
	end = (u8 *)(long)ctx->data_end;
	if (p + 54 > end)
		return XDP_DROP;
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
	o->src = 0x0100000a ^ (fk.src & 0xff00);
	o->dst = dst;
	u32 s = 0;
	u16 *w = (u16 *)o;
#pragma unroll
	for (int i = 0; i < 10; i++)
		s += w[i];
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	o->csum = ~s;
	u32 vn = fl & 255;
	struct stats *st = LOOKUP(stats, &vn);
	if (!st)
		return XDP_DROP;
	st->pkts++;
	st->bytes += ilen;
	u8 h[14];
	__builtin_memcpy(h, p, 14);
	if (ADJUST_HEAD(ctx, 20))
		return XDP_DROP;
	p = (u8 *)(long)ctx->data;
	end = (u8 *)(long)ctx->data_end;
	if (p + 34 > end)
		return XDP_DROP;
	__builtin_memcpy(p, h, 14);
	return XDP_TX;
}
LICENSE;
