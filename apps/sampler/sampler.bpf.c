/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts packets by flow, and hands samples of them out. There are two flow tables: the control
 * part empties the one that is not in use and turns `generation`, so that nobody counts in a
 * flow that is taken out. All packets pass unchanged.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../packet.h"
#include "sampler.h"

#define EXTENSIONS_MAX 6

volatile __u32 generation = 0;
volatile struct sampler_setup setups[2] = {};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, struct sampler_traffic);
} counters SEC(".maps");

struct flow_table {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FLOWS_USUAL);
	__type(key, struct sampler_key);
	__type(value, struct sampler_flow);
} flows_a SEC(".maps"), flows_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} samples SEC(".maps");

/* Where a sample is put together. */
struct draft {
	struct sampler_sample sample;
	__u8 data[SNAP_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct draft);
} drafts SEC(".maps");

struct packet {
	void *at, *end;
	__u32 length; /* of the frame */
	__u32 bytes;  /* of IP */
	__u8 tcp_flags;
	struct sampler_key key;
};

static __always_inline void count(__u32 counter, __u32 bytes)
{
	struct sampler_traffic *traffic = bpf_map_lookup_elem(&counters, &counter);

	if (traffic) {
		traffic->packets++;
		traffic->bytes += bytes;
	}
}

/* --- the flow of a packet: 0, or what the packet is counted as --- */

static __always_inline void read_ports(struct packet *packet)
{
	const __u8 protocol = packet->key.protocol;
	__be16 *ports = packet->at;

	if ((void *)(ports + 2) > packet->end)
		return;
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		packet->key.destination_port = ports[0];
		return;
	}
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP)
		return;
	packet->key.source_port = ports[0];
	packet->key.destination_port = ports[1];
	if (protocol == IPPROTO_TCP &&
	    (void *)packet->at + sizeof(struct tcphdr) <= packet->end)
		packet->tcp_flags = ((__u8 *)packet->at)[13];
}

/* Bytes of IP: what it says, when so many are there. */
static __always_inline void set_bytes(struct packet *packet, const void *ip, __u32 said)
{
	const __u32 there = packet->end - ip;

	packet->bytes = said < there ? said : there;
}

static __always_inline int parse_ip4(struct packet *packet)
{
	const struct iphdr *ip = packet->at;
	const __u32 header = (void *)(ip + 1) > packet->end ? 0 : ip->ihl * 4;

	if (header < sizeof(*ip) || ip->version != 4 || bpf_ntohs(ip->tot_len) < header)
		return COUNT_SHORT;
	set_bytes(packet, ip, bpf_ntohs(ip->tot_len));
	packet->key.family = 4;
	packet->key.protocol = ip->protocol;
	packet->key.source[0] = ip->saddr;
	packet->key.destination[0] = ip->daddr;
	packet->at += header;
	if (!(ip->frag_off & bpf_htons(PACKET_FRAGMENT_OFFSET)))
		read_ports(packet);
	return 0;
}

/* Moves behind the extension headers that are there; whether the first bytes of what they carry
 * follow. */
static __always_inline int skip_extensions(struct packet *packet)
{
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		const __u8 *header = packet->at;
		const __u8 kind = packet->key.protocol;

		if (kind != IPPROTO_HOPOPTS && kind != IPPROTO_ROUTING &&
		    kind != IPPROTO_DSTOPTS && kind != IPPROTO_FRAGMENT)
			return 1;
		if ((void *)(header + 8) > packet->end)
			return 0;
		packet->key.protocol = header[0];
		packet->at += kind == IPPROTO_FRAGMENT ? 8 : (header[1] + 1) * 8;
		if (kind == IPPROTO_FRAGMENT && (header[2] | (header[3] & 0xf8)))
			return 0;
	}
	return 0;
}

static __always_inline int parse_ip6(struct packet *packet)
{
	const struct ipv6hdr *ip = packet->at;

	if ((void *)(ip + 1) > packet->end || ip->version != 6)
		return COUNT_SHORT;
	set_bytes(packet, ip, sizeof(*ip) + bpf_ntohs(ip->payload_len));
	packet->key.family = 6;
	packet->key.protocol = ip->nexthdr;
	__builtin_memcpy(packet->key.source, &ip->saddr, sizeof(packet->key.source));
	__builtin_memcpy(packet->key.destination, &ip->daddr, sizeof(packet->key.destination));
	packet->at += sizeof(*ip);
	if (skip_extensions(packet))
		read_ports(packet);
	return 0;
}

