// SPDX-License-Identifier: BSD-2-Clause
/*
 * A parser as a chain of programs: each looks at one header, notes in the packet's metadata
 * where the next one starts, and calls the next program through a prog array.
 *
 *     skep run examples/tailcall/tailcall.bpf.c --program parse_ethernet --on pcap:in.pcap
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

#define HEADERS_MAX 128 /* no header of ours starts behind this offset */

enum stage { STAGE_IPV4, STAGE_IPV6, STAGE_TCP, STAGE_UDP, STAGES };

int parse_ipv4(struct xdp_md *ctx);
int parse_ipv6(struct xdp_md *ctx);
int parse_tcp(struct xdp_md *ctx);
int parse_udp(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, STAGES);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} stages SEC(".maps") = {
	.values =
		{
			[STAGE_IPV4] = (void *)&parse_ipv4,
			[STAGE_IPV6] = (void *)&parse_ipv6,
			[STAGE_TCP] = (void *)&parse_tcp,
			[STAGE_UDP] = (void *)&parse_udp,
		},
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STAGES);
	__type(key, __u32); /* enum stage */
	__type(value, __u64);
} reached SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u16); /* destination port, host order */
	__type(value, __u64);
} ports SEC(".maps");

__u64 malformed, unknown;

struct note {
	__u32 offset; /* of the next header, from the start of the packet */
};

static int give_up(__u64 *why)
{
	__sync_fetch_and_add(why, 1);
	return XDP_PASS;
}

/* Notes the offset and goes on with the next stage; comes back only when there is none. */
static int go_on(struct xdp_md *ctx, enum stage stage, __u32 offset)
{
	struct note *note = (void *)(long)ctx->data_meta;

	if ((void *)(note + 1) > (void *)(long)ctx->data)
		return give_up(&malformed);
	note->offset = offset;
	bpf_tail_call(ctx, &stages, stage);
	return give_up(&unknown);
}

/* The header that the stage before pointed to, NULL when the packet ends before it does. */
static void *header(struct xdp_md *ctx, enum stage stage, __u32 size, __u32 *offset)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct note *note = (void *)(long)ctx->data_meta;
	__u64 *count = bpf_map_lookup_elem(&reached, &stage);

	if (count)
		__sync_fetch_and_add(count, 1);
	if ((void *)(note + 1) > data)
		return NULL;
	*offset = note->offset;
	if (*offset > HEADERS_MAX || data + *offset + size > end)
		return NULL;
	return data + *offset;
}

static int count_port(__be16 port)
{
	__u16 key = bpf_ntohs(port);
	__u64 one = 1, *count = bpf_map_lookup_elem(&ports, &key);

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&ports, &key, &one, BPF_NOEXIST);
	return XDP_PASS;
}

static int next_transport(struct xdp_md *ctx, __u8 protocol, __u32 offset)
{
	switch (protocol) {
	case IPPROTO_TCP: return go_on(ctx, STAGE_TCP, offset);
	case IPPROTO_UDP: return go_on(ctx, STAGE_UDP, offset);
	}
	return give_up(&unknown);
}

SEC("xdp")
int parse_tcp(struct xdp_md *ctx)
{
	__u32 offset;
	struct tcphdr *tcp = header(ctx, STAGE_TCP, sizeof(*tcp), &offset);

	return tcp ? count_port(tcp->dest) : give_up(&malformed);
}

SEC("xdp")
int parse_udp(struct xdp_md *ctx)
{
	__u32 offset;
	struct udphdr *udp = header(ctx, STAGE_UDP, sizeof(*udp), &offset);

	return udp ? count_port(udp->dest) : give_up(&malformed);
}

SEC("xdp")
int parse_ipv4(struct xdp_md *ctx)
{
	__u32 offset;
	struct iphdr *ip = header(ctx, STAGE_IPV4, sizeof(*ip), &offset);

	if (!ip || ip->ihl < 5)
		return give_up(&malformed);
	return next_transport(ctx, ip->protocol, offset + ip->ihl * 4);
}

SEC("xdp")
int parse_ipv6(struct xdp_md *ctx)
{
	__u32 offset;
	struct ipv6hdr *ip = header(ctx, STAGE_IPV6, sizeof(*ip), &offset);

	if (!ip)
		return give_up(&malformed);
	return next_transport(ctx, ip->nexthdr, offset + sizeof(*ip));
}

SEC("xdp")
int parse_ethernet(struct xdp_md *ctx)
{
	struct ethhdr *ethernet;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(struct note)))
		return give_up(&malformed);
	ethernet = (void *)(long)ctx->data;
	if ((void *)(ethernet + 1) > (void *)(long)ctx->data_end)
		return give_up(&malformed);
	switch (bpf_ntohs(ethernet->h_proto)) {
	case ETH_P_IP: return go_on(ctx, STAGE_IPV4, sizeof(*ethernet));
	case ETH_P_IPV6: return go_on(ctx, STAGE_IPV6, sizeof(*ethernet));
	}
	return give_up(&unknown);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
