/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A firewall at the earliest point. In this order: malformed packets, lists of sources, the
 * default. All tables are there twice; the control part fills those that are not in use and
 * turns `generation`, so that each packet sees one configuration.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "firewall.h"

#define VLAN_TAGS_MAX 2
#define FRAGMENT_MASK 0x1fff

volatile __u32 generation = 0;
volatile struct firewall_setup setups[2] = {};
const volatile __u32 is_dry = 0;

#define TABLES(name, inner)                               \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); \
		__uint(max_entries, 2);                   \
		__type(key, __u32);                       \
		__array(values, struct inner);            \
	} name SEC(".maps")

struct summary {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SUMMARY_WORDS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u64));
};

struct hosts {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__be32));
	__uint(value_size, sizeof(struct firewall_listed));
};

struct prefixes4 {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct firewall_prefix4));
	__uint(value_size, sizeof(struct firewall_listed));
};

struct prefixes6 {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct firewall_prefix6));
	__uint(value_size, sizeof(struct firewall_listed));
};

TABLES(summaries, summary);
TABLES(listed_hosts, hosts);
TABLES(listed_prefixes4, prefixes4);
TABLES(listed_prefixes6, prefixes6);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS_MAX);
	__type(key, __u32);
	__type(value, struct firewall_traffic);
} counters SEC(".maps");

struct packet {
	void *at, *end;
	__u32 bytes;
	__u32 family; /* 4, 6; 0: neither */
	__u32 protocol;
	__be32 source, destination; /* IPv4 */
	struct ipv6hdr *ip6;
	__be16 source_port, destination_port;
	__u8 tcp_flags;
	__u8 is_fragment; /* without the header of its protocol */
};

/* --- parsing: 0, or -1 for a packet that lies about itself --- */

static __always_inline int parse_tcp(struct packet *packet)
{
	struct tcphdr *tcp = packet->at;
	__u8 flags;

	if ((void *)(tcp + 1) > packet->end || tcp->doff < 5)
		return -1;
	flags = ((__u8 *)tcp)[13] & 0x3f;
	packet->source_port = tcp->source;
	packet->destination_port = tcp->dest;
	packet->tcp_flags = flags;
	/* No stack sends these: none, SYN with FIN or RST, FIN without ACK. */
	return !flags || (flags & 0x03) == 0x03 || (flags & 0x06) == 0x06 ||
			       (flags & 0x11) == 0x01
		       ? -1
		       : 0;
}

static __always_inline int parse_udp(struct packet *packet)
{
	struct udphdr *udp = packet->at;

	if ((void *)(udp + 1) > packet->end || bpf_ntohs(udp->len) < sizeof(*udp))
		return -1;
	packet->source_port = udp->source;
	packet->destination_port = udp->dest;
	return 0;
}

static __always_inline int parse_transport(struct packet *packet)
{
	if (packet->is_fragment)
		return 0;
	if (packet->protocol == IPPROTO_TCP)
		return parse_tcp(packet);
	return packet->protocol == IPPROTO_UDP ? parse_udp(packet) : 0;
}

static __always_inline int parse_ipv4(struct packet *packet)
{
	struct iphdr *ip = packet->at;
	__u32 header, total;

	if ((void *)(ip + 1) > packet->end || ip->version != 4 || ip->ihl < 5)
		return -1;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (total < header || packet->at + total > packet->end)
		return -1;
	packet->family = 4;
	packet->source = ip->saddr;
	packet->destination = ip->daddr;
	packet->protocol = ip->protocol;
	packet->is_fragment = (ip->frag_off & bpf_htons(FRAGMENT_MASK)) != 0;
	packet->at += header;
	return parse_transport(packet);
}

