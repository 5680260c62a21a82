/* SPDX-License-Identifier: BSD-2-Clause */
/* The number of rounds is only known when the program runs. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int sum(struct xdp_md *ctx)
{
	__u32 n = ctx->rx_queue_index, sum = 0;

	for (__u32 i = 0; i < n; i++) {
		sum += i;
		asm volatile("" : "+r"(sum));
	}
	return sum ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
