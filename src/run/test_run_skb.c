/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_PROG_TEST_RUN of the types that see an skb. The data begins with an Ethernet header; only
 * sched_cls and sched_act see it, for the others it is gone when the program starts and zeros
 * when the data is given back.
 */
#include "map/owner.h"
#include "run/test_run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Linux: NET_SKB_PAD in front, the shared info behind, one page in all. */
#define SKB_PAGE	4096
#define SKB_PAD		64
#define SKB_SHARED_INFO 320
#define SKB_DATA_MAX	(SKB_PAGE - SKB_PAD - SKB_SHARED_INFO)
/* Helpers may make the packet longer at both ends. */
#define SKB_HEADROOM	  512
#define SKB_CAPACITY	  (64 * 1024)

#define GSO_LEGACY_MAX	  65536
#define GSO_SEGS_MAX	  65535
#define LOOPBACK	  1
#define TCP_CLOSE_STATE	  7

#define SKB_CHECKSUM_FLAG (1u << 2) /* BPF_F_TEST_SKB_CHECKSUM_COMPLETE */

struct skb_test {
	struct skb_ctx skb;
	struct sock_ctx sk;
	u8 *memory; /* owned */
	bool is_l2;
};

static bool sees_ethernet(enum bpf_prog_type type)
{
	return type == BPF_PROG_TYPE_SCHED_CLS || type == BPF_PROG_TYPE_SCHED_ACT;
}

/* --- the packet --- */
/* The loopback device receives: its address and its broadcast address are zeros. */
static u32 packet_type(const struct ethhdr *eth)
{
	static const u8 own[ETH_ALEN];

	if (!memcmp(eth->h_dest, own, ETH_ALEN))
		return PACKET_HOST;
	return eth->h_dest[0] & 1 ? PACKET_MULTICAST : PACKET_OTHERHOST;
}

/* Numbers below 0x600 are lengths: 802.3, raw when its payload begins with ffff. */
static u16 packet_protocol(const struct ethhdr *eth, const u8 *payload, u32 size)
{
	if (ntohs(eth->h_proto) >= ETH_P_802_3_MIN)
		return eth->h_proto;
	if (size >= 2 && payload[0] == 0xff && payload[1] == 0xff)
		return htons(ETH_P_802_3);
	return htons(ETH_P_802_2);
}

/* The socket's addresses are the packet's. A header that is cut short is refused; it need not
 * be aligned. */
static int socket_ipv4(struct test_run *test, struct skb_test *state, const void *header,
		       u32 size)
{
	struct bpf_sock *view = &state->sk.view;
	struct iphdr ip;

	if (size < sizeof(ip))
		return test_refuse(test, -EINVAL, "%u bytes of an IPv4 header", size);
	memcpy(&ip, header, sizeof(ip));
	state->skb.family = view->family = AF_INET;
	view->src_ip4 = state->skb.local_ip4 = ip.saddr;
	view->dst_ip4 = state->skb.remote_ip4 = ip.daddr;
	return 0;
}

static int socket_ipv6(struct test_run *test, struct skb_test *state, const void *header,
		       u32 size)
{
	struct bpf_sock *view = &state->sk.view;
	struct ipv6hdr ip;

	if (size < sizeof(ip))
		return test_refuse(test, -EINVAL, "%u bytes of an IPv6 header", size);
	memcpy(&ip, header, sizeof(ip));
	state->skb.family = view->family = AF_INET6;
	memcpy(view->src_ip6, &ip.saddr, sizeof(ip.saddr));
	memcpy(view->dst_ip6, &ip.daddr, sizeof(ip.daddr));
	memcpy(state->skb.local_ip6, &ip.saddr, sizeof(ip.saddr));
	memcpy(state->skb.remote_ip6, &ip.daddr, sizeof(ip.daddr));
	return 0;
}

static int socket_init(struct test_run *test, struct skb_test *state, u32 size)
{
	const void *payload = state->skb.network_header;

	state->sk.view.state = TCP_CLOSE_STATE;
	state->sk.view.rx_queue_mapping = -1;
	if (state->skb.protocol == htons(ETH_P_IP))
		return socket_ipv4(test, state, payload, size);
	if (state->skb.protocol == htons(ETH_P_IPV6))
		return socket_ipv6(test, state, payload, size);
	return 0;
}

static void packet_init(struct skb_test *test, u32 size)
{
	u8 *data = test->memory + SKB_HEADROOM;
	const struct ethhdr *eth = (const void *)data;
	struct skb_ctx *skb = &test->skb;

	skb->hard_start = test->memory;
	skb->frame_end = test->memory + SKB_HEADROOM + SKB_CAPACITY;
	skb->data = test->is_l2 ? data : data + ETH_HLEN;
	skb->data_meta = skb->data;
	skb->data_end = data + size;
	skb->mac_header = data;
	skb->network_header = data + ETH_HLEN;
	skb->len = skb->data_end - skb->data;
	skb->sk = &test->sk;
	skb->ifindex = LOOPBACK;
	skb->pkt_type = packet_type(eth);
	skb->protocol = packet_protocol(eth, data + ETH_HLEN, size - ETH_HLEN);
}

/* --- struct __sk_buff in and out --- */
struct range {
	size_t first, end;
};

