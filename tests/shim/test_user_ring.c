/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers from user space, in skep and in the running kernel: what libbpf's producer
 * sends, and what a producer writes that means no good.
 */
#include "user_ring.skel.h"

#include "base/types.h"
#include "shim/wrap.h"
#include "tests/unit.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096U
#define RING 4096U

struct side {
	struct skep_engine *engine; /* NULL: the kernel */
	struct user_ring_bpf *object;
	u64 *consumer, *producer;
	u8 *data;
};

/* Headers of records, one after the other; a length of 0 after the first ends the list. */
struct record {
	u32 header;
	u64 number;
};

#define BUSY	BPF_RINGBUF_BUSY_BIT
#define DISCARD BPF_RINGBUF_DISCARD_BIT

static const struct row {
	const char *name;
	struct record records[4];
	s64 beyond; /* of the producer's position behind the records */
	u64 stop_after, flags;
} rows[] = {
	{"nothing", {}, 0, 0, 0},
	{"one", {{8, 42}}, 0, 0, 0},
	{"three", {{8, 1}, {16, 2}, {9, 3}}, 0, 0, 0},
	{"two of three", {{8, 1}, {8, 2}, {8, 3}}, 0, 2, 0},
	{"too short for the program", {{4, 7}}, 0, 0, 0},
	{"discarded between others", {{8, 1}, {8 | DISCARD, 2}, {8, 3}}, 0, 0, 0},
	{"busy", {{8, 1}, {8 | BUSY, 2}, {8, 3}}, 0, 0, 0},
	{"busy and discarded", {{8 | BUSY | DISCARD, 2}, {8, 3}}, 0, 0, 0},
	{"no wake-up", {{8, 1}}, 0, 0, BPF_RB_NO_WAKEUP},
	{"forced wake-up", {{8, 1}}, 0, 0, BPF_RB_FORCE_WAKEUP},
	{"flag that does not exist", {{8, 1}}, 0, 0, 4},
	{"longer than what was sent", {{8, 1}, {64, 2}}, -8, 0, 0},
	{"busy, and longer than what was sent", {{64 | BUSY, 2}}, -8, 0, 0},
	{"longer than the buffer", {{2 * RING, 1}}, 0, 0, 0},
	{"longer than a dynptr", {{1 << 24, 1}}, 0, 0, 0},
	{"producer between two records", {{8, 1}}, 4, 0, 0},
};

static struct side sides[2];

static void *map_pages(int fd, size_t length, int prot, off_t offset)
{
	void *pages = mmap(NULL, length, prot, MAP_SHARED, fd, offset);

	assert_ptr_not_equal(pages, MAP_FAILED);
	return pages;
}

static int open_side(struct side *side)
{
	int fd;

	wrap_use_engine(side->engine);
	side->object = user_ring_bpf__open_and_load();
	if (!side->object)
		return -1;
	fd = bpf_map__fd(side->object->maps.ring);
	side->consumer = map_pages(fd, PAGE, PROT_READ, 0);
	side->producer = map_pages(fd, PAGE + 2 * RING, PROT_READ | PROT_WRITE, PAGE);
	side->data = (u8 *)side->producer + PAGE;
	return 0;
}

static void close_side(struct side *side)
{
	wrap_use_engine(side->engine);
	munmap(side->consumer, PAGE);
	munmap(side->producer, PAGE + 2 * RING);
	user_ring_bpf__destroy(side->object);
	wrap_use_linux();
	skep_engine_free(side->engine);
}

static void run(struct side *side)
{
	u8 packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	wrap_use_engine(side->engine);
	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(side->object->progs.drain), &opts), 0);
}

static u64 end_of(u64 at, const struct record *record)
{
	return at + (((record->header & ~(BUSY | DISCARD)) + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL);
}

/* Behind all that was taken before. */
static void send_row(struct side *side, const struct row *row)
{
	u64 at = *side->consumer;

	for (u32 i = 0; i < ARRAY_SIZE(row->records) && row->records[i].header; i++) {
		u8 *record = side->data + at % RING;

		memcpy(record, &row->records[i].header, sizeof(u32));
		memcpy(record + BPF_RINGBUF_HDR_SZ, &row->records[i].number, sizeof(u64));
		at = end_of(at, &row->records[i]);
	}
	__atomic_store_n(side->producer, at + row->beyond, __ATOMIC_RELEASE);
	side->object->bss->records = side->object->bss->sum = 0;
	side->object->bss->missing = 0;
	side->object->bss->inner = side->object->bss->result = 0;
	side->object->bss->stop_after = row->stop_after;
	side->object->bss->flags = row->flags;
}

static void compare(const char *name, const char *what, s64 ours, s64 theirs)
{
	if (ours != theirs)
		fail_msg("%s: %s: skep %lld, Linux %lld", name, what, ours, theirs);
}

static void run_row(const struct row *row)
{
	const struct user_ring_bpf__bss *ours = sides[0].object->bss;
	const struct user_ring_bpf__bss *theirs = sides[1].object->bss;

	for (u32 i = 0; i < ARRAY_SIZE(sides); i++) {
		send_row(&sides[i], row);
		run(&sides[i]);
	}
	compare(row->name, "result", ours->result, theirs->result);
	compare(row->name, "records", (s64)ours->records, (s64)theirs->records);
	compare(row->name, "sum", (s64)ours->sum, (s64)theirs->sum);
	compare(row->name, "records too short", (s64)ours->missing, (s64)theirs->missing);
	compare(row->name, "a call inside", ours->inner, theirs->inner);
	compare(row->name, "consumer", (s64)*sides[0].consumer, (s64)*sides[1].consumer);
	/* The next row finds the ring empty. */
	for (u32 i = 0; i < ARRAY_SIZE(sides); i++)
		*sides[i].producer = *sides[i].consumer;
}

static void test_rows(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i]);
}

static u64 send_by_libbpf(struct side *side, u32 count)
{
	struct user_ring_buffer *ring;
	u32 sent = 0;
	u64 *record;

	wrap_use_engine(side->engine);
	send_row(side, &rows[0]);
	ring = user_ring_buffer__new(bpf_map__fd(side->object->maps.ring), NULL);
	assert_non_null(ring);
	for (u32 i = 0; i < count; i++) {
		record = user_ring_buffer__reserve(ring, 8 + i % 3 * 8);
		if (!record) {
			assert_int_equal(errno, ENOSPC);
			run(side);
			i--;
			continue;
		}
		*record = i;
		if (i % 5 == 4)
			user_ring_buffer__discard(ring, record);
		else
			user_ring_buffer__submit(ring, record);
		sent += i % 5 != 4;
	}
	run(side);
	user_ring_buffer__free(ring);
	assert_int_equal(side->object->bss->records, sent);
	return side->object->bss->sum;
}

static void test_libbpf(void **state)
{
	const u64 ours = send_by_libbpf(&sides[0], 1000);

	assert_int_equal(ours, send_by_libbpf(&sides[1], 1000));
}

/* User space must not write the consumer's position. */
static void test_mappings(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(sides); i++) {
		int fd = bpf_map__fd(sides[i].object->maps.ring);

		wrap_use_engine(sides[i].engine);
		assert_ptr_equal(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
				 MAP_FAILED);
		assert_int_equal(errno, EPERM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_libbpf),
		cmocka_unit_test(test_mappings),
	};
	int failed;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	sides[0].engine = skep_engine_new(NULL, NULL);
	if (!sides[0].engine || open_side(&sides[0]))
		return 1;
	if (open_side(&sides[1])) {
		close_side(&sides[0]);
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	close_side(&sides[0]);
	close_side(&sides[1]);
	return failed;
}
