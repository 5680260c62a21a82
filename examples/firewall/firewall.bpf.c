// SPDX-License-Identifier: BSD-2-Clause
/*
 * A stateless firewall for XDP: rules on the 5-tuple, a blocklist of source prefixes, counters
 * per outcome, and the top talkers.
 *
 *     skep run examples/firewall/firewall.bpf.c --on pcap:in.pcap:passed.pcap
 *
 * Rules are entries of `rules`: an exact 5-tuple, or one whose source, source port or both are
 * zero
 * ("any"). The most exact rule decides; without one, the packet passes.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "firewall.h"

#define VLAN_TAGS_MAX 2

const volatile bool report_drops = false;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow);
	__type(value, struct rule);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct prefix);
	__type(value, __u64); /* packets dropped */
} blocklist SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __be32); /* source address */
	__type(value, struct traffic);
} top_talkers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OUTCOMES);
	__type(key, __u32); /* enum outcome */
	__type(value, struct traffic);
} outcomes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} drop_event SEC(".maps");

/* Puts the record's type into the object's BTF; its name is the ring buffer's. */
const struct drop_event *drop_event_type __attribute__((unused));

struct cursor {
	void *at, *end;
};

/* The protocol behind the Ethernet header and its VLAN tags; 0: malformed. */
static __be16 parse_ethernet(struct cursor *cursor)
{
	struct ethhdr *ethernet = cursor->at;
	__be16 protocol;

	if ((void *)(ethernet + 1) > cursor->end)
		return 0;
	protocol = ethernet->h_proto;
	cursor->at = ethernet + 1;
	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		__be16 *tag = cursor->at;

		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 2) > cursor->end)
			return 0;
		protocol = tag[1];
		cursor->at = tag + 2;
	}
	return protocol;
}

static int parse_ports(struct cursor *cursor, struct flow *flow)
{
	__be16 *ports = cursor->at;

	if (flow->protocol != IPPROTO_TCP && flow->protocol != IPPROTO_UDP)
		return 0;
	if ((void *)(ports + 2) > cursor->end)
		return -1;
	flow->source_port = ports[0];
	flow->destination_port = ports[1];
	return 0;
}

/* 0, or -1 for a packet that lies about its lengths. */
static int parse_ipv4(struct cursor *cursor, struct flow *flow)
{
	struct iphdr *ip = cursor->at;

	if ((void *)(ip + 1) > cursor->end || ip->version != 4 || ip->ihl < 5)
		return -1;
	flow->source = ip->saddr;
	flow->destination = ip->daddr;
	flow->protocol = ip->protocol;
	/* Only the first fragment has the ports. */
	if (ip->frag_off & bpf_htons(0x1fff))
		return 0;
	cursor->at += ip->ihl * 4;
	return parse_ports(cursor, flow);
}

static struct rule *find_rule(const struct flow *flow)
{
	struct flow key = *flow;
	struct rule *rule = bpf_map_lookup_elem(&rules, &key);

	if (rule)
		return rule;
	key.source_port = 0;
	rule = bpf_map_lookup_elem(&rules, &key);
	if (rule)
		return rule;
	key.source = 0;
	return bpf_map_lookup_elem(&rules, &key);
}

static enum outcome judge(const struct flow *flow)
{
	struct prefix source = {.length = 32, .address = flow->source};
	__u64 *blocked = bpf_map_lookup_elem(&blocklist, &source);
	struct rule *rule;

	if (blocked) {
		__sync_fetch_and_add(blocked, 1);
		return DROPPED_BY_BLOCKLIST;
	}
	rule = find_rule(flow);
	return rule && rule->action == DENY ? DROPPED_BY_RULE : PASSED;
}

static void count_talker(__be32 source, __u64 bytes)
{
	struct traffic first = {.packets = 1, .bytes = bytes};
	struct traffic *traffic = bpf_map_lookup_elem(&top_talkers, &source);

	if (!traffic) {
		bpf_map_update_elem(&top_talkers, &source, &first, BPF_NOEXIST);
		return;
	}
	__sync_fetch_and_add(&traffic->packets, 1);
	__sync_fetch_and_add(&traffic->bytes, bytes);
}

static void count_outcome(enum outcome outcome, __u64 bytes)
{
	struct traffic *traffic = bpf_map_lookup_elem(&outcomes, &outcome);

	if (!traffic)
		return;
	traffic->packets++;
	traffic->bytes += bytes;
}

static void report(const struct flow *flow, enum outcome outcome, __u32 length)
{
	struct drop_event *event;

	if (!report_drops || outcome == PASSED)
		return;
	event = bpf_ringbuf_reserve(&drop_event, sizeof(*event), 0);
	if (!event)
		return;
	event->flow = *flow;
	event->outcome = outcome;
	event->length = length;
	bpf_ringbuf_submit(event, 0);
}

SEC("xdp")
int firewall(struct xdp_md *ctx)
{
	struct cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	__u64 bytes = cursor.end - cursor.at;
	enum outcome outcome = PASSED;
	struct flow flow = {};
	__be16 protocol = parse_ethernet(&cursor);

	if (!protocol) {
		outcome = DROPPED_MALFORMED;
	} else if (protocol == bpf_htons(ETH_P_IP)) {
		outcome = parse_ipv4(&cursor, &flow) ? DROPPED_MALFORMED : judge(&flow);
		count_talker(flow.source, bytes);
	}
	count_outcome(outcome, bytes);
	report(&flow, outcome, bytes);
	return outcome == PASSED ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
