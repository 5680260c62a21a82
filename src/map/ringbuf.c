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
	region_free(&ring->slots);
	account_uncharge(map->account, ring->file.charged);
}

int ring_init(struct map *map)
{
	struct ring *ring = ring_of(map);
	size_t page = os_page_size(), size = map->desc.max_entries;
	int err;

	ring->file = ring->slots = REGION_NONE;
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
		.data = ring->file.base + PAGE_DATA * page,
		.consumer = (atomic_ullong *)(ring->file.base + PAGE_CONSUMER * page),
		.producer = (struct ring_producer *)(ring->file.base + PAGE_PRODUCER * page),
	};
	return 0;
}

static int kernel_ring_init(struct map *map)
{
	struct ring *ring = ring_of(map);
	int err = ring_init(map);

	if (err)
		return err;
	err = region_new(map->account, &ring->slots,
			 (map->slots + 1) * sizeof(struct ring_slot));
	if (err) {
		ring_done(map);
		return err;
	}
	ring->control->slots = (struct ring_slot *)ring->slots.base;
	ring->control->slot_count = map->slots;
	biased_lock_init(&ring->control->producer->lock);
	return 0;
}

/* --- records that are not committed --- */

_Static_assert(SLOT_NONE + 1 == 0, "comes first");

static struct ring_slot *slot_of(const struct ring_control *control, u32 slot)
{
	return &control->slots[slot + 1];
}

/* Under the lock. */
static inline void hold(struct ring_control *control, u32 slot, u64 position)
{
	struct ring_slot *held = slot_of(control, slot);
	u32 count;

	if (unlikely(slot == SLOT_NONE)) {
		count = atomic_fetch_add_explicit(&held->count, 1, memory_order_relaxed);
	} else {
		count = atomic_load_explicit(&held->count, memory_order_relaxed);
		atomic_store_explicit(&held->count, count + 1, memory_order_relaxed);
	}
	if (!count)
		held->oldest = position;
}

/* Release pairs with the acquire in first_held(): the record is committed. */
static inline void let_go(struct ring_control *control, u32 slot)
{
	struct ring_slot *held = slot_of(control, slot);
	u32 count;

	if (unlikely(slot == SLOT_NONE)) {
		atomic_fetch_sub_explicit(&held->count, 1, memory_order_release);
	} else {
		count = atomic_load_explicit(&held->count, memory_order_relaxed);
		atomic_store_explicit(&held->count, count - 1, memory_order_release);
	}
}

/* Where the first may be, at most `end`. */
static u64 first_held(const struct ring_control *control, u64 end)
{
	for (u32 i = 0; i <= control->slot_count; i++)
		if (atomic_load_explicit(&control->slots[i].count, memory_order_acquire))
			end = min(end, control->slots[i].oldest);
	return end;
}

/* Under the lock: moves `pending` over what was committed since. */
static void advance_pending(struct ring_control *control)
{
	struct ring_producer *producer = control->producer;
	u64 end = atomic_load_explicit(&producer->position, memory_order_relaxed);
	u64 at = max(producer->pending, first_held(control, end));

	while (at < end) {
		u32 length = atomic_load_explicit(&record_at(control, at)->length,
						  memory_order_relaxed);

		if (length & BPF_RINGBUF_BUSY_BIT)
			break;
		at += record_space(length & ~BPF_RINGBUF_DISCARD_BIT);
	}
	producer->pending = at;
}

/* --- reservations, under the lock --- */

/* Whether there is as far as it is known. User space may write anything as its position: the
 * distance then is large. */
static inline bool has_room(const struct ring_control *control, u64 end)
{
	const struct ring_producer *producer = control->producer;

	return end - producer->consumed <= control->mask &&
	       end - producer->pending <= control->mask;
}

static bool finds_room(struct ring_control *control, u64 end)
{
	struct ring_producer *producer = control->producer;

	/* Acquire pairs with the consumer's store: it is done with what lies before. */
	if (end - producer->consumed > control->mask)
		producer->consumed =
			atomic_load_explicit(control->consumer, memory_order_acquire);
	if (end - producer->pending > control->mask)
		advance_pending(control);
	return has_room(control, end);
}

