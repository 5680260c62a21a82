/* SPDX-License-Identifier: BSD-2-Clause */
/* Another verdict for replaced.bpf.c. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("freplace/verdict")
int drops(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data < 64 ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
