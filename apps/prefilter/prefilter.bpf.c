/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A filter in front of the stack: only declared traffic passes, and only packets that are what
 * they say. Tunnels' outer headers are taken off; what is inside is judged like the rest.
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

#include "../packet.h"
#include "prefilter.h"

#define FRAGMENT_MORE	0x2000
#define DATAGRAM_MAX	65535
#define DATAGRAMS	4096
#define UNITS_WORDS	128  /* of 64 units of 8 bytes each: a whole datagram */
#define UNITS_MAX	1152 /* of one fragment: 9216 bytes */

#define GRE_CHECKSUM	0x8000
#define GRE_KEY		0x2000
#define GRE_SEQUENCE	0x1000
#define GRE_KNOWN	0xb000
#define PROTOCOL_TEB	0x6558 /* an Ethernet frame */
#define PROTOCOL_GRE	47
#define PROTOCOL_IPV6	41
#define VXLAN_HAS_ID	0x08
#define GENEVE_OPTIONS	0x3f

volatile __u32 generation = 0;
volatile struct prefilter_setup setups[2] = {};
const volatile __u32 is_dry = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, struct prefilter_traffic);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * PORTS);
	__type(key, __u32);
	__type(value, __u8);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2 * ADDRESSES_MAX);
	__type(key, struct prefilter_address);
	__type(value, __u8);
} addresses SEC(".maps");

/* A datagram whose fragments come one by one. */
struct datagram_key {
	__be32 source[4], destination[4];
	__be32 id;
	__u32 protocol;
};

struct datagram {
	__u64 units[UNITS_WORDS]; /* a bit for each 8 bytes that came */
	__u32 end;		  /* of the last fragment; 0: not known */
	__u32 is_refused;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DATAGRAMS);
	__type(key, struct datagram_key);
	__type(value, struct datagram);
} datagrams SEC(".maps");

static const struct datagram new_datagram = {};

struct packet {
	void *at, *end;
	void *ip_end; /* where the IP packet ends, before Ethernet's padding */
	__u32 bytes;
	__u8 family;
	__u8 protocol;
	__u8 is_fragment, has_more;
	__u32 offset; /* of a fragment's first byte */
	__be32 id;
	__be32 source[4], destination[4];
};

static __always_inline void count(const struct packet *packet, __u32 counter)
{
	struct prefilter_traffic *traffic = bpf_map_lookup_elem(&counters, &counter);

	if (traffic) {
		traffic->packets++;
		traffic->bytes += packet->bytes;
	}
}

/* --- IP: OK, or what is counted --- */

#define OK -1

/* The compiler knows that what is before the IP packet's end is before this one, and leaves
 * checks out that the verifier needs. */
static __always_inline void forget_end(struct packet *packet)
{
	asm volatile("" : "+r"(packet->end));
}

static __always_inline int is_whole_header(const struct iphdr *ip, __u32 header,
					   const void *end)
{
	const __u16 *words = (const void *)ip;
	__u64 sum = 0;
	for (__u32 i = 0; i < 30 && i < header / 2; i++) {
		if ((void *)(words + i + 1) > end)
			return 0;
		sum += words[i];
	}
	return packet_fold(sum) == 0xffff;
}

/* Nobody sends from these, and nobody sends to itself through a wire. */
static __always_inline int is_possible4(__be32 source, __be32 destination)
{
	const __u32 first = source & bpf_htonl(0xff000000);

	return source != destination && first != 0 && first != bpf_htonl(0x7f000000) &&
	       (source & bpf_htonl(0xf0000000)) != bpf_htonl(0xe0000000) &&
	       source != 0xffffffff &&
	       (destination & bpf_htonl(0xff000000)) != bpf_htonl(0x7f000000) && destination;
}

