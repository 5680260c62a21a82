/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A firewall at the earliest point. In this order: malformed packets, lists of sources, answers
 * of amplifiers, rules, the default. All tables are there twice; the control part fills those
 * that are not in use and turns `generation`, so that each packet sees one configuration.
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
#include "firewall.h"

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

/* What a table holds: as many entries as the configuration has. */
#define INNER(name, map_type, key_bytes, value)           \
	struct name {                                     \
		__uint(type, map_type);                   \
		__uint(map_flags, BPF_F_NO_PREALLOC);     \
		__uint(max_entries, 1);                   \
		__uint(key_size, key_bytes);              \
		__uint(value_size, sizeof(struct value)); \
	}

INNER(hosts, BPF_MAP_TYPE_HASH, sizeof(__be32), firewall_listed);
INNER(prefixes4, BPF_MAP_TYPE_LPM_TRIE, sizeof(struct firewall_prefix4), firewall_listed);
INNER(prefixes6, BPF_MAP_TYPE_LPM_TRIE, sizeof(struct firewall_prefix6), firewall_listed);
INNER(rule_prefixes4, BPF_MAP_TYPE_LPM_TRIE, sizeof(struct firewall_prefix4), firewall_set);
INNER(rule_prefixes6, BPF_MAP_TYPE_LPM_TRIE, sizeof(struct firewall_prefix6), firewall_set);

TABLES(rule_sources4, rule_prefixes4);
TABLES(rule_destinations4, rule_prefixes4);
TABLES(rule_sources6, rule_prefixes6);
TABLES(rule_destinations6, rule_prefixes6);

/* Both sides, one behind the other. */
#define SETS(name, count)                           \
	struct {                                    \
		__uint(type, BPF_MAP_TYPE_ARRAY);   \
		__uint(max_entries, 2 * (count));   \
		__type(key, __u32);                 \
		__type(value, struct firewall_set); \
	} name SEC(".maps")

SETS(rule_protocols, PROTOCOLS);
SETS(rule_source_ports, PORTS_MAX_);
SETS(rule_destination_ports, PORTS_MAX_);
SETS(rule_flags, FLAG_STATES);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * RULES_MAX);
	__type(key, __u32);
	__type(value, struct firewall_rule);
} rules SEC(".maps");

/* By the port that UDP comes from: so many bytes of payload are too many; 0: none are. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * PORTS_MAX_);
	__type(key, __u32);
	__type(value, __u32);
} amplifiers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 262144);
	__type(key, struct firewall_source);
	__type(value, struct firewall_bucket);
} limited SEC(".maps");

/* Sources that answered a challenge, and when. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 262144);
	__type(key, struct firewall_source);
	__type(value, __u64);
} proven SEC(".maps");

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
	__u32 payload; /* UDP */
	struct iphdr *ip;
	struct tcphdr *tcp; /* NULL: there is none */
	__u8 tcp_flags;
	__u8 has_ports;
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
	packet->has_ports = 1;
	packet->tcp = tcp;
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
	packet->has_ports = 1;
	packet->payload = bpf_ntohs(udp->len) - sizeof(*udp);
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
	packet->ip = ip;
	packet->source = ip->saddr;
	packet->destination = ip->daddr;
	packet->protocol = ip->protocol;
	packet->is_fragment = (ip->frag_off & bpf_htons(PACKET_FRAGMENT_OFFSET)) != 0;
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
	__be16 type;

	if (packet_skip_link(&packet->at, packet->end, &type))
		return -1;
	if (type == bpf_htons(ETH_P_IP))
		return parse_ipv4(packet);
	return type == bpf_htons(ETH_P_IPV6) ? parse_ipv6(packet) : 0;
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

/* --- rules --- */

static __always_inline void keep_only(struct firewall_set *set,
				      const struct firewall_set *other)
{
	for (int i = 0; i < RULE_WORDS; i++)
		set->words[i] &= other ? other->words[i] : 0;
}

static __always_inline void keep_known(struct firewall_set *set,
				       const volatile struct firewall_set *other)
{
	for (int i = 0; i < RULE_WORDS; i++)
		set->words[i] &= other->words[i];
}

static __always_inline void keep_at(struct firewall_set *set, void *map, __u32 place)
{
	keep_only(set, bpf_map_lookup_elem(map, &place));
}

