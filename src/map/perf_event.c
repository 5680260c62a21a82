/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/perf_event.h"

#include "base/os.h"
#include "map/map.h"
#include "map/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void event_free(struct rcu_head *head)
{
	struct perf_event *event = container_of(head, struct perf_event, rcu);

	region_free(&event->region);
	free(event);
}

static void event_release(struct object *object)
{
	call_rcu(&container_of(object, struct perf_event, object)->rcu, event_free);
}

int perf_event_new(const struct perf_event_attr *attr, u32 slot, struct perf_event **out)
{
	struct perf_event *event;

	if (attr->type != PERF_TYPE_SOFTWARE || attr->config != PERF_COUNT_SW_BPF_OUTPUT ||
	    attr->sample_type != PERF_SAMPLE_RAW || attr->watermark || attr->write_backward)
		return -EOPNOTSUPP;
	event = calloc(1, sizeof(*event));
	if (!event)
		return -ENOMEM;
	object_init(&event->object, OBJECT_PERF_EVENT, event_release);
	event->slot = slot;
	event->wakeup_events = attr->wakeup_events ? attr->wakeup_events : 1;
	event->region = REGION_NONE;
	atomic_init(&event->enabled, !attr->disabled);
	*out = event;
	return 0;
}

void perf_event_enable(struct perf_event *event, bool enabled)
{
	atomic_store(&event->enabled, enabled);
}

/* Linux gives the buffer its size with the first mapping. */
static int create_buffer(struct perf_event *event, size_t length)
{
	struct perf_event_mmap_page *page;
	size_t page_size = os_page_size();
	int err = region_new_shared(NULL, &event->region, "perf-buffer", length);

	if (err)
		return err;
	page = (struct perf_event_mmap_page *)event->region.base;
	page->data_offset = page_size;
	page->data_size = length - page_size;
	event->data = event->region.base + page_size;
	event->length = length - page_size;
	/* Release pairs with the acquire of the writers. */
	atomic_store_explicit(&event->page, page, memory_order_release);
	return 0;
}

int perf_event_mmap(struct perf_event *event, void *address, size_t length, int prot, int flags,
		    u64 offset, void **out)
{
	size_t page_size = os_page_size();
	int err = 0;

	if (!(flags & MAP_SHARED) || offset || length % page_size ||
	    !is_power_of_two(length / page_size - 1))
		return -EINVAL;
	value_spin_lock(&event->lock);
	if (!event->region.base)
		err = create_buffer(event, length);
	else if (event->region.size != length)
		err = -EINVAL;
	value_spin_unlock(&event->lock);
	return err ? err
		   : region_mmap(&event->region, address, length, prot, flags, offset, out);
}

static u64 tail_of(const struct perf_event_mmap_page *page)
{
	/* Acquire pairs with the consumer's store: it is done with what lies before. */
	return __atomic_load_n(&page->data_tail, __ATOMIC_ACQUIRE);
}

bool perf_event_is_readable(const struct perf_event *event)
{
	const struct perf_event_mmap_page *page =
		atomic_load_explicit(&event->page, memory_order_acquire);

	return page && __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE) != tail_of(page);
}

/* --- writing: only the thread that has the event's slot does --- */

/* Appends at event->head, round the end of the buffer. */
static void put(struct perf_event *event, const void *data, u64 size)
{
	u64 at = event->head & (event->length - 1), first = min(size, event->length - at);

	if (!size)
		return;
	memcpy(event->data + at, data, first);
	if (unlikely(first < size))
		memcpy(event->data, (const u8 *)data + first, size - first);
	event->head += size;
}

static bool has_room(const struct perf_event *event, const struct perf_event_mmap_page *page,
		     u64 size)
{
	return event->head - tail_of(page) + size <= event->length;
}

struct lost_record {
	struct perf_event_header header;
	u64 id, lost;
};

struct sample {
	struct perf_event_header header;
	u32 size; /* of the raw data with its padding */
};

#define SAMPLE_HEAD (offsetof(struct sample, size) + sizeof(u32))

static void put_lost(struct perf_event *event)
{
	struct lost_record record = {
		.header = {.type = PERF_RECORD_LOST, .size = sizeof(record)},
		.lost = event->lost,
	};

	put(event, &record, sizeof(record));
	event->lost = 0;
}

/* header, size, data, more, padding: a multiple of 8 bytes. */
static void put_sample(struct perf_event *event, u64 total, const void *data, u64 size,
		       const void *more, u64 more_size)
{
	const struct sample sample = {
		.header = {.type = PERF_RECORD_SAMPLE, .size = (u16)total},
		.size = (u32)(total - SAMPLE_HEAD),
	};
	static const u8 zeros[8];
	u64 at = event->head & (event->length - 1);
	u8 *to = event->data + at;

	if (likely(total <= event->length - at)) {
		memcpy(to + total - sizeof(zeros), zeros, sizeof(zeros));
		memcpy(to, &sample, SAMPLE_HEAD);
		memcpy(to + SAMPLE_HEAD, data, size);
		if (more_size)
			memcpy(to + SAMPLE_HEAD + size, more, more_size);
		event->head += total;
		return;
	}

	put(event, &sample, SAMPLE_HEAD);
	put(event, data, size);
	put(event, more, more_size);
	put(event, zeros, sample.size - size - more_size);
}

static int append(struct perf_event *event, const void *data, u64 size, const void *more,
		  u64 more_size, bool *wake)
{
	struct perf_event_mmap_page *page =
		atomic_load_explicit(&event->page, memory_order_relaxed);
	u64 total = round_up(SAMPLE_HEAD + size + more_size, 8);
	u64 lost = event->lost ? sizeof(struct lost_record) : 0;

	if (total > UINT16_MAX)
		return -E2BIG;
	if (!has_room(event, page, total + lost)) {
		event->lost++;
		return -ENOSPC;
	}
	if (lost)
		put_lost(event);
	put_sample(event, total, data, size, more, more_size);
	/* Release pairs with the consumer's load: the records are complete. */
	__atomic_store_n(&page->data_head, event->head, __ATOMIC_RELEASE);
	*wake = ++event->unreported >= event->wakeup_events;
	if (*wake)
		event->unreported = 0;
	return 0;
}

static long output(struct perf_event *event, const void *data, u64 size, const void *more,
		   u64 more_size)
{
	bool wake = false;
	int err;

	if (!atomic_load_explicit(&event->page, memory_order_acquire))
		return -ENOSPC;
	err = append(event, data, size, more, more_size, &wake);
	if (wake)
		object_wake(&event->object);
	return err;
}

long map_perf_output(struct map *map, u64 flags, u32 slot, const void *data, u64 size,
		     const void *more, u64 more_size)
{
	u64 index = flags & BPF_F_INDEX_MASK;
	struct object *object;
	struct perf_event *event;

	if (index == BPF_F_CURRENT_CPU)
		index = slot;
	if (index >= map->desc.max_entries)
		return -E2BIG;
	object = map_object_at(map, index);
	if (!object)
		return -ENOENT;
	event = container_of(object, struct perf_event, object);
	if (event->slot != slot || !atomic_load_explicit(&event->enabled, memory_order_relaxed))
		return -EOPNOTSUPP;
	return output(event, data, size, more, more_size);
}
