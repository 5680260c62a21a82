/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs of the packet path's benchmark: the bare loops (bare_parse()) do the same. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct packet {
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

static __always_inline struct packet *to_port_80(struct xdp_md *ctx)
{
	struct packet *packet = (void *)(long)ctx->data;

	if ((void *)(packet + 1) > (void *)(long)ctx->data_end ||
	    packet->eth.h_proto != bpf_htons(ETH_P_IP) || packet->ip.version != 4 ||
	    packet->ip.ihl != 5 || packet->ip.protocol != IPPROTO_TCP ||
	    packet->tcp.dest != bpf_htons(80))
		return 0;
	return packet;
}

SEC("xdp") int drop(struct xdp_md *ctx)
{
	return to_port_80(ctx) ? XDP_DROP : XDP_PASS;
}

SEC("xdp") int forward(struct xdp_md *ctx)
{
	struct packet *packet = to_port_80(ctx);
	unsigned char address[ETH_ALEN];

	if (!packet)
		return XDP_DROP;
	__builtin_memcpy(address, packet->eth.h_dest, ETH_ALEN);
	__builtin_memcpy(packet->eth.h_dest, packet->eth.h_source, ETH_ALEN);
	__builtin_memcpy(packet->eth.h_source, address, ETH_ALEN);
	return XDP_TX;
}

char _license[] SEC("license") = "Dual BSD/GPL";
