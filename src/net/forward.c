/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes in: checked, and where it goes. */
#include "net/checksum.h"
#include "net/forward_cache.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#define VLAN_BYTES     4
#define DEPTH_MAX      8 /* forwarding by programs of packets that are being forwarded */
#define IPV4_FRAGMENTS 0x3fff
#define IPV6_MTU_MIN   1280

struct forwarder *forwarder_new(struct routes *routes)
{
	struct forwarder *forwarder = calloc(1, sizeof(*forwarder));

	if (!forwarder)
		return NULL;
	forwarder->routes = routes;
	forwarder->neighbours = routes_neighbours(routes);
	pthread_mutex_init(&forwarder->lock, NULL);
	return forwarder;
}

void forwarder_free(struct forwarder *forwarder)
{
	if (!forwarder)
		return;
	pthread_mutex_destroy(&forwarder->lock);
	free(forwarder);
}

/* --- counting --- */

void forward_end(const struct forward_way *way, enum skep_forward_count what)
{
	if (!way->is_own)
		forward_count(way, what);
	else if (what != SKEP_FORWARD_FORWARDED)
		forward_count(way, SKEP_FORWARD_MADE_LOST);
}

/* --- addresses --- */
struct route_ip ip_of(u8 family, const u8 *bytes)
{
	struct route_ip ip = {.family = family};

	memcpy(ip.bytes, bytes, route_ip_bits(family) / 8);
	return ip;
}

struct route_ip ip_source(const struct forward_way *way)
{
	return ip_of(way->family, way_source(way));
}

struct route_ip ip_destination(const struct forward_way *way)
{
	return ip_of(way->family, way_destination(way));
}

bool ip_is_multicast(const struct route_ip *ip)
{
	return is_multicast(ip->family, ip->bytes);
}

bool ip_is_link_local(const struct route_ip *ip)
{
	return ip->family == AF_INET6 && is_link_local(ip->bytes);
}

struct route_ip ip_link_local(const u8 *mac)
{
	return (struct route_ip){.family = AF_INET6,
				 .bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1],
					   mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]}};
}

/* Only zeros, but for the last byte. */
static bool is_ipv6_of_host(const u8 *ip)
{
	static const u8 zeros[15];

	return !memcmp(ip, zeros, sizeof(zeros)) && ip[15] <= 1;
}

/* "This network", loopback, reserved. */
static bool is_martian(u8 family, const u8 *ip)
{
	if (family == AF_INET6)
		return is_ipv6_of_host(ip);
	return !ip[0] || ip[0] == 127 || ip[0] >= 240;
}

bool forward_is_own(const struct forward_way *way, const struct port *port,
		    const struct route_ip *ip)
{
	struct routes *routes = way->path->forwarder->routes;
	const struct route_device *device;
	struct route_ip own;

	if (!ip_is_link_local(ip))
		return routes_has_address(routes, ip->family == AF_INET ? 0 : port->ifindex,
					  ip);
	device = routes_device(routes, port->ifindex);
	if (!device)
		return false;
	own = ip_link_local(device->mac);
	return !memcmp(&own, ip, sizeof(own)) || routes_has_address(routes, port->ifindex, ip);
}

/* --- where to --- */
static enum skep_forward_count end_of_error(int error)
{
	switch (error) {
	case -EINVAL: return SKEP_FORWARD_BLACKHOLE;
	case -EACCES: return SKEP_FORWARD_PROHIBITED;
	default: return SKEP_FORWARD_NO_ROUTE;
	}
}

static enum skep_forward_count end_of_type(u32 type)
{
	switch (type) {
	case RTN_UNICAST: return SKEP_FORWARD_PACKETS;
	case RTN_LOCAL: return SKEP_FORWARD_LOCAL;
	case RTN_BROADCAST: return SKEP_FORWARD_BROADCAST;
	case RTN_MULTICAST: return SKEP_FORWARD_MULTICAST;
	case RTN_BLACKHOLE: return SKEP_FORWARD_BLACKHOLE;
	case RTN_UNREACHABLE: return SKEP_FORWARD_UNREACHABLE;
	case RTN_PROHIBIT: return SKEP_FORWARD_PROHIBITED;
	default: return SKEP_FORWARD_NO_ROUTE;
	}
}

