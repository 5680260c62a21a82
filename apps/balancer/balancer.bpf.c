/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A load balancer of layer 4. What goes to a virtual address goes on, inside an outer header,
 * to one of its backends, which answers the client directly. A flow keeps its backend by the
 * table of connections; a new one takes the ring's, which is the same at every balancer with
 * the same configuration.
 */
#include <linux/bpf.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../packet.h"
#include "balancer.h"

#define AF_INET	       2
#define AF_INET6       10

#define FRAGMENT_MASK  0x3fff /* more follow, or this is not the first */
#define DONT_FRAGMENT  0x4000
#define OUTER_TTL      64
#define CONNECTIONS    1000000
#define QUIC_LONG      0x80
#define QUIC_VERSION_2 0x6b3343cf
#define QUOTED4	       84 /* bytes of a packet that is too big, which its sender gets back */
#define QUOTED6	       104

/* <linux/icmp.h> needs a C library's headers. */
#define ICMP_ECHOREPLY	   0
#define ICMP_DEST_UNREACH  3
#define ICMP_ECHO	   8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMP_FRAG_NEEDED   4

/* Of both families. */
struct icmp {
	__u8 type, code;
	__u16 checksum;
	__be32 mtu;
};

volatile __u32 generation = 0;
volatile struct balancer_setup setups[2] = {};
const volatile __u32 is_dry = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VIPS_MAX);
	__type(key, struct balancer_vip4);
	__type(value, struct balancer_vip);
} vips4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VIPS_MAX);
	__type(key, struct balancer_vip6);
	__type(value, struct balancer_vip);
} vips6 SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RING_SIZE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
};

/* By the number of the virtual address. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, VIPS_MAX);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MEMBERS_MAX);
	__type(key, __u32);
	__type(value, struct balancer_member);
} members SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, CONNECTIONS);
	__type(key, struct balancer_flow4);
	__type(value, __u32);
} flows4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, CONNECTIONS);
	__type(key, struct balancer_flow6);
	__type(value, __u32);
} flows6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEMBERS_MAX);
	__type(key, struct balancer_quic);
	__type(value, __u32);
} quic_servers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNT_FIXED + MEMBERS_MAX);
	__type(key, __u32);
	__type(value, struct balancer_traffic);
} counters SEC(".maps");

struct packet {
	void *at, *end;
	__u32 bytes;
	__u32 length; /* from the IP header on */
	__u8 family;
	__u8 protocol;
	__u8 tos;
	__u8 is_new; /* its first packet: the table of connections knows an older one at most */
	__u8 is_error; /* an ICMP message about a packet that a backend sent */
	__u8 is_echo;
	/* Of the flow, from client to virtual address; an error's are those of its quotation.
	 */
	__be32 source[4], destination[4];
	__be16 source_port, destination_port;
};

static __always_inline void count(__u32 counter, __u64 bytes, __u64 flows)
{
	struct balancer_traffic *traffic = bpf_map_lookup_elem(&counters, &counter);

	if (traffic) {
		traffic->packets++;
		traffic->bytes += bytes;
		traffic->flows += flows;
	}
}

static __always_inline int count_fixed(const struct packet *packet,
				       enum balancer_counter counter, int action)
{
	count(counter, packet->bytes, 0);
	return is_dry ? XDP_PASS : action;
}

/* --- parsing: PARSED, or what is counted --- */

#define PARSED -1

/* The ports, turned for an error: its quotation went the other way. */
static __always_inline int parse_ports(struct packet *packet)
{
	__be16 *ports = packet->at;

	if ((void *)(ports + 2) > packet->end)
		return COUNT_MALFORMED;
	packet->source_port = packet->is_error ? ports[1] : ports[0];
	packet->destination_port = packet->is_error ? ports[0] : ports[1];
	return PARSED;
}

static __always_inline int parse_tcp(struct packet *packet)
{
	struct tcphdr *tcp = packet->at;

	if (!packet->is_error) {
		if ((void *)(tcp + 1) > packet->end)
			return COUNT_MALFORMED;
		packet->is_new = tcp->syn && !tcp->ack;
	}
	return parse_ports(packet);
}

