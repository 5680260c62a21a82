/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserves and submits 32 records of 64 bytes; the driver empties the buffer. `stream` wakes
 * its reader when it waits. */
#include "bench.h"
#include "flow.h"
BMAP_KEYLESS(ring, BPF_MAP_TYPE_RINGBUF, 1 << 24);
struct event {
	u64 seq, rest[7];
};
INLINE u32 produce(u32 *seq, u64 flags)
{
	u32 lost = 0;
#pragma clang loop unroll(disable)
	for (int j = 0; j < 32; j++) {
		struct event *event = RESERVE(ring, sizeof(*event));
		if (!event) {
			lost++;
			continue;
		}
		event->seq = (*seq)++;
		for (int i = 0; i < 7; i++)
			event->rest[i] = i;
		SUBMIT(event, flags);
	}
	return lost;
}
INLINE u32 operate(u32 *seq)
{
	return produce(seq, BPF_RB_NO_WAKEUP);
}
ENTRY int prog(struct xdp_md *ctx)
{
	return operate(&flow_seq);
}
PAIR(operate)
ENTRY int stream(struct xdp_md *ctx)
{
	return produce(&flow_seq, 0);
}
LICENSE;
