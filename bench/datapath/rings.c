/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings on one core: a batch is put in, then taken out. On skep's side the run's tick puts the
 * batch in, so that sender and port take turns as in the bare loop.
 */
#include "datapath.h"

#include <skep/forward.h>
#include <skep/port.h>
#include <skep/ring.h>
#include <skep/route.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH	  64
#define TURNS	  1000
#define RING_PATH "/dev/shm/skep-bench-ring"

/*
 * Both ends of the rings of a file, each in a mapping of its own, as two processes have them:
 * the same memory at two addresses costs the processor more than at one.
 */
struct pair {
	struct skep_ring_file file, own;
	struct skep_ring in, out, from_in, from_out;
};

static int memory_rings(struct pair *pair)
{
	int fd = memfd_create("skep-bench", MFD_CLOEXEC);

	return fd < 0 || skep_ring_format(fd, NULL) || skep_ring_map(&pair->file, dup(fd)) ||
	       skep_ring_map(&pair->own, fd) ||
	       skep_ring_take(&pair->in, &pair->file, 0, 1, 1) ||
	       skep_ring_take(&pair->from_in, &pair->own, 0, 1, 0) ||
	       skep_ring_take(&pair->out, &pair->own, 0, 0, 1) ||
	       skep_ring_take(&pair->from_out, &pair->file, 0, 0, 0);
}

static void put_batch(struct skep_ring *ring)
{
	const u32 room = min(skep_ring_room(ring, BATCH), (u32)BATCH);

	for (u32 i = 0; i < room; i++)
		skep_ring_put(ring, bench_packet, PACKET_BYTES);
	skep_ring_send(ring);
}

static void discard(struct skep_ring *ring)
{
	ring->own += skep_ring_count(ring, ~0u);
	skep_ring_release(ring);
}

static void swap(u8 *packet)
{
	u8 address[6];

	memcpy(address, packet, 6);
	memcpy(packet, packet + 6, 6);
	memcpy(packet + 6, address, 6);
}

static u32 take_batch(struct pair *pair, bool forwards)
{
	const u32 count = min(skep_ring_count(&pair->from_in, BATCH), (u32)BATCH);

	for (u32 i = 0; i < count; i++) {
		struct skep_ring_slot slot;
		u8 *packet = skep_ring_get(&pair->from_in, &slot);

		__builtin_prefetch(skep_ring_data(&pair->from_in, pair->from_in.own + 4) +
				   SKEP_RING_HEADROOM);
		use(bare_parse(packet, slot.length));
		if (!forwards)
			continue;
		swap(packet);
		if (skep_ring_room(&pair->out, 1))
			skep_ring_put(&pair->out, packet, slot.length);
	}
	if (forwards)
		skep_ring_send(&pair->out);
	skep_ring_release(&pair->from_in);
	return count;
}

static int bare(double seconds, bool forwards, struct rate *out, char why[256])
{
	double start, cpu;
	struct pair pair;

	if (memory_rings(&pair)) {
		snprintf(why, 256, "no rings in a memfd");
		return 1;
	}
	*out = (struct rate){};
	start = now_seconds();
	cpu = cpu_seconds();
	while (now_seconds() - start < seconds)
		for (u32 i = 0; i < TURNS; i++) {
			put_batch(&pair.in);
			out->packets += take_batch(&pair, forwards);
			if (forwards)
				discard(&pair.from_out);
		}
	out->seconds = cpu_seconds() - cpu;
	skep_ring_unmap(&pair.own);
	skep_ring_unmap(&pair.file);
	return 0;
}

int measure_bare_ring_drop(double seconds, struct rate *out, char why[256])
{
	return bare(seconds, false, out, why);
}

int measure_bare_ring_forward(double seconds, struct rate *out, char why[256])
{
	return bare(seconds, true, out, why);
}

/* --- skep --- */

struct peer {
	struct skep_ring_file file;
	struct skep_ring to, from;
	u64 random;
};

static int feed(void *cookie)
{
	struct peer *peer = cookie;

	discard(&peer->from);
	put_batch(&peer->to);
	return 0;
}

#define DESTINATION 30
#define CHECKSUM    24

