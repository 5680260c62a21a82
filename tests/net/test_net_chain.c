/* SPDX-License-Identifier: BSD-2-Clause */
/* Several XDP programs at a port: their order, which results hand on, what is counted of whom,
 * and that changes under traffic neither lose a packet nor run a program twice on it. */
#include "tests/sys/programs.h"

#include <linux/if_link.h>
#include <pthread.h>
#include <skep/attach.h>
#include <stdatomic.h>

static struct world world;

static int setup(void **state)
{
	world.engine = skep_engine_new(NULL, NULL);
	return !world.engine;
}

static int teardown(void **state)
{
	skep_engine_free(world.engine);
	return 0;
}

static int load(const char *name, const char *text, const int *maps)
{
	struct bpf_insn *insns;
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP, .license = ptr_to_u64("GPL")};
	struct skep_error error;
	int fd;

	if (insns_assemble(text, &insns, &attr.insn_cnt, &error))
		fail_msg("%s", error.text);
	for (u32 i = 0; i < attr.insn_cnt; i++)
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
			insns[i].imm = maps[insns[i].imm];
			i++;
		}
	strcpy(attr.prog_name, name);
	attr.insns = ptr_to_u64(insns);
	fd = bpf(&world, BPF_PROG_LOAD, &attr);
	free(insns);
	assert_true(fd >= 0);
	return fd;
}

static int load_result(const char *name, int result)
{
	char text[32];

	snprintf(text, sizeof(text), "r0 = %d\nexit", result);
	return load(name, text, NULL);
}

static int open_port(const char *spec)
{
	int port = skep_port_open(world.engine, spec, NULL);

	assert_true(port > 0);
	return port;
}

static int attach(int port, int prog, u32 priority, u32 proceed_on)
{
	const struct skep_attach_opts opts = {
		.sz = sizeof(opts), .priority = priority, .proceed_on = proceed_on};

	return skep_attach(world.engine, port, prog, &opts);
}

static struct skep_attached nth(int port, u32 n)
{
	struct skep_attached attached = {.sz = sizeof(attached)};

	assert_int_equal(skep_attached(world.engine, port, n, -1, &attached), 0);
	return attached;
}

#define PASSES (1u << XDP_PASS)
#define DROPS  (1u << XDP_DROP)

/* What the port made of all packets. */
static enum skep_verdict verdict_of(int port, u64 packets)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};

	assert_int_equal(skep_port_stats(world.engine, port, &stats), 0);
	for (u32 i = 0; i < SKEP_VERDICTS; i++)
		if (stats.verdict_packets[i] == packets)
			return (enum skep_verdict)i;
	return SKEP_VERDICTS;
}

static void the_order_is_that_of_priorities_and_names(void **state)
{
	static const struct {
		const char *name;
		u32 priority;
	} rows[] = {{"second", 20},
		    {"fourth", 50},
		    {"first", 10},
		    {"third_b", 30},
		    {"third_a", 30}};
	static const char *const order[] = {"first", "second", "third_a", "third_b", "fourth"};
	int port = open_port("gen:count=100"), links[ARRAY_SIZE(rows)];
	struct skep_attached attached = {.sz = sizeof(attached)};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int prog = load_result(rows[i].name, XDP_PASS);

		links[i] = attach(port, prog, rows[i].priority, PASSES);
		assert_true(links[i] >= 0);
		assert_int_equal(attach(port, prog, 5, PASSES), -EEXIST);
		close(prog);
	}
	for (u32 i = 0; i < ARRAY_SIZE(order); i++)
		assert_string_equal(nth(port, i).name, order[i]);
	assert_int_equal(skep_attached(world.engine, port, 5, -1, &attached), -ENOENT);
	assert_int_equal(skep_attached(world.engine, 60, 0, -1, &attached), -ENODEV);
	close(links[0]);
	assert_string_equal(nth(port, 1).name, "third_a");
	for (u32 i = 1; i < ARRAY_SIZE(rows); i++)
		close(links[i]);
	assert_int_equal(skep_attached(world.engine, port, 0, -1, &attached), -ENOENT);
}

