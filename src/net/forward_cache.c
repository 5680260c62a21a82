/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/forward_cache.h"
#include "net/tc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WAYS	1024
#define HOPS	1024
#define SOURCES 1024

/* A station that packets are sent to. */
struct cached_hop {
	_Alignas(CACHE_LINE) u64 generation; /* 0: empty */
	u64 number;			     /* routes_find_hop() */
	u64 next[2];			     /* behind no gateway: the destination */
	u32 mtu;
	u8 link[12]; /* addresses of the link layer, when there is no neighbour to ask */
	struct port *out;
	struct neighbour *neighbour; /* NULL: it is permanent */
};

struct cached_way {
	_Alignas(CACHE_LINE) struct forward_key key;
	u16 hop;	/* its place */
	u64 number;	/* the hop's, when it was there */
	u64 generation; /* 0: empty */
};

_Static_assert(sizeof(struct cached_hop) == CACHE_LINE, "a look-up costs one line");
_Static_assert(sizeof(struct cached_way) == CACHE_LINE, "a look-up costs one line");

struct cached_source {
	u64 generation; /* 0: empty */
	u64 ip[2];
	u8 family;
};

struct cached_port {
	u64 generation; /* 0: empty */
	u32 ifindex;
	u8 mac[6];
	bool forwards_ipv4, forwards_ipv6;
};

struct forward_cache {
	struct cached_way ways[WAYS];
	struct cached_hop hops[HOPS];
	struct cached_source sources[SOURCES];
	struct cached_port port; /* whose packets come in now */
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

/* --- places --- */
static inline u32 mix(u64 a, u64 b, u64 c)
{
	u64 hash = a * 0x9e3779b97f4a7c15ull;

	hash ^= b + (hash >> 29);
	hash *= 0xbf58476d1ce4e5b9ull;
	hash ^= c + (hash >> 32);
	hash *= 0x94d049bb133111ebull;
	return hash >> 40;
}

static struct cached_way *place_of_way(const struct forward_way *way,
				       const struct forward_key *key)
{
	return &way->path->cache
			->ways[mix(key->to[0], key->to[1],
				   key->from[0] ^ key->from[1] * 0x94d049bb133111ebull) %
			       WAYS];
}

static struct cached_hop *place_of_hop(const struct forward_way *way,
				       const struct forward_key *key, u64 number)
{
	const bool is_station = !route_hop_has_gateway(number);

	return &way->path->cache->hops[mix(number, is_station ? key->to[0] : 0,
					   is_station ? key->to[1] : 0) %
				       HOPS];
}

static struct cached_source *place_of_source(const struct forward_way *way,
					     const struct forward_key *key)
{
	return &way->path->cache->sources[mix(key->from[0], key->from[1], 0) % SOURCES];
}

/* --- the port --- */
static struct cached_port port_of(const struct forward_way *way)
{
	const struct route_device *device =
		routes_device(way->path->forwarder->routes, way->from->ifindex);
	struct cached_port port = {};

