/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs at the entries of maps do to frames; that they run as on Linux is compared in
 * tests/sys/test_linux_device.c. */
#include "tests/net/out_file.h"

static int make(u32 type)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = 4, .value_size = 8, .max_entries = 4};
	int map = bpf(&world, BPF_MAP_CREATE, &attr);

	assert_true(map >= 0);
	return map;
}

static void put(int map, u32 key, u32 target, int prog)
{
	struct bpf_devmap_val value = {.ifindex = target, .bpf_prog.fd = prog};
	union bpf_attr attr = {
		.map_fd = map, .key = ptr_to_u64(&key), .value = ptr_to_u64(&value)};

	assert_int_equal(bpf(&world, BPF_MAP_UPDATE_ELEM, &attr), 0);
}

static int load(u32 attach_type, const char *text, const int *maps)
{
	const struct program_kind kind = {BPF_PROG_TYPE_XDP, attach_type, 0};
	int prog = load_kind(&world, kind, text, maps);

	assert_true(prog >= 0);
	return prog;
}

/* All packets of the port go where the program says. */
static struct skep_port_stats run(int port, int prog)
{
	union bpf_attr attr = {.link_create = {.prog_fd = prog,
					       .target_ifindex = (u32)port,
					       .attach_type = BPF_XDP}};
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	int link = bpf(&world, BPF_LINK_CREATE, &attr);

	assert_true(link >= 0);
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
	assert_int_equal(skep_port_stats(world.engine, port, &stats), 0);
	close(link);
	return stats;
}

/* Each entry's program makes its own frame shorter; the last entry has none. */
static void entries_get_the_frame_as_it_came(void **state)
{
	int map = make(BPF_MAP_TYPE_DEVMAP), from, to;
	int shorter = load(BPF_XDP_DEVMAP, "r2 = 14\ncall 44\nr0 = 2\nexit", NULL);
	int sender = load(BPF_XDP, "r1 = map_fd 0 ll\nr2 = 0\nr3 = 8\ncall 51\nexit", &map);
	char spec[128];

	snprintf(spec, sizeof(spec), "gen:count=1,out=%s", out_path);
	from = skep_port_open(world.engine, "gen:count=10,size=100", NULL);
	to = skep_port_open(world.engine, spec, NULL);
	assert_true(from > 0 && to > 0);
	put(map, 0, (u32)to, shorter);
	put(map, 1, (u32)to, shorter);
	put(map, 2, (u32)to, 0);
	assert_int_equal(run(from, sender).redirect_failed, 0);
	skep_port_close(world.engine, from);
	skep_port_close(world.engine, to);
	assert_int_equal(packets_out(86), 20);
	assert_int_equal(packets_out(100), 10);
	close(map);
	close(shorter);
	close(sender);
}

/* On Linux such a frame never comes to an end. */
static void a_cpumap_that_sends_to_itself_ends(void **state)
{
	int map = make(BPF_MAP_TYPE_CPUMAP);
	static const char again[] = "r1 = map_fd 0 ll\nr2 = 0\nr3 = 0\ncall 51\nexit";
	int at_cpu = load(BPF_XDP_CPUMAP, again, &map), sender = load(BPF_XDP, again, &map);
	int port = skep_port_open(world.engine, "gen:count=10", NULL);

	put(map, 0, 64, at_cpu);
	assert_int_equal(run(port, sender).redirect_failed, 10);
	skep_port_close(world.engine, port);
	close(map);
	close(at_cpu);
	close(sender);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entries_get_the_frame_as_it_came, open_world, close_world),
		cmocka_unit_test_setup_teardown(a_cpumap_that_sends_to_itself_ends, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
