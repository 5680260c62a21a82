/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perf events as perf event arrays hold them: PERF_COUNT_SW_BPF_OUTPUT of one slot, with the
 * buffer that libbpf's perf_buffer maps (struct perf_event_mmap_page, then the data).
 */
#ifndef SKEP_MAP_PERF_EVENT_H
#define SKEP_MAP_PERF_EVENT_H

#include "base/object.h"
#include "base/rcu.h"
#include "map/region.h"
#include <linux/perf_event.h>

struct perf_event {
	struct object object; /* first: an object of kind OBJECT_PERF_EVENT */
	u32 slot;
	u32 wakeup_events; /* records between two wake-ups */
	atomic_bool enabled;
	/* Set when the buffer is mapped; NULL before. */
	struct perf_event_mmap_page *_Atomic page;
	struct region region;
	/* Of the region; not read from the page, which user space may write. */
	u8 *data;
	u64 length;
	u32 lock;
	u32 unreported; /* records since the last wake-up; under `lock` */
	u64 head;	/* under `lock`; the page has a copy */
	u64 lost;	/* not told to user space yet; under `lock` */
	struct rcu_head rcu;
};

/*
 * perf_event_open(2) of `cpu` = slot: -EOPNOTSUPP for any event but a BPF output with raw
 * samples.
 */
int perf_event_new(const struct perf_event_attr *attr, u32 slot, struct perf_event **out);
/* PERF_EVENT_IOC_ENABLE, _DISABLE. */
void perf_event_enable(struct perf_event *event, bool enabled);
/* mmap(2) of the event: a page and a power of two of pages, once. */
int perf_event_mmap(struct perf_event *event, void *address, size_t length, int prot, int flags,
		    u64 offset, void **out);
bool perf_event_is_readable(const struct perf_event *event);

#endif
