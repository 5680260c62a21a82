/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forwarding behind XDP and tc: an engine as a router (include/skep/forward.h).
 *
 *	frame --forward_frame()--> checked --route--> hop --programs of the route--> neighbour
 *--> port |  +--> local: echo, neighbour discovery        |
 *	                             +--> ICMP error <-------------------------------+
 *
 * A packet is forwarded in the frame that it came in. What is made here (ICMP, questions for
 * neighbours, fragments) has memory of its own and leaves at once.
 */
#ifndef SKEP_NET_FORWARD_H
#define SKEP_NET_FORWARD_H

#include "map/neighbours.h"
#include "net/xdp.h"

#include <skep/forward.h>
#include <sys/socket.h>

struct forwarder;
struct forward_cache;

struct forwarder *forwarder_new(struct routes *routes); /* NULL: out of memory */
void forwarder_free(struct forwarder *forwarder);
/* A worker's: the ways that packets went lately. NULL: out of memory. */
struct forward_cache *forward_cache_new(void);
void forward_cache_free(struct forward_cache *cache);

/* XDP and tc let the frame pass; `mark`: what tc left. */
void forward_frame(const struct xdp_path *path, struct port *port, struct frame *frame,
		   u32 mark, struct run_context *run);
/* Now and then, by one thread: asks again, gives up, forgets. */
void forward_tick(const struct xdp_path *path, u64 now);
/* The end of a run: what still waits has waited in vain. */
void forward_finish(const struct xdp_path *path);

/* Rows of the devices that ports are, which the set has not yet. 0 or -ENOMEM. */
int forward_add_device(struct route_set *set, const struct port *port);

/* --- inside the forwarding --- */
#define IPV4_HEADER   20
#define IPV6_HEADER   40
#define FORWARD_SPIN  8	   /* so often a packet may be routed again */
#define OWN_HOP_LIMIT 64   /* of what is made here */
#define OWN_BYTES_MAX 1280 /* the same: as long as an ICMPv6 error may be */
#define LINK_HEADER   14

/* A packet on its way. */
struct forward_way {
	const struct xdp_path *path;
	struct run_context *run;
	struct port *from;   /* came in by it; counts what becomes of it */
	struct frame *frame; /* its data begins with the link layer's header */
	u64 generation;	     /* what is kept of the packet is valid in; not 0 */
	u32 mark;
	u8 family;
	bool is_own; /* made here */
	u8 turns;    /* how often it was routed */
};

/* Where it goes. */
struct forward_hop {
	const struct route *route; /* NULL: a link-local address */
	const struct route_device *device;
	struct port *out;
	struct route_ip next;
};

struct forwarder {
	struct routes *routes;
	struct neighbours *neighbours; /* of the routes */
	pthread_mutex_t lock;	       /* of what follows */
	u64 errors_ns, errors_left;
	struct {
		u64 ns, left;
	} peers[256];
	atomic_uint ident;
};

static inline u8 *way_ip(const struct forward_way *way)
{
	return way->frame->data + LINK_HEADER;
}

static inline u32 way_length(const struct forward_way *way)
{
	return way->frame->length - LINK_HEADER;
}

static inline const u8 *way_source(const struct forward_way *way)
{
	return way_ip(way) + (way->family == AF_INET ? 12 : 8);
}

static inline const u8 *way_destination(const struct forward_way *way)
{
	return way_ip(way) + (way->family == AF_INET ? 16 : 24);
}

static inline u8 *way_hop_limit(const struct forward_way *way)
{
	return way_ip(way) + (way->family == AF_INET ? 8 : 7);
}

/* One hop less. RFC 1624; the sum of an IPv4 header follows. */
static inline void way_pass_hop(const struct forward_way *way)
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

static inline bool is_multicast(u8 family, const u8 *ip)
{
	return family == AF_INET ? (ip[0] & 0xf0) == 0xe0 : ip[0] == 0xff;
}

/* Of IPv6. */
static inline bool is_link_local(const u8 *ip)
{
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

/* A worker's counters have one writer, those of everybody else are shared. */
static inline void forward_count(const struct forward_way *way, enum skep_forward_count what)
{
	const struct outbox *outbox = way->path->outbox;

	if (likely(outbox))
		counter_add(&way->from->forward[outbox->queue].counts[what], 1);
	else
		atomic_fetch_add_explicit(&way->from->forward[QUEUES_MAX].counts[what], 1,
					  memory_order_relaxed);
}

/* The packet's end. */
void forward_end(const struct forward_way *way, enum skep_forward_count what);

struct route_ip ip_of(u8 family, const u8 *bytes);
struct route_ip ip_source(const struct forward_way *way);
struct route_ip ip_destination(const struct forward_way *way);
bool ip_is_multicast(const struct route_ip *ip);
bool ip_is_link_local(const struct route_ip *ip); /* of IPv6 */
/* Of the interface, made of its address. */
struct route_ip ip_link_local(const u8 *mac);

/* Whether the port answers for the address. */
bool forward_is_own(const struct forward_way *way, const struct port *port,
		    const struct route_ip *ip);
/* 0 and a hop of a route that is unicast; or how such a packet ends. */
enum skep_forward_count forward_find(const struct forward_way *way, const struct route_ip *to,
				     const struct route_ip *from, struct forward_hop *out);
bool forward_hop_on_link(const struct forward_way *way, struct port *port,
			 const struct route_ip *to, struct forward_hop *out);
u32 forward_mtu(const struct forward_hop *hop, u8 family);

/* The packet, which is checked, leaves: its route's programs, fragments, the neighbour. */
void forward_output(struct forward_way *way, const struct forward_hop *hop);
/* It is routed anew. */
void forward_again(struct forward_way *way);
/* To the neighbour; behind everything that the route says. */
void forward_to_neighbour(struct forward_way *way, const struct forward_hop *hop);
void forward_leave(struct forward_way *way, struct port *out);
/* With the header of the link layer. */
void forward_send(struct forward_way *way, const struct route_device *device, struct port *out,
		  const u8 *mac);

/* A packet that is made here in a frame of its own. */
struct own_packet {
	struct xdp_path path; /* leaves at once */
	struct frame frame;
	struct forward_way way;
	u8 memory[PACKET_HEADROOM + LINK_HEADER + OWN_BYTES_MAX + 64];
};

/* So many zeros behind the link layer's header. */
void own_packet_init(struct own_packet *packet, const struct forward_way *like, u8 family,
		     u32 length);

/* Errors of both families: what to tell, as ICMP has it; `info` is the MTU. */
enum forward_error {
	ERROR_NET_UNREACHABLE,
	ERROR_HOST_UNREACHABLE,
	ERROR_NO_NEIGHBOUR,
	ERROR_PROHIBITED,
	ERROR_PROTOCOL,
	ERROR_PORT,
	ERROR_BEYOND_SCOPE,
	ERROR_TOO_BIG,
	ERROR_TTL,
};
void forward_tell(struct forward_way *way, enum forward_error error, u32 info);

/* The packet is for an own address: its end. */
void forward_local(struct forward_way *way);
void forward_arp(struct forward_way *way);
/* Neighbour discovery: false: it is none. */
bool forward_discovery(struct forward_way *way);

/* Asks who has the address at the port; `known`: one that may have it, 0: all. */
void forward_ask(struct forward_way *like, struct port *out, const struct route_ip *ip,
		 u64 known);

/* Programs of the route at this place. False: the packet is at its end or goes another way. */
bool forward_run_lwt(struct forward_way *way, const struct forward_hop *hop,
		     enum route_lwt place);

#endif