/* Programs by what they return and after which results the next runs. */
static void results_hand_on(void **state)
{
	static const struct {
		int results[3];
		u32 proceed_on[3];
		u64 ran[3];
		enum skep_verdict verdict;
	} rows[] = {
		{{XDP_PASS, XDP_PASS, XDP_DROP},
		 {PASSES, PASSES, PASSES},
		 {100, 100, 100},
		 SKEP_VERDICT_DROP},
		{{XDP_PASS, XDP_DROP, XDP_TX},
		 {PASSES, PASSES, PASSES},
		 {100, 100, 0},
		 SKEP_VERDICT_DROP},
		{{XDP_DROP, XDP_DROP, XDP_TX},
		 {DROPS, DROPS, 0},
		 {100, 100, 100},
		 SKEP_VERDICT_TX},
		/* behind the last that hands on the packet passes */
		{{XDP_DROP, XDP_DROP, XDP_DROP},
		 {DROPS, DROPS, DROPS},
		 {100, 100, 100},
		 SKEP_VERDICT_PASS},
		{{XDP_PASS, XDP_TX, XDP_DROP},
		 {0, PASSES, PASSES},
		 {100, 0, 0},
		 SKEP_VERDICT_PASS},
		{{77, XDP_TX, XDP_DROP},
		 {PASSES, PASSES, PASSES},
		 {100, 0, 0},
		 SKEP_VERDICT_ABORTED},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int port = open_port("gen:count=100,size=70"), links[3];

		for (u32 n = 0; n < 3; n++) {
			const char name[] = {(char)('a' + n), 0};
			int prog = load_result(name, rows[i].results[n]);

			links[n] = attach(port, prog, 50, rows[i].proceed_on[n]);
			assert_true(links[n] >= 0);
			close(prog);
		}
		assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
		for (u32 n = 0; n < 3; n++) {
			const struct skep_attached attached = nth(port, n);
			const u32 place = min((u32)rows[i].results[n], SKEP_RESULTS - 1u);

			assert_int_equal(attached.packets[place], rows[i].ran[n]);
			assert_int_equal(attached.bytes[place], 70 * rows[i].ran[n]);
			assert_int_equal(attached.ns, 0);
		}
		for (u32 n = 0; n < 3; n++)
			close(links[n]);
		assert_int_equal(verdict_of(port, 100), rows[i].verdict);
		skep_port_close(world.engine, port);
	}
}

static int link_alone(int port, int prog, u32 flags)
{
	union bpf_attr attr = {.link_create = {.prog_fd = prog,
					       .target_ifindex = (u32)port,
					       .attach_type = BPF_XDP,
					       .flags = flags}};

	return bpf(&world, BPF_LINK_CREATE, &attr);
}

/* A link of bpf(2) stays alone, and modes do not mix. */
static void who_may_be_beside_whom(void **state)
{
	const struct skep_attach_opts generic = {.sz = sizeof(generic), .generic = true};
	int port = open_port("gen:count=100"), link;
	int one = load_result("one", XDP_PASS), two = load_result("two", XDP_PASS);

	link = link_alone(port, one, 0);
	assert_true(link >= 0);
	assert_int_equal(attach(port, two, 1, 0), -EBUSY);
	assert_int_equal(link_alone(port, two, 0), -EBUSY);
	assert_int_equal(link_alone(port, two, XDP_FLAGS_SKB_MODE), -EEXIST);
	close(link);
	link = attach(port, one, 1, 0);
	assert_true(link >= 0);
	assert_int_equal(link_alone(port, two, 0), -EBUSY);
	assert_int_equal(skep_attach(world.engine, port, two, &generic), -EEXIST);
	close(link);
	link = skep_attach(world.engine, port, one, &generic);
	assert_true(link >= 0);
	assert_int_equal(attach(port, two, 1, 0), -EEXIST);
	close(link);
	link = link_alone(port, one, XDP_FLAGS_SKB_MODE);
	assert_true(link >= 0);
	assert_int_equal(link_alone(port, two, XDP_FLAGS_DRV_MODE), -EEXIST);
	assert_int_equal(link_alone(port, two, XDP_FLAGS_SKB_MODE), -EBUSY);
	assert_int_equal(link_alone(port, two, XDP_FLAGS_SKB_MODE | XDP_FLAGS_DRV_MODE),
			 -EINVAL);
	assert_int_equal(link_alone(port, two, XDP_FLAGS_HW_MODE), -EINVAL);
	close(link);
	close(one);
	close(two);
}

/* --- changes under traffic --- */

#define PACKETS 300000

#define COUNTS                                                                  \
	"*(u32 *)(r10 - 4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0 ll\ncall 1\n" \
	"if r0 == 0 goto +2\nr1 = 1\nlock *(u64 *)(r0 + 0) += r1\nr0 = 2\nexit"

static int make_counter(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = 8,
			       .max_entries = 1};
	int map = bpf(&world, BPF_MAP_CREATE, &attr);

	assert_true(map >= 0);
	return map;
}

static u64 counted(int map)
{
	u32 key = 0;
	u64 value = 0;
	union bpf_attr attr = {
		.map_fd = map, .key = ptr_to_u64(&key), .value = ptr_to_u64(&value)};

	assert_int_equal(bpf(&world, BPF_MAP_LOOKUP_ELEM, &attr), 0);
	return value;
}

struct changes {
	int port, link, progs[2], passer;
	atomic_bool stop;
	atomic_ullong count;
};

