/* SPDX-License-Identifier: BSD-2-Clause */
/* The packet is long enough for the header, not for what follows at a variable offset. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int parse(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	__u8 *payload;

	if ((void *)(ip + 1) > data_end)
		return XDP_PASS;
	payload = (void *)ip + ip->ihl * 4;
	return *payload ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
