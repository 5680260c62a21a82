// SPDX-License-Identifier: BSD-2-Clause
/*
 * Source NAT: rewrites the source of packets from 10.0.0.0/8 to one public address, and back,
 * with incremental checksums (RFC 1624). Ports are kept where they are free.
 *
 *     skep run examples/nat/nat.bpf.c --on pcap:in.pcap:translated.pcap
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PORT_TRIES 16

const volatile __be32 public_address = bpf_htonl(0xc6336401); /* 198.51.100.1 */
const volatile __be32 inside_network = bpf_htonl(0x0a000000);
const volatile __be32 inside_mask = bpf_htonl(0xff000000);

struct endpoint {
	__be32 address;
	__be16 port;
	__u8 protocol;
	__u8 unused; /* zero */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct endpoint);	/* inside */
	__type(value, struct endpoint); /* outside */
} outbound SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct endpoint);	/* outside */
	__type(value, struct endpoint); /* inside */
} inbound SEC(".maps");

__u64 translated_out, translated_in, no_free_port;

struct packet {
	struct iphdr *ip;
	__be16 *ports;	   /* source, destination */
	__sum16 *checksum; /* of the transport header; NULL: none (UDP) */
};

static void update_checksum(__sum16 *checksum, __u32 old, __u32 new)
{
	__u32 sum = (__u16) ~*checksum;

	sum += (~old & 0xffff) + (~old >> 16);
	sum += (new & 0xffff) + (new >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*checksum = ~sum;
}

static int parse(struct xdp_md *ctx, struct packet *out)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->ihl != 5 || ip->frag_off & bpf_htons(0x3fff))
		return -1;
	out->ip = ip;
	out->ports = (__be16 *)(ip + 1);
	if (ip->protocol == IPPROTO_TCP && (void *)(tcp + 1) <= end)
		out->checksum = &tcp->check;
	else if (ip->protocol == IPPROTO_UDP && (void *)(udp + 1) <= end)
		out->checksum = udp->check ? &udp->check : NULL;
	else
		return -1;
	return 0;
}

static void rewrite(struct packet *packet, __be32 *address, __be16 *port,
		    const struct endpoint *new)
{
	update_checksum(&packet->ip->check, *address, new->address);
	if (packet->checksum) {
		update_checksum(packet->checksum, *address, new->address);
		update_checksum(packet->checksum, *port, new->port);
	}
	*address = new->address;
	*port = new->port;
}

/* An outside endpoint that nobody uses yet, for `inside`; 0 or -1. */
static int allocate(const struct endpoint *inside, struct endpoint *outside)
{
	*outside = (struct endpoint){
		.address = public_address,
		.port = inside->port,
		.protocol = inside->protocol,
	};
	for (int i = 0; i < PORT_TRIES; i++) {
		if (!bpf_map_update_elem(&inbound, outside, inside, BPF_NOEXIST))
			return bpf_map_update_elem(&outbound, inside, outside, BPF_ANY);
		outside->port = bpf_htons(1024 + bpf_get_prandom_u32() % 64512);
	}
	__sync_fetch_and_add(&no_free_port, 1);
	return -1;
}

static int translate_out(struct packet *packet)
{
	struct endpoint inside =
				{
					.address = packet->ip->saddr,
					.port = packet->ports[0],
					.protocol = packet->ip->protocol,
				},
			fresh, *outside;

	outside = bpf_map_lookup_elem(&outbound, &inside);
	if (!outside) {
		if (allocate(&inside, &fresh))
			return XDP_DROP;
		outside = &fresh;
	}
	rewrite(packet, &packet->ip->saddr, &packet->ports[0], outside);
	__sync_fetch_and_add(&translated_out, 1);
	return XDP_TX;
}

static int translate_in(struct packet *packet)
{
	struct endpoint outside =
				{
					.address = packet->ip->daddr,
					.port = packet->ports[1],
					.protocol = packet->ip->protocol,
				},
			*inside;

	inside = bpf_map_lookup_elem(&inbound, &outside);
	if (!inside)
		return XDP_PASS;
	rewrite(packet, &packet->ip->daddr, &packet->ports[1], inside);
	__sync_fetch_and_add(&translated_in, 1);
	return XDP_TX;
}

SEC("xdp")
int nat(struct xdp_md *ctx)
{
	struct packet packet;

	if (parse(ctx, &packet))
		return XDP_PASS;
	if ((packet.ip->saddr & inside_mask) == inside_network)
		return translate_out(&packet);
	if (packet.ip->daddr == public_address)
		return translate_in(&packet);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