/* The bench's packet with a right checksum, to 10.1.NUMBER. */
static void make_routed(u8 *packet, u32 number)
{
	u32 sum = 0;

	memcpy(packet, bench_packet, PACKET_BYTES);
	packet[DESTINATION + 2] = number >> 8;
	packet[DESTINATION + 3] = number;
	for (u32 i = 14; i < 34; i += 2)
		sum += i == CHECKSUM ? 0 : packet[i] << 8 | packet[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	packet[CHECKSUM] = sum >> 8;
	packet[CHECKSUM + 1] = sum;
}

static int feed_routed(void *cookie)
{
	struct peer *peer = cookie;
	const u32 room = min(skep_ring_room(&peer->to, BATCH), (u32)BATCH);
	u8 packet[PACKET_BYTES];

	discard(&peer->from);
	for (u32 i = 0; i < room; i++) {
		if (peer->random)
			peer->random = peer->random * 6364136223846793005ull + 1;
		if (!i || peer->random)
			make_routed(packet, peer->random >> 48);
		skep_ring_put(&peer->to, packet, PACKET_BYTES);
	}
	skep_ring_send(&peer->to);
	return 0;
}

static int run_rings(struct skep_engine *engine, int port, double seconds,
		     int (*tick)(void *cookie), bool many, struct rate *out)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	struct peer peer = {.random = many};
	struct skep_ports_run_opts opts = {
		.sz = sizeof(opts),
		.max_ns = seconds * 1e9,
		.interval_ns = 1,
		.tick = tick,
		.cookie = &peer,
	};
	double cpu;
	int code;

	if (skep_ring_open(&peer.file, RING_PATH) ||
	    skep_ring_take(&peer.to, &peer.file, 0, 1, 1) ||
	    skep_ring_take(&peer.from, &peer.file, 0, 0, 0))
		return 1;
	cpu = cpu_seconds();
	code = skep_ports_run(engine, &opts, NULL);
	out->seconds = cpu_seconds() - cpu;
	skep_port_stats(engine, port, &stats);
	out->packets = stats.in_packets;
	skep_ring_unmap(&peer.file);
	return code != 0;
}

static int ours(const char *object, double seconds, struct rate *out, char why[256])
{
	struct skep_engine *engine;
	int port, code;

	unlink(RING_PATH);
	engine = bench_engine(object, "ring:" RING_PATH, &port, why);
	if (!engine)
		return 1;
	code = run_rings(engine, port, seconds, feed, false, out);
	if (code)
		snprintf(why, 256, "%s", skep_engine_error(engine)->text);
	skep_engine_free(engine);
	unlink(RING_PATH);
	return code;
}

int measure_ring_drop(double seconds, struct rate *out, char why[256])
{
	return ours("drop", seconds, out, why);
}

int measure_ring_forward(double seconds, struct rate *out, char why[256])
{
	return ours("forward", seconds, out, why);
}

/* --- a router --- */

static int set_routes(struct skep_engine *engine)
{
	char *rows = malloc(1 << 17);
	size_t at;
	int code;

	if (!rows)
		return 1;
	at = (size_t)sprintf(rows, "device 1 name ring address 02:00:00:00:00:01\n"
				   "address 10.2.0.1/24 dev ring\n"
				   "neighbour 10.2.0.2 dev ring lladdr 02:00:00:00:00:02\n"
				   "10.1.0.0/16 via 10.2.0.2 dev ring\n");
	for (u32 i = 0; i < 1000; i++)
		at += (size_t)sprintf(rows + at, "10.1.%u.%u/28 via 10.2.0.2 dev ring\n",
				      i / 16, i % 16 * 16);
	code = skep_forward(engine, true);
	code = code ? code : skep_routes_set(engine, rows, at, NULL);
	free(rows);
	return code;
}

static int routed(double seconds, bool many, struct rate *out, char why[256])
{
	struct skep_engine *engine = skep_engine_new(NULL, NULL);
	uint64_t counts[SKEP_FORWARD_COUNTS] = {};
	int port, code;

	unlink(RING_PATH);
	port = skep_port_open(engine, "ring:" RING_PATH, NULL);
	code = port < 0 || set_routes(engine) ||
	       run_rings(engine, port, seconds, feed_routed, many, out);
	if (code)
		snprintf(why, 256, "%s", skep_engine_error(engine)->text);
	else
		skep_forward_counts(engine, port, counts, SKEP_FORWARD_COUNTS);
	if (!code && counts[SKEP_FORWARD_FORWARDED] != counts[SKEP_FORWARD_PACKETS])
		code = snprintf(why, 256, "not all packets were forwarded") > 0;
	skep_engine_free(engine);
	unlink(RING_PATH);
	return code;
}

int measure_ring_route(double seconds, struct rate *out, char why[256])
{
	return routed(seconds, false, out, why);
}

int measure_ring_routes(double seconds, struct rate *out, char why[256])
{
	return routed(seconds, true, out, why);
}
