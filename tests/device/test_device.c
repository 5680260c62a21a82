/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs and maps of a device: what works, what Linux's rules refuse, and what is left when
 * the device goes. */
#include "tests/device/devices.h"

#define COUNT                                                                   \
	"*(u32 *)(r10 - 4) = 1\nr2 = r10\nr2 += -4\nr1 = map_fd 0 ll\ncall 1\n" \
	"if r0 == 0 goto +2\nr1 = 1\nlock *(u64 *)(r0 + 0) += r1\nr0 = 1\nexit"

static void wait_for_end(struct pair *pair)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (stats_of(pair->host.engine, pair->port).at_end)
			return;
		usleep(10000);
	}
	fail_msg("the device's port does not end");
}

/* --- it works --- */

static void next_keys(struct world *host, int map)
{
	u32 keys[2] = {};
	union bpf_attr attr = {.map_fd = (u32)map, .next_key = ptr_to_u64(&keys[0])};
	int count = 0;

	while (!bpf(host, BPF_MAP_GET_NEXT_KEY, &attr)) {
		keys[1] = keys[0];
		attr.key = ptr_to_u64(&keys[1]);
		count++;
	}
	assert_int_equal(count, 8);
}

static void deletes(struct world *host, int port)
{
	int map = make_map(host, BPF_MAP_TYPE_HASH, 8, 0, port);
	u32 key = 3;
	u64 value = 0;
	union bpf_attr attr = {.map_fd = (u32)map, .key = ptr_to_u64(&key)};

	assert_int_equal(update(host, map, 3, 9, BPF_EXIST), -ENOENT);
	assert_int_equal(update(host, map, 3, 9, BPF_NOEXIST), 0);
	assert_int_equal(update(host, map, 3, 9, BPF_NOEXIST), -EEXIST);
	assert_int_equal(lookup(host, map, 3, &value), 0);
	assert_int_equal(value, 9);
	assert_int_equal(bpf(host, BPF_MAP_DELETE_ELEM, &attr), 0);
	assert_int_equal(lookup(host, map, 3, &value), -ENOENT);
	close(map);
}

static struct bpf_prog_info info_of(struct world *host, int prog)
{
	struct bpf_prog_info info = {};
	union bpf_attr attr = {.info = {.bpf_fd = (u32)prog,
					.info_len = sizeof(info),
					.info = ptr_to_u64(&info)}};

	assert_int_equal(bpf(host, BPF_OBJ_GET_INFO_BY_FD, &attr), 0);
	return info;
}

static void packets_are_counted_there(struct pair *pair)
{
	struct world *host = &pair->host;
	int map = make_map(host, BPF_MAP_TYPE_ARRAY, 8, 0, pair->port);
	int prog = load_for(host, COUNT, map, BPF_PROG_TYPE_XDP, 0, pair->port), link;
	struct skep_port_stats stats;
	u64 value = 0;

	assert_true(prog >= 0);
	assert_int_equal(update(host, map, 1, 1000, 0), 0);
	link = link_with(host, prog, pair->port, XDP_FLAGS_HW_MODE);
	assert_true(link >= 0);
	assert_int_equal(link_with(host, prog, pair->port, XDP_FLAGS_HW_MODE), -EBUSY);
	wait_for_end(pair);
	assert_int_equal(lookup(host, map, 1, &value), 0);
	assert_int_equal(value, 1500);
	assert_int_equal(info_of(host, prog).run_cnt, 500);
	assert_int_equal(info_of(host, prog).ifindex, pair->port);
	close(link);
	assert_int_equal(info_of(host, prog).run_cnt, 500);
	stats = stats_of(host->engine, pair->port);
	assert_int_equal(stats.in_packets, 500);
	assert_int_equal(stats.verdict_packets[SKEP_VERDICT_DROP], 500);
	next_keys(host, map);
	deletes(host, pair->port);
	close(prog);
	close(map);
}