static __always_inline int parse_ip4(struct packet *packet)
{
	struct iphdr *ip = packet->at;
	__u32 header, total, fragment;

	if ((void *)(ip + 1) > packet->end)
		return COUNT_SHORT;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || header < sizeof(*ip) || total < header || !ip->ttl)
		return COUNT_IP_HEADER;
	if (packet->at + total > packet->end)
		return COUNT_SHORT;
	forget_end(packet);
	if (!is_whole_header(ip, header, packet->end))
		return COUNT_CHECKSUM;
	/* 0.0.0.0 asks for an address (DHCP). */
	if (!is_possible4(ip->saddr, ip->daddr) && (ip->saddr || ip->protocol != IPPROTO_UDP))
		return COUNT_ADDRESS;
	fragment = bpf_ntohs(ip->frag_off);
	packet->family = 4;
	packet->protocol = ip->protocol;
	packet->source[0] = ip->saddr;
	packet->destination[0] = ip->daddr;
	packet->id = ip->id;
	packet->offset = (fragment & PACKET_FRAGMENT_OFFSET) * 8;
	packet->has_more = (fragment & FRAGMENT_MORE) != 0;
	packet->is_fragment = packet->offset || packet->has_more;
	packet->ip_end = packet->at + total;
	packet->at += header;
	return OK;
}

static __always_inline int parse_fragment6(struct packet *packet)
{
	const __u8 *header = packet->at;
	__u32 fragment;

	if ((void *)(header + 8) > packet->end || (void *)(header + 8) > packet->ip_end)
		return COUNT_SHORT;
	fragment = header[2] << 8 | header[3];
	packet->protocol = header[0];
	packet->offset = fragment & 0xfff8;
	packet->has_more = fragment & 1;
	packet->is_fragment = packet->offset || packet->has_more;
	packet->id = *(__be32 *)(header + 4);
	packet->at += 8;
	return OK;
}

static __always_inline int parse_ip6(struct packet *packet)
{
	struct ipv6hdr *ip = packet->at;

	if ((void *)(ip + 1) > packet->end)
		return COUNT_SHORT;
	if (ip->version != 6 || !ip->hop_limit)
		return COUNT_IP_HEADER;
	packet->ip_end = (void *)(ip + 1) + bpf_ntohs(ip->payload_len);
	if (packet->ip_end > packet->end)
		return COUNT_SHORT;
	forget_end(packet);
	__builtin_memcpy(packet->source, &ip->saddr, sizeof(packet->source));
	__builtin_memcpy(packet->destination, &ip->daddr, sizeof(packet->destination));
	if (ip->saddr.in6_u.u6_addr8[0] == 0xff ||
	    packet_is_same6(packet->source, packet->destination))
		return COUNT_ADDRESS;
	packet->family = 6;
	packet->protocol = ip->nexthdr;
	packet->at = ip + 1;
	return packet->protocol == IPPROTO_FRAGMENT ? parse_fragment6(packet) : OK;
}

/* Moves to the IP header; COUNT_OTHER: there is none. */
static __always_inline int parse(struct packet *packet)
{
	struct ethhdr *ethernet = packet->at;

	if ((void *)(ethernet + 1) > packet->end)
		return COUNT_SHORT;
	packet->at = ethernet + 1;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP))
		return parse_ip4(packet);
	return ethernet->h_proto == bpf_htons(ETH_P_IPV6) ? parse_ip6(packet) : COUNT_OTHER;
}

/* --- fragments --- */

/* Whether the bytes from `first` to `last` (units of 8) are new; they are there from now on. */
static __always_inline int take_units(struct datagram *datagram, __u32 first, __u32 last)
{
	for (__u32 i = 0; i < UNITS_MAX / 64 + 1; i++) {
		__u32 word = first / 64 + i;
		__u64 mask = ~0ull;

		/* Each round looks up its own place, instead of moving a pointer on. */
		asm volatile("" : "+r"(word));
		if (word > last / 64 || word >= UNITS_WORDS)
			break;
		if (!i)
			mask <<= first % 64;
		if (word == last / 64)
			mask &= ~0ull >> (63 - last % 64);
		if (datagram->units[word] & mask)
			return 0;
		datagram->units[word] |= mask;
	}
	return 1;
}

/* What a datagram's bytes must be: whole units but at the end, no longer than a datagram. */
static __always_inline int has_fragment_shape(const struct packet *packet, __u32 bytes)
{
	if (!bytes || packet->offset + bytes > DATAGRAM_MAX || bytes > 8 * UNITS_MAX)
		return 0;
	/* A first fragment that hides the header of its protocol, and its second half. */
	if (packet->protocol == IPPROTO_TCP &&
	    (packet->offset == 8 || (!packet->offset && bytes < sizeof(struct tcphdr))))
		return 0;
	return !packet->has_more || bytes % 8 == 0;
}

