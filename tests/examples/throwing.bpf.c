// SPDX-License-Identifier: BSD-2-Clause
/* A plug-in for examples/freplace that is interpreted, as it throws, while the service is
 * machine code. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

void bpf_throw(__u64 cookie) __ksym;

SEC("freplace/plugin")
int throws_short(struct xdp_md *ctx)
{
	if (ctx->data_end - ctx->data < 60)
		bpf_throw(XDP_DROP);
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