static void it_works_over(void **state)
{
	static const char *const addresses[] = {"", "tcp:127.0.0.1:47361", "tcp:[::1]:47361",
						"tcp:localhost:47362"};

	for (u32 i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct pair pair = {};

		if (strstr(addresses[i], "::1") && access("/proc/net/if_inet6", F_OK))
			continue;
		strcpy(pair.address, addresses[i]);
		pair_begin(&pair, "gen:count=500", NULL);
		packets_are_counted_there(&pair);
		pair_end(&pair);
	}
}

static void a_run_of_the_host_ends_with_the_device(void **state)
{
	struct pair pair = {};
	int prog;

	pair_begin(&pair, "gen:count=500", NULL);
	prog = load_for(&pair.host, DROP, 0, BPF_PROG_TYPE_XDP, 0, pair.port);
	assert_true(link_with(&pair.host, prog, pair.port, XDP_FLAGS_HW_MODE) >= 0);
	assert_int_equal(skep_ports_run(pair.host.engine, NULL, NULL), 0);
	assert_int_equal(stats_of(pair.host.engine, pair.port).in_packets, 500);
	pair_end(&pair);
}

static int update_link(struct world *host, int link, int prog, int old)
{
	union bpf_attr attr = {.link_update = {.link_fd = (u32)link,
					       .new_prog_fd = (u32)prog,
					       .flags = old ? BPF_F_REPLACE : 0,
					       .old_prog_fd = (u32)old}};

	return bpf(host, BPF_LINK_UPDATE, &attr);
}

#define BATCH 64 /* packets that the engine takes at a time */

static void a_program_is_replaced(void **state)
{
	struct pair pair = {};
	struct world *host = &pair.host;
	int first, second, native, link;
	u64 both, passed;

	pair_begin(&pair, "gen:count=200000", NULL);
	first = load_for(host, DROP, 0, BPF_PROG_TYPE_XDP, 0, pair.port);
	second = load_for(host, "r0 = 2\nexit", 0, BPF_PROG_TYPE_XDP, 0, pair.port);
	native = load_for(host, DROP, 0, BPF_PROG_TYPE_XDP, 0, 0);
	link = link_with(host, first, pair.port, XDP_FLAGS_HW_MODE);
	assert_int_equal(update_link(host, link, second, second), -EPERM);
	assert_int_equal(update_link(host, link, native, 0), -EINVAL);
	assert_int_equal(update_link(host, link, second, first), 0);
	wait_for_end(&pair);
	both = info_of(host, first).run_cnt + info_of(host, second).run_cnt;
	assert_int_equal(both, 200000);
	/* What was on its way through the first counts with the second. */
	passed = stats_of(host->engine, pair.port).verdict_packets[SKEP_VERDICT_PASS];
	assert_in_range(info_of(host, second).run_cnt, passed, passed + BATCH);
	pair_end(&pair);
}

/* --- rules --- */

#define ADMIN_ARRAY  BPF_MAP_TYPE_ARRAY, 8
#define DEVICE_BOUND (1u << 6)

static void maps_are_refused(void **state)
{
	struct pair pair = {};
	int pcap;
	const struct {
		u32 type, value_size, flags;
		int port, want;
	} rows[] = {
		{BPF_MAP_TYPE_LRU_HASH, 8, 0, 1, -EINVAL},
		{BPF_MAP_TYPE_PERCPU_ARRAY, 8, 0, 1, -EINVAL},
		{BPF_MAP_TYPE_ARRAY, 0, 0, 1, -EINVAL},
		{ADMIN_ARRAY, BPF_F_MMAPABLE, 1, -EINVAL},
		{ADMIN_ARRAY, 0, 2, -EINVAL},  /* a port that runs nothing itself */
		{ADMIN_ARRAY, 0, 60, -EINVAL}, /* no port */
		{BPF_MAP_TYPE_HASH, 5 << 20, BPF_F_NO_PREALLOC, 1, -E2BIG},
		{ADMIN_ARRAY, 0, 1, 0},
	};

	pair_begin(&pair, "gen:count=10", NULL);
	pcap = skep_port_open(pair.host.engine, "gen:count=1", NULL);
	assert_int_equal(pcap, 2);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int got = make_map(&pair.host, rows[i].type, rows[i].value_size, rows[i].flags,
				   rows[i].port);

		if (min(got, 0) != rows[i].want)
			fail_msg("row %u: %d: %s", i, got,
				 skep_engine_error(pair.host.engine)->text);
		if (got >= 0)
			close(got);
	}
	pair_end(&pair);
}

