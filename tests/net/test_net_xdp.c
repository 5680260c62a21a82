/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets through ports with XDP programs, loaded and attached through bpf(2). Whatever
 * happens, what came in is the sum of all verdicts.
 */
#include "base/os.h"
#include "isa/isa.h"
#include "net/capture.h"
#include "tests/unit.h"

#include <errno.h>
#include <linux/if_link.h>
#include <pthread.h>
#include <sched.h>
#include <skep/port.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct skep_engine *engine;
static char out_path[] = "/tmp/skep-out-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(out_path);

	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	return unlink(out_path);
}

static int make_engine(void **state)
{
	engine = skep_engine_new(NULL, NULL);
	return !engine;
}

static int free_engine(void **state)
{
	skep_engine_free(engine);
	return 0;
}

static int load(const char *text)
{
	struct bpf_insn *insns;
	struct skep_error err = {};
	u32 count;
	int fd;

	if (insns_assemble(text, &insns, &count, &err))
		fail_msg("%s", err.text);
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (u64)(uintptr_t)insns,
		.insn_cnt = count,
		.license = (u64)(uintptr_t) "GPL",
	};
	fd = skep_bpf(engine, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		fail_msg("%s: %s", text, skep_engine_error(engine)->text);
	free(insns);
	return fd;
}

static int attach(int prog, int ifindex)
{
	union bpf_attr attr = {
		.link_create = {.prog_fd = prog,
				.target_ifindex = ifindex,
				.attach_type = BPF_XDP},
	};

	return skep_bpf(engine, BPF_LINK_CREATE, &attr, sizeof(attr));
}

static int open_port(const char *spec)
{
	struct skep_error err = {};
	int ifindex = skep_port_open(engine, spec, &err);

	if (ifindex <= 0)
		fail_msg("%s: %s", spec, err.text);
	return ifindex;
}

static struct skep_port_stats stats_of(int ifindex)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	u64 sum = 0;

	assert_int_equal(skep_port_stats(engine, ifindex, &stats), 0);
	for (int i = 0; i < SKEP_VERDICTS; i++)
		sum += stats.verdict_packets[i];
	assert_int_equal(stats.in_packets, sum);
	return stats;
}

static u64 packets_in_file(u32 length)
{
	struct capture_packet packet;
	struct capture_reader reader;
	u64 count = 0;

	assert_int_equal(capture_open(&reader, out_path, NULL), 0);
	while (capture_next(&reader, &packet, NULL) == 1)
		count += packet.length == length;
	capture_close(&reader);
	return count;
}

static void verdicts_are_counted_and_carried_out(void **state)
{
	static const struct {
		const char *program;
		enum skep_verdict verdict;
		u64 out_packets;
		u32 out_length;
	} rows[] = {
		{"r0 = 0\nexit", SKEP_VERDICT_ABORTED, 0, 0},
		{"r0 = 1\nexit", SKEP_VERDICT_DROP, 0, 0},
		{"r0 = 2\nexit", SKEP_VERDICT_PASS, 1000, 100},
		{"r0 = 3\nexit", SKEP_VERDICT_TX, 1000, 100},
		{"r0 = 4\nexit", SKEP_VERDICT_REDIRECT, 0, 0},
		{"r0 = 77\nexit", SKEP_VERDICT_ABORTED, 0, 0},
		/* 14 bytes more in front, and the same fewer. */
		{"r2 = -14\ncall 44\nr0 = 3\nexit", SKEP_VERDICT_TX, 1000, 114},
		{"r2 = 14\ncall 44\nr0 = 3\nexit", SKEP_VERDICT_TX, 1000, 86},
	};
	char spec[128];

	snprintf(spec, sizeof(spec), "gen:count=1000,size=100,out=%s", out_path);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int ifindex = open_port(spec), prog = load(rows[i].program);
		int link = attach(prog, ifindex);
		struct skep_port_stats stats;

		assert_true(link >= 0);
		assert_int_equal(skep_ports_run(engine, NULL, NULL), 0);
		stats = stats_of(ifindex);
		if (stats.in_packets != 1000 ||
		    stats.verdict_packets[rows[i].verdict] != 1000 ||
		    stats.out_packets != rows[i].out_packets || !stats.at_end)
			fail_msg("row %u: %lu in, %lu out", i, stats.in_packets,
				 stats.out_packets);
		assert_int_equal(stats.redirect_failed,
				 rows[i].verdict == SKEP_VERDICT_REDIRECT ? 1000 : 0);
		close(link);
		close(prog);
		assert_int_equal(skep_port_close(engine, ifindex), 0);
		assert_int_equal(packets_in_file(rows[i].out_length), rows[i].out_packets);
	}
}

