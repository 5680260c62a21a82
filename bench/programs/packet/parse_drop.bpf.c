/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* Ethernet [VLAN] / IPv4 / TCP, drop one destination port, pass the rest */
ENTRY int prog(struct xdp_md *ctx)
{
	u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
	struct eth *e = (void *)p;
	if ((void *)(e + 1) > (void *)end)
		return XDP_ABORTED;
	u16 pr = e->proto;
	u8 *n = (u8 *)(e + 1);
	if (pr == 0x0081 || pr == 0xa888) {
		if (n + 4 > end)
			return XDP_ABORTED;
		pr = LD16(n + 2);
		n += 4;
	}
	if (pr != ETH_IP)
		return XDP_PASS;
	struct ip4 *ip = (void *)n;
	if ((void *)(ip + 1) > (void *)end)
		return XDP_ABORTED;
	if ((ip->vihl & 0xf0) != 0x40 || ip->proto != 6 || ip->frag & 0xff1f)
		return XDP_PASS;
	u32 hl = (ip->vihl & 15) * 4;
	if (hl < 20)
		return XDP_ABORTED;
	struct l4 *t = (void *)n + hl;
	if ((void *)(t + 1) > (void *)end)
		return XDP_ABORTED;
	if (t->dport == BE16(80) && !(t->off >> 8 & 0x04))
		return XDP_DROP;
	return XDP_PASS;
}
LICENSE;