static void programs_are_refused(void **state)
{
	struct pair pair = {}, other = {};
	int here, there, elsewhere, second;
	const struct {
		u32 type, flags;
		int *map;
		int port, want;
	} rows[] = {
		{BPF_PROG_TYPE_XDP, 0, &there, 1, 0},
		{BPF_PROG_TYPE_XDP, 0, &here, 1, -EINVAL},
		{BPF_PROG_TYPE_XDP, 0, &elsewhere, 1, -EINVAL},
		{BPF_PROG_TYPE_XDP, 0, &there, 0, -EINVAL},
		{BPF_PROG_TYPE_XDP, DEVICE_BOUND, &there, 1, -EINVAL},
		{BPF_PROG_TYPE_XDP, BPF_F_XDP_HAS_FRAGS, &there, 1, -EINVAL},
		{BPF_PROG_TYPE_SOCKET_FILTER, 0, &there, 1, -EINVAL},
		{BPF_PROG_TYPE_XDP, 0, &there, 60, -EINVAL},
	};

	pair_begin(&pair, "gen:count=10", NULL);
	device_begin(&other, "gen:count=10", NULL);
	second = open_device(pair.host.engine, other.address);
	here = make_map(&pair.host, ADMIN_ARRAY, 0, 0);
	there = make_map(&pair.host, ADMIN_ARRAY, 0, pair.port);
	elsewhere = make_map(&pair.host, ADMIN_ARRAY, 0, second);
	assert_true(here >= 0 && there >= 0 && elsewhere >= 0);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int got = load_for(&pair.host, COUNT, *rows[i].map, rows[i].type, rows[i].flags,
				   rows[i].port);

		if (min(got, 0) != rows[i].want)
			fail_msg("row %u: %d: %s", i, got,
				 skep_engine_error(pair.host.engine)->text);
	}
	pair_end(&pair);
	device_end(&other);
}

/* What an offloaded program cannot be used for here, and modes beside each other. */
static void what_is_there_does_not_run_here(void **state)
{
	struct pair pair = {};
	struct world *host = &pair.host;
	u8 packet[64] = {};
	u32 count = 1, out, keys[1];
	u64 values[1];
	int map, prog, native, array;
	union bpf_attr attr;

	pair_begin(&pair, "gen:count=10", NULL);
	map = make_map(host, ADMIN_ARRAY, 0, pair.port);
	prog = load_for(host, COUNT, map, BPF_PROG_TYPE_XDP, 0, pair.port);
	native = load_for(host, DROP, 0, BPF_PROG_TYPE_XDP, 0, 0);
	assert_int_equal(link_with(host, prog, pair.port, 0), -EINVAL);
	assert_int_equal(link_with(host, prog, pair.port, XDP_FLAGS_DRV_MODE), -EINVAL);
	assert_int_equal(link_with(host, native, pair.port, XDP_FLAGS_HW_MODE), -EINVAL);
	assert_int_equal(link_with(host, prog, 60, XDP_FLAGS_HW_MODE), -EINVAL);
	assert_int_equal(
		link_with(host, prog, pair.port, XDP_FLAGS_HW_MODE | XDP_FLAGS_DRV_MODE),
		-EINVAL);
	assert_int_equal(skep_attach(host->engine, pair.port, prog, NULL), -EINVAL);
	attr = (union bpf_attr){.test = {.prog_fd = (u32)prog,
					 .data_in = ptr_to_u64(packet),
					 .data_size_in = sizeof(packet)}};
	assert_int_equal(bpf(host, BPF_PROG_TEST_RUN, &attr), -524);
	attr = (union bpf_attr){.batch = {.map_fd = (u32)map,
					  .count = count,
					  .out_batch = ptr_to_u64(&out),
					  .keys = ptr_to_u64(keys),
					  .values = ptr_to_u64(values)}};
	assert_int_equal(bpf(host, BPF_MAP_LOOKUP_BATCH, &attr), -524);
	array = make_map(host, BPF_MAP_TYPE_PROG_ARRAY, 4, 0, 0);
	attr = (union bpf_attr){
		.map_fd = (u32)array, .key = ptr_to_u64(&(u32){0}), .value = ptr_to_u64(&prog)};
	assert_int_equal(bpf(host, BPF_MAP_UPDATE_ELEM, &attr), -EINVAL);
	assert_true(link_with(host, prog, pair.port, XDP_FLAGS_HW_MODE) >= 0);
	assert_true(link_with(host, native, pair.port, XDP_FLAGS_DRV_MODE) >= 0);
	pair_end(&pair);
}

