/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring buffers and perf buffers, read through the memory that user space maps. */
#include "tests/unit.h"

#include "base/os.h"
#include "map/map.h"
#include "map/perf_event.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE	  4096UL
#define RING_SIZE 4096U

static atomic_uint wakes;

static void count_wake(struct object *object)
{
	wakes++;
}

struct ring {
	struct map *map;
	atomic_ullong *consumer;
	const atomic_ullong *producer;
	const u8 *data; /* mapped twice */
};

static struct map *make(u32 type, u32 max_entries)
{
	struct map_desc desc = {.type = type, .max_entries = max_entries};
	struct map *map = NULL;

	if (type == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		desc.key_size = desc.value_size = 4;
	assert_int_equal(map_new(&desc, NULL, 2, &map, NULL), 0);
	map->object.wake = count_wake;
	wakes = 0;
	return map;
}

static void *map_pages(struct map *map, size_t length, int prot, u64 offset)
{
	void *address = NULL;

	assert_int_equal(map_mmap(map, NULL, length, prot, MAP_SHARED, offset, &address), 0);
	return address;
}

/* As libbpf's ring_buffer__add() does it. */
static struct ring open_ring(void)
{
	struct ring ring = {.map = make(BPF_MAP_TYPE_RINGBUF, RING_SIZE)};
	u8 *pages;

	ring.consumer = map_pages(ring.map, PAGE, PROT_READ | PROT_WRITE, 0);
	pages = map_pages(ring.map, PAGE + 2 * RING_SIZE, PROT_READ, PAGE);
	ring.producer = (const atomic_ullong *)pages;
	ring.data = pages + PAGE;
	return ring;
}

static void close_ring(struct ring *ring)
{
	munmap(ring->consumer, PAGE);
	munmap((u8 *)ring->data - PAGE, PAGE + 2 * RING_SIZE);
	object_put(&ring->map->object);
}

/* The next committed record, consumed: its size, or -1. `discarded` may be NULL. */
static int consume(struct ring *ring, void *out, bool *discarded)
{
	u64 at = atomic_load(ring->consumer);
	const u32 *header = (const u32 *)(ring->data + (at & (RING_SIZE - 1)));
	u32 length;

	if (at == atomic_load(ring->producer))
		return -1;
	length = __atomic_load_n(header, __ATOMIC_ACQUIRE);
	if (length & BPF_RINGBUF_BUSY_BIT)
		return -1;
	if (discarded)
		*discarded = length & BPF_RINGBUF_DISCARD_BIT;
	length &= ~BPF_RINGBUF_DISCARD_BIT;
	memcpy(out, header + 2, length);
	atomic_store(ring->consumer, at + round_up(length + BPF_RINGBUF_HDR_SZ, 8));
	return (int)length;
}

static void test_ring_records(void **state)
{
	struct ring ring = open_ring();
	bool discarded = false;
	u8 *first, *second, out[64];

	assert_false(map_is_readable(ring.map));
	first = map_ringbuf_reserve(ring.map, 12, 0, SLOT_NONE);
	second = map_ringbuf_reserve(ring.map, 5, 0, SLOT_NONE);
	assert_non_null(first);
	assert_non_null(second);
	assert_true(map_owns(ring.map, first, 12));
	assert_int_equal(map_ringbuf_query(ring.map, BPF_RB_AVAIL_DATA), 24 + 16);
	memcpy(first, "first record", 12);
	memcpy(second, "other", 5);
	map_ringbuf_commit(second, 0, false, SLOT_NONE);
	/* The consumer does not wait for this one. */
	assert_int_equal(wakes, 0);
	assert_int_equal(consume(&ring, out, NULL), -1);
	map_ringbuf_commit(first, 0, true, SLOT_NONE);
	assert_int_equal(wakes, 1);
	assert_int_equal(consume(&ring, out, &discarded), 12);
	assert_true(discarded);
	assert_int_equal(consume(&ring, out, &discarded), 5);
	assert_false(discarded);
	assert_memory_equal(out, "other", 5);
	assert_int_equal(consume(&ring, out, NULL), -1);
	assert_int_equal(map_ringbuf_query(ring.map, BPF_RB_CONS_POS), 40);
	assert_int_equal(map_ringbuf_query(ring.map, BPF_RB_PROD_POS), 40);
	assert_int_equal(map_ringbuf_query(ring.map, BPF_RB_RING_SIZE), RING_SIZE);
	assert_int_equal(map_ringbuf_query(ring.map, 99), 0);
	close_ring(&ring);
}

/* Who was woken is not again before it is about to wait. */
static void test_ring_awake(void **state)
{
	static const struct {
		bool asks;
		u32 wakes;
	} rows[] = {{false, 1}, {false, 0}, {true, 1}, {false, 0}, {true, 1}};
	struct ring ring = open_ring();
	u8 out[8];

	if (!os_barrier_ready())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].asks)
			assert_false(map_is_readable(ring.map));
		wakes = 0;
		assert_int_equal(map_ringbuf_output(ring.map, "12345678", 8, 0, 0), 0);
		assert_int_equal(wakes, rows[i].wakes);
		assert_true(map_is_readable(ring.map));
		assert_int_equal(consume(&ring, out, NULL), 8);
	}
	close_ring(&ring);
}

