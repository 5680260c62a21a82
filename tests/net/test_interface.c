/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports on interfaces of the host, each test in a network namespace of its own: a pair of veth,
 * one end of which is the port's, the other a raw socket of the test.
 */
#include "isa/isa.h"
#include "tests/sys/programs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <skep/port.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define ETHERTYPE 0x88b5 /* for experiments */
#define SENT	  50	 /* fit the raw socket's buffer at any length */
#define SKIPPED	  77

static struct world world;

/* In a child, whose namespace ends with it. */
static void in_own_namespace(int (*body)(const char *), const char *argument)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		if (unshare(CLONE_NEWNET))
			_exit(SKIPPED);
		world.engine = skep_engine_new(NULL, NULL);
		_exit(world.engine ? body(argument) : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	if (WEXITSTATUS(status))
		fail_msg("%s: step %d failed", argument, WEXITSTATUS(status));
}

static bool make_pair(void)
{
	return !system("sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 2>/dev/null; "
		       "ip link add a0 type veth peer name b0 2>/dev/null && "
		       "ip link set a0 up && ip link set b0 up");
}

static int raw_socket(const char *interface)
{
	const int one = 1;
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETHERTYPE),
		.sll_ifindex = (int)if_nametoindex(interface),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -1 : fd;
}

static void send_frames(int fd, u32 length)
{
	u8 frame[1500] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, ETHERTYPE >> 8, ETHERTYPE & 0xff};

	for (u32 i = 0; i < SENT; i++) {
		frame[14] = i;
		if (send(fd, frame, length, 0) != length)
			_exit(90);
	}
}

static int attach(int port, const char *text)
{
	const struct program_kind kind = {.type = BPF_PROG_TYPE_XDP};
	union bpf_attr attr = {
		.link_create = {.target_ifindex = (u32)port, .attach_type = BPF_XDP}};

	attr.link_create.prog_fd = load_kind(&world, kind, text, NULL);
	return bpf(&world, BPF_LINK_CREATE, &attr);
}

static struct skep_port_stats stats_of(int port)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};

	skep_port_stats(world.engine, port, &stats);
	return stats;
}

struct exchange {
	int fd, port;
	u32 length, came_back;
	bool has_come[SENT], is_wrong;
};

/* Counts what came back to the raw socket; ends when all did. */
static int take_back(void *cookie)
{
	struct exchange *exchange = cookie;
	u8 frame[2048];
	ssize_t got;

	while ((got = recv(exchange->fd, frame, sizeof(frame), 0)) > 0) {
		exchange->is_wrong |= got != exchange->length || frame[14] >= SENT ||
				      exchange->has_come[frame[14]];
		exchange->has_come[frame[14] % SENT] = true;
		exchange->came_back++;
	}
	return exchange->came_back >= SENT;
}

static int run_exchange(const char *spec, u32 length, struct exchange *out)
{
	struct skep_ports_run_opts opts = {
		.sz = sizeof(opts),
		.max_ns = 60000000000,
		.interval_ns = 1000000,
		.tick = take_back,
		.cookie = out,
	};
	struct skep_error err = {};

	*out = (struct exchange){.fd = raw_socket("a0"), .length = length};
	out->port = skep_port_open(world.engine, spec, &err);
	if (out->port < 0) {
		printf("# %s\n", err.text);
		return out->port == -EPERM || out->port == -ENOSYS || out->port == -ENOENT
			       ? SKIPPED
			       : 2;
	}
	if (attach(out->port, "r0 = 3\nexit") < 0)
		return 3;
	send_frames(out->fd, length);
	return skep_ports_run(world.engine, &opts, NULL) ? 4 : 0;
}

/* Everything goes back the way it came, once. (A sender that moves to another CPU may overtake
 * itself in the kernel.) */
static int reflects(const char *spec)
{
	struct skep_port_stats stats;
	struct exchange exchange;
	int code = make_pair() ? 0 : SKIPPED;

	for (u32 length = 60; length <= 1500 && !code; length += 1440) {
		code = run_exchange(spec, length, &exchange);
		if (code)
			return code;
		stats = stats_of(exchange.port);
		if (exchange.came_back != SENT || exchange.is_wrong)
			return 5;
		if (stats.in_packets != SENT ||
		    stats.verdict_packets[SKEP_VERDICT_TX] != SENT ||
		    stats.out_bytes != SENT * length || stats.lost || stats.out_failed)
			return 6;
		if (skep_port_close(world.engine, exchange.port))
			return 7;
		close(exchange.fd);
	}
	return code;
}

static void interfaces_receive_and_send(void **state)
{
	static const char *const specs[] = {
		"packet:b0", "packet:b0,queues=2", "xdp:b0", "xdp:b0,copy", "xdp:b0,generic",
	};

	for (u32 i = 0; i < ARRAY_SIZE(specs); i++)
		in_own_namespace(reflects, specs[i]);
}

/* --- TUN: IP packets, which programs see behind an Ethernet header --- */

static int all_came(void *cookie)
{
	return stats_of(*(int *)cookie).in_packets >= SENT;
}

