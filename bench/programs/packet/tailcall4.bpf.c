/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
/* a chain of four tail calls, each parsing one layer */
#ifdef __bpf__
int t1(struct xdp_md *ctx);
int t2(struct xdp_md *ctx);
int t3(struct xdp_md *ctx);
int t4(struct xdp_md *ctx);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__array(values, int(struct xdp_md *));
} jmp SEC(".maps") = {.values = {(void *)&t1, (void *)&t2, (void *)&t3, (void *)&t4}};
#define TAIL(i) bpf_tail_call(ctx, &jmp, i)
#else
typedef int (*fn)(struct xdp_md *);
static int t1(struct xdp_md *), t2(struct xdp_md *), t3(struct xdp_md *), t4(struct xdp_md *);
static fn volatile jmp[4] = {t1, t2, t3, t4};
#define TAIL(i) return jmp[i](ctx)
#endif
#define STEP(off, cond)                                                  \
	u8 *p = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end; \
	if (p + (off) > end)                                             \
		return XDP_ABORTED;                                      \
	if (!(cond))                                                     \
	return XDP_PASS
SEC("xdp") int t4(struct xdp_md *ctx)
{
	STEP(54, LD16(p + 36) == BE16(80));
	return XDP_DROP;
}
SEC("xdp") int t3(struct xdp_md *ctx)
{
	STEP(54, p[23] == 6);
	TAIL(3);
	return XDP_ABORTED;
}
SEC("xdp") int t2(struct xdp_md *ctx)
{
	STEP(34, p[14] == 0x45);
	TAIL(2);
	return XDP_ABORTED;
}
SEC("xdp") int t1(struct xdp_md *ctx)
{
	STEP(14, LD16(p + 12) == ETH_IP);
	TAIL(1);
	return XDP_ABORTED;
}
ENTRY int prog(struct xdp_md *ctx)
{
	TAIL(0);
	return XDP_ABORTED;
}
LICENSE;
