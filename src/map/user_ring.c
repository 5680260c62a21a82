/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers from user space to programs. User space may write anything anywhere but in the
 * consumer's page: each record is judged by a copy of its header.
 */
#include "map/ringbuf.h"

#include <sys/mman.h>

#define RECORDS_MAX (128 * 1024) /* of one call */
#define RECORD_MAX  ((1u << 24) - 1)

static int user_ring_mmap(struct map *map, void *address, size_t length, int prot, int flags,
			  u64 offset, void **out)
{
	if ((prot & PROT_WRITE) && !offset)
		return -EPERM;
	return ring_mmap_pages(ring_of(map), address, length, prot, flags, offset, out);
}

static void release_record(struct ring_control *control, u32 size)
{
	u64 consumer = atomic_load_explicit(control->consumer, memory_order_relaxed);

	/* Release pairs with user space's load: the record was read. */
	atomic_store_explicit(control->consumer, consumer + record_space(size),
			      memory_order_release);
}

/* The record at the consumer's position. -ENODATA: none is ready; -EAGAIN: one to be skipped,
 * which is skipped. */
static int next_record(struct ring_control *control, struct record **out, u32 *size)
{
	/* Acquire pairs with the stores of user space: what lies before is complete. */
	u64 producer = atomic_load_explicit(&control->producer->position, memory_order_acquire);
	u64 consumer = atomic_load_explicit(control->consumer, memory_order_relaxed);
	struct record *record = record_at(control, consumer);
	u32 length;
	u64 space;

	if (producer % 8)
		return -EINVAL;
	if (consumer >= producer)
		return -ENODATA;
	length = atomic_load_explicit(&record->length, memory_order_acquire);
	*size = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	space = record_space(*size);
	if (space > producer - consumer)
		return -EINVAL;
	if (space > control->mask + 1 || *size > RECORD_MAX)
		return -E2BIG;
	*out = record;
	if (length & BPF_RINGBUF_DISCARD_BIT) {
		release_record(control, *size);
		return -EAGAIN;
	}
	return length & BPF_RINGBUF_BUSY_BIT ? -ENODATA : 0;
}

static long drain(struct ring_control *control, map_take *take, void *cookie)
{
	struct record *record;
	long taken = 0;
	bool stop = false;
	u32 size;

	for (u32 i = 0; i < RECORDS_MAX && !stop; i++) {
		int err = next_record(control, &record, &size);

		if (err == -EAGAIN)
			continue;
		if (err)
			return err == -ENODATA ? taken : err;
		stop = take(cookie, record->data, size);
		release_record(control, size);
		taken++;
	}
	return taken;
}

long map_user_ringbuf_drain(struct map *map, map_take *take, void *cookie, u64 flags)
{
	struct ring_control *control = ring_of(map)->control;
	long result;

	if (flags & ~(u64)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	/* Acquire pairs with the release below: the records of the last call are gone. */
	if (atomic_exchange_explicit(&control->busy, 1, memory_order_acquire))
		return -EBUSY;
	result = drain(control, take, cookie);
	atomic_store_explicit(&control->busy, 0, memory_order_release);
	return result;
}

const struct map_ops map_user_ringbuf = {
	.size = sizeof(struct ring),
	.check = ring_check,
	.init = ring_init,
	.done = ring_done,
	.equal = map_desc_equal,
	.mmap = user_ring_mmap,
	.owns = ring_owns,
};