static bool set_out(const struct forward_way *way, u32 ifindex, struct forward_hop *out)
{
	out->device = routes_device(way->path->forwarder->routes, ifindex);
	out->out = way->path->find(way->path->cookie, ifindex);
	return out->device && out->device->is_up && out->out;
}

enum skep_forward_count forward_find(const struct forward_way *way, const struct route_ip *to,
				     const struct route_ip *from, struct forward_hop *out)
{
	const struct route_query query = {
		.to = *to,
		.from = *from,
		.input = way->is_own ? 0 : way->from->ifindex,
		.mark = way->mark,
		.tos = way->family == AF_INET ? way_ip(way)[1] & 0x1c : 0,
	};
	int ret = routes_find(way->path->forwarder->routes, &query, &out->route);
	enum skep_forward_count end;

	if (ret)
		return end_of_error(ret);
	end = end_of_type(out->route->type);
	if (end != SKEP_FORWARD_PACKETS)
		return end;
	out->next = out->route->via.family ? out->route->via : *to;
	return set_out(way, out->route->device, out) ? SKEP_FORWARD_PACKETS
						     : SKEP_FORWARD_NO_PORT;
}

bool forward_hop_on_link(const struct forward_way *way, struct port *port,
			 const struct route_ip *to, struct forward_hop *out)
{
	*out = (struct forward_hop){.next = *to};
	return set_out(way, port->ifindex, out);
}

u32 forward_mtu(const struct forward_hop *hop, u8 family)
{
	const u32 of_route = hop->route ? hop->route->mtu : 0;
	const u32 mtu = of_route ? min(of_route, hop->device->mtu) : hop->device->mtu;

	return family == AF_INET6 ? max(mtu, (u32)IPV6_MTU_MIN) : mtu;
}

/* --- what is told of a packet that ends --- */
static void refuse(struct forward_way *way, enum skep_forward_count end)
{
	switch ((int)end) {
	case SKEP_FORWARD_NO_ROUTE: forward_tell(way, ERROR_NET_UNREACHABLE, 0); break;
	case SKEP_FORWARD_NO_PORT:
	case SKEP_FORWARD_UNREACHABLE: forward_tell(way, ERROR_HOST_UNREACHABLE, 0); break;
	case SKEP_FORWARD_PROHIBITED: forward_tell(way, ERROR_PROHIBITED, 0); break;
	case SKEP_FORWARD_TTL: forward_tell(way, ERROR_TTL, 0); break;
	}
	forward_end(way, end);
}

static bool may_be_cut(const struct forward_way *way)
{
	return way->family == AF_INET && !(way_ip(way)[6] & 0x40);
}

/* --- forwarding --- */
static bool device_forwards(const struct forward_way *way)
{
	const struct route_device *device =
		routes_device(way->path->forwarder->routes, way->from->ifindex);

	return device &&
	       (way->family == AF_INET ? device->forwards_ipv4 : device->forwards_ipv6);
}

/* 0, or why it does not go on: what Linux asks before it takes a hop off. */
static enum skep_forward_count check_hop(struct forward_way *way, const struct forward_hop *hop)
{
	const struct route_ip from = ip_source(way);
	const u32 mtu = forward_mtu(hop, way->family);

	if (!device_forwards(way))
		return SKEP_FORWARD_FORWARDING_OFF;
	if (*way_hop_limit(way) <= 1)
		return SKEP_FORWARD_TTL;
	if (ip_is_link_local(&from)) {
		forward_tell(way, ERROR_BEYOND_SCOPE, 0);
		return SKEP_FORWARD_LINK_LOCAL;
	}
	if (way_length(way) > mtu && !may_be_cut(way) && !hop->route->is_tunnel) {
		forward_tell(way, ERROR_TOO_BIG, mtu);
		return SKEP_FORWARD_TOO_BIG;
	}
	return SKEP_FORWARD_PACKETS;
}