static __always_inline int parse_transport(struct packet *packet)
{
	if (packet->protocol == IPPROTO_TCP)
		return parse_tcp(packet);
	return packet->protocol == IPPROTO_UDP ? parse_ports(packet) : COUNT_OTHER;
}

static __always_inline int parse_quotation4(struct packet *packet)
{
	struct iphdr *ip = packet->at;

	if ((void *)(ip + 1) > packet->end || ip->ihl < 5)
		return COUNT_MALFORMED;
	if (packet->destination[0] != ip->saddr)
		return COUNT_OTHER;
	packet->is_error = 1;
	packet->source[0] = ip->daddr;
	packet->protocol = ip->protocol;
	packet->at += ip->ihl * 4;
	return parse_transport(packet);
}

static __always_inline int parse_icmp4(struct packet *packet)
{
	struct icmp *icmp = packet->at;

	if ((void *)(icmp + 1) > packet->end)
		return COUNT_MALFORMED;
	if (icmp->type == ICMP_ECHO) {
		packet->is_echo = 1;
		return PARSED;
	}
	if (icmp->type != ICMP_DEST_UNREACH && icmp->type != ICMP_TIME_EXCEEDED &&
	    icmp->type != ICMP_PARAMETERPROB)
		return COUNT_OTHER;
	packet->at = icmp + 1;
	return parse_quotation4(packet);
}

static __always_inline int parse_ip4(struct packet *packet)
{
	struct iphdr *ip = packet->at;
	__u32 header;

	if ((void *)(ip + 1) > packet->end || ip->version != 4 || ip->ihl < 5)
		return COUNT_MALFORMED;
	header = ip->ihl * 4;
	packet->family = 4;
	packet->length = bpf_ntohs(ip->tot_len);
	if (packet->length < header || packet->at + packet->length > packet->end)
		return COUNT_MALFORMED;
	packet->tos = ip->tos;
	packet->protocol = ip->protocol;
	packet->source[0] = ip->saddr;
	packet->destination[0] = ip->daddr;
	if (ip->frag_off & bpf_htons(FRAGMENT_MASK))
		return COUNT_FRAGMENT;
	packet->at += header;
	return packet->protocol == IPPROTO_ICMP ? parse_icmp4(packet) : parse_transport(packet);
}

static __always_inline int parse_quotation6(struct packet *packet)
{
	struct ipv6hdr *ip = packet->at;

	if ((void *)(ip + 1) > packet->end)
		return COUNT_MALFORMED;
	if (!packet_is_same6(packet->destination, ip->saddr.in6_u.u6_addr32))
		return COUNT_OTHER;
	packet->is_error = 1;
	__builtin_memcpy(packet->source, &ip->daddr, sizeof(packet->source));
	packet->protocol = ip->nexthdr;
	packet->at = ip + 1;
	return parse_transport(packet);
}

static __always_inline int parse_icmp6(struct packet *packet)
{
	struct icmp *icmp = packet->at;

	if ((void *)(icmp + 1) > packet->end)
		return COUNT_MALFORMED;
	if (icmp->type == ICMPV6_ECHO_REQUEST) {
		packet->is_echo = 1;
		return PARSED;
	}
	if (icmp->type > ICMPV6_PARAMPROB)
		return COUNT_OTHER;
	packet->at = icmp + 1;
	return parse_quotation6(packet);
}

static __always_inline int parse_ip6(struct packet *packet)
{
	struct ipv6hdr *ip = packet->at;

	if ((void *)(ip + 1) > packet->end || ip->version != 6)
		return COUNT_MALFORMED;
	packet->family = 6;
	packet->length = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	if (packet->at + packet->length > packet->end)
		return COUNT_MALFORMED;
	packet->tos = ip->priority << 4 | ip->flow_lbl[0] >> 4;
	packet->protocol = ip->nexthdr;
	__builtin_memcpy(packet->source, &ip->saddr, sizeof(packet->source));
	__builtin_memcpy(packet->destination, &ip->daddr, sizeof(packet->destination));
	packet->at = ip + 1;
	if (packet->protocol == IPPROTO_FRAGMENT)
		return COUNT_FRAGMENT;
	return packet->protocol == IPPROTO_ICMPV6 ? parse_icmp6(packet)
						  : parse_transport(packet);
}

