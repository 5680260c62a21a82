/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that workers hand to each other through cpumaps: all are accounted for, those of a
 * flow stay in their order. */
#include "tests/net/out_file.h"

#include <skep/attach.h>

#define ENTRIES 4
#define FLOWS	64
#define LENGTH	100
/* Longer than what one worker may have sent before another took any of it. */
#define ALL_FIT 16384

/* The flow's source port says which entry. */
#define BY_FLOW                                                                           \
	"r2 = *(u32 *)(r1 + 4)\nr1 = *(u32 *)(r1 + 0)\nr3 = r1\nr3 += 38\nr4 = 0\n"       \
	"if r3 > r2 goto +2\nr4 = *(u8 *)(r1 + 35)\nr4 &= 3\nr1 = map_fd 0 ll\nr2 = r4\n" \
	"r3 = 0\ncall 51\nexit"
/* To this entry. */
#define TO(entry) "r1 = map_fd 0 ll\nr2 = " #entry "\nr3 = 0\ncall 51\nexit"
#define SHORTER	  "r2 = 14\ncall 44\nr0 = 2\nexit"

/* With as many CPUs as there may be workers, on every machine. */
static int open_engine(void **state)
{
	struct skep_engine_opts opts = {.sz = sizeof(opts), .slots = 16};

	if (open_world(state))
		return -1;
	skep_engine_free(world.engine);
	world.engine = skep_engine_new(&opts, NULL);
	return !world.engine;
}

static int make_cpumap(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_CPUMAP,
			       .key_size = 4,
			       .value_size = 8,
			       .max_entries = ENTRIES};
	int map = bpf(&world, BPF_MAP_CREATE, &attr);

	assert_true(map >= 0);
	return map;
}

static void put(int map, u32 key, u32 length, int prog)
{
	struct bpf_cpumap_val value = {.qsize = length, .bpf_prog.fd = prog};
	union bpf_attr attr = {
		.map_fd = map, .key = ptr_to_u64(&key), .value = ptr_to_u64(&value)};

	assert_int_equal(bpf(&world, BPF_MAP_UPDATE_ELEM, &attr), 0);
}

static int load(u32 attach_type, const char *text, int map)
{
	const struct program_kind kind = {BPF_PROG_TYPE_XDP, attach_type, 0};
	int prog = load_kind(&world, kind, text, &map);

	assert_true(prog >= 0);
	return prog;
}

/* One port, all of whose packets a program redirects into the map. */
struct scene {
	int map, sender, port, link;
	struct skep_port_stats stats;
	uint64_t exceptions[SKEP_EXCEPTIONS];
};

static struct scene scene_open(const char *text, const char *port)
{
	struct scene scene = {.map = make_cpumap()};
	union bpf_attr attr = {.link_create.attach_type = BPF_XDP};
	char spec[128];

	scene.sender = load(BPF_XDP, text, scene.map);
	snprintf(spec, sizeof(spec), "gen:size=%d,proto=udp,out=%s,%s", LENGTH, out_path, port);
	scene.port = open_port(spec);
	attr.link_create.prog_fd = scene.sender;
	attr.link_create.target_ifindex = scene.port;
	scene.link = bpf(&world, BPF_LINK_CREATE, &attr);
	assert_true(scene.link >= 0);
	return scene;
}

static void scene_run(struct scene *scene, struct skep_ports_run_opts opts)
{
	opts.sz = sizeof(opts);
	assert_int_equal(skep_ports_run(world.engine, &opts, NULL), 0);
	scene->stats.sz = sizeof(scene->stats);
	assert_int_equal(skep_port_stats(world.engine, scene->port, &scene->stats), 0);
	skep_port_exceptions(world.engine, scene->port, scene->exceptions, SKEP_EXCEPTIONS);
}

static void scene_close(struct scene *scene)
{
	skep_port_close(world.engine, scene->port);
	close(scene->link);
	close(scene->sender);
	close(scene->map);
}

/* All that came left, or is counted as lost. */
static void assert_adds_up(const struct scene *scene)
{
	assert_int_equal(scene->stats.in_packets,
			 scene->stats.out_packets + scene->stats.redirect_failed +
				 scene->exceptions[SKEP_EXCEPTION_ENTRY_DROP] +
				 scene->exceptions[SKEP_EXCEPTION_ABORTED]);
}

