/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a worker knows of the packets before: the port that they come in by, sources that are no
 * martians, next hops, and where packets from one address to another went. All of that is of a
 * generation of the neighbours' table, which is over as soon as rows or neighbours are taken
 * away.
 */
#ifndef SKEP_NET_FORWARD_CACHE_H
#define SKEP_NET_FORWARD_CACHE_H

#include "net/forward.h"

#include <string.h>

struct forward_key {
	u64 from[2], to[2]; /* addresses, as they lie in the packet */
	u32 ifindex;	    /* of the port that it came in by */
	u8 family;
};

static inline void forward_key_of(const struct forward_way *way, struct forward_key *out)
{
	const u8 *from = way_source(way), *to = way_destination(way);
	u32 half[2];

	out->ifindex = way->from->ifindex;
	out->family = way->family;
	if (way->family == AF_INET6) {
		memcpy(out->from, from, sizeof(out->from));
		memcpy(out->to, to, sizeof(out->to));
		return;
	}
	memcpy(&half[0], from, 4);
	memcpy(&half[1], to, 4);
	out->from[0] = half[0];
	out->to[0] = half[1];
	out->from[1] = out->to[1] = 0;
}

/* The usual packet: it is forwarded to where one before it went, or to a next hop that is known
 * (its source is none of ours). False: nothing happened to it. */
bool forward_by_way(struct forward_way *way, const struct forward_key *key);
bool forward_by_hop(struct forward_way *way, const struct forward_key *key);
/* The hop that the packet's long way came to. */
void forward_keep_hop(const struct forward_way *way, const struct forward_hop *hop,
		      const struct forward_key *key);

bool forward_knows_source(const struct forward_way *way, const struct forward_key *key);
void forward_keep_source(const struct forward_way *way, const struct forward_key *key);
/* Whether the frame is for the address of the port that it came in by; also without cache. */
bool forward_is_mac_of_port(const struct forward_way *way, const u8 *mac);

#endif