static __always_inline void keep_prefix4(struct firewall_set *set, void *outer, __u32 side,
					 __be32 address)
{
	struct firewall_prefix4 key = {.length = 32};
	void *table = bpf_map_lookup_elem(outer, &side);

	__builtin_memcpy(key.address, &address, sizeof(address));
	if (table)
		keep_only(set, bpf_map_lookup_elem(table, &key));
}

static __always_inline void keep_prefix6(struct firewall_set *set, void *outer, __u32 side,
					 const struct in6_addr *address)
{
	struct firewall_prefix6 key = {.length = 128};
	void *table = bpf_map_lookup_elem(outer, &side);

	__builtin_memcpy(key.address, address, sizeof(key.address));
	if (table)
		keep_only(set, bpf_map_lookup_elem(table, &key));
}

static __always_inline void keep_addresses(struct firewall_set *set,
					   const struct packet *packet,
					   const volatile struct firewall_setup *setup,
					   __u32 side)
{
	if (setup->by_source) {
		if (packet->family == 4)
			keep_prefix4(set, &rule_sources4, side, packet->source);
		else
			keep_prefix6(set, &rule_sources6, side, &packet->ip6->saddr);
	}
	if (setup->by_destination) {
		if (packet->family == 4)
			keep_prefix4(set, &rule_destinations4, side, packet->destination);
		else
			keep_prefix6(set, &rule_destinations6, side, &packet->ip6->daddr);
	}
}

static __always_inline void keep_ports(struct firewall_set *set, const struct packet *packet,
				       const volatile struct firewall_setup *setup, __u32 side)
{
	if (!packet->has_ports) {
		keep_known(set, &setup->portless);
		return;
	}
	if (setup->by_source_port)
		keep_at(set, &rule_source_ports,
			side * PORTS_MAX_ + bpf_ntohs(packet->source_port));
	if (setup->by_destination_port)
		keep_at(set, &rule_destination_ports,
			side * PORTS_MAX_ + bpf_ntohs(packet->destination_port));
}

static __always_inline void match(struct firewall_set *set, const struct packet *packet,
				  const volatile struct firewall_setup *setup, __u32 side)
{
	for (int i = 0; i < RULE_WORDS; i++)
		set->words[i] = setup->all.words[i];
	keep_addresses(set, packet, setup, side);
	if (setup->by_protocol)
		keep_at(set, &rule_protocols, side * PROTOCOLS + (packet->protocol & 0xff));
	keep_ports(set, packet, setup, side);
	if (setup->by_flags)
		keep_at(set, &rule_flags,
			side * FLAG_STATES + (packet->tcp ? packet->tcp_flags & 63 : NO_TCP));
}

/* Takes the first rule out of the set; below 0: there is none. */
static __always_inline int take_first(struct firewall_set *set)
{
	for (int i = 0; i < RULE_WORDS; i++) {
		const __u64 word = set->words[i];

		if (!word)
			continue;
		set->words[i] = word & (word - 1);
		return 64 * i + __builtin_ctzll(word);
	}
	return -1;
}

static __always_inline void source_of(struct firewall_source *source,
				      const struct packet *packet, __u32 rule)
{
	__builtin_memset(source, 0, sizeof(*source));
	source->rule = rule;
	if (packet->family == 4)
		__builtin_memcpy(source->address, &packet->source, sizeof(packet->source));
	else
		__builtin_memcpy(source->address, &packet->ip6->saddr, sizeof(source->address));
}

/* Whether the source has credit for another packet. */
static __always_inline int has_credit(const struct packet *packet,
				      const struct firewall_rule *rule)
{
	const __u64 now = bpf_ktime_get_ns();
	struct firewall_bucket first = {now, rule->credit_ns - rule->cost_ns}, *bucket;
	struct firewall_source source;
	__u64 credit;

	source_of(&source, packet, rule->counter);
	bucket = bpf_map_lookup_elem(&limited, &source);
	if (!bucket) {
		bpf_map_update_elem(&limited, &source, &first, BPF_ANY);
		return 1;
	}
	credit = bucket->credit_ns + (now - bucket->time_ns);
	if (credit > rule->credit_ns)
		credit = rule->credit_ns;
	bucket->time_ns = now;
	if (credit < rule->cost_ns) {
		bucket->credit_ns = credit;
		return 0;
	}
	bucket->credit_ns = credit - rule->cost_ns;
	return 1;
}

/* --- challenges --- */

/*
 * A SYN of an unknown source is answered with a SYN-ACK whose acknowledgement is wrong: a
 * cookie, so that nothing is kept. A real client answers with a RST that has the cookie as its
 * sequence number, proves itself so, and sends its SYN again.
 */
