/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An engine as a router: what XDP and tc at the ingress of its ports let pass is forwarded by
 * the engine's routes (skep/route.h), through tc at the egress of the port where it leaves.
 *
 * Ports are devices: with the address, MTU and name of the interface that they stand for, else
 * with an address made of their number, 1500 bytes and the name "portN"; rows of the routes say
 * otherwise. Own addresses answer ARP, neighbour discovery and echo requests; next hops are
 * asked for, and packets wait for the answer. Packets that cannot be forwarded are told of by
 * ICMP and ICMPv6 (RFC 1812, RFC 4443), as often as Linux allows. IPv4 packets that may be cut
 * are, fragments for own addresses are not put together. A port with skep_port_pass_to() does
 * not forward.
 */
#ifndef SKEP_FORWARD_H
#define SKEP_FORWARD_H

#include <skep/port.h>

#ifdef __cplusplus
extern "C" {
#endif

/* From the next run on. Call it when all ports are open and before the routes are set, which
 * then name ports by their interfaces. 0, -EBUSY (during skep_ports_run()) or -ENOMEM. */
SKEP_API int skep_forward(struct skep_engine *engine, bool on);

enum skep_forward_count {
#define FORWARD(id, ...) SKEP_FORWARD_##id,
#include <skep/forward.def>
#undef FORWARD
	SKEP_FORWARD_COUNTS,
};

/* What became of the packets that came in by the port, the first `count` numbers. After a run
 * SKEP_FORWARD_PACKETS is the sum of those that skep_forward_is_end() names; during one, some
 * may wait for their next hop. 0 or -ENODEV. */
SKEP_API int skep_forward_counts(struct skep_engine *engine, int ifindex, uint64_t *counts,
				 unsigned int count);
/* Static storage; NULL: no such number. */
SKEP_API const char *skep_forward_name(unsigned int number);
SKEP_API const char *skep_forward_text(unsigned int number);
SKEP_API bool skep_forward_is_end(unsigned int number);

/* A neighbour that the engine asked for or heard of, or (permanent) a row of the routes. */
struct skep_neighbour {
	size_t sz;
	int ifindex;
	int family; /* AF_INET, AF_INET6 */
	uint8_t address[16], mac[6];
	char state[12]; /* permanent, incomplete, reachable, stale, probe, failed */
};

/* Calls with all of them; `each` must not call functions of the engine. */
SKEP_API void skep_neighbours(struct skep_engine *engine,
			      void (*each)(void *cookie,
					   const struct skep_neighbour *neighbour),
			      void *cookie);

/* The route to an address, by the rules, and what it says. */
struct skep_route_answer {
	size_t sz;
	char type[16]; /* "unicast", "local", ... */
	int ifindex;   /* 0: none */
	uint32_t metric, mtu, table;
	int via_family;		     /* 0: the address itself is the next hop */
	uint8_t via[16], source[16]; /* source: all zeros: none */
};

/* 0; -ENETUNREACH (no route), -EINVAL, -EACCES (a rule says so), -EAFNOSUPPORT. */
SKEP_API int skep_route_get(struct skep_engine *engine, int family, const void *address,
			    struct skep_route_answer *out);

#ifdef __cplusplus
}
#endif
#endif
