/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash of a packet's flow: the same for all packets from one port to another. */
#include "helper/body.h"
#include "helper/skb.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40

struct flow {
	u8 source[16], destination[16];
	u16 ports[2];
	u32 protocol;
};

/* Headers that begin with two ports. */
static void read_ports(const u8 *at, const u8 *end, u8 protocol, struct flow *out)
{
	out->protocol = protocol;
	if ((protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP) &&
	    end - at >= (ptrdiff_t)sizeof(out->ports))
		memcpy(out->ports, at, sizeof(out->ports));
}

static void read_ipv4(const u8 *ip, const u8 *end, struct flow *out)
{
	const ptrdiff_t header = (ip[0] & 15) * 4;
	const bool is_first = !(ip[6] & 0x1f) && !ip[7];

	memcpy(out->source, ip + 12, 4);
	memcpy(out->destination, ip + 16, 4);
	if (is_first && header >= IPV4_HEADER && end - ip >= header)
		read_ports(ip + header, end, ip[9], out);
}

static void read_ipv6(const u8 *ip, const u8 *end, struct flow *out)
{
	memcpy(out->source, ip + 8, 16);
	memcpy(out->destination, ip + 24, 16);
	read_ports(ip + IPV6_HEADER, end, ip[6], out);
}

static struct flow read_flow(const struct skb_ctx *skb)
{
	const u8 *ip = skb->network_header, *end = skb->data_end;
	struct flow flow = {.protocol = skb->protocol};

	if (!ip)
		return flow;
	if (skb->protocol == htons(ETH_P_IP) && end - ip >= IPV4_HEADER)
		read_ipv4(ip, end, &flow);
	else if (skb->protocol == htons(ETH_P_IPV6) && end - ip >= IPV6_HEADER)
		read_ipv6(ip, end, &flow);
	return flow;
}

/* FNV-1a, then mixed, so that the low bits are good. Never 0, which means "none". */
static u32 hash_flow(const struct flow *flow)
{
	const u8 *bytes = (const u8 *)flow;
	u32 hash = 0x811c9dc5;

	for (size_t i = 0; i < sizeof(*flow); i++)
		hash = (hash ^ bytes[i]) * 0x01000193;
	hash ^= hash >> 16;
	hash *= 0x85ebca6b;
	hash ^= hash >> 13;
	return hash ?: 1;
}

HELPER_BODY(get_hash_recalc)
{
	struct skb_ctx *skb = u64_to_ptr(r1);

	if (!skb->hash) {
		struct flow flow = read_flow(skb);

		skb->hash = hash_flow(&flow);
	}
	return skb->hash;
}

HELPER_BODY(set_hash)
{
	struct skb_ctx *skb = u64_to_ptr(r1);

	skb->hash = r2;
	return 0;
}

HELPER_BODY(set_hash_invalid)
{
	struct skb_ctx *skb = u64_to_ptr(r1);

	skb->hash = 0;
	return 0;
}
