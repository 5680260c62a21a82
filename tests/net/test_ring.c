/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports that are rings in shared memory: the test is the program on the other side
 * (skep/ring.h), an honest one, one that lies, one that dies. What came in is the sum of all
 * verdicts.
 */
#include "isa/isa.h"
#include "tests/sys/programs.h"

#include <skep/port.h>
#include <skep/ring.h>
#include <sys/wait.h>

#define PATH "/dev/shm/skep-test-ring"

static struct world world;
static char path[64];

static int setup(void **state)
{
	snprintf(path, sizeof(path), PATH "-%d", (int)getpid());
	unlink(path);
	world.engine = skep_engine_new(NULL, NULL);
	return !world.engine;
}

static int teardown(void **state)
{
	skep_engine_free(world.engine);
	unlink(path);
	return 0;
}

static int open_port(const char *words)
{
	struct skep_error err = {};
	char spec[128];
	int port;

	snprintf(spec, sizeof(spec), "ring:%s%s", path, words);
	port = skep_port_open(world.engine, spec, &err);
	if (port < 0)
		fail_msg("%s: %s", spec, err.text);
	return port;
}

/* All packets of the port meet the program. */
static void attach(int port, const char *text)
{
	const struct program_kind kind = {.type = BPF_PROG_TYPE_XDP};
	union bpf_attr attr = {
		.link_create = {.target_ifindex = (u32)port, .attach_type = BPF_XDP}};
	int prog = load_kind(&world, kind, text, NULL);

	assert_true(prog >= 0);
	attr.link_create.prog_fd = prog;
	assert_true(bpf(&world, BPF_LINK_CREATE, &attr) >= 0);
}

static struct skep_port_stats stats_of(int port)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	u64 sum = 0;

	assert_int_equal(skep_port_stats(world.engine, port, &stats), 0);
	for (int i = 0; i < SKEP_VERDICTS; i++)
		sum += stats.verdict_packets[i];
	assert_int_equal(stats.in_packets, sum);
	return stats;
}

/* The other side of one queue. */
struct side {
	struct skep_ring_file file;
	struct skep_ring to, from;
};

static void take_side(struct side *side, u32 queue)
{
	assert_int_equal(skep_ring_open(&side->file, path), 0);
	assert_int_equal(skep_ring_take(&side->to, &side->file, queue, 1, 1), 0);
	assert_int_equal(skep_ring_take(&side->from, &side->file, queue, 0, 0), 0);
}

/* Packets of 60 bytes, whose last byte is their number. */
static void feed(struct side *side, u32 count)
{
	u8 packet[60] = {2};

	assert_true(skep_ring_room(&side->to, count) >= count);
	for (u32 i = 0; i < count; i++) {
		packet[59] = i;
		skep_ring_put(&side->to, packet, sizeof(packet));
	}
	skep_ring_send(&side->to);
}

static void packets_go_in_and_out(void **state)
{
	int port = open_port("");
	struct side side;

	/* 14 bytes more in front, out the way it came. */
	attach(port, "r2 = -14\ncall 44\nr0 = 3\nexit");
	take_side(&side, 0);
	feed(&side, 200);
	skep_ring_end(&side.to);
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
	assert_int_equal(stats_of(port).in_packets, 200);
	assert_int_equal(stats_of(port).out_bytes, 200 * 74);
	assert_true(stats_of(port).at_end);
	assert_int_equal(skep_ring_count(&side.from, 1), 200);
	for (u32 i = 0; i < 200; i++) {
		struct skep_ring_slot slot;
		u8 *packet = skep_ring_get(&side.from, &slot);

		assert_non_null(packet);
		assert_int_equal(slot.length, 74);
		assert_int_equal(packet[73], (u8)i);
	}
	skep_ring_release(&side.from);
	assert_int_equal(skep_ring_is_ended(&side.from), 0);
	assert_int_equal(skep_port_close(world.engine, port), 0);
	assert_int_equal(skep_ring_is_ended(&side.from), 1);
	skep_ring_unmap(&side.file);
}

