// SPDX-License-Identifier: BSD-2-Clause
/* A program of a route: what takes the route leaves in an IPIP tunnel to 203.0.113.2. */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("lwt_xmit") int tunnel(struct __sk_buff *skb)
{
	struct iphdr outer = {
		.version = 4,
		.ihl = sizeof(outer) / 4,
		.ttl = 64,
		.protocol = IPPROTO_IPIP,
		.tot_len = bpf_htons(sizeof(outer) + skb->len),
		.saddr = bpf_htonl(0xcb007101),
		.daddr = bpf_htonl(0xcb007102),
	};

	if (bpf_lwt_push_encap(skb, BPF_LWT_ENCAP_IP, &outer, sizeof(outer)))
		return BPF_DROP;
	return BPF_LWT_REROUTE; /* by its new destination */
}

char _license[] SEC("license") = "GPL";