static void replace(struct changes *changes, u64 n)
{
	union bpf_attr attr = {.link_update = {.link_fd = (u32)changes->link,
					       .new_prog_fd = (u32)changes->progs[n % 2],
					       .old_prog_fd = (u32)changes->progs[(n + 1) % 2],
					       .flags = BPF_F_REPLACE}};

	if (bpf(&world, BPF_LINK_UPDATE, &attr))
		abort();
}

/* One program is replaced, another comes and goes in front of it and behind. */
static void *change(void *cookie)
{
	struct changes *changes = cookie;

	while (!atomic_load(&changes->stop)) {
		const u64 n = atomic_fetch_add(&changes->count, 1) + 1;
		int link = attach(changes->port, changes->passer, n % 2 ? 10 : 90, PASSES);

		replace(changes, n);
		if (link < 0)
			abort();
		close(link);
	}
	return NULL;
}

static void changes_lose_nothing(void **state)
{
	struct changes changes = {.port = open_port("gen:count=300000,flows=4")};
	int maps[3], middle[2], first, last, ends[2];
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	pthread_t thread;

	for (u32 i = 0; i < 3; i++)
		maps[i] = make_counter();
	first = load("first", COUNTS, &maps[0]);
	middle[0] = load("middle0", COUNTS, &maps[1]);
	middle[1] = load("middle1", COUNTS, &maps[1]);
	last = load("last", COUNTS, &maps[2]);
	ends[0] = attach(changes.port, first, 1, PASSES);
	changes.link = attach(changes.port, middle[0], 50, PASSES);
	ends[1] = attach(changes.port, last, 99, PASSES);
	assert_true(ends[0] >= 0 && changes.link >= 0 && ends[1] >= 0);
	memcpy(changes.progs, middle, sizeof(middle));
	changes.passer = load_result("passer", XDP_PASS);
	assert_int_equal(pthread_create(&thread, NULL, change, &changes), 0);
	while (!atomic_load(&changes.count))
		sched_yield();
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
	atomic_store(&changes.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(skep_port_stats(world.engine, changes.port, &stats), 0);
	assert_int_equal(stats.in_packets, PACKETS);
	assert_int_equal(stats.verdict_packets[SKEP_VERDICT_PASS], PACKETS);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(counted(maps[i]), PACKETS);
	for (u32 i = 0; i < 3; i++)
		close(maps[i]);
	close(first);
	close(middle[0]);
	close(middle[1]);
	close(last);
	close(changes.passer);
	close(changes.link);
	close(ends[0]);
	close(ends[1]);
}

/* --- what is counted --- */

static void times_are_counted_while_statistics_are_on(void **state)
{
	union bpf_attr attr = {.enable_stats.type = BPF_STATS_RUN_TIME};
	int port = open_port("gen:count=1000"), prog = load_result("timed", XDP_DROP);
	int link = attach(port, prog, 1, 0), stats = bpf(&world, BPF_ENABLE_STATS, &attr);

	assert_true(link >= 0 && stats >= 0);
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
	assert_true(nth(port, 0).ns > 0);
	close(stats);
	close(link);
	close(prog);
}

static void exceptions_have_reasons(void **state)
{
	static const struct {
		const char *program;
		enum skep_exception exception;
	} rows[] = {
		{"r0 = 0\nexit", SKEP_EXCEPTION_ABORTED},
		{"r0 = 9\nexit", SKEP_EXCEPTION_UNKNOWN_ACTION},
		{"r0 = 4\nexit", SKEP_EXCEPTION_NO_TARGET},
		{"r1 = 60\nr2 = 0\ncall 23\nexit", SKEP_EXCEPTION_NO_PORT},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int port = open_port("gen:count=100"), prog = load("x", rows[i].program, NULL);
		int link = attach(port, prog, 1, 0);
		u64 counts[SKEP_EXCEPTIONS];

		assert_true(link >= 0);
		assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
		assert_int_equal(skep_port_exceptions(world.engine, port, (uint64_t *)counts,
						      SKEP_EXCEPTIONS),
				 0);
		for (u32 n = 0; n < SKEP_EXCEPTIONS; n++)
			assert_int_equal(counts[n], n == rows[i].exception ? 100 : 0);
		assert_non_null(skep_exception_name(rows[i].exception));
		assert_non_null(skep_exception_text(rows[i].exception));
		close(link);
		close(prog);
		skep_port_close(world.engine, port);
	}
	assert_null(skep_exception_name(SKEP_EXCEPTIONS));
	assert_int_equal(skep_port_exceptions(world.engine, 60, NULL, 0), -ENODEV);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_order_is_that_of_priorities_and_names),
		TEST(results_hand_on),
		TEST(who_may_be_beside_whom),
		TEST(changes_lose_nothing),
		TEST(times_are_counted_while_statistics_are_on),
		TEST(exceptions_have_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