static int run_live(int prog, u32 flags, u32 ifindex, u32 repeat)
{
	static u8 packet[64] = {2, 0, 0, 0, 0, 1};
	struct xdp_md ctx = {.data_end = sizeof(packet), .ingress_ifindex = ifindex};
	union bpf_attr attr = {
		.test = {.prog_fd = prog,
			 .data_in = ptr_to_u64(packet),
			 .data_size_in = sizeof(packet),
			 .ctx_in = ptr_to_u64(&ctx),
			 .ctx_size_in = sizeof(ctx),
			 .repeat = repeat,
			 .flags = flags},
	};

	return skep_bpf(engine, BPF_PROG_TEST_RUN, &attr, sizeof(attr));
}

/* Test runs with live frames: each run gets the packet anew, and its verdict is carried out. */
static void frames_of_test_runs_leave_through_ports(void **state)
{
	int prog = load("r2 = -14\ncall 44\nr0 = 3\nexit");
	char spec[128];
	int port;

	snprintf(spec, sizeof(spec), "gen:count=1,size=100,out=%s", out_path);
	port = open_port(spec);
	assert_int_equal(run_live(prog, 0, port, 7), 0);
	assert_int_equal(stats_of(port).out_packets, 0);
	assert_int_equal(run_live(prog, BPF_F_TEST_XDP_LIVE_FRAMES, port, 7), 0);
	assert_int_equal(stats_of(port).out_packets, 7);
	assert_int_equal(stats_of(port).out_bytes, 7 * 78);
	assert_int_equal(run_live(prog, 0, port + 1, 7), -ENODEV);
	close(prog);
}

static void a_port_without_a_program_passes(void **state)
{
	int ifindex = open_port("gen:count=10");

	assert_int_equal(skep_ports_run(engine, NULL, NULL), 0);
	assert_int_equal(stats_of(ifindex).verdict_packets[SKEP_VERDICT_PASS], 10);
	assert_int_equal(skep_port_close(engine, ifindex), 0);
	assert_int_equal(skep_port_close(engine, ifindex), -ENODEV);
}

static void packets_are_redirected_to_another_port(void **state)
{
	char spec[128], program[128];
	int from, to, prog, link;

	snprintf(spec, sizeof(spec), "gen:count=1,out=%s", out_path);
	to = open_port(spec);
	from = open_port("gen:count=500,size=77");
	snprintf(program, sizeof(program), "r1 = %d\nr2 = 0\ncall 23\nexit", to);
	prog = load(program);
	link = attach(prog, from);
	assert_true(link >= 0);
	assert_int_equal(skep_ports_run(engine, NULL, NULL), 0);
	assert_int_equal(stats_of(from).verdict_packets[SKEP_VERDICT_REDIRECT], 500);
	assert_int_equal(stats_of(from).redirect_failed, 0);
	close(link);
	close(prog);
	skep_port_close(engine, from);
	skep_port_close(engine, to);
	assert_int_equal(packets_in_file(77), 500);
}

static int create_devmap(u32 ifindex)
{
	struct bpf_devmap_val entry = {.ifindex = ifindex, .bpf_prog.fd = -1};
	u32 key = 1;
	union bpf_attr create = {
		.map_type = BPF_MAP_TYPE_DEVMAP,
		.key_size = sizeof(key),
		.value_size = sizeof(u32),
		.max_entries = 2,
	};
	int map = skep_bpf(engine, BPF_MAP_CREATE, &create, sizeof(create));
	union bpf_attr update = {
		.map_fd = map,
		.key = (u64)(uintptr_t)&key,
		.value = (u64)(uintptr_t)&entry.ifindex,
	};

	assert_true(map >= 0);
	assert_int_equal(skep_bpf(engine, BPF_MAP_UPDATE_ELEM, &update, sizeof(update)), 0);
	return map;
}