#define FIELD_RANGE(from, to)                                                       \
	{                                                                           \
		offsetofend(struct __sk_buff, from), offsetof(struct __sk_buff, to) \
	}
#define offsetofend(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

/* What the caller cannot choose and has to leave zero. */
static bool leaves_rest_zero(const struct __sk_buff *in)
{
	static const struct range rest[] = {
		{0, offsetof(struct __sk_buff, mark)},
		FIELD_RANGE(mark, priority),
		FIELD_RANGE(ifindex, cb),
		FIELD_RANGE(cb, tstamp),
		FIELD_RANGE(gso_segs, gso_size),
		FIELD_RANGE(gso_size, hwtstamp),
		{offsetofend(struct __sk_buff, hwtstamp), sizeof(struct __sk_buff)},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rest); i++)
		if (!is_zero(in, rest[i].first, rest[i].end))
			return false;
	return true;
}

static int ctx_apply(struct test_run *test, const struct __sk_buff *in, struct skb_ctx *skb)
{
	if (!leaves_rest_zero(in))
		return test_refuse(test, -EINVAL, "a field of the context cannot be chosen");
	skb->mark = in->mark;
	skb->priority = in->priority;
	skb->ingress_ifindex = in->ingress_ifindex;
	skb->tstamp = in->tstamp;
	memcpy(skb->cb, in->cb, sizeof(skb->cb));
	if (in->wire_len && (in->wire_len < skb->len || in->wire_len > GSO_LEGACY_MAX))
		return test_refuse(test, -EINVAL, "wire_len %u does not fit", in->wire_len);
	skb->wire_len = in->wire_len ?: skb->len;
	if (in->gso_segs > GSO_SEGS_MAX)
		return test_refuse(test, -EINVAL, "gso_segs %u is too large", in->gso_segs);
	skb->gso_segs = in->gso_segs;
	skb->gso_size = (u16)in->gso_size;
	skb->hwtstamp = in->hwtstamp;
	return 0;
}

static void ctx_fill(struct __sk_buff *out, const struct skb_ctx *skb)
{
	out->mark = skb->mark;
	out->priority = skb->priority;
	out->ingress_ifindex = skb->ingress_ifindex;
	out->ifindex = skb->ifindex;
	out->tstamp = skb->tstamp;
	memcpy(out->cb, skb->cb, sizeof(out->cb));
	out->wire_len = skb->wire_len;
	out->gso_segs = skb->gso_segs;
	out->hwtstamp = skb->hwtstamp;
}

static int ifindex_apply(struct test_run *test, const struct __sk_buff *in, struct skb_ctx *skb)
{
	if (in->ifindex <= LOOPBACK)
		return 0;
	if (!test->env->has_port || !test->env->has_port(test->env->engine, in->ifindex))
		return test_refuse(test, -ENODEV, "there is no port %u", in->ifindex);
	skb->ifindex = in->ifindex;
	return 0;
}

/* --- the run --- */
static int run_and_return(struct test_run *test, struct skb_test *state, struct __sk_buff *ctx)
{
	struct skb_ctx *skb = &state->skb;
	int ret;

	test_repeat(test, skb, NULL);
	if (!state->is_l2) {
		if (skb->data - skb->hard_start < ETH_HLEN)
			return test_refuse(test, -ENOMEM, "no room for the Ethernet header");
		skb->data -= ETH_HLEN;
		memset(skb->data, 0, ETH_HLEN);
	}
	if (ctx)
		ctx_fill(ctx, skb);
	ret = test_data_write(test, skb->data, skb->data_end - skb->data, 0);
	return ret ?: test_ctx_write(test, ctx, sizeof(*ctx));
}

static int run_with_ctx(struct test_run *test, struct skb_test *state, struct __sk_buff *ctx)
{
	int ret = test_data_read(test, SKB_HEADROOM, SKB_CAPACITY, &state->memory);

	if (ret)
		return ret;
	packet_init(state, test->attr->test.data_size_in);
	ret = socket_init(test, state, test->attr->test.data_size_in - ETH_HLEN);
	if (ctx) {
		ret = ret ?: ifindex_apply(test, ctx, &state->skb);
		ret = ret ?: ctx_apply(test, ctx, &state->skb);
	}
	ret = ret ?: run_and_return(test, state, ctx);
	owner_end(state->sk.owner);
	free(state->memory);
	return ret;
}

int test_run_skb(struct test_run *test)
{
	const u32 size = test->attr->test.data_size_in;
	struct skb_test state = {.is_l2 = sees_ethernet(test->prog->type)};
	void *ctx;
	int ret;

	if (test->attr->test.flags & ~SKB_CHECKSUM_FLAG || test->attr->test.cpu ||
	    test->attr->test.batch_size)
		return test_refuse(test, -EINVAL, "flags, cpu and batch_size must be 0");
	if (size < ETH_HLEN || size > SKB_DATA_MAX)
		return test_refuse(test, -EINVAL, "%u bytes of data: %u to %u can be used",
				   size, ETH_HLEN, SKB_DATA_MAX);
	ret = test_ctx_read(test, sizeof(struct __sk_buff), &ctx);
	if (ret)
		return ret;
	ret = run_with_ctx(test, &state, ctx);
	free(ctx);
	return ret;
}
