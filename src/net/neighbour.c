/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/neighbour.h"
#include "map/route.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40

/* The packet's destination and source. */
static bool read_addresses(const struct skb_ctx *skb, struct route_query *out)
{
	const u8 *ip = skb->network_header;
	const u32 size = skb->data_end - ip;

	if (skb->protocol == htons(ETH_P_IP) && size >= IPV4_HEADER) {
		out->to.family = out->from.family = AF_INET;
		memcpy(out->from.bytes, ip + 12, 4);
		memcpy(out->to.bytes, ip + 16, 4);
		return true;
	}
	if (skb->protocol == htons(ETH_P_IPV6) && size >= IPV6_HEADER) {
		out->to.family = out->from.family = AF_INET6;
		memcpy(out->from.bytes, ip + 8, 16);
		memcpy(out->to.bytes, ip + 24, 16);
		return true;
	}
	return false;
}

/* Whom the routes name. */
static bool find_hop(struct routes *routes, u32 device, const struct skb_ctx *skb,
		     struct route_ip *out)
{
	struct route_query query = {.output = device, .mark = skb->mark};
	const struct route *route;

	if (!read_addresses(skb, &query) || routes_find(routes, &query, &route))
		return false;
	if (route->type != RTN_UNICAST && route->type != RTN_LOCAL)
		return false;
	*out = route->via.family ? route->via : query.to;
	return true;
}

/* Linux: packets for one receiver, of IPv6 only with a next hop of IPv6. */
static bool may_go(const struct skb_ctx *skb, u8 hop_family)
{
	if (skb->mac_header[0] & 1)
		return false;
	return skb->protocol == htons(ETH_P_IP) ||
	       (skb->protocol == htons(ETH_P_IPV6) && hop_family != AF_INET);
}

bool neighbour_address(struct routes *routes, u32 device, const struct redirect *to,
		       struct skb_ctx *skb)
{
	struct route_ip hop = {.family = to->hop_family};
	const struct route_device *own;
	struct ethhdr *eth = (struct ethhdr *)skb->mac_header;
	u8 mac[ETH_ALEN];

	if (!routes || !may_go(skb, to->hop_family))
		return false;
	memcpy(hop.bytes, to->hop, sizeof(hop.bytes));
	if (!hop.family && !find_hop(routes, device, skb, &hop))
		return false;
	own = routes_device(routes, device);
	if (!own || !routes_neighbour(routes, device, &hop, mac))
		return false;
	memcpy(eth->h_dest, mac, ETH_ALEN);
	memcpy(eth->h_source, own->mac, ETH_ALEN);
	return true;
}
