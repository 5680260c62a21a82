/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes in: checked, and where it goes. */
#include "net/forward.h"
#include "net/checksum.h"
#include "net/tc.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#define CACHE_WAYS     4096
#define CACHE_SOURCES  1024
#define VLAN_BYTES     4
#define DEPTH_MAX      8 /* forwarding by programs of packets that are being forwarded */
#define IPV4_FRAGMENTS 0x3fff
#define IPV6_MTU_MIN   1280

/* Where packets from one address to another went, which came in by one port. */
struct cached_way {
	_Alignas(CACHE_LINE) u64 generation; /* of the neighbours; 0: empty */
	u64 from[2], to[2];
	u32 ifindex, mtu;
	u8 family;
	u8 link[12]; /* addresses of the link layer, when there is no neighbour to ask */
	struct port *out;
	struct neighbour *neighbour; /* NULL: it is permanent */
};

/* Sources that are no martians. */
struct cached_source {
	u64 generation;
	struct route_ip ip;
};

struct forward_cache {
	struct cached_way ways[CACHE_WAYS];
	struct cached_source sources[CACHE_SOURCES];
	/* Of the port whose packets come in now. */
	u64 generation;
	u32 ifindex;
	u8 mac[6];
};

struct forward_cache *forward_cache_new(void)
{
	struct forward_cache *cache = aligned_alloc(CACHE_LINE, sizeof(*cache));

	if (cache)
		memset(cache, 0, sizeof(*cache));
	return cache;
}

void forward_cache_free(struct forward_cache *cache)
{
	free(cache);
}

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
	return ip_of(way->family, way_ip(way) + (way->family == AF_INET ? 12 : 8));
}

struct route_ip ip_destination(const struct forward_way *way)
{
	return ip_of(way->family, way_ip(way) + (way->family == AF_INET ? 16 : 24));
}

bool ip_is_multicast(const struct route_ip *ip)
{
	return ip->family == AF_INET ? (ip->bytes[0] & 0xf0) == 0xe0 : ip->bytes[0] == 0xff;
}

bool ip_is_link_local(const struct route_ip *ip)
{
	return ip->family == AF_INET6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

struct route_ip ip_link_local(const u8 *mac)
{
	return (struct route_ip){.family = AF_INET6,
				 .bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1],
					   mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]}};
}

/* Only zeros, but for the last byte. */
static bool is_ipv6_of_host(const struct route_ip *ip)
{
	static const u8 zeros[15];

	return !memcmp(ip->bytes, zeros, sizeof(zeros)) && ip->bytes[15] <= 1;
}