	if (!device)
		return port;
	port.generation = way->generation;
	port.ifindex = way->from->ifindex;
	port.forwards_ipv4 = device->forwards_ipv4;
	port.forwards_ipv6 = device->forwards_ipv6;
	memcpy(port.mac, device->mac, sizeof(port.mac));
	return port;
}

bool forward_is_mac_of_port(const struct forward_way *way, const u8 *mac)
{
	struct forward_cache *cache = way->path->cache;
	struct cached_port port;

	if (likely(cache && cache->port.ifindex == way->from->ifindex &&
		   cache->port.generation == way->generation))
		return !memcmp(mac, cache->port.mac, sizeof(cache->port.mac));
	port = port_of(way);
	if (cache)
		cache->port = port;
	return port.generation && !memcmp(mac, port.mac, sizeof(port.mac));
}

static bool port_forwards(const struct forward_way *way)
{
	const struct cached_port *port = &way->path->cache->port;

	return port->generation == way->generation && port->ifindex == way->from->ifindex &&
	       (way->family == AF_INET ? port->forwards_ipv4 : port->forwards_ipv6);
}

/* --- sources --- */
bool forward_knows_source(const struct forward_way *way, const struct forward_key *key)
{
	const struct cached_source *source = place_of_source(way, key);

	return source->generation == way->generation && source->ip[0] == key->from[0] &&
	       source->ip[1] == key->from[1] && source->family == key->family;
}

void forward_keep_source(const struct forward_way *way, const struct forward_key *key)
{
	*place_of_source(way, key) = (struct cached_source){
		.generation = way->generation,
		.ip = {key->from[0], key->from[1]},
		.family = key->family,
	};
}

/* --- forwarding --- */

/* Whether the neighbour needs no question. */
static bool take_link(const struct cached_hop *hop, u8 *link)
{
	u64 address;

	memcpy(link, hop->link, sizeof(hop->link));
	if (!hop->neighbour)
		return true;
	address = neighbour_address_of(hop->neighbour);
	if (neighbour_state(address) != NEIGHBOUR_REACHABLE)
		return false;
	neighbour_mac(address, link);
	return true;
}

static bool is_hop(const struct forward_way *way, const struct cached_hop *hop,
		   const struct forward_key *key, u64 number)
{
	return hop->number == number && hop->generation == way->generation &&
	       (route_hop_has_gateway(number) ||
		(hop->next[0] == key->to[0] && hop->next[1] == key->to[1]));
}

/* False: something is to be told, asked or cut, or a program runs. */
static bool send_to_hop(struct forward_way *way, const struct cached_hop *hop)
{
	u8 link[12];

	if (*way_hop_limit(way) <= 1 || way_length(way) > hop->mtu || !take_link(hop, link) ||
	    tc_has_egress(hop->out))
		return false;
	way_pass_hop(way);
	memcpy(way->frame->data, link, sizeof(link));
	xdp_send(way->path, hop->out, way->frame);
	forward_count(way, SKEP_FORWARD_FORWARDED);
	return true;
}

static bool is_same_key(const struct forward_key *a, const struct forward_key *b)
{
	return a->from[0] == b->from[0] && a->to[0] == b->to[0] && a->from[1] == b->from[1] &&
	       a->to[1] == b->to[1] && a->ifindex == b->ifindex && a->family == b->family;
}

bool forward_by_way(struct forward_way *way, const struct forward_key *key)
{
	const struct cached_way *cached = place_of_way(way, key);
	const struct cached_hop *hop;

	if (cached->generation != way->generation || !is_same_key(&cached->key, key))
		return false;
	hop = &way->path->cache->hops[cached->hop];
	return is_hop(way, hop, key, cached->number) && send_to_hop(way, hop);
}

static void keep_way(const struct forward_way *way, const struct cached_hop *hop,
		     const struct forward_key *key)
{
	struct cached_way *cached = place_of_way(way, key);

	/* word by word, as they were written just now */
	cached->key.from[0] = key->from[0];
	cached->key.from[1] = key->from[1];
	cached->key.to[0] = key->to[0];
	cached->key.to[1] = key->to[1];
	cached->key.ifindex = key->ifindex;
	cached->key.family = key->family;
	cached->hop = hop - way->path->cache->hops;
	cached->number = hop->number;
	cached->generation = way->generation;
}

bool forward_by_hop(struct forward_way *way, const struct forward_key *key)
{
	const u64 number = routes_find_hop(way->path->forwarder->routes, way->family,
					   way_destination(way));
	const struct cached_hop *hop = place_of_hop(way, key, number);

	if (!number || !is_hop(way, hop, key, number) || !port_forwards(way) ||
	    (way->family == AF_INET6 && is_link_local(way_source(way))) ||
	    !send_to_hop(way, hop))
		return false;
	keep_way(way, hop, key);
	return true;
}

void forward_keep_hop(const struct forward_way *way, const struct forward_hop *hop,
		      const struct forward_key *key)
{
	struct routes *routes = way->path->forwarder->routes;
	const u64 number = routes_find_hop(routes, way->family, way_destination(way));
	const struct route_neighbour *permanent =
		number ? routes_permanent(routes, hop->device->ifindex, &hop->next) : NULL;
	struct neighbour *neighbour =
		number && !permanent ? neighbours_find(routes_neighbours(routes),
						       hop->device->ifindex, &hop->next)
				     : NULL;
	struct cached_hop *cached = place_of_hop(way, key, number);

	if (!permanent && !neighbour)
		return;
	*cached = (struct cached_hop){
		.generation = way->generation,
		.number = number,
		.next = {key->to[0], key->to[1]},
		.mtu = forward_mtu(hop, way->family),
		.out = hop->out,
		.neighbour = neighbour,
	};
	memcpy(cached->link + 6, hop->device->mac, 6);
	if (permanent)
		memcpy(cached->link, permanent->mac, 6);
	keep_way(way, cached, key);
}
