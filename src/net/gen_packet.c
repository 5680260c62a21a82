/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of generated flows: Ethernet, optionally 802.1Q, IPv4 or IPv6, TCP, UDP or ICMP echo.
 */
#include "net/checksum.h"
#include "net/gen.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#define CLIENT_NET 0x0a000000u /* 10.0.0.0/8 */
#define SERVER_NET 0xc0a80000u /* 192.168.0.0/16 */
#define SERVERS	   64

static const u16 services[] = {80, 443, 53, 22, 123, 8080, 5201, 25};

static u8 flow_protocol(enum gen_protocol protocol, u64 random)
{
	switch (protocol) {
	case GEN_TCP: return IPPROTO_TCP;
	case GEN_UDP: return IPPROTO_UDP;
	case GEN_ICMP: return IPPROTO_ICMP;
	case GEN_MIX: break;
	}
	/* About what the Internet's mix is: mostly TCP, then UDP, a little ICMP. */
	return random % 100 < 70 ? IPPROTO_TCP : random % 100 < 97 ? IPPROTO_UDP : IPPROTO_ICMP;
}

struct gen_flow gen_flow_make(const struct gen_spec *spec, u64 number)
{
	u64 state =
		(spec->seed + 1) * 0x9e3779b97f4a7c15ull + number * 0xbf58476d1ce4e5b9ull + 1;
	struct gen_flow flow;

	gen_random(&state);
	flow.is_ipv6 = gen_random(&state) % 100 < spec->ipv6;
	flow.has_vlan = gen_random(&state) % 100 < spec->vlan;
	flow.vlan = 1 + gen_random(&state) % 100;
	flow.protocol = flow_protocol(spec->protocol, gen_random(&state) >> 32);
	flow.source = CLIENT_NET | (u32)(number * 0x9e3779b1u) >> 8;
	flow.destination = SERVER_NET | (u32)(1 + gen_random(&state) % SERVERS);
	flow.source_port = 1024 + gen_random(&state) % (65536 - 1024);
	flow.destination_port = services[gen_random(&state) % ARRAY_SIZE(services)];
	return flow;
}

static u32 transport_header(const struct gen_flow *flow)
{
	return flow->protocol == IPPROTO_TCP ? sizeof(struct tcphdr) : 8;
}

u32 gen_packet_smallest(const struct gen_flow *flow)
{
	return ETH_HLEN + (flow->has_vlan ? 4 : 0) +
	       (flow->is_ipv6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr)) +
	       transport_header(flow);
}

static u8 *build_ethernet(const struct gen_flow *flow, u8 *at)
{
	struct ethhdr *ethernet = (struct ethhdr *)at;
	u16 protocol = htons(flow->is_ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	u16 tag = htons(flow->vlan);

	/* Locally administered addresses that carry the IP address. */
	memcpy(ethernet->h_dest, "\x02\x00", 2);
	memcpy(ethernet->h_dest + 2, &(u32){htonl(flow->destination)}, 4);
	memcpy(ethernet->h_source, "\x02\x00", 2);
	memcpy(ethernet->h_source + 2, &(u32){htonl(flow->source)}, 4);
	ethernet->h_proto = flow->has_vlan ? htons(ETH_P_8021Q) : protocol;
	at += ETH_HLEN;
	if (!flow->has_vlan)
		return at;
	memcpy(at, &tag, 2);
	memcpy(at + 2, &protocol, 2);
	return at + 4;
}

static u8 *build_ipv4(const struct gen_flow *flow, u32 length, u64 sequence, u8 *at)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons(length),
		.id = htons(sequence),
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = flow->protocol,
		.saddr = htonl(flow->source),
		.daddr = htonl(flow->destination),
	};

	ip.check = sum_fold(sum_add(0, (const u8 *)&ip, sizeof(ip)));
	memcpy(at, &ip, sizeof(ip));
	return at + sizeof(ip);
}

static u8 transport_protocol(const struct gen_flow *flow)
{
	return flow->is_ipv6 && flow->protocol == IPPROTO_ICMP ? IPPROTO_ICMPV6
							       : flow->protocol;
}