static __always_inline int parse(struct packet *packet)
{
	struct ethhdr *ethernet = packet->at;

	if ((void *)(ethernet + 1) > packet->end)
		return COUNT_MALFORMED;
	packet->at = ethernet + 1;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP))
		return parse_ip4(packet);
	return ethernet->h_proto == bpf_htons(ETH_P_IPV6) ? parse_ip6(packet) : COUNT_OTHER;
}

/* --- whose it is --- */

static __always_inline struct balancer_vip *find_vip4(const struct packet *packet)
{
	struct balancer_vip4 key = {packet->destination[0], packet->destination_port,
				    packet->protocol};
	struct balancer_vip *vip = bpf_map_lookup_elem(&vips4, &key);

	if (vip)
		return vip;
	key.port = 0;
	return bpf_map_lookup_elem(&vips4, &key);
}

static __always_inline struct balancer_vip *find_vip6(const struct packet *packet)
{
	struct balancer_vip6 key = {.port = packet->destination_port,
				    .protocol = packet->protocol};
	struct balancer_vip *vip;

	__builtin_memcpy(key.address, packet->destination, sizeof(key.address));
	vip = bpf_map_lookup_elem(&vips6, &key);
	if (vip)
		return vip;
	key.port = 0;
	return bpf_map_lookup_elem(&vips6, &key);
}

/* An echo request is answered for an address that has a virtual port: protocol 0 says so. */
static __always_inline struct balancer_vip *find_vip(struct packet *packet)
{
	if (packet->is_echo) {
		packet->protocol = 0;
		packet->destination_port = 0;
	}
	return packet->family == 4 ? find_vip4(packet) : find_vip6(packet);
}

/* The same at all balancers, so nothing of this one's numbers is in it. */
static __always_inline __u64 hash_flow(const struct packet *packet)
{
	__u64 hash = (__u64)packet->source[0] << 32 | (__u32)packet->source_port << 16 |
		     packet->destination_port;

	hash = (hash ^ packet->destination[0] ^ packet->protocol) * 0x9e3779b97f4a7c15;
	hash ^= hash >> 32;
	if (packet->family == 6) {
		hash ^= (__u64)packet->source[1] << 32 | packet->source[2];
		hash = hash * 0xd6e8feb86659fd93 + packet->source[3];
		hash ^= hash >> 32;
		hash ^= packet->destination[3];
	}
	hash *= 0xd6e8feb86659fd93;
	return hash ^ hash >> 32;
}

static __always_inline struct balancer_member *usable_member(__u32 number, __u32 vip)
{
	struct balancer_member *member = bpf_map_lookup_elem(&members, &number);

	return member && member->is_alive && member->vip == vip ? member : NULL;
}

/* Whether the client's handshake is over, so that the connection id is the server's choice. */
static __always_inline int is_server_id(const __u8 *quic, const void *end)
{
	__u32 type = quic[0] >> 4 & 3, version;

	if (!(quic[0] & QUIC_LONG))
		return 1;
	version = (__u32)quic[1] << 24 | quic[2] << 16 | quic[3] << 8 | quic[4];
	if (version == QUIC_VERSION_2)
		type = (type + 3) & 3;
	return type >= 2 && quic[5] >= 3;
}

/*
 * The id begins with an octet of its own form, then two of the server (the plain form of
 * draft-ietf-quic-load-balancers).
 */