static __always_inline struct datagram *find_datagram(const struct packet *packet)
{
	struct datagram_key key = {.id = packet->id, .protocol = packet->protocol};

	__builtin_memcpy(key.source, packet->source, sizeof(key.source));
	__builtin_memcpy(key.destination, packet->destination, sizeof(key.destination));
	if (!packet->offset)
		bpf_map_update_elem(&datagrams, &key, &new_datagram, BPF_NOEXIST);
	return bpf_map_lookup_elem(&datagrams, &key);
}

/* Behind an accepted first fragment, each byte once. */
static __always_inline int judge_fragment(const struct packet *packet)
{
	const __u32 bytes = packet->ip_end - packet->at;
	const __u32 end = packet->offset + bytes;
	struct datagram *datagram;

	if (!has_fragment_shape(packet, bytes))
		return COUNT_FRAGMENT_SHAPE;
	datagram = find_datagram(packet);
	if (!datagram || datagram->is_refused)
		return datagram ? COUNT_FRAGMENT_OVERLAP : COUNT_FRAGMENT_ORPHAN;
	if ((datagram->end && end > datagram->end) ||
	    !take_units(datagram, packet->offset / 8, (end - 1) / 8)) {
		datagram->is_refused = 1;
		return COUNT_FRAGMENT_OVERLAP;
	}
	if (!packet->has_more)
		datagram->end = end;
	return COUNT_FRAGMENT;
}

/* --- protocols --- */

static __always_inline __u8 port_bits(__u32 side, __be16 port)
{
	const __u32 key = side * PORTS + bpf_ntohs(port);
	__u8 *bits = bpf_map_lookup_elem(&ports, &key);

	return bits ? *bits : 0;
}

static __always_inline int judge_tcp(const struct packet *packet, __u32 side)
{
	struct tcphdr *tcp = packet->at;
	__u8 flags;

	if ((void *)(tcp + 1) > packet->end || (void *)(tcp + 1) > packet->ip_end ||
	    tcp->doff < 5 || packet->at + tcp->doff * 4 > packet->ip_end)
		return COUNT_TCP;
	flags = ((__u8 *)tcp)[13] & 0x3f;
	/* No stack sends these: none, SYN with FIN or RST, FIN without ACK, port 0. */
	if (!flags || (flags & 0x03) == 0x03 || (flags & 0x06) == 0x06 ||
	    (flags & 0x11) == 0x01 || !tcp->source || !tcp->dest)
		return COUNT_TCP;
	if (port_bits(side, tcp->dest) & PORT_TCP)
		return COUNT_ACCEPTED;
	return (tcp->ack || tcp->rst) && port_bits(side, tcp->source) & PORT_TCP_ANSWERS
		       ? COUNT_ANSWER
		       : COUNT_NOT_DECLARED;
}

static __always_inline int judge_udp(const struct packet *packet, __u32 side)
{
	struct udphdr *udp = packet->at;
	__u32 length;

	if ((void *)(udp + 1) > packet->end || (void *)(udp + 1) > packet->ip_end)
		return COUNT_UDP;
	length = bpf_ntohs(udp->len);
	if (length < sizeof(*udp) || !udp->dest ||
	    (!packet->is_fragment && packet->at + length > packet->ip_end))
		return COUNT_UDP;
	if (port_bits(side, udp->dest) & PORT_UDP)
		return COUNT_ACCEPTED;
	return port_bits(side, udp->source) & PORT_UDP_ANSWERS ? COUNT_ANSWER
							       : COUNT_NOT_DECLARED;
}

static __always_inline int is_own(const struct packet *packet, __u32 side)
{
	struct prefilter_address key = {.length = 8 + (packet->family == 4 ? 32 : 128),
					.side_and_family = side << 4 | packet->family};

	__builtin_memcpy(key.address, packet->destination, sizeof(key.address));
	return bpf_map_lookup_elem(&addresses, &key) != NULL;
}