#define COOKIE_SEQUENCE 0
#define FLAG_SYN	0x02
#define FLAG_RST	0x04
#define FLAG_ACK	0x10

/* The header that the cookie is made of: the client's ports. */
static __always_inline void cookie_header(struct tcphdr *out, const struct tcphdr *tcp)
{
	__builtin_memset(out, 0, sizeof(*out));
	out->source = tcp->source;
	out->dest = tcp->dest;
	out->doff = sizeof(*out) / 4;
}

static __always_inline void swap_link(struct ethhdr *ethernet)
{
	__u8 address[ETH_ALEN];

	__builtin_memcpy(address, ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, address, ETH_ALEN);
}

static __always_inline void answer_tcp(struct tcphdr *tcp, __u32 cookie)
{
	const __be16 port = tcp->source;

	tcp->source = tcp->dest;
	tcp->dest = port;
	tcp->seq = 0;
	tcp->ack_seq = bpf_htonl(cookie);
	tcp->doff = sizeof(*tcp) / 4;
	((__u8 *)tcp)[13] = FLAG_SYN | FLAG_ACK;
	tcp->window = 0;
	tcp->urg_ptr = 0;
	tcp->check = 0;
}

static __always_inline int answer4(struct xdp_md *ctx, __u32 had, __u32 at, __u32 cookie)
{
	const __u32 bytes = at + sizeof(struct iphdr) + sizeof(struct tcphdr);
	void *data, *end;
	struct tcphdr *tcp;
	struct iphdr *ip;
	__be32 address;

	if (bpf_xdp_adjust_tail(ctx, (int)bytes - (int)had))
		return XDP_DROP;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	ip = data + at;
	tcp = (void *)(ip + 1);
	if (data + sizeof(struct ethhdr) > end || (void *)(tcp + 1) > end)
		return XDP_DROP;
	swap_link(data);
	address = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = address;
	ip->tot_len = bpf_htons(sizeof(*ip) + sizeof(*tcp));
	ip->frag_off = bpf_htons(0x4000);
	ip->ttl = 64;
	ip->check = 0;
	ip->check = ~packet_fold(bpf_csum_diff(NULL, 0, (void *)ip, sizeof(*ip), 0));
	answer_tcp(tcp, cookie);
	tcp->check =
		~packet_fold(bpf_csum_diff(NULL, 0, (void *)tcp, sizeof(*tcp), 0) + (__u64)ip->saddr +
		     ip->daddr + bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(*tcp)));
	return XDP_TX;
}

static __always_inline int answer6(struct xdp_md *ctx, __u32 had, __u32 at, __u32 cookie)
{
	const __u32 bytes = at + sizeof(struct ipv6hdr) + sizeof(struct tcphdr);
	void *data, *end;
	struct tcphdr *tcp;
	struct ipv6hdr *ip;
	struct in6_addr address;

	if (bpf_xdp_adjust_tail(ctx, (int)bytes - (int)had))
		return XDP_DROP;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	ip = data + at;
	tcp = (void *)(ip + 1);
	if (data + sizeof(struct ethhdr) > end || (void *)(tcp + 1) > end)
		return XDP_DROP;
	swap_link(data);
	address = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = address;
	ip->payload_len = bpf_htons(sizeof(*tcp));
	ip->hop_limit = 64;
	answer_tcp(tcp, cookie);
	tcp->check = ~packet_fold(bpf_csum_diff(NULL, 0, (void *)tcp, sizeof(*tcp), 0) +
			  bpf_csum_diff(NULL, 0, (void *)&ip->saddr, 32, 0) +
			  bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(*tcp)));
	return XDP_TX;
}

/* Where the IP header is; 0: not where an answer can be made of it. */
static __always_inline __u32 network_offset(const struct xdp_md *ctx,
					    const struct packet *packet)
{
	const void *data = (void *)(long)ctx->data;
	const __u64 offset =
		packet->family == 4 ? (void *)packet->ip - data : (void *)packet->ip6 - data;

	if (packet->family == 4 && packet->ip->ihl != 5)
		return 0;
	return offset <= sizeof(struct ethhdr) + 4 * PACKET_TAGS_MAX ? offset : 0;
}