/* "This network", loopback, reserved. */
static bool is_martian(const struct route_ip *ip)
{
	if (ip->family == AF_INET6)
		return is_ipv6_of_host(ip);
	return !ip->bytes[0] || ip->bytes[0] == 127 || ip->bytes[0] >= 240;
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

/* --- one hop less --- */
static u8 *hop_limit(const struct forward_way *way)
{
	return way_ip(way) + (way->family == AF_INET ? 8 : 7);
}

/* RFC 1624; the sum of an IPv4 header follows. */
static inline void pass_hop(const struct forward_way *way)
{
	u8 *ip = way_ip(way);
	u32 sum;

	if (way->family == AF_INET6) {
		ip[7]--;
		return;
	}
	ip[8]--;
	sum = (ip[10] << 8 | ip[11]) + 0x100;
	sum += sum >= 0xffff;
	ip[10] = sum >> 8;
	ip[11] = sum;
}

static bool may_be_cut(const struct forward_way *way)
{
	return way->family == AF_INET && !(way_ip(way)[6] & 0x40);
}

/* --- the cache --- */
static u64 generation_of(const struct forward_way *way)
{
	return neighbours_generation(way->path->forwarder->neighbours) + 1;
}

static u32 hash_way(const struct cached_way *key)
{
	u64 hash = key->to[0] * 0x9e3779b97f4a7c15ull;

	hash ^= key->to[1] + (hash >> 29);
	hash *= 0xbf58476d1ce4e5b9ull;
	hash ^= (key->from[0] ^ key->from[1] * 0x94d049bb133111ebull) + (hash >> 32);
	hash *= 0x94d049bb133111ebull;
	return (hash >> 40) % CACHE_WAYS;
}

static void key_of(const struct forward_way *way, struct cached_way *out)
{
	const u8 *ip = way_ip(way);
	u32 addresses[2];

	if (way->family == AF_INET6) {
		memcpy(out->from, ip + 8, 32);
	} else {
		memcpy(addresses, ip + 12, sizeof(addresses));
		out->from[0] = addresses[0];
		out->to[0] = addresses[1];
		out->from[1] = out->to[1] = 0;
	}
	out->ifindex = way->from->ifindex;
	out->family = way->family;
}

static bool is_same_way(const struct cached_way *a, const struct cached_way *b)
{
	return a->from[0] == b->from[0] && a->to[0] == b->to[0] && a->from[1] == b->from[1] &&
	       a->to[1] == b->to[1] && a->ifindex == b->ifindex && a->family == b->family;
}

/* Whether the neighbour needs no question. */
static bool take_link(const struct cached_way *cached, u8 *link)
{
	u64 address;

	memcpy(link, cached->link, sizeof(cached->link));
	if (!cached->neighbour)
		return true;
	address = neighbour_address_of(cached->neighbour);
	if (neighbour_state(address) != NEIGHBOUR_REACHABLE)
		return false;
	neighbour_mac(address, link);
	return true;
}

/* The usual packet: it goes where one before it went. */
static bool forward_cached(struct forward_way *way, struct cached_way *key,
			   struct cached_way **slot)
{
	struct forward_cache *cache = way->path->cache;
	const struct cached_way *cached;
	u8 link[12];

	key_of(way, key);
	key->generation = generation_of(way);
	*slot = &cache->ways[hash_way(key)];
	cached = *slot;
	if (cached->generation != key->generation || !is_same_way(cached, key) ||
	    *hop_limit(way) <= 1 || way_length(way) > cached->mtu || !take_link(cached, link) ||
	    tc_has_egress(cached->out))
		return false;
	pass_hop(way);
	memcpy(way->frame->data, link, sizeof(link));
	xdp_send(way->path, cached->out, way->frame);
	forward_count(way, SKEP_FORWARD_FORWARDED);
	return true;
}

static void keep_way(const struct forward_way *way, const struct forward_hop *hop,
		     struct cached_way *key, struct cached_way *slot)
{
	struct routes *routes = way->path->forwarder->routes;
	const struct route_neighbour *permanent;

	if (hop->route->is_tunnel || !routes_are_plain(routes))
		return;
	permanent = routes_permanent(routes, hop->device->ifindex, &hop->next);
	key->neighbour = permanent ? NULL
				   : neighbours_find(routes_neighbours(routes),
						     hop->device->ifindex, &hop->next);
	if (!permanent && !key->neighbour)
		return;
	memcpy(key->link + 6, hop->device->mac, 6);
	if (permanent)
		memcpy(key->link, permanent->mac, 6);
	key->out = hop->out;
	key->mtu = forward_mtu(hop, way->family);
	*slot = *key;
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
	if (*hop_limit(way) <= 1)
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

static u32 hash_source(const struct route_ip *ip)
{
	u64 words[2];

	memcpy(words, ip->bytes, sizeof(words));
	return ((words[0] ^ words[1] * 0x94d049bb133111ebull) * 0x9e3779b97f4a7c15ull >> 40) %
	       CACHE_SOURCES;
}

static bool is_source_martian(const struct forward_way *way)
{
	struct forward_cache *cache = way->path->cache;
	const struct route_ip from = ip_source(way);
	struct cached_source *cached = cache ? &cache->sources[hash_source(&from)] : NULL;

	if (cached && cached->generation == generation_of(way) &&
	    !memcmp(&cached->ip, &from, sizeof(from)))
		return false;
	if (is_type_martian(way, &from))
		return true;
	if (cached)
		*cached = (struct cached_source){generation_of(way), from};
	return false;
}

static void route_packet(struct forward_way *way, struct cached_way *key,
			 struct cached_way *slot)
{
	const struct route_ip to = ip_destination(way), from = ip_source(way);
	struct forward_hop hop;
	enum skep_forward_count end = is_source_martian(way)
					      ? SKEP_FORWARD_MARTIAN_SOURCE
					      : forward_find(way, &to, &from, &hop);

	if (end == SKEP_FORWARD_LOCAL)
		return forward_local(way);
	if (end == SKEP_FORWARD_PACKETS && !forward_run_lwt(way, &hop, ROUTE_LWT_IN))
		return;
	if (end == SKEP_FORWARD_PACKETS)
		end = check_hop(way, &hop);
	if (end != SKEP_FORWARD_PACKETS)
		return refuse(way, end);
	if (key)
		keep_way(way, &hop, key, slot);
	pass_hop(way);
	forward_output(way, &hop);
}

void forward_again(struct forward_way *way)
{
	const struct route_ip to = ip_destination(way), from = ip_source(way);
	struct forward_hop hop;
	enum skep_forward_count end;

	if (++way->turns > FORWARD_SPIN)
		return forward_end(way, SKEP_FORWARD_LOOP);
	end = forward_find(way, &to, &from, &hop);
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
	const struct route_ip from = ip_source(way), to = ip_destination(way);

	if (way->family == AF_INET && !memcmp(to.bytes, everybody, sizeof(everybody)))
		return SKEP_FORWARD_BROADCAST;
	/* who has no address yet asks many for one */
	if (ip_is_multicast(&to))
		return SKEP_FORWARD_MULTICAST;
	if (is_martian(&from) || ip_is_multicast(&from))
		return SKEP_FORWARD_MARTIAN_SOURCE;
	if (is_martian(&to))
		return SKEP_FORWARD_MARTIAN_DESTINATION;
	/* to all stations of the link, but not by its address: nothing that may be forwarded */
	return way->frame->data[0] & 1 ? SKEP_FORWARD_BROADCAST : SKEP_FORWARD_PACKETS;
}

static void forward_ip(struct forward_way *way)
{
	enum skep_forward_count end =
		way->family == AF_INET ? check_ipv4(way) : check_ipv6(way);
	const bool is_new = way->path->cache && !way->mark;
	struct cached_way key, *slot = NULL;
	struct route_ip to;

	if (unlikely(end != SKEP_FORWARD_PACKETS))
		return forward_end(way, end);
	if (likely(is_new) && likely(forward_cached(way, &key, &slot)))
		return;
	if (forward_discovery(way))
		return;
	end = check_addresses(way);
	if (end != SKEP_FORWARD_PACKETS)
		return forward_end(way, end);
	to = ip_destination(way);
	if (!ip_is_link_local(&to))
		return route_packet(way, is_new ? &key : NULL, slot);
	if (forward_is_own(way, way->from, &to))
		return forward_local(way);
	forward_end(way, SKEP_FORWARD_LINK_LOCAL);
}

/* The port's address, as it is read again when the tables change. */
static bool is_mac_of_port(const struct forward_way *way, const u8 *mac)
{
	struct forward_cache *cache = way->path->cache;
	const struct route_device *device;

	if (likely(cache && cache->ifindex == way->from->ifindex &&
		   cache->generation == generation_of(way)))
		return !memcmp(mac, cache->mac, sizeof(cache->mac));
	device = routes_device(way->path->forwarder->routes, way->from->ifindex);
	if (cache && device) {
		cache->generation = generation_of(way);
		cache->ifindex = way->from->ifindex;
		memcpy(cache->mac, device->mac, sizeof(cache->mac));
	}
	return device && !memcmp(mac, device->mac, sizeof(device->mac));
}

static bool is_for_us(const struct forward_way *way)
{
	const u8 *to = way->frame->data;

	return to[0] & 1 || is_mac_of_port(way, to);
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

	forward_count(&way, SKEP_FORWARD_PACKETS);
	frame->metadata = 0;
	if (depth == DEPTH_MAX)
		return forward_end(&way, SKEP_FORWARD_LOOP);
	depth++;
	forward_link(&way);
	depth--;
}