static void test_ring_wake_ups(void **state)
{
	static const struct {
		u64 flags;
		long want;
		u32 wakes;
	} rows[] = {
		{0, 0, 1},
		{BPF_RB_NO_WAKEUP, 0, 0},
		{BPF_RB_FORCE_WAKEUP, 0, 1},
		{4, -EINVAL, 0},
	};
	struct ring ring = open_ring();
	u64 out;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		wakes = 0;
		assert_int_equal(
			map_ringbuf_output(ring.map, "12345678", 8, rows[i].flags, SLOT_NONE),
			rows[i].want);
		assert_int_equal(wakes, rows[i].wakes);
		consume(&ring, &out, NULL);
	}
	/* Behind a record that was not consumed only a forced wake-up comes. */
	map_ringbuf_output(ring.map, "12345678", 8, BPF_RB_NO_WAKEUP, SLOT_NONE);
	wakes = 0;
	map_ringbuf_output(ring.map, "12345678", 8, 0, SLOT_NONE);
	assert_int_equal(wakes, 0);
	map_ringbuf_output(ring.map, "12345678", 8, BPF_RB_FORCE_WAKEUP, SLOT_NONE);
	assert_int_equal(wakes, 1);
	close_ring(&ring);
}

/* The ring takes one byte less than its size, and records go on over its end. */
static void test_ring_is_full(void **state)
{
	struct ring ring = open_ring();
	u8 out[RING_SIZE];

	assert_null(map_ringbuf_reserve(ring.map, RING_SIZE, 0, SLOT_NONE));
	assert_null(map_ringbuf_reserve(ring.map, RING_SIZE - 8, 0, SLOT_NONE));
	assert_null(map_ringbuf_reserve(ring.map, UINT32_MAX, 0, SLOT_NONE));
	assert_null(map_ringbuf_reserve(ring.map, 8, 1, SLOT_NONE));
	memset(out, 7, sizeof(out));
	for (u32 i = 0; i < 5; i++) {
		assert_int_equal(map_ringbuf_output(ring.map, out, 3000, 0, SLOT_NONE), 0);
		assert_int_equal(map_ringbuf_output(ring.map, out, 3000, 0, SLOT_NONE),
				 -EAGAIN);
		out[2999] = 0;
		assert_int_equal(consume(&ring, out, NULL), 3000);
		assert_int_equal(out[2999], 7);
	}
	/* Whatever user space writes as its position, nothing is overwritten. */
	atomic_store(ring.consumer, ~0ULL);
	assert_int_equal(map_ringbuf_output(ring.map, out, 3000, 0, SLOT_NONE), -EAGAIN);
	close_ring(&ring);
}

/* A record that is not committed is not written over, wherever user space says that it is. Step
 * by step, where the consumer's position is always the producer's. */