/* What is known of a packet, and a program's metadata, go with it. */
static void what_is_known_goes_along(void **state)
{
	int port = open_port(",size=512");
	struct skep_ring_slot *put, got;
	struct side side;
	u8 packet[60] = {2}, *out;

	attach(port,
	       "r6 = r1\nr2 = -4\ncall 54\nif r0 != 0 goto out\n"
	       "r1 = *(u32 *)(r6 + 8)\nr2 = *(u32 *)(r6 + 0)\nr3 = r1\nr3 += 4\n"
	       "if r3 > r2 goto out\n*(u32 *)(r1 + 0) = 77\nr0 = 3\nexit\nout:\nr0 = 1\nexit");
	take_side(&side, 0);
	put = skep_ring_put(&side.to, packet, sizeof(packet));
	put->known = SKEP_RING_TIME | SKEP_RING_HASH | SKEP_RING_CUT;
	*skep_ring_info(&side.to, side.to.own - 1) =
		(struct skep_ring_info){.time_ns = 5, .hash = 6, .original_length = 900};
	skep_ring_end(&side.to);
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
	assert_int_equal(stats_of(port).out_packets, 1);
	assert_int_equal(skep_ring_count(&side.from, 1), 1);
	out = skep_ring_get(&side.from, &got);
	assert_int_equal(got.known, SKEP_RING_TIME | SKEP_RING_HASH | SKEP_RING_CUT);
	assert_int_equal(got.metadata, 4);
	assert_int_equal(out[-4], 77);
	assert_int_equal(skep_ring_info(&side.from, side.from.own - 1)->time_ns, 5);
	assert_int_equal(skep_ring_info(&side.from, side.from.own - 1)->hash, 6);
	assert_int_equal(skep_ring_info(&side.from, side.from.own - 1)->original_length, 900);
	skep_ring_unmap(&side.file);
}

struct feeding {
	struct side side;
	int port;
	u32 times;
};

/* 50 packets whenever all before them came in; ends when none is left to feed. */
static int feed_again(void *cookie)
{
	struct feeding *feeding = cookie;

	if (stats_of(feeding->port).in_packets % 50)
		return 0;
	if (!feeding->times)
		return 1;
	feeding->times--;
	feed(&feeding->side, 50);
	return 0;
}

/* Nobody takes what leaves: what does not fit is counted, and nothing stops. */
static void a_full_ring_fails_the_rest(void **state)
{
	struct feeding feeding = {.port = open_port(",slots=64"), .times = 3};
	struct skep_ports_run_opts opts = {
		.sz = sizeof(opts), .interval_ns = 1, .tick = feed_again, .cookie = &feeding};
	struct skep_port_stats stats;

	attach(feeding.port, "r0 = 3\nexit");
	take_side(&feeding.side, 0);
	assert_int_equal(skep_ports_run(world.engine, &opts, NULL), 0);
	stats = stats_of(feeding.port);
	assert_int_equal(stats.verdict_packets[SKEP_VERDICT_TX], 150);
	assert_int_equal(stats.out_packets, 64);
	assert_int_equal(stats.out_failed, 86);
	skep_ring_unmap(&feeding.side.file);
}

static void workers_share_the_queues(void **state)
{
	struct side sides[2];
	int port = open_port(",queues=2");

	attach(port,
	       "r0 = *(u32 *)(r1 + 16)\nr0 += 1\nexit"); /* rx_queue_index: drop or pass */
	for (u32 i = 0; i < 2; i++) {
		take_side(&sides[i], i);
		feed(&sides[i], 100 * (i + 1));
		skep_ring_end(&sides[i].to);
	}
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
	assert_int_equal(stats_of(port).queues, 2);
	assert_int_equal(stats_of(port).in_packets, 300);
	assert_int_equal(stats_of(port).verdict_packets[SKEP_VERDICT_DROP], 100);
	assert_int_equal(stats_of(port).verdict_packets[SKEP_VERDICT_PASS], 200);
	for (u32 i = 0; i < 2; i++)
		skep_ring_unmap(&sides[i].file);
}

/* --- peers that go wrong --- */

static void a_slot_that_lies_ends_the_port(void **state)
{
	static const struct {
		u32 offset, length;
		u16 metadata;
	} rows[] = {
		{256, 1u << 20, 0}, {~0u, 60, 0}, {4000, 60, 0}, {0, ~0u, 0}, {16, 60, 17},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct skep_error err = {};
		int port = open_port("");
		struct side side;
		struct skep_ring_slot *slot;

		take_side(&side, 0);
		feed(&side, 3);
		slot = &side.to.slots[(side.to.own - 1) & side.to.mask];
		slot->offset = rows[i].offset;
		slot->length = rows[i].length;
		slot->metadata = rows[i].metadata;
		assert_int_equal(skep_ports_run(world.engine, NULL, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "beyond the slot"));
		assert_int_equal(stats_of(port).in_packets, 2);
		skep_port_close(world.engine, port);
		skep_ring_unmap(&side.file);
		unlink(path);
	}
}