/* Key 1 is a port, key 0 is empty: then the low bits of the flags are the verdict (XDP_PASS).
 */
static void packets_are_redirected_through_a_devmap(void **state)
{
	for (u32 key = 0; key < 2; key++) {
		char spec[128], program[128];
		int from, to, map, prog, link;

		snprintf(spec, sizeof(spec), "gen:count=1,out=%s", out_path);
		to = open_port(spec);
		from = open_port("gen:count=400,size=78");
		map = create_devmap(to);
		snprintf(program, sizeof(program),
			 "r1 = map_fd %d ll\nr2 = %u\nr3 = 2\ncall 51\nexit", map, key);
		prog = load(program);
		link = attach(prog, from);
		assert_true(link >= 0);
		assert_int_equal(skep_ports_run(engine, NULL, NULL), 0);
		assert_int_equal(stats_of(from).verdict_packets[key ? SKEP_VERDICT_REDIRECT
								    : SKEP_VERDICT_PASS],
				 400);
		assert_int_equal(stats_of(from).redirect_failed, 0);
		close(link);
		close(prog);
		close(map);
		skep_port_close(engine, from);
		skep_port_close(engine, to);
		assert_int_equal(packets_in_file(78), key ? 400 : 0);
	}
}

static void a_hook_takes_one_link(void **state)
{
	int ifindex = open_port("gen:count=10"), prog = load("r0 = 1\nexit");
	int link = attach(prog, ifindex);

	assert_true(link >= 0);
	assert_int_equal(attach(prog, ifindex), -EBUSY);
	assert_int_equal(attach(prog, 63), -EINVAL);
	close(link);
	link = attach(prog, ifindex);
	assert_true(link >= 0);
	close(link);
	close(prog);
	skep_port_close(engine, ifindex);
}

struct replacement {
	int link, progs[2];
	atomic_bool stop;
	u64 count;
};

static void *replace(void *cookie)
{
	struct replacement *replacement = cookie;

	while (!atomic_load(&replacement->stop)) {
		union bpf_attr attr = {
			.link_update =
				{
					.link_fd = replacement->link,
					.new_prog_fd =
						replacement->progs[replacement->count++ % 2],
				},
		};

		if (skep_bpf(engine, BPF_LINK_UPDATE, &attr, sizeof(attr)))
			abort();
	}
	return NULL;
}

/* Replacing a program under traffic: every packet meets the old or the new one, none is lost.
 */
static void a_program_is_replaced_under_traffic(void **state)
{
	struct replacement replacement = {
		.progs = {load("r0 = 1\nexit"), load("r0 = 2\nexit")},
	};
	int ifindex = open_port("gen:count=300000");
	struct skep_port_stats stats;
	pthread_t thread;

	replacement.link = attach(replacement.progs[0], ifindex);
	assert_true(replacement.link >= 0);
	assert_int_equal(pthread_create(&thread, NULL, replace, &replacement), 0);
	assert_int_equal(skep_ports_run(engine, NULL, NULL), 0);
	atomic_store(&replacement.stop, true);
	pthread_join(thread, NULL);
	stats = stats_of(ifindex);
	assert_int_equal(stats.in_packets, 300000);
	assert_int_equal(stats.verdict_packets[SKEP_VERDICT_DROP] +
				 stats.verdict_packets[SKEP_VERDICT_PASS],
			 300000);
	close(replacement.link);
	close(replacement.progs[0]);
	close(replacement.progs[1]);
	skep_port_close(engine, ifindex);
}