static __always_inline __u32 find_quic(const struct packet *packet, __u16 vip)
{
	const __u8 *quic = packet->at + sizeof(struct udphdr), *id;
	struct balancer_quic key = {.vip = vip};
	__u32 *member;

	if (packet->is_error || (void *)(quic + 9) > packet->end ||
	    !is_server_id(quic, packet->end))
		return MEMBER_NONE;
	id = quic[0] & QUIC_LONG ? quic + 6 : quic + 1;
	if ((void *)(id + 3) > packet->end)
		return MEMBER_NONE;
	key.server = id[1] | id[2] << 8;
	member = bpf_map_lookup_elem(&quic_servers, &key);
	return member ? *member : MEMBER_NONE;
}

static __always_inline __u32 ring_member(__u32 vip, __u64 hash)
{
	const __u32 place = (hash & 0xffffffff) * RING_SIZE >> 32;
	void *ring = bpf_map_lookup_elem(&rings, &vip);
	__u32 *member = ring ? bpf_map_lookup_elem(ring, &place) : NULL;

	return member ? *member : MEMBER_NONE;
}

/* Where the connection is kept; `new_member`: put there what is not MEMBER_NONE. */
static __always_inline __u32 flow_member(const struct packet *packet, __u16 vip,
					 __u32 new_member)
{
	struct balancer_flow4 flow4 = {packet->source[0], packet->source_port, vip};
	struct balancer_flow6 flow6 = {.port = packet->source_port, .vip = vip};
	__u32 *member;

	__builtin_memcpy(flow6.source, packet->source, sizeof(flow6.source));
	if (new_member != MEMBER_NONE) {
		if (packet->family == 4)
			bpf_map_update_elem(&flows4, &flow4, &new_member, BPF_ANY);
		else
			bpf_map_update_elem(&flows6, &flow6, &new_member, BPF_ANY);
		return new_member;
	}
	member = packet->family == 4 ? bpf_map_lookup_elem(&flows4, &flow4)
				     : bpf_map_lookup_elem(&flows6, &flow6);
	return member ? *member : MEMBER_NONE;
}

/* The member and its number; a flow that is new here is remembered. */
static __always_inline struct balancer_member *
choose_member(const struct packet *packet, struct balancer_vip vip, __u64 hash, __u32 *number)
{
	struct balancer_member *member = NULL;

	if (vip.is_quic) {
		*number = find_quic(packet, vip.number);
		member = usable_member(*number, vip.number);
		if (member)
			goto chosen;
	}
	if (!packet->is_new) {
		*number = flow_member(packet, vip.number, MEMBER_NONE);
		member = usable_member(*number, vip.number);
		if (member)
			goto chosen;
	}
	*number = ring_member(vip.number, hash);
	member = usable_member(*number, vip.number);
	if (!member)
		return NULL;
	if (!packet->is_error && !is_dry)
		flow_member(packet, vip.number, *number);
	count(COUNT_FIXED + *number, packet->length, !packet->is_error);
	return member;
chosen:
	count(COUNT_FIXED + *number, packet->length, 0);
	return member;
}

/* --- answers of the balancer's own --- */

static __always_inline void swap_ethernet(struct ethhdr *ethernet)
{
	__u8 address[ETH_ALEN];

	__builtin_memcpy(address, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, address, ETH_ALEN);
}

/* Headers behind an Ethernet header are not aligned. */
static __always_inline void header4(void *at, __u32 length, __u8 tos, __u8 protocol,
				    __be32 source, __be32 destination)
{
	struct iphdr *ip = at;
	__u64 sum = 0;

	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tos = tos,
		.tot_len = bpf_htons(length),
		.frag_off = bpf_htons(DONT_FRAGMENT),
		.ttl = OUTER_TTL,
		.protocol = protocol,
		.saddr = source,
		.daddr = destination,
	};
#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += ((__u16 *)ip)[i];
	ip->check = ~packet_fold(sum);
}

static __always_inline void header6(void *at, __u32 payload, __u8 tos, __u8 protocol)
{
	struct ipv6hdr *ip = at;

	ip->version = 6;
	ip->priority = tos >> 4;
	ip->flow_lbl[0] = tos << 4;
	ip->flow_lbl[1] = ip->flow_lbl[2] = 0;
	ip->payload_len = bpf_htons(payload);
	ip->nexthdr = protocol;
	ip->hop_limit = OUTER_TTL;
}