static __always_inline int parse_ipv6(struct packet *packet)
{
	struct ipv6hdr *ip = packet->at;

	if ((void *)(ip + 1) > packet->end || ip->version != 6 ||
	    (void *)(ip + 1) + bpf_ntohs(ip->payload_len) > packet->end)
		return -1;
	packet->family = 6;
	packet->ip6 = ip;
	packet->protocol = ip->nexthdr;
	packet->at = ip + 1;
	if (packet->protocol == IPPROTO_FRAGMENT) {
		__u8 *fragment = packet->at;

		if (fragment + 8 > (__u8 *)packet->end)
			return -1;
		packet->protocol = fragment[0];
		packet->is_fragment = (fragment[2] | (fragment[3] & 0xf8)) != 0;
		packet->at += 8;
	}
	return parse_transport(packet);
}

static __always_inline int parse(struct packet *packet)
{
	struct ethhdr *ethernet = packet->at;
	__be16 protocol;

	if ((void *)(ethernet + 1) > packet->end)
		return -1;
	protocol = ethernet->h_proto;
	packet->at = ethernet + 1;
	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		__be16 *tag = packet->at;

		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 2) > packet->end)
			return -1;
		protocol = tag[1];
		packet->at = tag + 2;
	}
	if (protocol == bpf_htons(ETH_P_IP))
		return parse_ipv4(packet);
	return protocol == bpf_htons(ETH_P_IPV6) ? parse_ipv6(packet) : 0;
}

/* --- lists of sources --- */

static __always_inline struct firewall_listed *find_listed4(__be32 source, __u32 side)
{
	struct firewall_prefix4 prefix = {.length = 32};
	const __u32 number = bpf_ntohl(source), word = number >> 14;
	struct firewall_listed *listed = NULL;
	void *table = bpf_map_lookup_elem(&summaries, &side);
	__u64 *summary = table ? bpf_map_lookup_elem(table, &word) : NULL;

	if (!summary || !(*summary >> (number >> 8 & 63) & 1))
		return NULL;
	table = bpf_map_lookup_elem(&listed_hosts, &side);
	if (table)
		listed = bpf_map_lookup_elem(table, &source);
	if (listed)
		return listed;
	__builtin_memcpy(prefix.address, &source, sizeof(source));
	table = bpf_map_lookup_elem(&listed_prefixes4, &side);
	return table ? bpf_map_lookup_elem(table, &prefix) : NULL;
}

static __always_inline struct firewall_listed *find_listed6(const struct ipv6hdr *ip,
							    __u32 side)
{
	struct firewall_prefix6 prefix = {.length = 128};
	void *table = bpf_map_lookup_elem(&listed_prefixes6, &side);

	__builtin_memcpy(prefix.address, &ip->saddr, sizeof(prefix.address));
	return table ? bpf_map_lookup_elem(table, &prefix) : NULL;
}

/* --- the verdict --- */

static __always_inline int count(const struct packet *packet, __u32 counter, int action)
{
	struct firewall_traffic *traffic = bpf_map_lookup_elem(&counters, &counter);

	if (traffic) {
		traffic->packets++;
		traffic->bytes += packet->bytes;
	}
	return is_dry ? XDP_PASS : action;
}

SEC("xdp")
int firewall(struct xdp_md *ctx)
{
	struct packet packet = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	const __u32 side = generation & 1;
	const volatile struct firewall_setup *setup = &setups[side];
	struct firewall_listed *listed = NULL;

	packet.bytes = packet.end - packet.at;
	if (parse(&packet))
		return count(&packet, COUNT_MALFORMED, XDP_DROP);
	if (!packet.family)
		return count(&packet, COUNT_PASSED, XDP_PASS);
	if (packet.family == 4 && setup->has_listed4)
		listed = find_listed4(packet.source, side);
	else if (packet.family == 6 && setup->has_listed6)
		listed = find_listed6(packet.ip6, side);
	if (listed)
		return count(&packet, COUNT_FIXED + listed->counter,
			     listed->is_allowed ? XDP_PASS : XDP_DROP);
	return setup->is_default_drop ? count(&packet, COUNT_DEFAULT_DROP, XDP_DROP)
				      : count(&packet, COUNT_PASSED, XDP_PASS);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