static void only_who_may_administer_makes_maps(void **state)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts),
					      .rights = SKEP_RIGHT_BPF | SKEP_RIGHT_NET_ADMIN,
					      .rights_given = true};
	struct pair pair = {};

	device_begin(&pair, "gen:count=10", NULL);
	pair.host.engine = skep_engine_new(&opts, NULL);
	pair.port = open_device(pair.host.engine, pair.address);
	assert_int_equal(make_map(&pair.host, ADMIN_ARRAY, 0, pair.port), -EPERM);
	pair_end(&pair);
}

static void what_the_device_lacks_has_a_name(void **state)
{
	struct pair pair = {};
	struct world *host = &pair.host;

	pair_begin(&pair, "gen:count=10", "bpf_ktime_get_ns,hash");
	assert_int_equal(
		load_for(host, "call 5\nr0 = 1\nexit", 0, BPF_PROG_TYPE_XDP, 0, pair.port),
		-EINVAL);
	assert_non_null(strstr(skep_engine_error(host->engine)->text,
			       "instruction 0: it has no helper bpf_ktime_get_ns()"));
	assert_int_equal(make_map(host, BPF_MAP_TYPE_HASH, 8, 0, pair.port), -EOPNOTSUPP);
	assert_non_null(
		strstr(skep_engine_error(host->engine)->text, "it has no maps of type hash"));
	assert_true(make_map(host, BPF_MAP_TYPE_ARRAY, 8, 0, pair.port) >= 0);
	assert_int_equal(load_for(host, "r0 = r1\nr0 = *(u64 *)(r0 + 0)\nexit", 0,
				  BPF_PROG_TYPE_XDP, 0, pair.port),
			 -EACCES);
	pair_end(&pair);
}

static void the_log_has_what_the_device_said(void **state)
{
	struct bpf_insn insns[] = {{.code = BPF_JMP | BPF_CALL, .imm = 5},
				   {.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
				   {.code = BPF_JMP | BPF_EXIT}};
	char log[4096] = "";
	struct pair pair = {};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP,
			       .license = ptr_to_u64("GPL"),
			       .insns = ptr_to_u64(insns),
			       .insn_cnt = ARRAY_SIZE(insns),
			       .log_buf = ptr_to_u64(log),
			       .log_size = sizeof(log),
			       .log_level = 1};

	pair_begin(&pair, "gen:count=10", "ktime_get_ns");
	attr.prog_ifindex = (u32)pair.port;
	assert_int_equal(bpf(&pair.host, BPF_PROG_LOAD, &attr), -EINVAL);
	assert_non_null(strstr(log, "it has no helper bpf_ktime_get_ns()"));
	pair_end(&pair);
}