static u8 *build_ipv6(const struct gen_flow *flow, u32 length, u8 *at)
{
	struct ip6_hdr ip = {
		.ip6_flow = htonl(6u << 28),
		.ip6_plen = htons(length - sizeof(ip)),
		.ip6_nxt = transport_protocol(flow),
		.ip6_hlim = 64,
	};

	/* 2001:db8::/32, the prefix for documentation. */
	memcpy(&ip.ip6_src, "\x20\x01\x0d\xb8", 4);
	memcpy(&ip.ip6_dst, "\x20\x01\x0d\xb8", 4);
	memcpy(ip.ip6_src.s6_addr + 12, &(u32){htonl(flow->source)}, 4);
	memcpy(ip.ip6_dst.s6_addr + 12, &(u32){htonl(flow->destination)}, 4);
	memcpy(at, &ip, sizeof(ip));
	return at + sizeof(ip);
}

static void build_tcp(const struct gen_flow *flow, u64 sequence, bool is_syn, u8 *at)
{
	const struct tcphdr tcp = {
		.source = htons(flow->source_port),
		.dest = htons(flow->destination_port),
		.seq = htonl(sequence * 1460),
		.ack_seq = is_syn ? 0 : htonl(sequence),
		.doff = sizeof(tcp) / 4,
		.syn = is_syn,
		.ack = !is_syn,
		.psh = !is_syn,
		.window = htons(65535),
	};

	memcpy(at, &tcp, sizeof(tcp));
}

static void build_udp(const struct gen_flow *flow, u32 length, u8 *at)
{
	const struct udphdr udp = {
		.source = htons(flow->source_port),
		.dest = htons(flow->destination_port),
		.len = htons(length),
	};

	memcpy(at, &udp, sizeof(udp));
}

static void build_echo(const struct gen_flow *flow, u64 sequence, u8 *at)
{
	const struct icmphdr icmp = {
		.type = flow->is_ipv6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
		.un.echo = {.id = htons(flow->source_port), .sequence = htons(sequence)},
	};

	memcpy(at, &icmp, sizeof(icmp));
}

/* Where the checksum of the transport header sits. */
static u32 checksum_offset(u8 protocol)
{
	return protocol == IPPROTO_TCP	 ? offsetof(struct tcphdr, check)
	       : protocol == IPPROTO_UDP ? offsetof(struct udphdr, check)
					 : offsetof(struct icmphdr, checksum);
}

static void set_checksum(const struct gen_flow *flow, const u8 *ip, u8 *transport, u32 length)
{
	u8 protocol = transport_protocol(flow);
	u32 sum = protocol == IPPROTO_ICMP ? 0 : protocol + length;
	u16 checksum;

	if (flow->is_ipv6)
		sum = sum_add(sum, ip + offsetof(struct ip6_hdr, ip6_src), 32);
	else if (protocol != IPPROTO_ICMP)
		sum = sum_add(sum, ip + offsetof(struct iphdr, saddr), 8);
	checksum = sum_fold(sum_add(sum, transport, length));
	if (!checksum && protocol == IPPROTO_UDP)
		checksum = 0xffff;
	memcpy(transport + checksum_offset(protocol), &checksum, sizeof(checksum));
}

void gen_packet_build(const struct gen_flow *flow, u32 size, u64 sequence, bool is_syn, u8 *out)
{
	u8 *ip = build_ethernet(flow, out), *transport, *payload;
	u32 ip_length = size - (ip - out), length;

	transport = flow->is_ipv6 ? build_ipv6(flow, ip_length, ip)
				  : build_ipv4(flow, ip_length, sequence, ip);
	length = size - (transport - out);
	if (flow->protocol == IPPROTO_TCP)
		build_tcp(flow, sequence, is_syn, transport);
	else if (flow->protocol == IPPROTO_UDP)
		build_udp(flow, length, transport);
	else
		build_echo(flow, sequence, transport);
	payload = transport + transport_header(flow);
	memset(payload, 'a' + sequence % 26, length - transport_header(flow));
	set_checksum(flow, ip, transport, length);
}

/* The flow's numbers, mixed so that all bits are good. */
u32 gen_flow_hash(const struct gen_flow *flow)
{
	u64 hash = (u64)flow->source << 32 | flow->destination;

	hash = (hash ^ hash >> 29) * 0xbf58476d1ce4e5b9ull;
	hash ^= (u64)flow->source_port << 32 | (u32)flow->destination_port << 16 |
		(u32)flow->protocol << 8 | flow->is_ipv6;
	hash = (hash ^ hash >> 32) * 0x94d049bb133111ebull;
	return (u32)(hash >> 32) ?: 1;
}
