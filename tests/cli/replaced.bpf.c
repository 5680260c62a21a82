/* SPDX-License-Identifier: BSD-2-Clause */
/* A program whose verdict is a function that another object may replace. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

__attribute__((noinline)) int verdict(struct xdp_md *ctx)
{
	volatile int own = XDP_PASS;

	return own;
}

SEC("xdp")
int replaceable(struct xdp_md *ctx)
{
	return verdict(ctx);
}

SEC("xdp")
int without_functions(struct xdp_md *ctx)
{
	return XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";
