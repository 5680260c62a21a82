/* SPDX-License-Identifier: BSD-2-Clause */
/* 32 samples of 64 bytes into the perf buffer of the slot; the driver empties it. Byte code
 * only. */
#include "bench.h"
#ifdef __bpf__
#include "flow.h"
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} events SEC(".maps");
struct event {
	u64 seq, rest[7];
};
ENTRY int prog(struct xdp_md *ctx)
{
	u32 lost = 0;
#pragma clang loop unroll(disable)
	for (int j = 0; j < 32; j++) {
		struct event event = {.seq = flow_seq++};
		for (int i = 0; i < 7; i++)
			event.rest[i] = i;
		lost += bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event,
					      sizeof(event)) != 0;
	}
	return lost;
}
LICENSE;
#endif