/* Echo reply: the sum changes by the type alone. */
static __always_inline int answer_echo(struct xdp_md *ctx, struct packet *packet)
{
	const int is4 = packet->family == 4;
	const __u8 reply = is4 ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY;
	struct ethhdr *ethernet = (void *)(long)ctx->data;
	struct ipv6hdr *ip6 = (void *)(ethernet + 1);
	struct iphdr *ip = (void *)(ethernet + 1);
	struct icmp *icmp = packet->at;
	__u64 sum;

	if ((void *)(icmp + 1) > packet->end ||
	    (is4 ? (void *)(ip + 1) : (void *)(ip6 + 1)) > packet->end)
		return XDP_DROP;
	sum = (__u16)~icmp->checksum;
	sum += (__u16)~bpf_htons(icmp->type << 8) + bpf_htons(reply << 8);
	if (is4) {
		ip->saddr = packet->destination[0];
		ip->daddr = packet->source[0];
	} else {
		__builtin_memcpy(&ip6->saddr, packet->destination, sizeof(ip6->saddr));
		__builtin_memcpy(&ip6->daddr, packet->source, sizeof(ip6->daddr));
	}
	icmp->type = reply;
	icmp->checksum = ~packet_fold(sum);
	swap_ethernet(ethernet);
	return XDP_TX;
}

/* Cuts the packet to a quotation and makes room for the headers in front. */
static __always_inline int quote(struct xdp_md *ctx, __u32 quoted, __u32 headers)
{
	const __u32 bytes = ctx->data_end - ctx->data;

	return bpf_xdp_adjust_tail(ctx, (int)(sizeof(struct ethhdr) + quoted) - (int)bytes) ||
	       bpf_xdp_adjust_head(ctx, -(int)headers);
}

static __always_inline int answer_too_big4(struct xdp_md *ctx, const struct packet *packet,
					   struct ethhdr ethernet, __u32 mtu)
{
	struct {
		struct ethhdr ethernet;
		struct iphdr ip;
		struct icmp icmp;
		__u8 quoted[QUOTED4];
	} __attribute__((packed)) * answer;
	__s64 sum;