/* An own address, or everybody's. */
static bool is_type_martian(const struct forward_way *way, const struct route_ip *from)
{
	const struct route_query query = {.to = *from};
	const struct route *route;

	if (routes_find(way->path->forwarder->routes, &query, &route))
		return false;
	return route->type == RTN_LOCAL || route->type == RTN_BROADCAST;
}

static bool is_source_martian(const struct forward_way *way, const struct forward_key *key)
{
	struct route_ip from;

	if (key && likely(forward_knows_source(way, key)))
		return false;
	from = ip_source(way);
	if (is_type_martian(way, &from))
		return true;
	if (key)
		forward_keep_source(way, key);
	return false;
}

static enum skep_forward_count find_hop(const struct forward_way *way, struct forward_hop *out)
{
	const struct route_ip to = ip_destination(way), from = ip_source(way);

	return forward_find(way, &to, &from, out);
}

static void route_packet(struct forward_way *way, const struct forward_key *key)
{
	struct forward_hop hop;
	enum skep_forward_count end;

	if (is_source_martian(way, key))
		return refuse(way, SKEP_FORWARD_MARTIAN_SOURCE);
	if (key && likely(forward_by_hop(way, key)))
		return;
	end = find_hop(way, &hop);
	if (end == SKEP_FORWARD_LOCAL)
		return forward_local(way);
	if (end == SKEP_FORWARD_PACKETS && !forward_run_lwt(way, &hop, ROUTE_LWT_IN))
		return;
	if (end == SKEP_FORWARD_PACKETS)
		end = check_hop(way, &hop);
	if (end != SKEP_FORWARD_PACKETS)
		return refuse(way, end);
	if (key)
		forward_keep_hop(way, &hop, key);
	way_pass_hop(way);
	forward_output(way, &hop);
}

void forward_again(struct forward_way *way)
{
	struct forward_hop hop;
	enum skep_forward_count end;

	if (++way->turns > FORWARD_SPIN)
		return forward_end(way, SKEP_FORWARD_LOOP);
	end = find_hop(way, &hop);
	if (end == SKEP_FORWARD_LOCAL)
		return forward_local(way);
	if (end != SKEP_FORWARD_PACKETS)
		return forward_end(way, end);
	forward_output(way, &hop);
}

/* --- what comes in --- */
static enum skep_forward_count check_ipv4(struct forward_way *way)
{
	const u8 *ip = way_ip(way);
	const u32 has = way_length(way);
	u32 header, total;

	if (has < IPV4_HEADER)
		return SKEP_FORWARD_TOO_SHORT;
	header = (ip[0] & 15) * 4;
	total = ip[2] << 8 | ip[3];
	if (ip[0] >> 4 != 4 || header < IPV4_HEADER || total < header)
		return SKEP_FORWARD_BAD_HEADER;
	if (total > has)
		return SKEP_FORWARD_TOO_SHORT;
	if (!(header == IPV4_HEADER ? is_ipv4_sum_right(ip, IPV4_HEADER / 4)
				    : is_ipv4_sum_right(ip, header / 4)))
		return SKEP_FORWARD_BAD_CHECKSUM;
	way->frame->original_length = way->frame->length = LINK_HEADER + total;
	return SKEP_FORWARD_PACKETS;
}

static enum skep_forward_count check_ipv6(struct forward_way *way)
{
	const u8 *ip = way_ip(way);
	const u32 has = way_length(way);
	u32 total;

	if (has < IPV6_HEADER)
		return SKEP_FORWARD_TOO_SHORT;
	if (ip[0] >> 4 != 6)
		return SKEP_FORWARD_BAD_HEADER;
	total = IPV6_HEADER + (ip[4] << 8 | ip[5]);
	if (total > has)
		return SKEP_FORWARD_TOO_SHORT;
	way->frame->original_length = way->frame->length = LINK_HEADER + total;
	return SKEP_FORWARD_PACKETS;
}

