/* SPDX-License-Identifier: BSD-2-Clause */
/* Records in perf event buffers, with the packet's first bytes behind when flags ask so. */
#include "catalog/ctx.h"
#include "catalog/helper.h"
#include "helper/body.h"
#include "map/map.h"

#include <errno.h>
#include <string.h>

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

/* Events of perf buffers count nothing. 0, or why there is none. */
static int find_event(u64 map, u64 flags, const struct run_context *run)
{
	struct map *events = u64_to_ptr(map);
	const u64 index = flags == BPF_F_CURRENT_CPU ? run->slot : flags;

	if (flags & ~(u64)BPF_F_INDEX_MASK)
		return -EINVAL;
	if (index >= events->desc.max_entries)
		return -E2BIG;
	return map_object_at(events, index) ? 0 : -ENOENT;
}

HELPER_BODY(perf_event_read)
{
	return find_event(r1, r2, run);
}

HELPER_BODY(perf_event_read_value)
{
	memset(u64_to_ptr(r3), 0, (u32)r4);
	if ((u32)r4 != sizeof(struct bpf_perf_event_value))
		return -EINVAL;
	return find_event(r1, r2, run);
}

/* Nothing records branches. */
HELPER_BODY(get_branch_snapshot)
{
	memset(u64_to_ptr(r1), 0, (u32)r2);
	return r3 ? -EINVAL : -ENOENT;
}