static __always_inline int challenge(struct xdp_md *ctx, const struct packet *packet)
{
	const __u32 at = network_offset(ctx, packet);
	struct tcphdr header;
	__s64 cookie;

	if (at < sizeof(struct ethhdr))
		return XDP_DROP;
	cookie_header(&header, packet->tcp);
	header.seq = bpf_htonl(COOKIE_SEQUENCE);
	header.syn = 1;
	if (packet->family == 4)
		cookie = bpf_tcp_raw_gen_syncookie_ipv4(packet->ip, &header, sizeof(header));
	else
		cookie = bpf_tcp_raw_gen_syncookie_ipv6(packet->ip6, &header, sizeof(header));
	if (cookie < 0)
		return XDP_DROP;
	return packet->family == 4 ? answer4(ctx, packet->bytes, at, (__u32)cookie)
				   : answer6(ctx, packet->bytes, at, (__u32)cookie);
}

static __always_inline int is_answer(const struct packet *packet)
{
	struct tcphdr header;

	cookie_header(&header, packet->tcp);
	header.seq = bpf_htonl(COOKIE_SEQUENCE + 1);
	header.ack_seq = bpf_htonl(bpf_ntohl(packet->tcp->seq) + 1);
	header.ack = 1;
	return !(packet->family == 4 ? bpf_tcp_raw_check_syncookie_ipv4(packet->ip, &header)
				     : bpf_tcp_raw_check_syncookie_ipv6(packet->ip6, &header));
}

/* XDP's action for what concerns challenges; below 0: nothing to say about the packet. */
static __always_inline int judge_client(struct xdp_md *ctx, const struct packet *packet,
					__u32 counter)
{
	struct firewall_source source;
	__u64 now;

	if (!packet->tcp || (packet->tcp_flags != FLAG_SYN && packet->tcp_flags != FLAG_RST))
		return -1;
	source_of(&source, packet, 0);
	if (bpf_map_lookup_elem(&proven, &source))
		return -1;
	if (packet->tcp_flags == FLAG_SYN) {
		count(packet, counter, XDP_DROP);
		return count(packet, COUNT_CHALLENGED, XDP_TX) == XDP_TX
			       ? challenge(ctx, packet)
			       : XDP_PASS;
	}
	if (!is_answer(packet))
		return -1;
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&proven, &source, &now, BPF_ANY);
	return count(packet, COUNT_PROVEN, XDP_DROP);
}

/* XDP's action; below 0: no rule decided. */
static __always_inline int judge_rules(struct xdp_md *ctx, const struct packet *packet,
				       const volatile struct firewall_setup *setup, __u32 side)
{
	struct firewall_set set;
	int action;

	match(&set, packet, setup, side);
	for (int i = 0; i < CHAIN_MAX; i++) {
		const int first = take_first(&set);
		const __u32 place = side * RULES_MAX + (first & (RULES_MAX - 1));
		struct firewall_rule *rule =
			first < 0 ? NULL : bpf_map_lookup_elem(&rules, &place);

		if (!rule)
			return -1;
		if (rule->action == ACTION_PASS)
			return count(packet, COUNT_FIXED + rule->counter, XDP_PASS);
		if (rule->action == ACTION_DROP ||
		    (rule->action == ACTION_LIMIT && !has_credit(packet, rule)))
			return count(packet, COUNT_FIXED + rule->counter, XDP_DROP);
		if (rule->action == ACTION_CHALLENGE) {
			action = judge_client(ctx, packet, COUNT_FIXED + rule->counter);
			if (action >= 0)
				return action;
		}
	}
	return -1;
}

static __always_inline int is_amplified(const struct packet *packet, __u32 side)
{
	const __u32 place = side * PORTS_MAX_ + bpf_ntohs(packet->source_port);
	const __u32 *most = bpf_map_lookup_elem(&amplifiers, &place);

	return most && *most && packet->payload >= *most;
}

SEC("xdp")
int firewall(struct xdp_md *ctx)
{
	struct packet packet = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	const __u32 side = generation & 1;
	const volatile struct firewall_setup *setup = &setups[side];
	struct firewall_listed *listed = NULL;
	int action;

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
	if (setup->has_amplifiers && packet.has_ports && !packet.tcp &&
	    is_amplified(&packet, side))
		return count(&packet, COUNT_AMPLIFIED, XDP_DROP);
	if (setup->has_rules) {
		action = judge_rules(ctx, &packet, setup, side);
		if (action >= 0)
			return action;
	}
	return setup->is_default_drop ? count(&packet, COUNT_DEFAULT_DROP, XDP_DROP)
				      : count(&packet, COUNT_PASSED, XDP_PASS);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