static void test_ring_is_held(void **state)
{
	static const struct {
		enum { RESERVE, COMMIT, FULL } action;
		u32 record, slot;
	} rows[] = {
		{RESERVE, 0, 0}, {RESERVE, 1, 0},	  {RESERVE, 2, 1},
		{FULL, 0, 1},	 {COMMIT, 1, 0},	  {FULL, 0, 1},
		{COMMIT, 0, 0},	 {RESERVE, 3, 0},	  {RESERVE, 0, 1},
		{FULL, 0, 0},	 {COMMIT, 3, 0},	  {FULL, 0, SLOT_NONE},
		{COMMIT, 2, 1},	 {RESERVE, 1, SLOT_NONE}, {RESERVE, 2, 0},
		{FULL, 0, 1},	 {COMMIT, 0, 1},	  {RESERVE, 3, 1},
		{FULL, 0, 0},	 {COMMIT, 1, SLOT_NONE},  {RESERVE, 0, 1},
	};
	struct ring ring = open_ring();
	u8 *records[4] = {NULL};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 *data = NULL;

		atomic_store(ring.consumer, atomic_load(ring.producer));
		if (rows[i].action == COMMIT)
			map_ringbuf_commit(records[rows[i].record], 0, false, rows[i].slot);
		else
			data = map_ringbuf_reserve(ring.map, 1200, 0, rows[i].slot);
		if (!data != (rows[i].action != RESERVE))
			fail_msg("row %u: %s", i, data ? "a record" : "no record");
		if (data)
			records[rows[i].record] = data;
	}
	close_ring(&ring);
}

static void test_ring_mappings(void **state)
{
	static const struct {
		size_t length;
		int prot, flags;
		u64 offset;
		int want;
	} rows[] = {
		{PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0, 0},
		{PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, PAGE, -EPERM},
		{2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0, -EPERM},
		{PAGE, PROT_READ, MAP_PRIVATE, 0, -EINVAL},
		{2 * PAGE + 2 * RING_SIZE, PROT_READ, MAP_SHARED, 0, 0},
		{RING_SIZE, PROT_READ, MAP_SHARED, 2 * PAGE + RING_SIZE, 0},
		{3 * PAGE + 2 * RING_SIZE, PROT_READ, MAP_SHARED, 0, -EINVAL},
		{PAGE, PROT_READ, MAP_SHARED, 100 * PAGE, -EINVAL},
	};
	struct map *map = make(BPF_MAP_TYPE_RINGBUF, RING_SIZE);

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		void *address = NULL;
		int err = map_mmap(map, NULL, rows[i].length, rows[i].prot, rows[i].flags,
				   rows[i].offset, &address);

		if (err != rows[i].want)
			fail_msg("row %u: %d, want %d", i, err, rows[i].want);
		if (!err)
			munmap(address, rows[i].length);
	}
	object_put(&map->object);
}

#define RECORDS 20000U

struct producer {
	struct ring *ring;
	u32 slot;
	pthread_t thread;
};

static void *produce(void *argument)
{
	const struct producer *producer = argument;
	struct ring *ring = producer->ring;

	for (u32 sent = 0; sent < RECORDS;) {
		u32 *record =
			map_ringbuf_reserve(ring->map, 4 + sent % 3 * 8, 0, producer->slot);

		if (!record)
			continue;
		*record = sent++;
		map_ringbuf_commit(record, 0, false, producer->slot);
	}
	return NULL;
}

static void start(struct producer *producer, struct ring *ring, u32 slot)
{
	*producer = (struct producer){.ring = ring, .slot = slot};
	assert_int_equal(pthread_create(&producer->thread, NULL, produce, producer), 0);
}

/* The sum of so many records' first words. */
static u64 receive(struct ring *ring, u32 records)
{
	u64 sum = 0;

	for (u32 received = 0; received < records;) {
		u32 out[8];
		int length = consume(ring, out, NULL);

		if (length < 0)
			continue;
		assert_int_equal(length, 4 + out[0] % 3 * 8);
		sum += out[0];
		received++;
	}
	return sum;
}

/* One slot has the ring for itself, so that it needs no lock, when others come: a slot and a
 * thread without one. */
static void test_ring_threads(void **state)
{
	const u64 sum = (u64)RECORDS * (RECORDS - 1) / 2;
	struct ring ring = open_ring();
	struct producer producers[3];

	start(&producers[0], &ring, 0);
	assert_int_equal(receive(&ring, RECORDS), sum);
	pthread_join(producers[0].thread, NULL);
	for (u32 i = 0; i < 2; i++) {
		start(&producers[0], &ring, 0);
		start(&producers[1], &ring, 1);
		start(&producers[2], &ring, SLOT_NONE);
		assert_int_equal(receive(&ring, 3 * RECORDS), 3 * sum);
		for (u32 j = 0; j < ARRAY_SIZE(producers); j++)
			pthread_join(producers[j].thread, NULL);
	}
	close_ring(&ring);
}

/* --- perf buffers --- */