static void a_broken_capture_keeps_what_was_counted(void **state)
{
	static const u8 bytes[] =
		"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0"
		"\0\0\0\0\0\0\0\0\x0e\0\0\0\x0e\0\0\0ABCDEFGHIJKLMN"
		"\0\0\0\0\0\0\0\0\x3c\0\0\0\x3c\0\0\0cut";
	FILE *file = fopen(out_path, "w");
	struct skep_error err = {};
	char spec[64];
	int ifindex;

	assert_int_equal(fwrite(bytes, sizeof(bytes) - 1, 1, file), 1);
	fclose(file);
	snprintf(spec, sizeof(spec), "pcap:%s", out_path);
	ifindex = open_port(spec);
	assert_int_equal(skep_ports_run(engine, NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "packet 2 at byte 54"));
	assert_int_equal(stats_of(ifindex).verdict_packets[SKEP_VERDICT_PASS], 1);
	skep_port_close(engine, ifindex);
}

/* A capture again and again, and at the times that it says. */
static void a_capture_loops_and_keeps_its_times(void **state)
{
	char spec[128];
	int port;

	snprintf(spec, sizeof(spec), "gen:count=5,pps=100,out=%s", out_path);
	port = open_port(spec);
	assert_int_equal(skep_ports_run(engine, NULL, NULL), 0);
	skep_port_close(engine, port);
	snprintf(spec, sizeof(spec), "pcap:%s,loop=3", out_path);
	port = open_port(spec);
	assert_int_equal(skep_ports_run(engine, NULL, NULL), 0);
	assert_int_equal(stats_of(port).in_packets, 15);
	skep_port_close(engine, port);
	/* Five packets 10 ms apart: not before 40 ms are over. */
	snprintf(spec, sizeof(spec), "pcap:%s,pace", out_path);
	port = open_port(spec);
	{
		const u64 start = os_time_ns(CLOCK_MONOTONIC);

		assert_int_equal(skep_ports_run(engine, NULL, NULL), 0);
		assert_true(os_time_ns(CLOCK_MONOTONIC) - start >= 40000000);
	}
	assert_int_equal(stats_of(port).in_packets, 5);
	skep_port_close(engine, port);
	snprintf(spec, sizeof(spec), "pcap:%s,loop=0", out_path);
	port = open_port(spec);
	assert_int_equal(skep_ports_run(engine,
					&(struct skep_ports_run_opts){
						.sz = sizeof(struct skep_ports_run_opts),
						.max_packets = 1234},
					NULL),
			 0);
	assert_int_equal(stats_of(port).in_packets, 1234);
	skep_port_close(engine, port);
}

/* What the writer could not write is no packet that left. */
static void a_full_disk_keeps_the_counts(void **state)
{
	struct skep_error err = {};
	struct skep_port_stats stats;
	int port, other;

	if (access("/dev/full", W_OK))
		skip();
	port = open_port("gen:count=20000,out=/dev/full");
	other = open_port("gen:count=500");
	assert_int_equal(skep_ports_run(engine, NULL, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "writing: No space left"));
	stats = stats_of(port);
	assert_int_equal(stats.in_packets, 20000);
	assert_int_equal(stats.out_packets, 0);
	assert_int_equal(stats.out_bytes, 0);
	assert_int_equal(stats.out_failed, 20000);
	assert_int_equal(stats_of(other).in_packets, 500);
}

static void says_what_is_wrong_with_a_port(void **state)
{
	static const struct {
		const char *spec, *text;
		int code;
	} rows[] = {
		{"eth0", "expected one of pcap:IN[:OUT]", -EINVAL},
		{"pcap", "expected pcap:IN[:OUT]", -EINVAL},
		{"pcap:/nonexistent", "No such file", -ENOENT},
		{"pcap:/nonexistent,loop=x", "expected a number", -EINVAL},
		{"pcap:/proc/self/exe:/proc/self/exe", "the same file", -EINVAL},
		{"pcap:/proc/self/exe", "magic number", -EBADMSG},
		{"gen:size=1", "size=1: expected", -EINVAL},
		{"packet:nonexistent0", "packet:nonexistent0", 0},
		{"tap:", "an interface name", -EINVAL},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct skep_error err = {};
		int code = skep_port_open(engine, rows[i].spec, &err);

		if (code >= 0 || (rows[i].code && code != rows[i].code) || err.code != code ||
		    !strstr(err.text, rows[i].text))
			fail_msg("%s: %d %s", rows[i].spec, code, err.text);
	}
}

