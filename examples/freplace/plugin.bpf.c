// SPDX-License-Identifier: BSD-2-Clause
/* A plug-in of service.bpf.c: drops what is shorter than the least Ethernet frame. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

long asked;

SEC("freplace/plugin")
int drops_short(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&asked, 1);
	return ctx->data_end - ctx->data < 60 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
