// SPDX-License-Identifier: BSD-2-Clause
/*
 * Wraps IPv4 packets to one service into an outer IPv4 header (IPIP) towards its server, as a
 * load balancer with direct return does. Shows bpf_xdp_adjust_head().
 *
 *     skep run examples/encap/encap.bpf.c --on pcap:in.pcap:tunnelled.pcap
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define TTL 64

const volatile __be32 balancer = bpf_htonl(0x0a640001); /* 10.100.0.1 */

struct server {
	__be32 address;
	__u8 mac[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __be32); /* the service's address */
	__type(value, struct server);
} servers SEC(".maps");

const volatile struct server default_server = {
	.address = bpf_htonl(0x0a640002),
	.mac = {2, 0, 0, 0, 0, 2},
};

__u64 wrapped, no_headroom;

static __sum16 header_checksum(const struct iphdr *ip)
{
	const __u16 *words = (const __u16 *)ip;
	__u32 sum = 0;

#pragma unroll
	for (int i = 0; i < (int)sizeof(*ip) / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void fill_outer(struct iphdr *outer, __u16 inner_length, __u8 tos, __be32 destination)
{
	*outer = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tos = tos,
		.tot_len = bpf_htons(inner_length + sizeof(*outer)),
		.ttl = TTL,
		.protocol = IPPROTO_IPIP,
		.saddr = balancer,
		.daddr = destination,
	};
	outer->check = header_checksum(outer);
}

static int wrap(struct xdp_md *ctx, __u16 inner_length, __u8 tos, const struct server *server)
{
	struct ethhdr *ethernet;
	struct iphdr *outer;
	void *end;

	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr))) {
		__sync_fetch_and_add(&no_headroom, 1);
		return XDP_DROP;
	}
	ethernet = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	outer = (void *)(ethernet + 1);
	if ((void *)(outer + 1) > end)
		return XDP_DROP;
	__builtin_memcpy(ethernet->h_source, (__u8[]){2, 0, 0, 0, 0, 1}, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, server->mac, ETH_ALEN);
	ethernet->h_proto = bpf_htons(ETH_P_IP);
	fill_outer(outer, inner_length, tos, server->address);
	__sync_fetch_and_add(&wrapped, 1);
	return XDP_TX;
}

SEC("xdp")
int encap(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct server server = default_server, *found;
	__be32 service;

	if ((void *)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	service = ip->daddr;
	found = bpf_map_lookup_elem(&servers, &service);
	if (found)
		server = *found;
	return wrap(ctx, bpf_ntohs(ip->tot_len), ip->tos, &server);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