static int tun_receives(const char *spec)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(0x0a090902)};
	struct skep_error err = {};
	int fd = socket(AF_INET, SOCK_DGRAM, 0),
	    port = skep_port_open(world.engine, spec, &err);
	struct skep_ports_run_opts opts = {
		.sz = sizeof(opts),
		.max_ns = 60000000000,
		.interval_ns = 1000000,
		.tick = all_came,
		.cookie = &port,
	};

	if (port < 0)
		return SKIPPED;
	if (system("sysctl -q -w net.ipv6.conf.all.disable_ipv6=1; "
		   "ip addr add 10.9.9.1/24 dev skep1 && ip link set skep1 up"))
		return 2;
	/* IPv4 behind 14 bytes: pass; anything else: aborted. */
	if (attach(port,
		   "r2 = *(u32 *)(r1 + 4)\nr1 = *(u32 *)(r1 + 0)\nr0 = 0\nr3 = r1\nr3 += 34\n"
		   "if r3 > r2 goto out\nr4 = *(u16 *)(r1 + 12)\nif r4 != 8 goto out\n"
		   "r4 = *(u8 *)(r1 + 14)\nif r4 != 69 goto out\nr0 = 3\nout:\nexit") < 0)
		return 3;
	for (u32 i = 0; i < SENT; i++)
		if (sendto(fd, "bees", 4, 0, (struct sockaddr *)&to, sizeof(to)) != 4)
			return 4;
	if (skep_ports_run(world.engine, &opts, &err))
		return 5;
	if (stats_of(port).verdict_packets[SKEP_VERDICT_TX] != SENT)
		return 6;
	return stats_of(port).out_packets == SENT && !stats_of(port).out_failed ? 0 : 7;
}

static void a_tun_has_packets_without_ethernet(void **state)
{
	in_own_namespace(tun_receives, "tun:skep1");
}

/* --- what goes wrong --- */

struct removal {
	int vanishing;
	bool is_removed;
};

/* When packets of the one have come, its interface goes; ends when the other is done. */
static int remove_interface(void *cookie)
{
	struct removal *removal = cookie;

	if (!removal->is_removed && stats_of(removal->vanishing).in_packets == SENT) {
		removal->is_removed = true;
		if (system("ip link del a0"))
			_exit(91);
	}
	return 0;
}

/* The port is at its end, with a message; what it counted stays, the other port goes on. */
static int vanishes(const char *spec)
{
	struct removal removal = {};
	struct skep_ports_run_opts opts = {
		.sz = sizeof(opts),
		.max_ns = 60000000000,
		.interval_ns = 1000000,
		.tick = remove_interface,
		.cookie = &removal,
	};
	struct skep_error err = {};
	int fd, other, code;

	if (!make_pair())
		return SKIPPED;
	fd = raw_socket("a0");
	removal.vanishing = skep_port_open(world.engine, spec, &err);
	if (removal.vanishing < 0)
		return SKIPPED;
	other = skep_port_open(world.engine, "gen:count=1000", NULL);
	send_frames(fd, 60);
	code = skep_ports_run(world.engine, &opts, &err);
	if (!code || !strstr(err.text, "gone"))
		return 2;
	if (stats_of(removal.vanishing).in_packets != SENT ||
	    !stats_of(removal.vanishing).at_end)
		return 3;
	return stats_of(other).in_packets == 1000 ? 0 : 4;
}

static void a_port_that_vanishes_ends_with_a_message(void **state)
{
	static const char *const specs[] = {"packet:b0", "xdp:b0"};

	for (u32 i = 0; i < ARRAY_SIZE(specs); i++)
		in_own_namespace(vanishes, specs[i]);
}

/* Two sockets on one queue, two programs on one interface: the second is told. */
static int is_taken(const char *spec)
{
	struct skep_error err = {};
	int port;

	if (!make_pair())
		return SKIPPED;
	port = skep_port_open(world.engine, spec, &err);
	if (port < 0)
		return SKIPPED;
	if (skep_port_open(world.engine, spec, &err) >= 0 ||
	    !strstr(err.text, "has an XDP program already"))
		return 2;
	if (skep_port_open(world.engine, "xdp:nonexistent", &err) != -ENODEV ||
	    !strstr(err.text, "no such interface"))
		return 3;
	if (skep_port_close(world.engine, port))
		return 4;
	if (skep_port_open(world.engine, "xdp:b0,zerocopy", &err) >= 0)
		return 5;
	return strstr(err.text, "no zero-copy") ? 0 : 6;
}

static void says_why_there_is_no_socket(void **state)
{
	in_own_namespace(is_taken, "xdp:b0");
}

static void kinds_say_what_they_can_do(void **state)
{
	struct skep_port_kind kind = {.sz = sizeof(kind)};
	unsigned int count = 0;

	while (!skep_port_kind(count, &kind)) {
		assert_memory_equal(kind.usage, kind.name, strlen(kind.name));
		assert_true(kind.abilities & (SKEP_PORT_RECEIVES | SKEP_PORT_OFFLOADS) ||
			    kind.usable == -ENOSYS);
		assert_int_equal(kind.usable != 0, kind.why_not[0] != '\0');
		count++;
	}
	assert_int_equal(skep_port_kind(count, &kind), -ENOENT);
	assert_true(count >= 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_receive_and_send),
		cmocka_unit_test(a_tun_has_packets_without_ethernet),
		cmocka_unit_test(a_port_that_vanishes_ends_with_a_message),
		cmocka_unit_test(says_why_there_is_no_socket),
		cmocka_unit_test(kinds_say_what_they_can_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
