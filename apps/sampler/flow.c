/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TCP_ENDS       0x05 /* FIN, RST */
#define CLOSED_LINGERS 2000000000ull

int flows_init(struct flows *flows, u32 capacity, flow_tell *tell, void *cookie)
{
	*flows = (struct flows){
		.flows = calloc(capacity, sizeof(*flows->flows)),
		.heads = calloc(capacity, sizeof(*flows->heads)),
		.capacity = capacity,
		.tell = tell,
		.cookie = cookie,
	};
	if (!flows->flows || !flows->heads) {
		flows_done(flows);
		return -ENOMEM;
	}
	for (u32 i = 0; i < capacity; i++)
		flows->flows[i].next = i + 2;
	flows->flows[capacity - 1].next = 0;
	flows->first_free = 1;
	return 0;
}

void flows_done(struct flows *flows)
{
	free(flows->flows);
	free(flows->heads);
	*flows = (struct flows){};
}

/* --- places --- */

static u32 *head_of(struct flows *flows, const struct sampler_key *key)
{
	const u32 *words = (const void *)key;
	u64 hash = 0;

	for (u32 i = 0; i < sizeof(*key) / sizeof(*words); i++)
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ull, hash ^= hash >> 29;
	return &flows->heads[(hash >> 16) % flows->capacity];
}

static struct flow *find(struct flows *flows, const struct sampler_key *key)
{
	for (u32 i = *head_of(flows, key); i; i = flows->flows[i - 1].next)
		if (!memcmp(&flows->flows[i - 1].key, key, sizeof(*key)))
			return &flows->flows[i - 1];
	return NULL;
}

static void forget(struct flows *flows, struct flow *flow)
{
	const u32 place = (u32)(flow - flows->flows) + 1;
	u32 *link = head_of(flows, &flow->key);

	while (*link != place)
		link = &flows->flows[*link - 1].next;
	*link = flow->next;
	*flow = (struct flow){.next = flows->first_free};
	flows->first_free = place;
	flows->count--;
}

static void tell(struct flows *flows, struct flow *flow, enum flow_end reason, u64 now_ns)
{
	if (flow->new.packets) {
		flows->ended[reason]++;
		flows->tell(flows->cookie, flow, reason);
	}
	flow->new = (struct sampler_flow){};
	flow->told_ns = now_ns;
}

/* The one that the hand points to makes room: each in turn. */
static void make_room(struct flows *flows, u64 now_ns)
{
	struct flow *flow;

	do {
		flow = &flows->flows[flows->hand];
		flows->hand = (flows->hand + 1) % flows->capacity;
	} while (!flow->is_used);
	tell(flows, flow, FLOW_NO_ROOM, now_ns);
	forget(flows, flow);
}

static struct flow *add(struct flows *flows, const struct sampler_key *key, u64 began_ns,
			u64 now_ns)
{
	u32 *head = head_of(flows, key), place;
	struct flow *flow;

	if (!flows->first_free)
		make_room(flows, now_ns);
	place = flows->first_free;
	flow = &flows->flows[place - 1];
	flows->first_free = flow->next;
	*flow = (struct flow){
		.key = *key,
		.next = *head,
		.is_used = true,
		.began_ns = began_ns,
		.told_ns = now_ns,
	};
	*head = place;
	flows->count++;
	flows->reach = max(flows->reach, place);
	return flow;
}

/* --- counting --- */

void flows_begin_tick(struct flows *flows)
{
	flows->tick++;
}

static void add_counted(struct sampler_flow *sum, const struct sampler_flow *counted)
{
	if (!sum->packets || counted->first_ns < sum->first_ns)
		sum->first_ns = counted->first_ns;
	sum->last_ns = max(sum->last_ns, counted->last_ns);
	sum->packets += counted->packets;
	sum->bytes += counted->bytes;
	sum->tcp_flags |= counted->tcp_flags;
}

void flows_add(struct flows *flows, const struct sampler_key *key,
	       const struct sampler_flow *counted, u64 now_ns)
{
	struct flow *flow = find(flows, key) ?: add(flows, key, counted->first_ns, now_ns);

	add_counted(&flow->new, counted);
	flow->packets += counted->packets;
	flow->bytes += counted->bytes;
	if (flow->tick != flows->tick)
		flow->tick_packets = flow->tick_bytes = 0;
	flow->tick = flows->tick;
	flow->tick_packets += counted->packets;
	flow->tick_bytes += counted->bytes;
}

/* --- telling --- */

static enum flow_end due(const struct flow *flow, const struct flow_timeouts *timeouts,
			 u64 now_ns)
{
	const u64 last_ns = flow->new.packets ? flow->new.last_ns : flow->told_ns;
	const u64 silent_ns = now_ns > last_ns ? now_ns - last_ns : 0;

	if ((flow->new.tcp_flags &TCP_ENDS) && silent_ns >= CLOSED_LINGERS)
		return FLOW_CLOSED;
	if (silent_ns >= timeouts->idle_ns)
		return FLOW_IDLE;
	return now_ns - flow->told_ns >= timeouts->active_ns ? FLOW_ACTIVE : FLOW_GOES_ON;
}

void flows_expire(struct flows *flows, const struct flow_timeouts *timeouts, u64 now_ns)
{
	for (u32 i = 0; i < flows->reach; i++) {
		struct flow *flow = &flows->flows[i];
		const enum flow_end reason =
			flow->is_used ? due(flow, timeouts, now_ns) : FLOW_GOES_ON;

		if (reason == FLOW_GOES_ON)
			continue;
		tell(flows, flow, reason, now_ns);
		if (reason != FLOW_ACTIVE)
			forget(flows, flow);
	}
}

void flows_end(struct flows *flows)
{
	for (u32 i = 0; i < flows->reach; i++)
		if (flows->flows[i].is_used)
			tell(flows, &flows->flows[i], FLOW_FORCED, 0);
}