static void options_of_a_device_are_checked(void **state)
{
	static const struct {
		const char *listen, *without;
		int ifindex, want;
		const char *text;
	} rows[] = {
		{NULL, NULL, 1, -EINVAL, "where to listen"},
		{"unix:", NULL, 1, -EINVAL, "expected a path"},
		{"tcp:host", NULL, 1, -EINVAL, "expected tcp:HOST:PORT"},
		{"pipe:x", NULL, 1, -EINVAL, "expected unix:PATH or tcp:HOST:PORT"},
		{"unix:/nowhere/at/all", NULL, 1, -ENOENT, "No such file"},
		{"unix:/tmp/x", NULL, 9, -ENODEV, "no port has ifindex 9"},
		{"unix:/tmp/x", "no_such", 1, -EINVAL, "without 'no_such': expected the name"},
	};
	struct skep_engine *engine = skep_engine_new(NULL, NULL);

	assert_int_equal(skep_port_open(engine, "gen:count=1", NULL), 1);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct skep_device_opts opts = {.sz = sizeof(opts),
						      .listen = rows[i].listen,
						      .without = rows[i].without,
						      .ifindex = rows[i].ifindex};
		struct skep_error err = {};

		assert_null(skep_device_start(engine, &opts, &err));
		if (err.code != rows[i].want || !strstr(err.text, rows[i].text))
			fail_msg("row %u: %d %s", i, err.code, err.text);
	}
	skep_engine_free(engine);
}

/* --- several hosts --- */

static void hosts_are_apart(void **state)
{
	struct pair pair = {};
	struct world other = {.engine = skep_engine_new(NULL, NULL)};
	int port, mine, theirs, link;

	pair_begin(&pair, "gen:count=10", NULL);
	port = open_device(other.engine, pair.address);
	mine = load_for(&pair.host, DROP, 0, BPF_PROG_TYPE_XDP, 0, pair.port);
	theirs = load_for(&other, DROP, 0, BPF_PROG_TYPE_XDP, 0, port);
	link = link_with(&pair.host, mine, pair.port, XDP_FLAGS_HW_MODE);
	assert_true(link >= 0);
	assert_int_equal(link_with(&other, theirs, port, XDP_FLAGS_HW_MODE), -EBUSY);
	assert_non_null(strstr(skep_engine_error(other.engine)->text, "another host's"));
	close(link);
	/* what was closed is noticed with the next call */
	assert_int_equal(link_with(&pair.host, mine, 60, XDP_FLAGS_HW_MODE), -EINVAL);
	assert_true(link_with(&other, theirs, port, XDP_FLAGS_HW_MODE) >= 0);
	skep_engine_free(other.engine);
	pair_end(&pair);
}

/* --- the end --- */

static void all_answers_are_enodev(struct world *host, int map, int prog, int port,
				   const char *why)
{
	struct bpf_map_info map_info = {};
	struct bpf_prog_info prog_info = {};
	u64 value;
	union bpf_attr attr = {.info = {.bpf_fd = (u32)map,
					.info_len = sizeof(map_info),
					.info = ptr_to_u64(&map_info)}};

	assert_int_equal(lookup(host, map, 1, &value), -ENODEV);
	assert_non_null(strstr(skep_engine_error(host->engine)->text, why));
	assert_int_equal(update(host, map, 1, 1, 0), -ENODEV);
	assert_int_equal(bpf(host, BPF_OBJ_GET_INFO_BY_FD, &attr), -ENODEV);
	attr.info.bpf_fd = (u32)prog;
	attr.info.info_len = sizeof(prog_info);
	attr.info.info = ptr_to_u64(&prog_info);
	assert_int_equal(bpf(host, BPF_OBJ_GET_INFO_BY_FD, &attr), -ENODEV);
	assert_true(link_with(host, prog, port, XDP_FLAGS_HW_MODE) < 0);
}