/* A packet, or a datagram's first fragment. */
static __always_inline int judge_transport(const struct packet *packet,
					   const volatile struct prefilter_setup *setup,
					   __u32 side)
{
	if (setup->protocols[packet->protocol / 32 & 7] >> (packet->protocol & 31) & 1)
		return COUNT_ACCEPTED;
	if (packet->protocol == IPPROTO_TCP)
		return judge_tcp(packet, side);
	return packet->protocol == IPPROTO_UDP ? judge_udp(packet, side) : COUNT_NOT_DECLARED;
}

static __always_inline int judge(const struct packet *packet,
				 const volatile struct prefilter_setup *setup, __u32 side)
{
	int verdict;

	if (setup->has_addresses && !is_own(packet, side))
		return COUNT_NOT_OURS;
	if (packet->is_fragment && setup->drops_fragments)
		return COUNT_NOT_DECLARED;
	if (packet->offset)
		return judge_fragment(packet);
	verdict = judge_transport(packet, setup, side);
	return packet->is_fragment && verdict < COUNT_DROPS ? judge_fragment(packet) : verdict;
}

/* --- tunnels --- */

struct inner {
	__u32 tunnel, id;
	__u32 outer;	 /* bytes from the Ethernet header on that go */
	__be16 protocol; /* an Ethernet header is needed for this; 0: there is one */
};

static __always_inline int open_gre(const struct packet *packet, __u32 before,
				    struct inner *out)
{
	const __be16 *gre = packet->at;
	__u32 flags, size = 4;

	if ((void *)(gre + 2) > packet->end)
		return COUNT_TUNNEL;
	flags = bpf_ntohs(gre[0]);
	if (flags & ~GRE_KNOWN)
		return COUNT_TUNNEL;
	size += flags & GRE_CHECKSUM ? 4 : 0;
	if (flags & GRE_KEY) {
		const __be32 *key = packet->at + size;

		if ((void *)(key + 1) > packet->end)
			return COUNT_TUNNEL;
		out->id = bpf_ntohl(*key);
		size += 4;
	}
	size += flags & GRE_SEQUENCE ? 4 : 0;
	out->tunnel = TUNNEL_GRE;
	out->outer = before + size;
	out->protocol = gre[1] == bpf_htons(PROTOCOL_TEB) ? 0 : gre[1];
	return !out->protocol || gre[1] == bpf_htons(ETH_P_IP) ||
			       gre[1] == bpf_htons(ETH_P_IPV6)
		       ? OK
		       : COUNT_TUNNEL;
}

/* Both have 8 bytes whose second word is the network's number; Geneve has options behind. */
static __always_inline int open_udp(const struct packet *packet, __u32 before,
				    enum prefilter_tunnel tunnel, struct inner *out)
{
	const __u8 *header = packet->at + sizeof(struct udphdr);
	__u32 options = 0;

	if ((void *)(header + 8) > packet->end)
		return COUNT_TUNNEL;
	if (tunnel == TUNNEL_VXLAN && !(header[0] & VXLAN_HAS_ID))
		return COUNT_TUNNEL;
	if (tunnel == TUNNEL_GENEVE) {
		if (header[0] >> 6 || header[2] != PROTOCOL_TEB >> 8 ||
		    header[3] != (PROTOCOL_TEB & 0xff))
			return COUNT_TUNNEL;
		options = (header[0] & GENEVE_OPTIONS) * 4;
	}
	out->tunnel = tunnel;
	out->id = header[4] << 16 | header[5] << 8 | header[6];
	out->outer = before + sizeof(struct udphdr) + 8 + options;
	out->protocol = 0;
	return OK;
}

static __always_inline int has_tunnel(const volatile struct prefilter_setup *setup,
				      enum prefilter_tunnel tunnel)
{
	return setup->tunnels >> tunnel & 1;
}

/* OK: it is a tunnel's; COUNT_OTHER: it is none. */
static __always_inline int open_tunnel(const struct packet *packet, __u32 before,
				       const volatile struct prefilter_setup *setup,
				       struct inner *out)
{
	struct udphdr *udp = packet->at;