static inline u64 end_of(const struct ring_control *control, u64 size)
{
	return atomic_load_explicit(&control->producer->position, memory_order_relaxed) +
	       record_space(size);
}

static inline void *put_record(struct ring_control *control, u64 size, u32 slot)
{
	u64 end = end_of(control, size), at = end - record_space(size);
	struct record *record = record_at(control, at);

	hold(control, slot, at);
	record->distance = (u32)((u64)((u8 *)record - (u8 *)control) / 8);
	atomic_store_explicit(&record->length, (u32)size | BPF_RINGBUF_BUSY_BIT,
			      memory_order_relaxed);
	/* Release pairs with the consumer's load: it finds the record marked busy. */
	atomic_store_explicit(&control->producer->position, end, memory_order_release);
	return record->data;
}

static __attribute__((noinline)) void *reserve_slow(struct ring_control *control, u64 size,
						    u32 slot)
{
	struct biased_lock *lock = &control->producer->lock;
	bool as_owner = biased_lock_enter(lock, slot);
	void *data = finds_room(control, end_of(control, size))
			     ? put_record(control, size, slot)
			     : NULL;

	biased_lock_leave(lock, slot, as_owner);
	return data;
}

static inline void *reserve(struct map *map, u64 size, u32 slot)
{
	struct ring_control *control = ring_of(map)->control;
	struct bias *bias = &control->producer->lock.bias;
	void *data = NULL;

	if (unlikely(size > UINT32_MAX / 4 || record_space(size) > control->mask + 1))
		return NULL;
	if (likely(bias_enter(bias, slot))) {
		if (likely(has_room(control, end_of(control, size))))
			data = put_record(control, size, slot);
		bias_leave(bias);
	}
	return likely(data) ? data : reserve_slow(control, size, slot);
}

/* Invalid flags leave nothing reserved, as a full buffer does. */
void *map_ringbuf_reserve(struct map *map, u64 size, u64 flags, u32 slot)
{
	return unlikely(flags) ? NULL : reserve(map, size, slot);
}

static struct ring_control *control_of(struct record *record)
{
	return (struct ring_control *)((u8 *)record - record->distance * 8ULL);
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

void map_ringbuf_commit(void *data, u64 flags, bool discard, u32 slot)
{
	struct record *record = container_of(data, struct record, data);
	struct ring_control *control = control_of(record);
	u32 length = atomic_load_explicit(&record->length, memory_order_relaxed);
	bool wakes = flags & BPF_RB_FORCE_WAKEUP;

	length = (length & ~BPF_RINGBUF_BUSY_BIT) | (discard ? BPF_RINGBUF_DISCARD_BIT : 0);
	if (flags & (BPF_RB_FORCE_WAKEUP | BPF_RB_NO_WAKEUP))
		/* Release pairs with the consumer's load: the record is complete. */
		atomic_store_explicit(&record->length, length, memory_order_release);
	else
		wakes = is_awaited(control, record, length);
	let_go(control, slot);
	if (unlikely(wakes))
		wake(control);
}

long map_ringbuf_output(struct map *map, const void *data, u64 size, u64 flags, u32 slot)
{
	void *to;

	if (flags & ~(u64)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	to = reserve(map, size, slot);
	if (!to)
		return -EAGAIN;
	memcpy(to, data, size);
	map_ringbuf_commit(to, flags, false, slot);
	return 0;
}

static u64 bytes_available(const struct ring_control *control)
{
	u64 consumer = atomic_load_explicit(control->consumer, memory_order_acquire);

	return atomic_load_explicit(&control->producer->position, memory_order_acquire) -
	       consumer;
}

u64 map_ringbuf_query(struct map *map, u64 flags)
{
	const struct ring_control *control = ring_of(map)->control;

	switch (flags) {
	case BPF_RB_AVAIL_DATA: return bytes_available(control);
	case BPF_RB_RING_SIZE: return control->mask + 1;
	case BPF_RB_CONS_POS: return atomic_load(control->consumer);
	case BPF_RB_PROD_POS: return atomic_load(&control->producer->position);
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
	.init = kernel_ring_init,
	.done = ring_done,
	.equal = map_desc_equal,
	.mmap = ring_mmap,
	.readable = ring_readable,
	.owns = ring_owns,
};
