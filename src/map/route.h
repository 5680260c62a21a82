/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine's own routes, rules, neighbours, addresses and devices: what bpf_fib_lookup() and
 * bpf_check_mtu() ask. A set is filled row by row (net/route_text.c, net/route_host.c), then
 * built into tables that never change; new ones replace them as a whole, and readers go on with
 * those that they have.
 *
 * Addresses are in network order, all else is a number of the host. Devices are named by their
 * ifindex.
 */
#ifndef SKEP_MAP_ROUTE_H
#define SKEP_MAP_ROUTE_H

#include "base/object.h"
#include "base/rcu.h"
#include "base/types.h"

#define ROUTE_TABLE_LOCAL   255
#define ROUTE_TABLE_MAIN    254
#define ROUTE_TABLE_DEFAULT 253

struct route_ip {
	u8 family; /* AF_INET, AF_INET6; 0: none */
	u8 bytes[16];
};

struct route_prefix {
	struct route_ip ip; /* bytes behind the prefix are zero */
	u8 length;
};

struct route_device {
	u32 ifindex, mtu, header; /* header: bytes of the link layer's */
	char name[16];		  /* may be empty */
	u8 mac[6];
	bool is_up, forwards_ipv4, forwards_ipv6;
};

/* The oldest comes first. */
struct route_address {
	struct route_prefix prefix; /* all bytes of the address are kept */
	u32 device;
};

struct route_neighbour {
	struct route_ip ip;
	u32 device;
	u8 mac[6];
};

/* Programs of a lightweight tunnel: when a packet met the route, when it leaves, and behind all
 * else. */
enum route_lwt { ROUTE_LWT_IN, ROUTE_LWT_OUT, ROUTE_LWT_XMIT, ROUTE_LWTS };

struct route {
	struct route_prefix to;
	struct route_ip via; /* of either family */
	struct route_ip source;
	u32 table, device, metric;
	u32 mtu; /* 0: the device's */
	u8 type; /* RTN_* */
	u8 tos;	 /* 0: any */
	bool is_mtu_locked;
	bool is_tunnel;			/* a lightweight tunnel begins here */
	struct object *lwt[ROUTE_LWTS]; /* programs; references */
};

struct route_rule {
	struct route_prefix from, to; /* length 0: any */
	u32 priority, table;
	u32 mark, mark_mask;
	u32 input, output; /* devices; 0: any */
	u8 family, tos;
	u8 action; /* FR_ACT_*; FR_ACT_TO_TBL looks in `table` */
};

/* Rows of one kind; owned. */
struct route_rows {
	void *rows;
	u32 count, room;
};

struct route_set {
	struct route_rows devices, addresses, neighbours, routes, rules;
};

/* The new row, zeroed; NULL: out of memory. */
void *route_rows_add(struct route_rows *rows, size_t size);
#define route_add(set, kind, type) ((type *)route_rows_add(&(set)->kind, sizeof(type)))
void route_set_done(struct route_set *set);
/* Linux's rules, for a family that has none. 0 or -ENOMEM. */
int route_set_default_rules(struct route_set *set);

struct routes; /* an engine's */

struct routes *routes_new(void); /* NULL: out of memory */
void routes_free(struct routes *routes);
/* Nobody forwards any more: the references to programs are put. */
void routes_forget_programs(struct routes *routes);
/* Takes over the rows of the set, also on failure. 0 or a negative errno. */
int routes_replace(struct routes *routes, struct route_set *set);

/* --- readers: what they return lives as long as their read-side section --- */

struct route_query {
	struct route_ip to, from; /* from: may be none, then rules with a source do not fit */
	u32 input, output;	  /* devices; 0: none */
	u32 mark, table;	  /* table: only with in_table */
	u8 tos;
	bool in_table; /* without the rules */
};

/* The route, of whatever type; or a negative errno: -ENETUNREACH (none), and what a rule says:
 * -EINVAL (blackhole), -ENETUNREACH (unreachable), -EACCES (prohibit). */
int routes_find(struct routes *routes, const struct route_query *query,
		const struct route **out);
/* Where it depends on the destination alone which route is found, and that is unicast and no
 * tunnel: the number of its next hop. Routes with the same number have family, device,
 * gateway and MTU in common; numbers are not used again when other rows take the place of
 * these. 0: ask routes_find(). */
u64 routes_find_hop(struct routes *routes, u8 family, const u8 *to);
static inline bool route_hop_has_gateway(u64 hop)
{
	return hop & 1;
}
/* NULL: none. */
const struct route_device *routes_device(struct routes *routes, u32 ifindex);
/* The neighbour's address, of those that the rows name or, else, that were found out about.
 * False: it is not known. */
bool routes_neighbour(struct routes *routes, u32 device, const struct route_ip *ip, u8 *mac);
/* Of the rows alone; NULL: none. */
const struct route_neighbour *routes_permanent(struct routes *routes, u32 device,
					       const struct route_ip *ip);
/* Those that were found out about. */
struct neighbours;
struct neighbours *routes_neighbours(struct routes *routes);
/* Whether one of the rows gives the device this address; device 0: any. */
bool routes_has_address(struct routes *routes, u32 device, const struct route_ip *ip);
/* The rows as they stand. */
const struct route_set *routes_set(struct routes *routes);
/* The address that a device sends from towards `to`; NULL: it has none of that family. */
const struct route_address *routes_source(struct routes *routes, u32 device,
					  const struct route_ip *to);

/* How many of the first bits of both are the same, at most `limit`. */
u32 route_common_bits(const u8 *a, const u8 *b, u32 limit);
/* Zeros behind the prefix. */
void route_prefix_cut(struct route_prefix *prefix);

static inline u32 route_ip_bits(u8 family)
{
	return family == 2 /* AF_INET */ ? 32 : 128;
}

#endif