struct sample {
	struct perf_event_header header;
	u32 size;
	u8 data[];
};

static struct perf_event *make_event(u32 slot, u32 wakeup_events)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .config = PERF_COUNT_SW_BPF_OUTPUT,
				       .sample_type = PERF_SAMPLE_RAW,
				       .wakeup_events = wakeup_events};
	struct perf_event *event = NULL;

	assert_int_equal(perf_event_new(&attr, slot, &event), 0);
	event->object.wake = count_wake;
	return event;
}

static void test_perf_output(void **state)
{
	struct map *map = make(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 2);
	struct perf_event *event = make_event(1, 2);
	struct perf_event_mmap_page *page;
	const struct sample *sample;
	void *address = NULL;
	u32 key = 1;

	assert_int_equal(map_perf_output(map, BPF_F_CURRENT_CPU, 1, "x", 1, NULL, 0), -ENOENT);
	assert_int_equal(map_user_update_object(map, &key, &event->object, 0), 0);
	assert_int_equal(map_perf_output(map, 5, 1, "x", 1, NULL, 0), -E2BIG);
	assert_int_equal(map_perf_output(map, 1, 0, "x", 1, NULL, 0), -EOPNOTSUPP);
	assert_int_equal(map_perf_output(map, 1, 1, "x", 1, NULL, 0), -ENOSPC);
	assert_int_equal(perf_event_mmap(event, NULL, 3 * PAGE + PAGE, PROT_READ | PROT_WRITE,
					 MAP_SHARED, 0, &address),
			 -EINVAL);
	assert_int_equal(perf_event_mmap(event, NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
					 MAP_SHARED, 0, &address),
			 0);
	page = address;
	assert_int_equal(map_perf_output(map, BPF_F_CURRENT_CPU, 1, "hello", 5, " you", 4), 0);
	assert_int_equal(wakes, 0);
	assert_int_equal(map_perf_output(map, BPF_F_CURRENT_CPU, 1, "abc", 3, NULL, 0), 0);
	assert_int_equal(wakes, 1);
	assert_true(perf_event_is_readable(event));
	sample = (const struct sample *)((u8 *)page + page->data_offset);
	assert_int_equal(sample->header.type, PERF_RECORD_SAMPLE);
	assert_int_equal(sample->header.size, 24);
	assert_int_equal(sample->size, 12);
	assert_memory_equal(sample->data, "hello you", 9);
	assert_int_equal(page->data_head, 24 + 16);
	munmap(address, 2 * PAGE);
	object_put(&map->object);
	object_put(&event->object);
}

/* What did not fit is counted, and told before the next record that does. */
static void test_perf_lost(void **state)
{
	struct map *map = make(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 1);
	struct perf_event *event = make_event(0, 1);
	struct perf_event_mmap_page *page;
	struct {
		struct perf_event_header header;
		u64 id, lost;
	} * lost;
	static const u8 data[1004];
	void *address = NULL;
	u32 key = 0;

	assert_int_equal(map_user_update_object(map, &key, &event->object, 0), 0);
	assert_int_equal(perf_event_mmap(event, NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
					 MAP_SHARED, 0, &address),
			 0);
	page = address;
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(map_perf_output(map, 0, 0, data, sizeof(data), NULL, 0), 0);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(map_perf_output(map, 0, 0, data, sizeof(data), NULL, 0),
				 -ENOSPC);
	__atomic_store_n(&page->data_tail, page->data_head, __ATOMIC_RELEASE);
	assert_false(perf_event_is_readable(event));
	assert_int_equal(map_perf_output(map, 0, 0, data, 4, NULL, 0), 0);
	lost = (void *)((u8 *)page + page->data_offset + page->data_tail % page->data_size);
	assert_int_equal(lost->header.type, PERF_RECORD_LOST);
	assert_int_equal(lost->lost, 3);
	munmap(address, 2 * PAGE);
	object_put(&map->object);
	object_put(&event->object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring_records), cmocka_unit_test(test_ring_wake_ups),
		cmocka_unit_test(test_ring_awake),   cmocka_unit_test(test_ring_is_full),
		cmocka_unit_test(test_ring_is_held), cmocka_unit_test(test_ring_mappings),
		cmocka_unit_test(test_ring_threads), cmocka_unit_test(test_perf_output),
		cmocka_unit_test(test_perf_lost),
	};

	if (os_page_size() != PAGE)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