/* How many packets left; each flow's numbers only grow. */
static u64 packets_in_order(void)
{
	struct capture_packet packet;
	struct capture_reader reader;
	u32 flows[FLOWS], last[FLOWS];
	u64 count = 0;
	u32 known = 0;

	assert_int_equal(capture_open(&reader, out_path, NULL), 0);
	for (; capture_next(&reader, &packet, NULL) == 1; count++) {
		const u32 number = packet.data[18] << 8 | packet.data[19];
		u32 source, i = 0;

		memcpy(&source, packet.data + 26, sizeof(source));
		while (i < known && flows[i] != source)
			i++;
		assert_true(i < FLOWS);
		assert_true(i == known || last[i] < number);
		known += i == known;
		flows[i] = source;
		last[i] = number;
	}
	capture_close(&reader);
	return count;
}

static void flows_keep_their_order(void **state)
{
	static const u32 workers[] = {0, 1, 2, 3, 4, 16};

	for (u32 i = 0; i < ARRAY_SIZE(workers); i++) {
		struct scene scene = scene_open(BY_FLOW, "flows=64,count=10000");

		for (u32 entry = 0; entry < ENTRIES; entry++)
			put(scene.map, entry, ALL_FIT, 0);
		scene_run(&scene, (struct skep_ports_run_opts){.workers = workers[i]});
		assert_int_equal(scene.stats.redirect_failed, 0);
		assert_int_equal(scene.stats.out_packets, 10000);
		scene_close(&scene);
		assert_int_equal(packets_in_order(), 10000);
	}
}

/* One batch, of which the queue takes as much as it is long: nobody can take any before. */
static void what_a_full_queue_does_not_take_is_counted(void **state)
{
	static const u32 lengths[] = {1, 8, 63, 64, 200};

	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct scene scene = scene_open(TO(1), "count=64");
		const u32 left = min(lengths[i], 64u);

		put(scene.map, 1, lengths[i], 0);
		scene_run(&scene, (struct skep_ports_run_opts){.workers = 2});
		assert_int_equal(scene.stats.out_packets, left);
		assert_int_equal(scene.exceptions[SKEP_EXCEPTION_FULL], 64 - left);
		scene_close(&scene);
	}
}

/* As Linux's cpumap.c has it. */
static void verdicts_of_the_entry(void **state)
{
	static const struct {
		const char *text;
		enum skep_exception why;
		u64 count, left;
	} rows[] = {
		{"r0 = 2\nexit", SKEP_EXCEPTION_ENTRY_DROP, 0, 50},
		{"r0 = 0\nexit", SKEP_EXCEPTION_ENTRY_DROP, 50, 0},
		{"r0 = 1\nexit", SKEP_EXCEPTION_ENTRY_DROP, 50, 0},
		{"r0 = 3\nexit", SKEP_EXCEPTION_ENTRY_DROP, 50, 0},
		{"r0 = 77\nexit", SKEP_EXCEPTION_ENTRY_DROP, 50, 0},
		{"r0 = 4\nexit", SKEP_EXCEPTION_NO_TARGET, 50, 0},
		{"r1 = 1\nr2 = 0\ncall 23\nexit", SKEP_EXCEPTION_NO_PORT, 0, 50},
		{"r1 = 60\nr2 = 0\ncall 23\nexit", SKEP_EXCEPTION_NO_PORT, 50, 0},
		{TO(3), SKEP_EXCEPTION_ENTRY_DROP, 50, 0},
		{TO(2), SKEP_EXCEPTION_NO_ENTRY, 0, 50},
		{TO(1), SKEP_EXCEPTION_LOOP, 50, 0},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct scene scene = scene_open(TO(1), "count=50");
		int at_entry = load(BPF_XDP_CPUMAP, rows[i].text, scene.map);

		put(scene.map, 1, ALL_FIT, at_entry);
		put(scene.map, 2, ALL_FIT, 0);
		scene_run(&scene, (struct skep_ports_run_opts){.workers = 3});
		assert_adds_up(&scene);
		if (scene.exceptions[rows[i].why] != rows[i].count ||
		    scene.stats.out_packets != rows[i].left)
			fail_msg("%s: %llu, %llu left", rows[i].text,
				 (u64)scene.exceptions[rows[i].why],
				 (u64)scene.stats.out_packets);
		close(at_entry);
		scene_close(&scene);
	}
}

/* From worker to worker and back. */
static void a_loop_over_workers_ends(void **state)
{
	struct scene scene = scene_open(TO(1), "count=1000");
	int to_2 = load(BPF_XDP_CPUMAP, TO(2), scene.map);
	int to_1 = load(BPF_XDP_CPUMAP, TO(1), scene.map);

	put(scene.map, 1, ALL_FIT, to_2);
	put(scene.map, 2, ALL_FIT, to_1);
	scene_run(&scene, (struct skep_ports_run_opts){.workers = 3});
	assert_int_equal(scene.exceptions[SKEP_EXCEPTION_LOOP], 1000);
	assert_adds_up(&scene);
	close(to_1);
	close(to_2);
	scene_close(&scene);
}