	if (packet->is_fragment)
		return COUNT_OTHER;
	if ((packet->protocol == IPPROTO_IPIP || packet->protocol == PROTOCOL_IPV6) &&
	    has_tunnel(setup, TUNNEL_IPIP)) {
		*out = (struct inner){TUNNEL_IPIP, 0, before,
				      packet->protocol == IPPROTO_IPIP ? bpf_htons(ETH_P_IP)
								       : bpf_htons(ETH_P_IPV6)};
		return OK;
	}
	if (packet->protocol == PROTOCOL_GRE && has_tunnel(setup, TUNNEL_GRE))
		return open_gre(packet, before, out);
	if (packet->protocol != IPPROTO_UDP || (void *)(udp + 1) > packet->end)
		return COUNT_OTHER;
	if (has_tunnel(setup, TUNNEL_VXLAN) && udp->dest == setup->tunnel_port[TUNNEL_VXLAN])
		return open_udp(packet, before, TUNNEL_VXLAN, out);
	if (has_tunnel(setup, TUNNEL_GENEVE) && udp->dest == setup->tunnel_port[TUNNEL_GENEVE])
		return open_udp(packet, before, TUNNEL_GENEVE, out);
	return COUNT_OTHER;
}

/* Where metadata has no room, the packet goes on without. */
static __always_inline void tell_tunnel(struct xdp_md *ctx, const struct packet *outer,
					const struct inner *inner)
{
	struct prefilter_meta *meta;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta)))
		return;
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 1) > (void *)(long)ctx->data)
		return;
	meta->tunnel = inner->tunnel;
	meta->id = inner->id;
	__builtin_memcpy(meta->outer_source, outer->source, sizeof(meta->outer_source));
}

static __always_inline int decapsulate(struct xdp_md *ctx, const struct packet *packet,
				       const struct inner *inner)
{
	struct ethhdr *ethernet = (void *)(long)ctx->data, old;

	if ((void *)(ethernet + 1) > packet->end)
		return COUNT_SHORT;
	old = *ethernet;
	old.h_proto = inner->protocol;
	if (bpf_xdp_adjust_head(ctx, inner->outer - (inner->protocol ? sizeof(old) : 0)))
		return COUNT_TUNNEL;
	ethernet = (void *)(long)ctx->data;
	if ((void *)(ethernet + 1) > (void *)(long)ctx->data_end)
		return COUNT_SHORT;
	if (inner->protocol)
		*ethernet = old;
	tell_tunnel(ctx, packet, inner);
	return OK;
}

/* --- the verdict --- */

static __always_inline struct packet packet_of(const struct xdp_md *ctx)
{
	struct packet packet = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};

	packet.bytes = packet.end - packet.at;
	return packet;
}

static __always_inline int finish(const struct packet *packet, __u32 counter)
{
	count(packet, counter);
	return counter < COUNT_DROPS || is_dry ? XDP_PASS : XDP_DROP;
}

static __always_inline int finish_other(const struct packet *packet,
					const volatile struct prefilter_setup *setup)
{
	return finish(packet, setup->drops_other ? COUNT_NOT_DECLARED : COUNT_OTHER);
}

static __always_inline int judge_inner(struct xdp_md *ctx,
				       const volatile struct prefilter_setup *setup, __u32 side)
{
	struct packet packet = packet_of(ctx);
	int verdict = parse(&packet);

	if (verdict == COUNT_OTHER)
		return finish_other(&packet, setup);
	return finish(&packet, verdict == OK ? judge(&packet, setup, side) : verdict);
}

SEC("xdp")
int prefilter(struct xdp_md *ctx)
{
	const __u32 side = generation & 1;
	const volatile struct prefilter_setup *setup = &setups[side];
	struct packet packet = packet_of(ctx);
	void *start = packet.at;
	struct inner inner = {};
	int verdict = parse(&packet);

	if (verdict == COUNT_OTHER)
		return finish_other(&packet, setup);
	if (verdict != OK)
		return finish(&packet, verdict);
	if (!setup->tunnels)
		return finish(&packet, judge(&packet, setup, side));
	verdict = open_tunnel(&packet, packet.at - start, setup, &inner);
	if (verdict == COUNT_OTHER)
		return finish(&packet, judge(&packet, setup, side));
	if (verdict != OK || is_dry)
		return finish(&packet, verdict == OK ? COUNT_DECAPSULATED : verdict);
	verdict = decapsulate(ctx, &packet, &inner);
	if (verdict != OK)
		return finish(&packet, verdict);
	count(&packet, COUNT_DECAPSULATED);
	return judge_inner(ctx, setup, side);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
