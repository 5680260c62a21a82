/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of ring buffers of both directions, as Linux lays it out: one page with the
 * consumer's position, one with the producer's, then the data, which is mapped twice so that no
 * record is split.
 */
#ifndef SKEP_MAP_RINGBUF_H
#define SKEP_MAP_RINGBUF_H

#include "map/biased_lock.h"
#include "map/ops.h"
#include "map/region.h"

/* Page numbers of the memory as the library sees it; a record's header says how far it is from
 * the control page, which is found so. User space's page 0 is the consumer's. */
enum { PAGE_CONTROL, PAGE_CONSUMER, PAGE_PRODUCER, PAGE_DATA };

/* In the producer's page: what changes with each record is one line. Of a user ring buffer user
 * space has the page, and it is `position` only. */
struct ring_producer {
	atomic_ullong position;
	/* Under `lock`: everything before `pending` is committed; `consumed` is where the
	 * consumer was when that was looked at last, as its line comes from another processor.
	 */
	u64 pending, consumed;
	struct biased_lock lock; /* of the producers */
};

_Static_assert(sizeof(struct ring_producer) <= CACHE_LINE, "one line for a reservation");

/* The records of one slot that are not committed. The slot itself changes `count`, which only
 * grows under the producers' lock. */
struct ring_slot {
	_Alignas(CACHE_LINE) atomic_uint count;
	u64 oldest; /* none of them is before; under the lock */
};

struct ring_control {
	struct map *map;
	u64 mask; /* size of the data - 1 */
	u8 *data;
	atomic_ullong *consumer;
	struct ring_producer *producer;
	struct ring_slot *slots; /* of all threads without a slot, then of each slot */
	u32 slot_count;
	/* Its file descriptors are readable, or are being made so: nobody need be woken. */
	atomic_bool is_awake;
	atomic_uint busy; /* a user ring buffer is being drained */
};

struct ring {
	struct map map;
	struct region file; /* consumer, producer, data once; base: the whole mapping */
	size_t mapped;
	struct ring_control *control;
	struct region slots; /* not of a user ring buffer */
};

struct record {
	atomic_uint length; /* with BPF_RINGBUF_BUSY_BIT and _DISCARD_BIT */
	u32 distance;	    /* from the control page, in units of 8 bytes */
	u8 data[];
};

_Static_assert(sizeof(struct record) == BPF_RINGBUF_HDR_SZ, "the header of Linux");

static inline struct ring *ring_of(struct map *map)
{
	return container_of(map, struct ring, map);
}

static inline u64 record_space(u64 size)
{
	return round_up(size + BPF_RINGBUF_HDR_SZ, 8);
}

static inline struct record *record_at(const struct ring_control *control, u64 position)
{
	return (struct record *)(control->data + (position & control->mask));
}

int ring_check(struct map_desc *desc, struct skep_error *err);
int ring_init(struct map *map);
void ring_done(struct map *map);
bool ring_owns(struct map *map, const void *address, size_t size);
/* mmap(2), once it is clear that user space may have these pages. */
int ring_mmap_pages(struct ring *ring, void *address, size_t length, int prot, int flags,
		    u64 offset, void **out);

#endif
