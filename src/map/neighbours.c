/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/neighbours.h"

#include <stdlib.h>
#include <string.h>

#define SECOND	     1000000000ull
#define REACHABLE_NS (30 * SECOND)
#define ASK_NS	     SECOND
#define QUESTIONS    3
#define UNUSED_NS    (60 * SECOND) /* a stale one is forgotten */
#define FAILED_NS    (5 * SECOND)  /* the same of one that failed */

void neighbours_init(struct neighbours *table)
{
	memset(table, 0, sizeof(*table));
	pthread_mutex_init(&table->lock, NULL);
}

static void packets_free(struct neighbour_packet *packet)
{
	while (packet) {
		struct neighbour_packet *next = packet->next;

		free(packet);
		packet = next;
	}
}

void neighbours_done(struct neighbours *table)
{
	for (u32 i = 0; i < NEIGHBOUR_BUCKETS; i++) {
		struct neighbour *neighbour = table->buckets[i];

		while (neighbour) {
			struct neighbour *next = neighbour->next;

			packets_free(neighbour->first);
			free(neighbour);
			neighbour = next;
		}
	}
	pthread_mutex_destroy(&table->lock);
}

static u32 bucket_of(u32 device, const struct route_ip *ip)
{
	u32 hash = device;

	for (u32 i = 0; i < sizeof(ip->bytes); i++)
		hash = (hash ^ ip->bytes[i]) * 0x01000193;
	return (hash ^ hash >> 15) % NEIGHBOUR_BUCKETS;
}

struct neighbour *neighbours_find(struct neighbours *table, u32 device,
				  const struct route_ip *ip)
{
	struct neighbour *at = rcu_dereference(table->buckets[bucket_of(device, ip)]);

	while (at && (at->device != device || memcmp(&at->ip, ip, sizeof(*ip)) != 0))
		at = rcu_dereference(at->next);
	return at;
}

/* --- with the lock held --- */
static void set_state(struct neighbour *neighbour, enum neighbour_state state, u64 mac, u64 now)
{
	atomic_store_explicit(&neighbour->address, (u64)state << 48 | mac,
			      memory_order_relaxed);
	neighbour->since_ns = now;
	neighbour->asked = 0;
}

static enum neighbour_state state_of(const struct neighbour *neighbour)
{
	return neighbour_state(neighbour_address_of(neighbour));
}

static u64 mac_of(const struct neighbour *neighbour)
{
	return neighbour_address_of(neighbour) & 0xffffffffffff;
}

static void free_later(struct rcu_head *head)
{
	rcu_grace_period_passed();
	free(container_of(head, struct neighbour, rcu));
}

static void take_out(struct neighbours *table, struct neighbour **place)
{
	struct neighbour *neighbour = *place;

	rcu_assign_pointer(*place, neighbour->next);
	table->count--;
	neighbours_outdate(table);
	call_rcu(&neighbour->rcu, free_later);
}

static bool is_forgettable(const struct neighbour *neighbour)
{
	return state_of(neighbour) == NEIGHBOUR_STALE ||
	       state_of(neighbour) == NEIGHBOUR_FAILED;
}

/* Somebody has to go: the one that was not used for the longest time. */
static bool make_room(struct neighbours *table)
{
	struct neighbour **oldest = NULL;

	for (u32 i = 0; i < NEIGHBOUR_BUCKETS; i++)
		for (struct neighbour **at = &table->buckets[i]; *at; at = &(*at)->next)
			if (is_forgettable(*at) &&
			    (!oldest || (*at)->used_ns < (*oldest)->used_ns))
				oldest = at;
	if (oldest)
		take_out(table, oldest);
	return oldest;
}

static struct neighbour *find_or_add(struct neighbours *table, u32 device,
				     const struct route_ip *ip, bool may_add, u64 now)
{
	struct neighbour *neighbour = neighbours_find(table, device, ip), **bucket;

	if (neighbour || !may_add)
		return neighbour;
	if (table->count == NEIGHBOURS_MAX && !make_room(table))
		return NULL;
	neighbour = calloc(1, sizeof(*neighbour));
	if (!neighbour)
		return NULL;
	bucket = &table->buckets[bucket_of(device, ip)];
	neighbour->ip = *ip;
	neighbour->device = device;
	neighbour->last = &neighbour->first;
	neighbour->used_ns = now;
	set_state(neighbour, NEIGHBOUR_FAILED, 0, now);
	neighbour->next = *bucket;
	rcu_assign_pointer(*bucket, neighbour);
	table->count++;
	return neighbour;
}

static struct neighbour_packet *take_packets(struct neighbour *neighbour)
{
	struct neighbour_packet *packets = neighbour->first;

	neighbour->first = NULL;
	neighbour->last = &neighbour->first;
	neighbour->waiting = 0;
	return packets;
}

static void ask(struct neighbour *neighbour, u64 now)
{
	neighbour->asked++;
	neighbour->asked_ns = now;
}

static enum neighbour_hold hold(struct neighbour *neighbour, struct neighbour_packet *packet,
				u64 now)
{
	const bool begins = state_of(neighbour) == NEIGHBOUR_FAILED;

	if (neighbour_is_known(neighbour_address_of(neighbour)))
		return HOLD_KNOWN;
	if (neighbour->waiting == NEIGHBOUR_WAITING)
		return HOLD_FULL;
	packet->next = NULL;
	*neighbour->last = packet;
	neighbour->last = &packet->next;
	neighbour->waiting++;
	neighbour->used_ns = now;
	if (!begins)
		return HOLD_WAITS;
	set_state(neighbour, NEIGHBOUR_INCOMPLETE, 0, now);
	ask(neighbour, now);
	return HOLD_ASK;
}

