/* SPDX-License-Identifier: BSD-2-Clause */
/* Two programs: one that is right, one that reads the packet before it looks at its length. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int right(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int wrong(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data;

	return data[0];
}

char LICENSE[] SEC("license") = "GPL";