/* What it was turns up behind the port as what the entry's program made of it. */
static void it_goes_on_behind_the_port(void **state)
{
	struct scene scene = scene_open(TO(1), "count=3000");
	struct skep_port_stats behind = {.sz = sizeof(behind)};
	int shorter = load(BPF_XDP_CPUMAP, SHORTER, scene.map);
	int port = open_port("gen:count=1,size=64");

	put(scene.map, 1, ALL_FIT, shorter);
	assert_int_equal(skep_port_pass_to(world.engine, scene.port, port), 0);
	scene_run(&scene, (struct skep_ports_run_opts){.workers = 2});
	assert_int_equal(skep_port_stats(world.engine, port, &behind), 0);
	assert_int_equal(behind.out_packets, 3000 + 1);
	assert_int_equal(behind.out_bytes, 3000 * (LENGTH - 14) + 64);
	skep_port_close(world.engine, port);
	close(shorter);
	scene_close(&scene);
}

/* The entry comes, changes and goes while packets flow. */
struct changes {
	int map;
	u32 count;
};

static int change(void *cookie)
{
	struct changes *changes = cookie;
	const u32 key = 1;
	union bpf_attr attr = {.map_fd = changes->map, .key = ptr_to_u64(&key)};
	int prog;

	if (++changes->count % 4 == 0)
		return bpf(&world, BPF_MAP_DELETE_ELEM, &attr);
	prog = load(BPF_XDP_CPUMAP, changes->count % 2 ? SHORTER : "r0 = 2\nexit", -1);
	put(changes->map, key, 64 << changes->count % 4, prog);
	close(prog);
	return 0;
}

static void entries_change_while_packets_flow(void **state)
{
	struct scene scene = scene_open(TO(1), "count=60000");
	struct changes changes = {.map = scene.map};
	u64 left;

	put(scene.map, 1, ALL_FIT, 0);
	scene_run(&scene,
		  (struct skep_ports_run_opts){
			  .workers = 3, .interval_ns = 1, .tick = change, .cookie = &changes});
	assert_true(changes.count > 10);
	assert_int_equal(scene.stats.in_packets, 60000);
	assert_adds_up(&scene);
	left = scene.stats.out_packets;
	scene_close(&scene);
	assert_int_equal(packets_out(LENGTH) + packets_out(LENGTH - 14), left);
}

static int stop_soon(void *cookie)
{
	return ++*(u32 *)cookie == 100;
}

static void nothing_is_lost_when_the_run_is_stopped(void **state)
{
	struct scene scene = scene_open(BY_FLOW, "flows=64");
	u32 ticks = 0;

	for (u32 entry = 0; entry < ENTRIES; entry++)
		put(scene.map, entry, ALL_FIT, 0);
	scene_run(&scene,
		  (struct skep_ports_run_opts){
			  .workers = 4, .interval_ns = 1, .tick = stop_soon, .cookie = &ticks});
	assert_true(scene.stats.in_packets > 0);
	assert_adds_up(&scene);
	scene_close(&scene);
}

static void too_many_workers(void **state)
{
	struct skep_ports_run_opts opts = {.sz = sizeof(opts), .workers = 17};
	struct skep_error err = {};

	assert_int_equal(skep_ports_run(world.engine, &opts, &err), -EINVAL);
	assert_string_equal(err.text, "17 workers: expected at most 16");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(flows_keep_their_order, open_engine,
						close_world),
		cmocka_unit_test_setup_teardown(what_a_full_queue_does_not_take_is_counted,
						open_engine, close_world),
		cmocka_unit_test_setup_teardown(verdicts_of_the_entry, open_engine,
						close_world),
		cmocka_unit_test_setup_teardown(a_loop_over_workers_ends, open_engine,
						close_world),
		cmocka_unit_test_setup_teardown(it_goes_on_behind_the_port, open_engine,
						close_world),
		cmocka_unit_test_setup_teardown(entries_change_while_packets_flow, open_engine,
						close_world),
		cmocka_unit_test_setup_teardown(nothing_is_lost_when_the_run_is_stopped,
						open_engine, close_world),
		cmocka_unit_test_setup_teardown(too_many_workers, open_engine, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
