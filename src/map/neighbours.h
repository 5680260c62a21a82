/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbours that an engine's forwarding found out about (net/forward_neighbour.c): who has an
 * address at a port, how sure that is, and the packets that wait for it.
 *
 *	incomplete --answer--> reachable --30 s--> stale --used--> probe --answer--> reachable
 *	    +-------------------- three questions without an answer ---+--> failed
 *
 * Look-ups are under RCU and take no lock; everything else takes the table's.
 */
#ifndef SKEP_MAP_NEIGHBOURS_H
#define SKEP_MAP_NEIGHBOURS_H

#include "map/route.h"
#include <pthread.h>
#include <stdatomic.h>

#define NEIGHBOUR_BUCKETS 1024
#define NEIGHBOURS_MAX	  4096
#define NEIGHBOUR_WAITING 16 /* packets */

enum neighbour_state {
	NEIGHBOUR_INCOMPLETE,
	NEIGHBOUR_REACHABLE,
	NEIGHBOUR_STALE,
	NEIGHBOUR_PROBE,
	NEIGHBOUR_FAILED,
	NEIGHBOUR_STATES,
};

/* A packet with its link layer's header; malloc'ed. */
struct neighbour_packet {
	struct neighbour_packet *next;
	u32 from; /* the port that it came in by; 0: our own */
	u32 length;
	u8 data[];
};

struct neighbour {
	struct neighbour *next; /* RCU-protected */
	struct route_ip ip;
	u32 device;
	atomic_ullong address; /* the state, then 48 bits of MAC address */
	/* with the lock held */
	u64 since_ns, asked_ns, used_ns;
	u32 asked;
	u32 waiting;
	struct neighbour_packet *first, **last; /* owned */
	struct rcu_head rcu;
};

struct neighbours {
	pthread_mutex_t lock;
	u32 count;
	struct neighbour *buckets[NEIGHBOUR_BUCKETS];
	atomic_ullong generation; /* grows when what readers keep of it is not valid any more */
};

void neighbours_init(struct neighbours *table);
void neighbours_done(struct neighbours *table);

static inline u64 neighbours_generation(const struct neighbours *table)
{
	/* Acquire pairs with the release of whoever took something away before. */
	return atomic_load_explicit(&table->generation, memory_order_acquire);
}

static inline void neighbours_outdate(struct neighbours *table)
{
	atomic_fetch_add_explicit(&table->generation, 1, memory_order_release);
}

/* In a read-side section; NULL: none. */
struct neighbour *neighbours_find(struct neighbours *table, u32 device,
				  const struct route_ip *ip);

static inline enum neighbour_state neighbour_state(u64 address)
{
	return (enum neighbour_state)(address >> 48);
}

/* Whether packets may be sent to it. */
static inline bool neighbour_is_known(u64 address)
{
	return neighbour_state(address) >= NEIGHBOUR_REACHABLE &&
	       neighbour_state(address) <= NEIGHBOUR_PROBE;
}

static inline u64 neighbour_address_of(const struct neighbour *neighbour)
{
	return atomic_load_explicit(&neighbour->address, memory_order_relaxed);
}

static inline void neighbour_mac(u64 address, u8 *out)
{
	for (u32 i = 0; i < 6; i++)
		out[i] = address >> (40 - 8 * i);
}

/* What became of a packet that wants to an address that is not known. */
enum neighbour_hold {
	HOLD_WAITS, /* the table has it */
	HOLD_ASK,   /* the same; somebody has to ask */
	HOLD_KNOWN, /* the address is known by now */
	HOLD_FULL,
};

/* Takes the packet over, unless it is known or full. */
enum neighbour_hold neighbours_hold(struct neighbours *table, u32 device,
				    const struct route_ip *ip, struct neighbour_packet *packet,
				    u64 now);

/* A packet is sent to one that is stale: whether somebody has to ask if it is still there. */
bool neighbours_use(struct neighbours *table, struct neighbour *neighbour, u64 now);

enum neighbour_news {
	NEWS_CREATE = 1,    /* it may be new */
	NEWS_CONFIRMED = 2, /* it answered */
	NEWS_KEEP = 4,	    /* an address that is known stays */
};

/* Somebody says who has the address (`mac` NULL: who had it still has it): the packets that
 * waited for it, which may leave now. */
struct neighbour_packet *neighbours_learn(struct neighbours *table, u32 device,
					  const struct route_ip *ip, const u8 *mac, u32 news,
					  u64 now);

/* What is due. */
struct neighbour_event {
	enum { EVENT_NONE, EVENT_ASK, EVENT_FAILED } kind;
	u32 device;
	struct route_ip ip;
	u64 address;			  /* to ask who is known */
	struct neighbour_packet *packets; /* FAILED: in vain */
};

struct neighbour_event neighbours_age(struct neighbours *table, u64 now);
/* Takes out what still waits for somebody; NULL: nothing does any more. */
struct neighbour_packet *neighbours_give_up(struct neighbours *table);

/* Calls with all, in no order. */
void neighbours_each(struct neighbours *table,
		     void (*each)(void *cookie, const struct neighbour *neighbour),
		     void *cookie);

#endif