/* Indices that make no sense are no packets. */
static void an_index_that_lies_gives_nothing(void **state)
{
	struct skep_ports_run_opts opts = {.sz = sizeof(opts), .max_ns = 20000000};
	int port = open_port("");
	struct side side;

	take_side(&side, 0);
	side.to.index->head = 5000;
	assert_int_equal(skep_ports_run(world.engine, &opts, NULL), 0);
	assert_int_equal(stats_of(port).in_packets, 0);
	skep_ring_unmap(&side.file);
}

static void a_sender_that_dies_is_told(void **state)
{
	struct skep_error err = {};
	int port = open_port(""), status;
	pid_t pid = fork();

	if (!pid) {
		struct side side;

		take_side(&side, 0);
		feed(&side, 7);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(skep_ports_run(world.engine, NULL, &err), -EPIPE);
	assert_non_null(strstr(err.text, "the sender is gone"));
	assert_int_equal(stats_of(port).in_packets, 7);
}

/* Two engines, each on its side. */
static void ports_are_connected(void **state)
{
	struct skep_engine *other = skep_engine_new(NULL, NULL);
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	char spec[128];
	int port = open_port(""), peer, from;

	attach(port, "r0 = 1\nexit");
	snprintf(spec, sizeof(spec), "ring:%s,peer", path);
	peer = skep_port_open(other, spec, NULL);
	assert_true(peer > 0);
	from = skep_port_open(other, "gen:count=300", NULL);
	assert_true(from > 0);
	{
		struct world sender = {.engine = other};
		const struct program_kind kind = {.type = BPF_PROG_TYPE_XDP};
		union bpf_attr attr = {
			.link_create = {.target_ifindex = (u32)from, .attach_type = BPF_XDP}};
		struct skep_ports_run_opts opts = {.sz = sizeof(opts), .max_packets = 300};
		char text[64];

		snprintf(text, sizeof(text), "r1 = %d\nr2 = 0\ncall 23\nexit", peer);
		attr.link_create.prog_fd = load_kind(&sender, kind, text, NULL);
		assert_true(bpf(&sender, BPF_LINK_CREATE, &attr) >= 0);
		opts.max_ns = 100000000;
		assert_int_equal(skep_ports_run(other, &opts, NULL), 0);
	}
	assert_int_equal(skep_port_stats(other, peer, &stats), 0);
	assert_int_equal(stats.out_packets, 300);
	skep_engine_free(other);
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
	assert_int_equal(stats_of(port).verdict_packets[SKEP_VERDICT_DROP], 300);
}

static void says_what_is_wrong(void **state)
{
	static const struct {
		const char *spec, *text;
		int code;
	} rows[] = {
		{"ring:", "expected ring:PATH", -EINVAL},
		{"ring:/nonexistent/ring", "No such file", -ENOENT},
		{"ring:/proc/self/exe", "", 0},
		{"ring:/etc/passwd", "does not begin", -EPROTO},
		{"ring:/dev/shm/skep-x,slots=100", "expected a power of two", -EINVAL},
		{"ring:/dev/shm/skep-x,queues=99", "expected a number from 1 to 16", -EINVAL},
		{"ring:/dev/shm/skep-x,peer=1", "peer takes no value", -EINVAL},
		{"ring:/dev/shm/skep-x,pear", "unknown word 'pear': expected peer", -EINVAL},
	};
	struct skep_error err = {};
	char spec[128];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int code = skep_port_open(world.engine, rows[i].spec, &err);

		if (code >= 0 || (rows[i].code && code != rows[i].code) ||
		    !strstr(err.text, rows[i].text))
			fail_msg("%s: %d %s", rows[i].spec, code, err.text);
	}
	open_port("");
	snprintf(spec, sizeof(spec), "ring:%s", path);
	assert_int_equal(skep_port_open(world.engine, spec, &err), -EBUSY);
	assert_non_null(strstr(err.hint, "peer is the other side"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_go_in_and_out),
		TEST(what_is_known_goes_along),
		TEST(a_full_ring_fails_the_rest),
		TEST(workers_share_the_queues),
		TEST(a_slot_that_lies_ends_the_port),
		TEST(an_index_that_lies_gives_nothing),
		TEST(a_sender_that_dies_is_told),
		TEST(ports_are_connected),
		TEST(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