static enum skep_forward_count check_addresses(struct forward_way *way)
{
	static const u8 everybody[4] = {255, 255, 255, 255};
	const u8 *from = way_source(way), *to = way_destination(way);

	if (way->family == AF_INET && !memcmp(to, everybody, sizeof(everybody)))
		return SKEP_FORWARD_BROADCAST;
	/* who has no address yet asks many for one */
	if (is_multicast(way->family, to))
		return SKEP_FORWARD_MULTICAST;
	if (is_martian(way->family, from) || is_multicast(way->family, from))
		return SKEP_FORWARD_MARTIAN_SOURCE;
	if (is_martian(way->family, to))
		return SKEP_FORWARD_MARTIAN_DESTINATION;
	/* to all stations of the link, but not by its address: nothing that may be forwarded */
	return way->frame->data[0] & 1 ? SKEP_FORWARD_BROADCAST : SKEP_FORWARD_PACKETS;
}

/* To an address of the link, which is no route's. */
static void to_link_local(struct forward_way *way)
{
	const struct route_ip to = ip_destination(way);

	if (forward_is_own(way, way->from, &to))
		return forward_local(way);
	forward_end(way, SKEP_FORWARD_LINK_LOCAL);
}

static void forward_ip(struct forward_way *way)
{
	enum skep_forward_count end =
		way->family == AF_INET ? check_ipv4(way) : check_ipv6(way);
	const bool may_be_usual = way->path->cache && !way->mark && !(way->frame->data[0] & 1);
	struct forward_key key;

	if (unlikely(end != SKEP_FORWARD_PACKETS))
		return forward_end(way, end);
	if (likely(may_be_usual)) {
		forward_key_of(way, &key);
		if (likely(forward_by_way(way, &key)))
			return;
	}
	if (forward_discovery(way))
		return;
	end = check_addresses(way);
	if (end != SKEP_FORWARD_PACKETS)
		return forward_end(way, end);
	if (way->family == AF_INET6 && is_link_local(way_destination(way)))
		return to_link_local(way);
	route_packet(way, may_be_usual ? &key : NULL);
}

static bool is_for_us(const struct forward_way *way)
{
	const u8 *to = way->frame->data;

	return to[0] & 1 || forward_is_mac_of_port(way, to);
}

static void forward_link(struct forward_way *way)
{
	const u8 *data = way->frame->data;
	u32 protocol;

	if (way->frame->length < LINK_HEADER)
		return forward_end(way, SKEP_FORWARD_TOO_SHORT);
	if (unlikely(!is_for_us(way)))
		return forward_end(way, SKEP_FORWARD_OTHER_HOST);
	protocol = data[12] << 8 | data[13];
	if (protocol == ETH_P_ARP)
		return forward_arp(way);
	if ((protocol != ETH_P_IP && protocol != ETH_P_IPV6) || way->frame->known & FRAME_VLAN)
		return forward_end(way, SKEP_FORWARD_PROTOCOL);
	way->family = protocol == ETH_P_IP ? AF_INET : AF_INET6;
	forward_ip(way);
}

void forward_frame(const struct xdp_path *path, struct port *port, struct frame *frame,
		   u32 mark, struct run_context *run)
{
	static _Thread_local u32 depth;
	struct forward_way way = {
		.path = path, .run = run, .from = port, .frame = frame, .mark = mark};

	/* before anything is read that belongs to it */
	way.generation = neighbours_generation(path->forwarder->neighbours) + 1;
	forward_count(&way, SKEP_FORWARD_PACKETS);
	frame->metadata = 0;
	if (depth == DEPTH_MAX)
		return forward_end(&way, SKEP_FORWARD_LOOP);
	depth++;
	forward_link(&way);
	depth--;
}
