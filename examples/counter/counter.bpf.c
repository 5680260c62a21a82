// SPDX-License-Identifier: BSD-2-Clause
/*
 * Counts packets and bytes per protocol, and prints a line about every second of packet time.
 *
 *     skep run examples/counter/counter.bpf.c --on pcap:in.pcap --interval 1
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define SECOND 1000000000ull

enum protocol { OTHER, ARP, ICMP, TCP, UDP, ICMP6, TCP6, UDP6, PROTOCOLS };

struct traffic {
	__u64 packets, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROTOCOLS);
	__type(key, __u32); /* enum protocol */
	__type(value, struct traffic);
} protocols SEC(".maps");

__u64 packets, last_print_ns, last_packets;

static enum protocol classify_ipv4(void *at, void *end)
{
	struct iphdr *ip = at;

	if ((void *)(ip + 1) > end)
		return OTHER;
	switch (ip->protocol) {
	case IPPROTO_ICMP: return ICMP;
	case IPPROTO_TCP: return TCP;
	case IPPROTO_UDP: return UDP;
	}
	return OTHER;
}

static enum protocol classify_ipv6(void *at, void *end)
{
	struct ipv6hdr *ip = at;

	if ((void *)(ip + 1) > end)
		return OTHER;
	switch (ip->nexthdr) {
	case IPPROTO_ICMPV6: return ICMP6;
	case IPPROTO_TCP: return TCP6;
	case IPPROTO_UDP: return UDP6;
	}
	return OTHER;
}

static enum protocol classify(void *at, void *end)
{
	struct ethhdr *ethernet = at;

	if ((void *)(ethernet + 1) > end)
		return OTHER;
	switch (bpf_ntohs(ethernet->h_proto)) {
	case ETH_P_ARP: return ARP;
	case ETH_P_IP: return classify_ipv4(ethernet + 1, end);
	case ETH_P_IPV6: return classify_ipv6(ethernet + 1, end);
	}
	return OTHER;
}

static void print_rate(void)
{
	__u64 now = bpf_ktime_get_ns();

	packets++;
	if (!last_print_ns)
		last_print_ns = now;
	if (now - last_print_ns < SECOND)
		return;
	bpf_printk("%llu packets per second",
		   (packets - last_packets) * SECOND / (now - last_print_ns));
	last_print_ns = now;
	last_packets = packets;
}

SEC("xdp")
int counter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	enum protocol protocol = classify(data, end);
	struct traffic *traffic = bpf_map_lookup_elem(&protocols, &protocol);

	if (traffic) {
		traffic->packets++;
		traffic->bytes += end - data;
	}
	print_rate();
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
