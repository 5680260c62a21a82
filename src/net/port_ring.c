/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings in memory that this process shares with another one (skep/ring.h). Programs work on the
 * packets where they lie; what leaves is copied into the other ring. The peer is not trusted:
 * each slot's description is copied and checked.
 */
#include "base/error.h"
#include "base/os.h"
#include "net/port.h"
#include "net/words.h"

#include <errno.h>
#include <sched.h>
#include <skep/ring.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Every so many receives without a packet it is asked whether the sender still lives. */
#define IDLE_CHECK 1024
/* How long a waiting sender hopes for room, from the last time that there was some. */
#define PATIENCE_NS 100000000ull

struct ring_queue {
	_Alignas(CACHE_LINE) struct skep_ring rx;
	u32 idle;
	bool has_peer; /* somebody has sent or was there */
	_Alignas(CACHE_LINE) struct skep_ring tx;
};

struct ring_port {
	struct skep_ring_file file;
	bool waits; /* for room, when a ring is full */
	struct ring_queue queues[QUEUES_MAX];
};

_Static_assert(QUEUES_MAX == SKEP_RING_QUEUES_MAX, "a port has as many queues as a file");
_Static_assert((int)FRAME_TIME == SKEP_RING_TIME && (int)FRAME_HASH == SKEP_RING_HASH &&
		       (int)FRAME_VLAN == SKEP_RING_VLAN,
	       "what is known has the same bits");

/* --- open and close --- */

static int take_ends(struct ring_port *ring, bool is_peer, const char *path,
		     struct skep_error *err)
{
	int code = 0;

	for (u32 i = 0; i < ring->file.header.queues && !code; i++) {
		struct ring_queue *queue = &ring->queues[i];

		code = skep_ring_take(&queue->rx, &ring->file, i, !is_peer, 0)
			       ?: skep_ring_take(&queue->tx, &ring->file, i, is_peer, 1);
	}
	if (!code)
		return 0;
	error_set(err, SKEP_STAGE_PORT, code, "ring:%s: %s", path,
		  code == -EBUSY ? "this side of the rings has a user already"
				 : strerror(-code));
	if (code == -EBUSY)
		error_hint(err, "ring:%s%s is the other side", path, is_peer ? "" : ",peer");
	return code;
}

static int open_file(struct ring_port *ring, const char *path,
		     const struct skep_ring_opts *opts, struct skep_error *err)
{
	int code = skep_ring_create(&ring->file, path, opts);

	if (!code)
		return 0;
	return error_set(err, SKEP_STAGE_PORT, code, "ring:%s: %s", path,
			 code == -EPROTO ? "the file does not begin as one of packet rings does"
			 : code == -EBADMSG ? "its header does not fit the file"
					    : strerror(-code));
}

static int open_parsed(struct port *port, struct ring_port *ring, char *args,
		       struct skep_error *err)
{
	u64 is_peer = 0, waits = 0, queues = 1, slots = 1024, size = 1792;
	const struct port_word words[] = {
		{"peer", 1, 1, &is_peer},
		{"wait", 1, 1, &waits},
		{"queues", 1, QUEUES_MAX, &queues},
		{"slots", 2, SKEP_RING_SLOTS_MAX, &slots},
		{"size", 60, FRAME_DATA_MAX, &size},
	};
	struct skep_ring_opts opts;
	int code = words_parse("ring", args, words, ARRAY_SIZE(words), err);

	if (code)
		return code;
	if (!*args || !is_power_of_two(slots))
		return error_set(err, SKEP_STAGE_PORT, -EINVAL,
				 *args ? "ring:%s: slots=%llu: expected a power of two"
				       : "ring:%s: expected ring:PATH",
				 args, slots);
	opts = (struct skep_ring_opts){.queues = queues, .slots = slots, .packet_max = size};
	code = open_file(ring, args, &opts, err);
	if (code)
		return code;
	ring->waits = waits;
	port->queue_count = port->send_queue_count = ring->file.header.queues;
	for (u32 i = 0; i < port->queue_count; i++) {
		port->queues[i].state = &ring->queues[i];
		port->queues[i].is_polled = true;
	}
	code = take_ends(ring, is_peer, args, err);
	if (code)
		skep_ring_unmap(&ring->file);
	return code;
}

static int ring_open(struct port *port, const char *args, struct skep_error *err)
{
	struct ring_port *ring = aligned_alloc(CACHE_LINE, sizeof(*ring));
	char *text = strdup(args);
	int code = -ENOMEM;

	if (ring && text) {
		memset(ring, 0, sizeof(*ring));
		code = open_parsed(port, ring, text, err);
	} else {
		error_set(err, SKEP_STAGE_PORT, code, "out of memory");
	}
	free(text);
	if (code)
		free(ring);
	else
		port->state = ring;
	return code;
}

static void ring_close(struct port *port)
{
	struct ring_port *ring = port->state;

	for (u32 i = 0; i < port->queue_count; i++)
		skep_ring_end(&ring->queues[i].tx);
	skep_ring_unmap(&ring->file);
	free(ring);
}

/* --- receiving --- */

/* Nothing waits: whether more may come. */
static int ring_is_idle(struct port_queue *queue, struct skep_error *err)
{
	struct ring_queue *ring = queue->state;
	bool is_alone;

	if (skep_ring_is_ended(&ring->rx))
		return skep_ring_count(&ring->rx, 1) ? 0 : -ENODATA;
	if (++ring->idle % IDLE_CHECK)
		return 0;
	is_alone = skep_ring_is_alone(&ring->rx, 0);
	ring->has_peer |= !is_alone;
	if (!is_alone || !ring->has_peer || skep_ring_is_ended(&ring->rx) ||
	    skep_ring_count(&ring->rx, 1))
		return 0;
	return error_set(err, SKEP_STAGE_PORT, -EPIPE,
			 "%s: queue %u: the sender is gone, and did not say that it was done",
			 queue->port->spec, queue->index);
}

