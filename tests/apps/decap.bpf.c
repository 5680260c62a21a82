/* SPDX-License-Identifier: BSD-2-Clause */
/* What a backend of the balancer does: takes the outer IPv4 header of IPIP off. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int decap(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = (void *)(long)ctx->data, old;
	struct iphdr *ip = (void *)(ethernet + 1);

	if ((void *)(ip + 1) > (void *)(long)ctx->data_end || ip->protocol != IPPROTO_IPIP ||
	    ethernet->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5)
		return XDP_PASS;
	old = *ethernet;
	if (bpf_xdp_adjust_head(ctx, sizeof(*ip)))
		return XDP_DROP;
	ethernet = (void *)(long)ctx->data;
	if ((void *)(ethernet + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	*ethernet = old;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