static __always_inline int parse(struct packet *packet)
{
	__be16 type;

	if (packet_skip_link(&packet->at, packet->end, &type))
		return COUNT_SHORT;
	if (type == bpf_htons(ETH_P_IP))
		return parse_ip4(packet);
	return type == bpf_htons(ETH_P_IPV6) ? parse_ip6(packet) : COUNT_OTHER;
}

/* --- the flow table --- */

static __always_inline void add_packet(struct sampler_flow *flow, const struct packet *packet,
				       __u64 now)
{
	__sync_fetch_and_add(&flow->packets, 1);
	__sync_fetch_and_add(&flow->bytes, packet->bytes);
	if (flow->last_ns < now)
		flow->last_ns = now;
	if (packet->tcp_flags & ~flow->tcp_flags)
		__sync_fetch_and_or(&flow->tcp_flags, packet->tcp_flags);
}

/* The packets of its flow; 0: it has no room. */
static __always_inline __u64 meter(const struct packet *packet, void *table)
{
	const __u64 now = bpf_ktime_get_coarse_ns();
	const struct sampler_flow first = {1, packet->bytes, now, now, packet->tcp_flags};
	struct sampler_flow *flow = bpf_map_lookup_elem(table, &packet->key);

	if (!flow) {
		if (!bpf_map_update_elem(table, &packet->key, &first, BPF_NOEXIST))
			return 1;
		/* Another CPU was faster. */
		flow = bpf_map_lookup_elem(table, &packet->key);
		if (!flow)
			return 0;
	}
	add_packet(flow, packet, now);
	return flow->packets;
}

static __always_inline int is_chosen(__u64 below)
{
	return below >> 32 || bpf_get_prandom_u32() < below;
}

static __always_inline __u64 meter_sampled(const struct packet *packet,
					   const volatile struct sampler_setup *setup,
					   __u32 side)
{
	__u64 packets;

	if (!is_chosen(setup->meter_below)) {
		count(COUNT_SKIPPED, packet->bytes);
		return 0;
	}
	packets = side ? meter(packet, &flows_b) : meter(packet, &flows_a);
	count(packets ? COUNT_METERED + side : COUNT_NO_ROOM, packet->bytes);
	return packets;
}

/* --- the capture --- */

static __always_inline int is_captured(const struct packet *packet,
				       const volatile struct sampler_setup *setup)
{
	if (setup->capture == CAPTURE_NONE)
		return 0;
	return is_chosen(setup->capture == CAPTURE_RANDOM
				 ? setup->capture_below
				 : setup->capture_below * packet->length);
}

static __always_inline void capture(struct xdp_md *ctx, const struct packet *packet,
				    __u64 flow_packets, __u32 snap)
{
	const __u32 zero = 0;
	struct draft *draft = bpf_map_lookup_elem(&drafts, &zero);
	__u32 captured = packet->length < snap ? packet->length : snap;

	if (!draft || !captured || captured > SNAP_MAX)
		return;
	if (bpf_xdp_load_bytes(ctx, 0, draft->data, captured))
		return;
	draft->sample.time_ns = bpf_ktime_get_ns();
	draft->sample.flow_packets = flow_packets;
	draft->sample.length = packet->length;
	draft->sample.captured = captured;
	draft->sample.key = packet->key;
	if (bpf_ringbuf_output(&samples, draft, sizeof(draft->sample) + captured, 0))
		count(COUNT_CAPTURE_LOST, packet->length);
	else
		count(COUNT_CAPTURED, packet->length);
}

SEC("xdp")
int sampler(struct xdp_md *ctx)
{
	const __u32 side = generation & 1;
	const volatile struct sampler_setup *setup = &setups[side];
	struct packet packet = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	__u64 flow_packets = 0;
	int other;

	packet.length = packet.end - packet.at;
	packet.key.ingress = ctx->ingress_ifindex;
	other = parse(&packet);
	if (other)
		count(other, packet.length);
	else
		flow_packets = meter_sampled(&packet, setup, side);
	if (is_captured(&packet, setup))
		capture(ctx, &packet, flow_packets, setup->snap);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
