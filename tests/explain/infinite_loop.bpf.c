/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing in the loop changes what ends it. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int wait(struct xdp_md *ctx)
{
	__u64 n = ctx->rx_queue_index;

	while (n < 10)
		asm volatile("" : "+r"(n));
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
