/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux and skep lay their buffers out alike; they are mapped in two ways. */
#include "bench.h"

#include "base/os.h"
#include "base/pause.h"
#include "sys/fd_calls.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PERF_BYTES (16UL << 20)
#define CPUS_MAX   256

struct buffer {
	u64 mask;			    /* ring: size of the data - 1 */
	atomic_ullong *consumer, *producer; /* ring; NULL: perf buffers */
	u8 *data;
	struct perf_event_mmap_page *page[CPUS_MAX];
	int fd[CPUS_MAX];
	u32 cpus;
};

static int map_memory(struct skep_engine *engine, int fd, size_t length, int prot, u64 offset,
		      void *out)
{
	void *memory;

	if (engine) {
		int err = fd_mmap(engine, fd, NULL, length, prot, MAP_SHARED, offset, &memory);

		if (err)
			return err;
	} else {
		memory = mmap(NULL, length, prot, MAP_SHARED, fd, (off_t)offset);
		if (memory == MAP_FAILED)
			return -errno;
	}
	*(void **)out = memory;
	return 0;
}

static int open_ring(struct buffer *buffer, struct skep_engine *engine,
		     const struct bpf_map *map)
{
	const size_t page = os_page_size(), size = bpf_map__max_entries(map);
	int fd = bpf_map__fd(map), err;

	buffer->mask = size - 1;
	err = map_memory(engine, fd, page, PROT_READ | PROT_WRITE, 0, &buffer->consumer);
	if (!err)
		err = map_memory(engine, fd, page + 2 * size, PROT_READ, page,
				 &buffer->producer);
	buffer->data = (u8 *)buffer->producer + page;
	return err;
}

static int open_event(struct buffer *buffer, struct skep_engine *engine, int map, u32 cpu)
{
	const struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		.wakeup_events = 1U << 30,
	};
	int fd = engine ? fd_perf_event_open(engine, &attr, (int)cpu)
			: (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, 0);

	if (fd < 0)
		return engine ? fd : -errno;
	buffer->fd[buffer->cpus] = fd;
	if (bpf_map_update_elem(map, &cpu, &fd, BPF_ANY))
		return -errno;
	return map_memory(engine, fd, PERF_BYTES + os_page_size(), PROT_READ | PROT_WRITE, 0,
			  &buffer->page[buffer->cpus++]);
}

static int open_perf(struct buffer *buffer, struct skep_engine *engine,
		     const struct bpf_map *map)
{
	const u32 cpus = min((u32)libbpf_num_possible_cpus(), (u32)CPUS_MAX);
	int err = 0;

	for (u32 cpu = 0; cpu < cpus && !err; cpu++)
		err = open_event(buffer, engine, bpf_map__fd(map), cpu);
	return err;
}

int buffer_open(struct bpf_object *bpf, struct skep_engine *engine, struct buffer **out)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, bpf) {
		const enum bpf_map_type type = bpf_map__type(map);

		if (type != BPF_MAP_TYPE_RINGBUF && type != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			continue;
		*out = calloc(1, sizeof(**out));
		if (!*out)
			abort();
		return type == BPF_MAP_TYPE_RINGBUF ? open_ring(*out, engine, map)
						    : open_perf(*out, engine, map);
	}
	return 0;
}

void buffer_close(struct buffer *buffer)
{
	if (!buffer)
		return;
	if (buffer->consumer)
		munmap(buffer->consumer, os_page_size());
	if (buffer->producer)
		munmap(buffer->producer, os_page_size() + 2 * (buffer->mask + 1));
	for (u32 i = 0; i < buffer->cpus; i++) {
		munmap(buffer->page[i], PERF_BYTES + os_page_size());
		close(buffer->fd[i]);
	}
	free(buffer);
}

void buffer_empty(struct buffer *buffer)
{
	if (buffer->producer)
		atomic_store(buffer->consumer, atomic_load(buffer->producer));
	for (u32 i = 0; i < buffer->cpus; i++)
		__atomic_store_n(&buffer->page[i]->data_tail,
				 __atomic_load_n(&buffer->page[i]->data_head, __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
}

/* Records that are complete, from `at`; the position behind them. */
static u64 read_records(const struct buffer *buffer, u64 at, u64 end, u64 *records)
{
	while (at < end) {
		const atomic_uint *header = (atomic_uint *)(buffer->data + (at & buffer->mask));
		u32 length = atomic_load_explicit(header, memory_order_acquire);

		if (length & BPF_RINGBUF_BUSY_BIT)
			break;
		at += round_up((length & ~BPF_RINGBUF_DISCARD_BIT) + BPF_RINGBUF_HDR_SZ, 8);
		++*records;
	}
	return at;
}

u64 buffer_read(struct buffer *buffer, const atomic_bool *end)
{
	u64 at = atomic_load(buffer->consumer), records = 0;
	bool last = false;

	for (;;) {
		u64 next = read_records(
			buffer, at,
			atomic_load_explicit(buffer->producer, memory_order_acquire), &records);

		if (next == at && last)
			return records;
		last = atomic_load(end);
		if (next != at)
			atomic_store_explicit(buffer->consumer, next, memory_order_release);
		else /* Asking again and again takes the line with the position away. */
			pause_times(64);
		at = next;
	}
}
