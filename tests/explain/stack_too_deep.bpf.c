/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of the functions together are larger than 512 bytes. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) int inner(struct xdp_md *ctx)
{
	char text[300];

	asm volatile("" : : "r"(text) : "memory");
	return text[0] + (int)ctx->rx_queue_index;
}

SEC("xdp")
int outer(struct xdp_md *ctx)
{
	char text[300];

	asm volatile("" : : "r"(text) : "memory");
	return inner(ctx) + text[0] ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
