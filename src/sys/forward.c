/* SPDX-License-Identifier: BSD-2-Clause */
/* The public face of an engine's forwarding. */
#include "map/neighbours.h"
#include "net/net.h"
#include "sys/engine.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <skep/forward.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const struct {
	const char *name, *text;
	bool is_end;
} numbers[] = {
#define FORWARD(id, name, is_end, text) {name, text, is_end},
#include <skep/forward.def>
#undef FORWARD
};

const char *skep_forward_name(unsigned int number)
{
	return number < ARRAY_SIZE(numbers) ? numbers[number].name : NULL;
}

const char *skep_forward_text(unsigned int number)
{
	return number < ARRAY_SIZE(numbers) ? numbers[number].text : NULL;
}

bool skep_forward_is_end(unsigned int number)
{
	return number < ARRAY_SIZE(numbers) && numbers[number].is_end;
}

int skep_forward(struct skep_engine *engine, bool on)
{
	struct skep_error *err = engine_error_start(engine);
	const int code = net_forward(engine->net, on);

	return code ? error_set(err, SKEP_STAGE_PORT, code, "%s",
				code == -EBUSY ? "packets are being moved"
					       : "no memory for the forwarding")
		    : 0;
}

int skep_forward_counts(struct skep_engine *engine, int ifindex, uint64_t *counts,
			unsigned int count)
{
	struct skep_error *err = engine_error_start(engine);
	const int code =
		ifindex > 0 ? net_forward_counts(engine->net, ifindex, counts, count) : -ENODEV;

	return code ? error_set(err, SKEP_STAGE_PORT, code, "no port %d", ifindex) : 0;
}

/* --- neighbours --- */
struct telling {
	void (*each)(void *cookie, const struct skep_neighbour *neighbour);
	void *cookie;
};

static void tell(const struct telling *telling, u32 device, const struct route_ip *ip,
		 const u8 *mac, const char *state)
{
	struct skep_neighbour out = {
		.sz = sizeof(out), .ifindex = (int)device, .family = ip->family};

	memcpy(out.address, ip->bytes, sizeof(out.address));
	memcpy(out.mac, mac, sizeof(out.mac));
	snprintf(out.state, sizeof(out.state), "%s", state);
	telling->each(telling->cookie, &out);
}

static void tell_learned(void *cookie, const struct neighbour *neighbour)
{
	static const char *const states[NEIGHBOUR_STATES] = {"incomplete", "reachable", "stale",
							     "probe", "failed"};
	const u64 address = neighbour_address_of(neighbour);
	u8 mac[6];

	neighbour_mac(address, mac);
	tell(cookie, neighbour->device, &neighbour->ip, mac, states[neighbour_state(address)]);
}

void skep_neighbours(struct skep_engine *engine,
		     void (*each)(void *cookie, const struct skep_neighbour *neighbour),
		     void *cookie)
{
	struct telling telling = {each, cookie};
	const struct route_neighbour *rows;
	const struct route_set *set;

	engine_error_start(engine);
	rcu_read_lock();
	set = routes_set(engine->env.routes);
	rows = set->neighbours.rows;
	for (u32 i = 0; i < set->neighbours.count; i++)
		tell(&telling, rows[i].device, &rows[i].ip, rows[i].mac, "permanent");
	rcu_read_unlock();
	neighbours_each(routes_neighbours(engine->env.routes), tell_learned, &telling);
}

/* --- a route --- */
static const char *type_name(u32 type)
{
	static const char *const names[] = {"unspec",	"unicast",   "local",	  "broadcast",
					    "anycast",	"multicast", "blackhole", "unreachable",
					    "prohibit", "throw"};

	return type < ARRAY_SIZE(names) ? names[type] : "other";
}

static u32 mtu_of(struct routes *routes, const struct route *route)
{
	const struct route_device *device = routes_device(routes, route->device);

	return route->mtu ?: device ? device->mtu : 0;
}

static void answer(struct routes *routes, const struct route *route, const struct route_ip *to,
		   struct skep_route_answer *out)
{
	struct skep_route_answer all = {.sz = out->sz,
					.ifindex = (int)route->device,
					.metric = route->metric,
					.table = route->table,
					.via_family = route->via.family,
					.mtu = mtu_of(routes, route)};
	const struct route_address *own = routes_source(routes, route->device, to);

	snprintf(all.type, sizeof(all.type), "%s", type_name(route->type));
	memcpy(all.via, route->via.bytes, sizeof(all.via));
	if (route->source.family == to->family)
		memcpy(all.source, route->source.bytes, sizeof(all.source));
	else if (own)
		memcpy(all.source, own->prefix.ip.bytes, sizeof(all.source));
	memcpy(out, &all, min(out->sz, sizeof(all)));
}

int skep_route_get(struct skep_engine *engine, int family, const void *address,
		   struct skep_route_answer *out)
{
	struct skep_error *err = engine_error_start(engine);
	struct route_query query = {.to = {.family = family}};
	const struct route *route;
	int code;

	if (family != AF_INET && family != AF_INET6)
		return error_set(err, SKEP_STAGE_PORT, -EAFNOSUPPORT,
				 "family %d: expected AF_INET or AF_INET6", family);
	memcpy(query.to.bytes, address, route_ip_bits(family) / 8);
	rcu_read_lock();
	code = routes_find(engine->env.routes, &query, &route);
	if (!code)
		answer(engine->env.routes, route, &query.to, out);
	rcu_read_unlock();
	return code ? error_set(err, SKEP_STAGE_PORT, code, "no route to this address") : 0;
}
