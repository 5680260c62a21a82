/* SPDX-License-Identifier: BSD-2-Clause */
/* Records in perf event buffers, with the packet's first bytes behind when flags ask so. */
#include "catalog/ctx.h"
#include "catalog/helper.h"
#include "helper/body.h"
#include "map/map.h"

#include <errno.h>

#define CTXLEN_SHIFT 32

/* Program types whose context is a packet. */
#define ONE(type) PROG_BIT(BPF_PROG_TYPE_##type)
#define SKB_PROGS                                                                 \
	(ONE(SOCKET_FILTER) | ONE(SCHED_CLS) | ONE(SCHED_ACT) | ONE(CGROUP_SKB) | \
	 ONE(SK_SKB) | ONE(LWT_IN) | ONE(LWT_OUT) | ONE(LWT_XMIT) | ONE(LWT_SEG6LOCAL))

struct packet {
	const u8 *data;
	size_t length;
};

/* False: the context is no packet. */
static bool find_packet(u64 ctx, const struct run_context *run, struct packet *out)
{
	const struct skb_ctx *skb = u64_to_ptr(ctx);
	const struct xdp_ctx *xdp = u64_to_ptr(ctx);

	if (run->type == BPF_PROG_TYPE_XDP)
		*out = (struct packet){xdp->data, xdp->data_end - xdp->data};
	else if (SKB_PROGS & PROG_BIT(run->type))
		*out = (struct packet){skb->data, skb->len};
	else
		return false;
	return true;
}

HELPER_BODY(perf_event_output)
{
	const u64 taken = (r3 & BPF_F_CTXLEN_MASK) >> CTXLEN_SHIFT;
	struct packet packet = {};
	u64 flags = BPF_F_INDEX_MASK;

	if (find_packet(r1, run, &packet))
		flags |= BPF_F_CTXLEN_MASK;
	if (r3 & ~flags)
		return -EINVAL;
	if (taken > packet.length)
		return -EFAULT;
	return map_perf_output(u64_to_ptr(r2), r3 & BPF_F_INDEX_MASK, run->slot, u64_to_ptr(r4),
			       r5, packet.data, taken);
}