enum neighbour_hold neighbours_hold(struct neighbours *table, u32 device,
				    const struct route_ip *ip, struct neighbour_packet *packet,
				    u64 now)
{
	enum neighbour_hold result = HOLD_FULL;
	struct neighbour *neighbour;

	pthread_mutex_lock(&table->lock);
	neighbour = find_or_add(table, device, ip, true, now);
	if (neighbour)
		result = hold(neighbour, packet, now);
	pthread_mutex_unlock(&table->lock);
	return result;
}

bool neighbours_use(struct neighbours *table, struct neighbour *neighbour, u64 now)
{
	bool begins;

	pthread_mutex_lock(&table->lock);
	begins = state_of(neighbour) == NEIGHBOUR_STALE;
	neighbour->used_ns = now;
	if (begins) {
		set_state(neighbour, NEIGHBOUR_PROBE, mac_of(neighbour), now);
		ask(neighbour, now);
	}
	pthread_mutex_unlock(&table->lock);
	return begins;
}

static void learn(struct neighbour *neighbour, u64 mac, u32 news, u64 now)
{
	const bool is_known = neighbour_is_known(neighbour_address_of(neighbour));
	const bool is_same = is_known && mac_of(neighbour) == mac;

	if (is_known && !is_same && news & NEWS_KEEP)
		return;
	if (news & NEWS_CONFIRMED)
		set_state(neighbour, NEIGHBOUR_REACHABLE, mac, now);
	else if (!is_same)
		set_state(neighbour, NEIGHBOUR_STALE, mac, now);
}

struct neighbour_packet *neighbours_learn(struct neighbours *table, u32 device,
					  const struct route_ip *ip, const u8 *mac, u32 news,
					  u64 now)
{
	struct neighbour_packet *packets = NULL;
	struct neighbour *neighbour;
	u64 address = 0;

	for (u32 i = 0; mac && i < 6; i++)
		address = address << 8 | mac[i];
	pthread_mutex_lock(&table->lock);
	neighbour = find_or_add(table, device, ip, news & NEWS_CREATE, now);
	if (neighbour && !mac) {
		if (neighbour_is_known(neighbour_address_of(neighbour)))
			learn(neighbour, mac_of(neighbour), news, now);
	} else if (neighbour) {
		learn(neighbour, address, news, now);
		packets = take_packets(neighbour);
	}
	pthread_mutex_unlock(&table->lock);
	return packets;
}

/* --- time --- */

/* One that is asked: the next question, or the end of them. */
static void age_asked(struct neighbour *neighbour, u64 now, struct neighbour_event *out)
{
	if (now < neighbour->asked_ns + ASK_NS)
		return;
	out->device = neighbour->device;
	out->ip = neighbour->ip;
	if (neighbour->asked < QUESTIONS) {
		out->kind = EVENT_ASK;
		out->address = neighbour_address_of(neighbour);
		ask(neighbour, now);
		return;
	}
	out->kind = EVENT_FAILED;
	out->packets = take_packets(neighbour);
	set_state(neighbour, NEIGHBOUR_FAILED, 0, now);
}

/* Whether it is to be forgotten. */
static bool age(struct neighbour *neighbour, u64 now, struct neighbour_event *out)
{
	switch (state_of(neighbour)) {
	case NEIGHBOUR_INCOMPLETE:
	case NEIGHBOUR_PROBE: age_asked(neighbour, now, out); return false;
	case NEIGHBOUR_REACHABLE:
		if (now >= neighbour->since_ns + REACHABLE_NS)
			set_state(neighbour, NEIGHBOUR_STALE, mac_of(neighbour), now);
		return false;
	case NEIGHBOUR_STALE: return now >= neighbour->since_ns + UNUSED_NS;
	case NEIGHBOUR_FAILED: return now >= neighbour->since_ns + FAILED_NS;
	case NEIGHBOUR_STATES: break;
	}
	return false;
}

struct neighbour_event neighbours_age(struct neighbours *table, u64 now)
{
	struct neighbour_event event = {.kind = EVENT_NONE};

	pthread_mutex_lock(&table->lock);
	for (u32 i = 0; i < NEIGHBOUR_BUCKETS && event.kind == EVENT_NONE; i++)
		for (struct neighbour **at = &table->buckets[i];
		     *at && event.kind == EVENT_NONE;) {
			if (age(*at, now, &event))
				take_out(table, at);
			else
				at = &(*at)->next;
		}
	pthread_mutex_unlock(&table->lock);
	return event;
}

struct neighbour_packet *neighbours_give_up(struct neighbours *table)
{
	struct neighbour_packet *packets = NULL;

	pthread_mutex_lock(&table->lock);
	for (u32 i = 0; i < NEIGHBOUR_BUCKETS && !packets; i++)
		for (struct neighbour *at = table->buckets[i]; at && !packets; at = at->next)
			packets = take_packets(at);
	pthread_mutex_unlock(&table->lock);
	return packets;
}

void neighbours_each(struct neighbours *table,
		     void (*each)(void *cookie, const struct neighbour *neighbour),
		     void *cookie)
{
	pthread_mutex_lock(&table->lock);
	for (u32 i = 0; i < NEIGHBOUR_BUCKETS; i++)
		for (const struct neighbour *at = table->buckets[i]; at; at = at->next)
			each(cookie, at);
	pthread_mutex_unlock(&table->lock);
}
