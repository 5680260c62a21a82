/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring buffers from programs to user space, which may write the consumer's page only. */
#include "map/ringbuf.h"
#include "base/os.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int ring_check(struct map_desc *desc, struct skep_error *err)
{
	if (desc->key_size || desc->value_size)
		return map_refuse(desc, err, -EINVAL, "a ring buffer has no keys or values");
	if (!is_power_of_two(desc->max_entries) || desc->max_entries % os_page_size())
		return map_refuse(desc, err, -EINVAL,
				  "the size is not a power of two of whole pages");
	return 0;
}

/* Maps `pages` of the file from `from` at `address`. */
static int map_piece(int fd, u8 *address, size_t length, int prot, u64 from)
{
	void *mapped = mmap(address, length, prot, MAP_SHARED | MAP_FIXED, fd, (off_t)from);

	return mapped == MAP_FAILED ? -errno : 0;
}

static int map_memory(struct ring *ring, size_t page, size_t size)
{
	u8 *base;
	int err;

	ring->mapped = PAGE_DATA * page + 2 * size;
	base = mmap(NULL, ring->mapped, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
	ring->file.base = base;
	err = map_piece(ring->file.fd, base + PAGE_CONSUMER * page, 2 * page + size,
			PROT_READ | PROT_WRITE, 0);
	if (!err)
		err = map_piece(ring->file.fd, base + PAGE_DATA * page + size, size,
				PROT_READ | PROT_WRITE, 2 * page);
	return err;
}

void ring_done(struct map *map)
{
	struct ring *ring = ring_of(map);

	if (ring->file.base)
		munmap(ring->file.base, ring->mapped);
	if (ring->file.fd >= 0)
		close(ring->file.fd);
	account_uncharge(map->account, ring->file.charged);
}

int ring_init(struct map *map)
{
	struct ring *ring = ring_of(map);
	size_t page = os_page_size(), size = map->desc.max_entries;
	int err;

	ring->file = REGION_NONE;
	ring->file.size = 2 * page + size;
	err = account_charge(map->account, page + ring->file.size);
	if (err)
		return err;
	ring->file.charged = page + ring->file.size;
	ring->file.fd = os_memfd("bpf-ringbuf", ring->file.size);
	err = ring->file.fd < 0 ? ring->file.fd : map_memory(ring, page, size);
	if (err) {
		ring_done(map);
		return err;
	}
	ring->control = (struct ring_control *)ring->file.base;
	*ring->control = (struct ring_control){
		.map = map,
		.mask = size - 1,
		.page_shift = (u32)__builtin_ctzll(page),
		.data = ring->file.base + PAGE_DATA * page,
		.consumer = (atomic_ullong *)(ring->file.base + PAGE_CONSUMER * page),
		.producer = (atomic_ullong *)(ring->file.base + PAGE_PRODUCER * page),
	};
	biased_lock_init(&ring->control->lock);
	return 0;
}

/* Moves `pending` over what was committed since. */
static void advance_pending(struct ring_control *control, u64 producer)
{
	while (control->pending < producer) {
		u32 length = atomic_load_explicit(&record_at(control, control->pending)->length,
						  memory_order_relaxed);

		if (length & BPF_RINGBUF_BUSY_BIT)
			break;
		control->pending += record_space(length & ~BPF_RINGBUF_DISCARD_BIT);
	}
}

/* Under the lock. User space may write anything as its position: the distance then is large. */
static bool has_room(struct ring_control *control, u64 end)
{
	if (likely(end - control->consumed <= control->mask))
		return true;
	/* Acquire pairs with the consumer's store: it is done with what lies before. */
	control->consumed = atomic_load_explicit(control->consumer, memory_order_acquire);
	return end - control->consumed <= control->mask;
}

static inline __attribute__((always_inline)) struct record *
reserve(struct ring_control *control, u64 size)
{
	u64 producer = atomic_load_explicit(control->producer, memory_order_relaxed);
	u64 end = producer + record_space(size);
	struct record *record = record_at(control, producer);

	advance_pending(control, producer);
	if (!has_room(control, end) || end - control->pending > control->mask)
		return NULL;
	record->page = (u32)((u64)((u8 *)record - (u8 *)control) >> control->page_shift);
	atomic_store_explicit(&record->length, (u32)size | BPF_RINGBUF_BUSY_BIT,
			      memory_order_relaxed);
	/* Release pairs with the consumer's load: it finds the record marked busy. */
	atomic_store_explicit(control->producer, end, memory_order_release);
	return record;
}

static inline __attribute__((always_inline)) void *reserve_record(struct map *map, u64 size,
								  u32 slot)
{
	struct ring_control *control = ring_of(map)->control;
	struct record *record;
	bool as_owner;

	if (size > UINT32_MAX / 4 || record_space(size) > control->mask + 1)
		return NULL;
	as_owner = biased_lock_enter(&control->lock, slot);
	record = reserve(control, size);
	biased_lock_leave(&control->lock, slot, as_owner);
	return record ? record->data : NULL;
}

/* Invalid flags leave nothing reserved, as a full buffer does. */
void *map_ringbuf_reserve(struct map *map, u64 size, u64 flags, u32 slot)
{
	return flags ? NULL : reserve_record(map, size, slot);
}

static struct ring_control *control_of(struct record *record)
{
	size_t page = os_page_size();

	return (struct ring_control *)(((uintptr_t)record & ~(page - 1)) - record->page * page);
}

/* Whether user space waits for this very record, whose length becomes `length`. It does not
 * while it is awake: os_barrier() orders the record before the look at that for who goes to
 * sleep. The fence orders it before the look at the consumer's position, as the consumer does
 * the other way round. */
static bool is_awaited(struct ring_control *control, struct record *record, u32 length)
{
	/* Release pairs with the consumer's load: the record is complete. */
	atomic_store_explicit(&record->length, length, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	if (likely(atomic_load_explicit(&control->is_awake, memory_order_relaxed)))
		return false;
	atomic_thread_fence(memory_order_seq_cst);
	return record_at(control, atomic_load_explicit(control->consumer,
						       memory_order_acquire)) == record;
}

static void wake(struct ring_control *control)
{
	atomic_store_explicit(&control->is_awake, os_barrier_ready(), memory_order_relaxed);
	object_wake(&control->map->object);
}

/* Wakes user space as the flags ask for; the record becomes complete with `length`. */
static void commit_and_wake(struct record *record, u32 length, u64 flags)
{
	struct ring_control *control = control_of(record);

	/* Release pairs with the consumer's load: the record is complete. */
	if (flags & (BPF_RB_FORCE_WAKEUP | BPF_RB_NO_WAKEUP))
		atomic_store_explicit(&record->length, length, memory_order_release);
	else if (is_awaited(control, record, length))
		wake(control);
	if (flags & BPF_RB_FORCE_WAKEUP)
		wake(control);
}

void map_ringbuf_commit(void *data, u64 flags, bool discard)
{
	struct record *record = container_of(data, struct record, data);
	u32 length = atomic_load_explicit(&record->length, memory_order_relaxed);

	length = (length & ~BPF_RINGBUF_BUSY_BIT) | (discard ? BPF_RINGBUF_DISCARD_BIT : 0);
	if ((flags & (BPF_RB_FORCE_WAKEUP | BPF_RB_NO_WAKEUP)) == BPF_RB_NO_WAKEUP)
		atomic_store_explicit(&record->length, length, memory_order_release);
	else
		commit_and_wake(record, length, flags);
}

long map_ringbuf_output(struct map *map, const void *data, u64 size, u64 flags, u32 slot)
{
	void *record;

	if (flags & ~(u64)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	record = reserve_record(map, size, slot);
	if (!record)
		return -EAGAIN;
	memcpy(record, data, size);
	map_ringbuf_commit(record, flags, false);
	return 0;
}

static u64 bytes_available(const struct ring_control *control)
{
	u64 consumer = atomic_load_explicit(control->consumer, memory_order_acquire);

	return atomic_load_explicit(control->producer, memory_order_acquire) - consumer;
}

u64 map_ringbuf_query(struct map *map, u64 flags)
{
	const struct ring_control *control = ring_of(map)->control;

	switch (flags) {
	case BPF_RB_AVAIL_DATA: return bytes_available(control);
	case BPF_RB_RING_SIZE: return control->mask + 1;
	case BPF_RB_CONS_POS: return atomic_load(control->consumer);
	case BPF_RB_PROD_POS: return atomic_load(control->producer);
	default: return 0;
	}
}

/* Asked before user space waits. Who saw it awake wrote the record before the barrier. */
static bool ring_readable(const struct map *map)
{
	struct ring_control *control = container_of(map, struct ring, map)->control;

	if (bytes_available(control))
		return true;
	if (!atomic_load_explicit(&control->is_awake, memory_order_relaxed))
		return false;
	atomic_store_explicit(&control->is_awake, false, memory_order_relaxed);
	os_barrier();
	return bytes_available(control) != 0;
}

int ring_mmap_pages(struct ring *ring, void *address, size_t length, int prot, int flags,
		    u64 offset, void **out)
{
	size_t page = os_page_size(), once = ring->file.size, end;
	u64 first;
	void *base;
	int err = 0;

	length = round_up(length, page);
	end = once + ring->map.desc.max_entries;
	if (!length || offset % page || offset > end || length > end - offset)
		return -EINVAL;
	base = mmap(address, length, PROT_NONE,
		    (flags & ~(MAP_SHARED | MAP_SHARED_VALIDATE)) | MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (base == MAP_FAILED)
		return -errno;
	first = offset < once ? min((u64)length, once - offset) : 0;
	if (first)
		err = map_piece(ring->file.fd, base, first, prot, offset);
	if (!err && first < length)
		err = map_piece(ring->file.fd, (u8 *)base + first, length - first, prot,
				max(offset, (u64)once) - once + 2 * page);
	if (err)
		munmap(base, length);
	else
		*out = base;
	return err;
}

/* What user space maps: offset 0 is the consumer's page, the data comes twice. */
static int ring_mmap(struct map *map, void *address, size_t length, int prot, int flags,
		     u64 offset, void **out)
{
	if ((prot & PROT_WRITE) && (offset || length != os_page_size()))
		return -EPERM;
	return ring_mmap_pages(ring_of(map), address, length, prot, flags, offset, out);
}

bool ring_owns(struct map *map, const void *address, size_t size)
{
	const struct ring_control *control = ring_of(map)->control;
	u64 at = (const u8 *)address - control->data;

	return (const u8 *)address >= control->data && at <= 2 * (control->mask + 1) &&
	       size <= 2 * (control->mask + 1) - at;
}

const struct map_ops map_ringbuf = {
	.size = sizeof(struct ring),
	.check = ring_check,
	.init = ring_init,
	.done = ring_done,
	.equal = map_desc_equal,
	.mmap = ring_mmap,
	.readable = ring_readable,
	.owns = ring_owns,
};
