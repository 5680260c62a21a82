/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flow cache: what both tables of the program have counted, added up by flow, until it is
 * told to others. A flow is told when it is silent, when it goes on for long, when another one
 * needs its place, and at the end.
 */
#ifndef SAMPLER_FLOW_H
#define SAMPLER_FLOW_H

#include "sampler.h"

#include "base/types.h"

/* As IPFIX numbers them (flowEndReason). */
enum flow_end {
	FLOW_GOES_ON,
	FLOW_IDLE,
	FLOW_ACTIVE,
	FLOW_CLOSED, /* TCP's FIN or RST was seen */
	FLOW_FORCED,
	FLOW_NO_ROOM,
	FLOW_ENDS,
};

struct flow {
	struct sampler_key key;
	u32 next; /* of the chain, and of those that are free */
	bool is_used;
	struct sampler_flow new; /* since it was last told; packets 0: nothing */
	u64 packets, bytes;	 /* since it began */
	u64 began_ns, told_ns;	 /* told: when the time-out of active flows began */
	u64 tick_packets, tick_bytes;
	u64 tick; /* in which those came */
};

/* Of a flow, when it is told. */
typedef void flow_tell(void *cookie, const struct flow *flow, enum flow_end reason);

struct flow_timeouts {
	u64 active_ns, idle_ns;
};

struct flows {
	struct flow *flows; /* [capacity] */
	u32 *heads;	    /* [capacity], places + 1 */
	u32 capacity, count, first_free, hand;
	u32 reach; /* places behind it were never used */
	u64 tick;
	u64 ended[FLOW_ENDS]; /* how often flows were told, by reason */
	flow_tell *tell;
	void *cookie;
};

/* 0 or a negative errno. */
int flows_init(struct flows *flows, u32 capacity, flow_tell *tell, void *cookie);
void flows_done(struct flows *flows);

/* From now on is another tick. */
void flows_begin_tick(struct flows *flows);
void flows_add(struct flows *flows, const struct sampler_key *key,
	       const struct sampler_flow *counted, u64 now_ns);
/* Tells what is due; at the end all. */
void flows_expire(struct flows *flows, const struct flow_timeouts *timeouts, u64 now_ns);
void flows_end(struct flows *flows);

#endif