/* --- ports of the host, in a namespace of the test's own --- */

/* In a child: its namespace ends with it. Exit code 77: not allowed here. */
static int in_own_namespace(int (*body)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (unshare(CLONE_NEWNET))
			_exit(77);
		_exit(body());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int shell(const char *command)
{
	return system(command);
}

struct timed {
	const char *command;
};

static void *run_command(void *cookie)
{
	usleep(200000);
	return shell(((struct timed *)cookie)->command) ? cookie : NULL;
}

#define SENT 100

static int all_came(void *cookie)
{
	return stats_of(*(int *)cookie).in_packets >= SENT;
}

/* Moves packets until those that the command sends have come, on a slow machine for long. */
static u64 receive_while(int ifindex, const char *command)
{
	struct skep_ports_run_opts opts = {
		.sz = sizeof(opts),
		.max_ns = 30000000000,
		.interval_ns = 10000000,
		.tick = all_came,
		.cookie = &ifindex,
	};
	struct timed timed = {command};
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_command, &timed))
		return 0;
	skep_ports_run(engine, &opts, NULL);
	pthread_join(thread, NULL);
	return stats_of(ifindex).in_packets;
}

static const char sender[] = "python3 -c 'import socket\n"
			     "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
			     "for i in range(100): s.sendto(b\"bee\" * 10, (\"10.9.9.2\", 9))'";

static int tap_body(void)
{
	struct skep_error err;
	int ifindex;

	ifindex = skep_port_open(engine, "tap:skep0", &err);
	if (ifindex == -EPERM || ifindex == -EACCES || ifindex == -ENOENT)
		return 77;
	if (ifindex < 0 || shell("sysctl -q -w net.ipv6.conf.all.disable_ipv6=1; "
				 "ip addr add 10.9.9.1/24 dev skep0 && ip link set skep0 up && "
				 "ip neigh add 10.9.9.2 lladdr 02:00:00:00:00:02 dev skep0"))
		return 1;
	return receive_while(ifindex, sender) >= SENT ? 0 : 2;
}

static int packet_body(void)
{
	struct skep_error err;
	int ifindex;

	if (shell("sysctl -q -w net.ipv6.conf.all.disable_ipv6=1; "
		  "ip link add a0 type veth peer name b0 2>/dev/null && "
		  "ip addr add 10.9.9.1/24 dev a0 && ip link set a0 up && ip link set b0 up && "
		  "ip neigh add 10.9.9.2 lladdr 02:00:00:00:00:02 dev a0"))
		return 77;
	ifindex = skep_port_open(engine, "packet:b0", &err);
	if (ifindex < 0)
		return 1;
	return receive_while(ifindex, sender) >= SENT ? 0 : 2;
}

static void expect_packets(int (*body)(void))
{
	int code = in_own_namespace(body);

	if (code == 77)
		skip();
	assert_int_equal(code, 0);
}

static void a_tap_receives_from_the_host(void **state)
{
	expect_packets(tap_body);
}

static void an_interface_is_read_through_af_packet(void **state)
{
	expect_packets(packet_body);
}

/* Each test has an engine of its own: what one leaves open does not disturb the next. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_engine, free_engine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tap_receives_from_the_host),
		TEST(an_interface_is_read_through_af_packet),
		TEST(verdicts_are_counted_and_carried_out),
		TEST(frames_of_test_runs_leave_through_ports),
		TEST(a_port_without_a_program_passes),
		TEST(packets_are_redirected_to_another_port),
		TEST(packets_are_redirected_through_a_devmap),
		TEST(a_hook_takes_one_link),
		TEST(a_program_is_replaced_under_traffic),
		TEST(a_broken_capture_keeps_what_was_counted),
		TEST(a_capture_loops_and_keeps_its_times),
		TEST(a_full_disk_keeps_the_counts),
		TEST(says_what_is_wrong_with_a_port),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