	if (quote(ctx, QUOTED4, sizeof(struct iphdr) + sizeof(struct icmp)))
		return XDP_DROP;
	answer = (void *)(long)ctx->data;
	if ((void *)(answer + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	answer->ethernet = ethernet;
	header4((void *)&answer->ip, sizeof(*answer) - sizeof(ethernet), 0, IPPROTO_ICMP,
		packet->destination[0], packet->source[0]);
	answer->icmp = (struct icmp){.type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED};
	answer->icmp.mtu = bpf_htonl(mtu);
	sum = bpf_csum_diff(NULL, 0, (void *)&answer->icmp, sizeof(answer->icmp) + QUOTED4, 0);
	answer->icmp.checksum = ~packet_fold(sum);
	return XDP_TX;
}

static __always_inline int answer_too_big6(struct xdp_md *ctx, const struct packet *packet,
					   struct ethhdr ethernet, __u32 mtu)
{
	struct {
		struct ethhdr ethernet;
		struct ipv6hdr ip;
		struct icmp icmp;
		__u8 quoted[QUOTED6];
	} __attribute__((packed)) * answer;
	const __u32 payload = sizeof(struct icmp) + QUOTED6;
	__s64 sum;

	if (quote(ctx, QUOTED6, sizeof(struct ipv6hdr) + sizeof(struct icmp)))
		return XDP_DROP;
	answer = (void *)(long)ctx->data;
	if ((void *)(answer + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	answer->ethernet = ethernet;
	header6((void *)&answer->ip, payload, 0, IPPROTO_ICMPV6);
	__builtin_memcpy(&answer->ip.saddr, packet->destination, sizeof(answer->ip.saddr));
	__builtin_memcpy(&answer->ip.daddr, packet->source, sizeof(answer->ip.daddr));
	answer->icmp = (struct icmp){.type = ICMPV6_PKT_TOOBIG};
	answer->icmp.mtu = bpf_htonl(mtu);
	sum = bpf_csum_diff(NULL, 0, (void *)&answer->ip.saddr, 2 * sizeof(answer->ip.saddr),
			    bpf_htons(payload) + bpf_htons(IPPROTO_ICMPV6));
	sum = bpf_csum_diff(NULL, 0, (void *)&answer->icmp, payload, sum);
	answer->icmp.checksum = ~packet_fold(sum);
	return XDP_TX;
}

/* The sender learns how long packets may be. */
static __always_inline int answer_too_big(struct xdp_md *ctx, const struct packet *packet,
					  __u32 mtu)
{
	struct ethhdr *old = (void *)(long)ctx->data, ethernet;

	count_fixed(packet, COUNT_TOO_BIG, XDP_TX);
	if (packet->is_error || (void *)(old + 1) > packet->end)
		return XDP_DROP;
	ethernet = *old;
	swap_ethernet(&ethernet);
	return packet->family == 4 ? answer_too_big4(ctx, packet, ethernet, mtu)
				   : answer_too_big6(ctx, packet, ethernet, mtu);
}

/* --- to the backend --- */

static __always_inline __u32 outer_bytes(const struct balancer_member *member,
					 const volatile struct balancer_setup *setup)
{
	return (member->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) +
	       (setup->is_gue ? sizeof(struct udphdr) : 0);
}

/* GUE's variant 1: the inner header follows at once. */
static __always_inline void header_gue(void *at, __u32 length, __u64 hash, __be16 port)
{
	struct udphdr *udp = at;

	udp->source = (__be16)(hash >> 16) | bpf_htons(0xc000);
	udp->dest = port;
	udp->len = bpf_htons(length);
	udp->check = 0;
}

struct outer4 {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct udphdr udp; /* GUE only */
} __attribute__((packed));

struct outer6 {
	struct ethhdr ethernet;
	struct ipv6hdr ip;
	struct udphdr udp;
} __attribute__((packed));

static __always_inline int encapsulate4(struct xdp_md *ctx, const struct packet *packet,
					const struct balancer_member *member, __u64 hash,
					const volatile struct balancer_setup *setup)
{
	const __u32 length = packet->length + outer_bytes(member, setup);
	const __u8 inner = packet->family == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	struct outer4 *outer = (void *)(long)ctx->data;

	if ((void *)(outer + 1) > (void *)(long)ctx->data_end)
		return -1;
	outer->ethernet.h_proto = bpf_htons(ETH_P_IP);
	header4((void *)&outer->ip, length, packet->tos, setup->is_gue ? IPPROTO_UDP : inner,
		setup->source4 | ((__be32)hash & setup->source4_hashed), member->address[0]);
	if (setup->is_gue)
		header_gue((void *)&outer->udp, length - sizeof(outer->ip), hash,
			   setup->gue_port);
	return 0;
}

static __always_inline int encapsulate6(struct xdp_md *ctx, const struct packet *packet,
					const struct balancer_member *member, __u64 hash,
					const volatile struct balancer_setup *setup)
{
	const __u32 payload =
		packet->length + outer_bytes(member, setup) - sizeof(struct ipv6hdr);
	const __u8 inner = packet->family == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	struct outer6 *outer = (void *)(long)ctx->data;

	if ((void *)(outer + 1) > (void *)(long)ctx->data_end)
		return -1;
	outer->ethernet.h_proto = bpf_htons(ETH_P_IPV6);
	header6((void *)&outer->ip, payload, packet->tos, setup->is_gue ? IPPROTO_UDP : inner);
#pragma unroll
	for (int i = 0; i < 4; i++)
		outer->ip.saddr.in6_u.u6_addr32[i] =
			setup->source6[i] | ((__be32)hash & setup->source6_hashed[i]);
	__builtin_memcpy(&outer->ip.daddr, member->address, sizeof(outer->ip.daddr));
	if (setup->is_gue)
		header_gue((void *)&outer->udp, payload, hash, setup->gue_port);
	return 0;
}

/* By the routes and neighbours of the host, or of the engine. */
static __always_inline int send_by_route(struct xdp_md *ctx, const struct packet *packet,
					 const struct balancer_member *member)
{
	struct bpf_fib_lookup fib = {.ifindex = ctx->ingress_ifindex};
	struct ethhdr *ethernet;
	long ret;

	fib.family = member->family == 4 ? AF_INET : AF_INET6;
	fib.tot_len = 0;
	if (member->family == 4)
		fib.ipv4_dst = member->address[0];
	else
		__builtin_memcpy(fib.ipv6_dst, member->address, sizeof(fib.ipv6_dst));
	ret = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	if (ret != BPF_FIB_LKUP_RET_SUCCESS) {
		/* The stack asks for the neighbour, and sends this one itself. */
		return count_fixed(packet, COUNT_NO_ROUTE,
				   ret == BPF_FIB_LKUP_RET_NO_NEIGH ? XDP_PASS : XDP_DROP);
	}
	ethernet = (void *)(long)ctx->data;
	if ((void *)(ethernet + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	__builtin_memcpy(ethernet->h_dest, fib.dmac, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, fib.smac, ETH_ALEN);
	return fib.ifindex == ctx->ingress_ifindex ? XDP_TX : bpf_redirect(fib.ifindex, 0);
}

static __always_inline int send(struct xdp_md *ctx, const struct packet *packet,
				const struct balancer_member *member, __u64 hash,
				const volatile struct balancer_setup *setup)
{
	struct ethhdr *ethernet = (void *)(long)ctx->data, old;

	if ((void *)(ethernet + 1) > packet->end)
		return XDP_DROP;
	old = *ethernet;
	swap_ethernet(&old);
	if (setup->next_hop == NEXT_HOP_MAC) {
#pragma unroll
		for (int i = 0; i < ETH_ALEN; i++)
			old.h_dest[i] = setup->mac[i];
	}
	if (bpf_xdp_adjust_head(ctx, -(int)outer_bytes(member, setup)))
		return XDP_DROP;
	ethernet = (void *)(long)ctx->data;
	if ((void *)(ethernet + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	*ethernet = old;
	if (member->family == 4 ? encapsulate4(ctx, packet, member, hash, setup)
				: encapsulate6(ctx, packet, member, hash, setup))
		return XDP_DROP;
	return setup->next_hop == NEXT_HOP_FIB ? send_by_route(ctx, packet, member) : XDP_TX;
}

SEC("xdp")
int balancer(struct xdp_md *ctx)
{
	struct packet packet = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	const volatile struct balancer_setup *setup = &setups[generation & 1];
	int parsed;
	struct balancer_member *member;
	struct balancer_vip *vip;
	__u32 number;
	__u64 hash;

	packet.bytes = packet.end - packet.at;
	parsed = parse(&packet);
	if (parsed != PARSED)
		return count_fixed(&packet, parsed,
				   parsed == COUNT_OTHER ? XDP_PASS : XDP_DROP);
	vip = find_vip(&packet);
	if (!vip)
		return count_fixed(&packet, COUNT_OTHER, XDP_PASS);
	if (packet.is_echo) {
		count_fixed(&packet, COUNT_ECHO, XDP_TX);
		return is_dry ? XDP_PASS : answer_echo(ctx, &packet);
	}
	hash = hash_flow(&packet);
	member = choose_member(&packet, *vip, hash, &number);
	if (!member)
		return count_fixed(&packet, COUNT_NO_BACKEND, XDP_DROP);
	if (is_dry)
		return XDP_PASS;
	if (packet.length + outer_bytes(member, setup) > setup->mtu)
		return answer_too_big(ctx, &packet, setup->mtu - outer_bytes(member, setup));
	return send(ctx, &packet, member, hash, setup);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