/* The rest of what is known lies at the start of the slot's room. */
static void ring_read_info(struct frame *frame, bool is_cut)
{
	struct skep_ring_info info;

	memcpy(&info, frame->memory, sizeof(info));
	frame->time_ns = info.time_ns;
	frame->hash = info.hash;
	frame->vlan_proto = info.vlan_proto;
	frame->vlan_tci = info.vlan_tci;
	if (is_cut)
		frame->original_length = max(info.original_length, frame->length);
}

static inline void ring_fill(struct frame *frame, u8 *packet, const struct skep_ring *ring,
			     const struct skep_ring_slot *slot)
{
	frame->data = packet;
	frame->memory = packet - slot->offset;
	frame->end = frame->memory + ring->slot_bytes;
	frame->length = frame->original_length = slot->length;
	frame->metadata = 0;
	frame->known = slot->known & FRAME_ALL;
	if (slot->known)
		ring_read_info(frame, slot->known & SKEP_RING_CUT);
}

static int bad_slot(const struct port_queue *queue, const struct skep_ring *ring,
		    const struct skep_ring_slot *slot, struct skep_error *err)
{
	return error_set(err, SKEP_STAGE_PORT, -EBADMSG,
			 "%s: queue %u: packet %u: offset %u and length %u are beyond the "
			 "slot's %u bytes",
			 queue->port->spec, queue->index, ring->own, slot->offset, slot->length,
			 ring->slot_bytes);
}

static int ring_receive(struct port_queue *queue, struct frame *frames, int count,
			struct skep_error *err)
{
	struct ring_queue *state = queue->state;
	struct skep_ring *ring = &state->rx;
	int waiting = (int)min(skep_ring_count(ring, count), (u32)count);

	if (!waiting)
		return ring_is_idle(queue, err);
	state->has_peer = true;
	for (int i = 0; i < waiting; i++) {
		struct skep_ring_slot slot;
		u8 *packet = skep_ring_get(ring, &slot);

		__builtin_prefetch(skep_ring_data(ring, ring->own + 4) + SKEP_RING_HEADROOM);
		if (unlikely(!packet)) {
			ring->own--; /* what came before is delivered first */
			return i ?: bad_slot(queue, ring, &slot, err);
		}
		ring_fill(&frames[i], packet, ring, &slot);
	}
	return waiting;
}

static void ring_release(struct port_queue *queue)
{
	struct ring_queue *ring = queue->state;

	skep_ring_release(&ring->rx);
}

/* --- sending --- */

/* Waits for room until nothing moved for a while. */
static u32 wait_for_room(struct skep_ring *ring)
{
	const u64 start = os_time_ns(CLOCK_MONOTONIC);
	u32 room;

	while (!(room = skep_ring_room(ring, 1)) &&
	       os_time_ns(CLOCK_MONOTONIC) - start < PATIENCE_NS)
		sched_yield();
	return room;
}

static void ring_write_info(struct skep_ring *ring, struct skep_ring_slot *slot,
			    const struct frame *frame)
{
	*skep_ring_info(ring, ring->own) = (struct skep_ring_info){
		.time_ns = frame->time_ns,
		.hash = frame->hash,
		.vlan_proto = frame->vlan_proto,
		.vlan_tci = frame->vlan_tci,
		.original_length = frame->original_length,
	};
	slot->known = (frame->known & FRAME_ALL) |
		      (frame->original_length > frame->length ? SKEP_RING_CUT : 0);
}

static void ring_put(struct skep_ring *ring, const struct frame *frame)
{
	struct skep_ring_slot *slot = &ring->slots[ring->own & ring->mask];
	u8 *to = skep_ring_data(ring, ring->own) + SKEP_RING_HEADROOM - frame->metadata;

	skep_ring_copy(to, frame->data - frame->metadata, frame->metadata + frame->length);
	*slot = (struct skep_ring_slot){
		.offset = SKEP_RING_HEADROOM,
		.length = frame->length,
		.metadata = frame->metadata,
	};
	if (frame->known || frame->original_length > frame->length)
		ring_write_info(ring, slot, frame);
	ring->own++;
}

static int ring_send(struct port_queue *queue, struct frame *const *frames, int count)
{
	const struct ring_port *port = queue->port->state;
	struct skep_ring *ring = &((struct ring_queue *)queue->state)->tx;
	const u32 longest = skep_ring_packet_max(ring);
	u32 room = skep_ring_room(ring, count);
	int sent = 0;

	while (sent < count && frames[sent]->length <= longest) {
		if (unlikely(!room)) {
			skep_ring_send(ring);
			room = port->waits ? wait_for_room(ring) : 0;
			if (!room)
				break;
		}
		ring_put(ring, frames[sent++]);
		room--;
	}
	skep_ring_send(ring);
	return sent;
}

const struct port_ops port_ring = {
	.name = "ring",
	.abilities = PORT_RECEIVES | PORT_SENDS | PORT_QUEUES | PORT_OWN_MEMORY |
		     PORT_KNOWS_TIME | PORT_KNOWS_HASH | PORT_KNOWS_VLAN,
	.open = ring_open,
	.receive = ring_receive,
	.release = ring_release,
	.send = ring_send,
	.close = ring_close,
};