static void a_device_that_goes_leaves_what_was_counted(void **state)
{
	struct pair pair = {};
	struct skep_error err = {};
	struct world *host = &pair.host;
	int map, prog, link;

	pair_begin(&pair, "gen:count=100", NULL);
	map = make_map(host, ADMIN_ARRAY, 0, pair.port);
	prog = load_for(host, COUNT, map, BPF_PROG_TYPE_XDP, 0, pair.port);
	link = link_with(host, prog, pair.port, XDP_FLAGS_HW_MODE);
	wait_for_end(&pair);
	device_end(&pair);
	all_answers_are_enodev(host, map, prog, pair.port,
			       "the device is gone (what was counted stays)");
	assert_int_equal(skep_ports_run(host->engine, NULL, &err), -ENODEV);
	assert_non_null(strstr(err.text, "the channel is broken: the device is gone"));
	assert_int_equal(stats_of(host->engine, pair.port).in_packets, 100);
	close(link);
	close(prog);
	close(map);
	skep_engine_free(host->engine);
}

static void a_port_that_is_closed_is_the_end_of_the_device(void **state)
{
	struct pair pair = {};
	struct world *host = &pair.host;
	int map, prog, port;

	pair_begin(&pair, "gen:count=100", NULL);
	map = make_map(host, ADMIN_ARRAY, 0, pair.port);
	prog = load_for(host, COUNT, map, BPF_PROG_TYPE_XDP, 0, pair.port);
	assert_int_equal(skep_port_close(host->engine, pair.port), 0);
	all_answers_are_enodev(host, map, prog, pair.port, "its port is closed");
	/* another channel knows nothing of them */
	port = open_device(host->engine, pair.address);
	assert_int_equal(lookup(host, map, 1, &(u64){0}), -ENODEV);
	assert_true(make_map(host, ADMIN_ARRAY, 0, port) >= 0);
	pair_end(&pair);
}

/* A host that ends takes its programs along; who has handles in thousands is told. */
static void a_host_that_goes_leaves_nothing(void **state)
{
	struct pair pair = {};
	struct world device = {};
	union bpf_attr attr = {};
	int map, made = 0;

	pair_begin(&pair, "gen:count=100", NULL);
	device.engine = pair.engine;
	for (int i = 0; i < 3; i++)
		close(make_map(&pair.host, ADMIN_ARRAY, 0, pair.port));
	map = make_map(&pair.host, ADMIN_ARRAY, 0, pair.port);
	assert_true(load_for(&pair.host, COUNT, map, BPF_PROG_TYPE_XDP, 0, pair.port) >= 0);
	skep_engine_free(pair.host.engine);
	for (int i = 0; i < PATIENCE; i++) {
		attr.start_id = 0;
		made = bpf(&device, BPF_MAP_GET_NEXT_ID, &attr);
		if (made == -ENOENT)
			break;
		usleep(10000);
	}
	assert_int_equal(made, -ENOENT);
	device_end(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_works_over),
		cmocka_unit_test(a_run_of_the_host_ends_with_the_device),
		cmocka_unit_test(a_program_is_replaced),
		cmocka_unit_test(maps_are_refused),
		cmocka_unit_test(programs_are_refused),
		cmocka_unit_test(what_is_there_does_not_run_here),
		cmocka_unit_test(only_who_may_administer_makes_maps),
		cmocka_unit_test(what_the_device_lacks_has_a_name),
		cmocka_unit_test(the_log_has_what_the_device_said),
		cmocka_unit_test(options_of_a_device_are_checked),
		cmocka_unit_test(hosts_are_apart),
		cmocka_unit_test(a_device_that_goes_leaves_what_was_counted),
		cmocka_unit_test(a_port_that_is_closed_is_the_end_of_the_device),
		cmocka_unit_test(a_host_that_goes_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
