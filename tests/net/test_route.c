/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_fib_lookup() and bpf_check_mtu(): random questions to the running kernel, in a network
 * namespace of this test's own, and to engines that have the same routes: copied by netlink,
 * and as text. Results and all that programs get back must be equal.
 */
#include "tests/linux.h"
#include "tests/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <skep/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define QUESTIONS    20000
#define LOOKUP_MARK  (1u << 5)
#define LOOKUP_FLAGS 6

static const char *const commands[] = {
	"ip link set lo up",
	("ip link add v2 index 2 mtu 1500 address 02:00:00:00:00:02 type veth peer name v3 index 3 "
	 "mtu 1400 address 02:00:00:00:00:03"),
	"ip link set v2 addrgenmode none up",
	"ip link set v3 addrgenmode none up",
	"ip address add 10.0.0.1/24 dev v2",
	"ip address add 10.0.1.1/24 dev v3",
	"ip address add 10.0.1.9/28 dev v3",
	"ip address add fd00::1/64 dev v2 nodad",
	"ip address add fd00:1::1/64 dev v3 nodad",
	"ip address add fd00:1::f:1/112 dev v3 nodad",
	"ip neighbour add 10.0.0.7 dev v2 lladdr 02:00:00:00:00:07 nud permanent",
	"ip neighbour add 10.0.1.7 dev v3 lladdr 02:00:00:00:01:07 nud permanent",
	"ip neighbour add fd00::7 dev v2 lladdr 02:00:00:00:00:67 nud permanent",
	"ip neighbour add fd00:1::7 dev v3 lladdr 02:00:00:00:01:67 nud permanent",
	"ip route add default via 10.0.0.7",
	"ip route add 10.1.0.0/16 via 10.0.1.7 src 10.0.1.9 mtu 1300 metric 4",
	"ip route add 10.1.0.0/16 via 10.0.0.7 metric 9",
	"ip route add 10.1.2.0/24 via 10.0.0.7 mtu lock 1200",
	"ip route add 10.2.0.0/16 via inet6 fd00::7 dev v2",
	"ip route add blackhole 10.3.0.0/16",
	"ip route add unreachable 10.4.0.0/16",
	"ip route add prohibit 10.5.0.0/16",
	"ip route add throw 10.6.0.0/16",
	"ip route add 10.7.0.0/16 via 10.0.0.8",
	"ip route add 10.8.0.0/16 dev v3",
	"ip route add 10.9.0.0/16 encap ip id 42 dst 10.0.0.7 dev v2",
	"ip -6 route add fd09::/32 encap ip6 id 42 dst fd00::9 dev v2",
	"ip route add 10.1.0.0/16 via 10.0.0.7 table 100",
	"ip route add blackhole default table 101",
	"ip route add default via fd00::7 metric 77",
	"ip route add fd01::/32 via fd00:1::7 dev v3 mtu 1290",
	"ip route add fd02::/32 via fd00:1::7 dev v3 mtu lock 1290",
	"ip route add fd01:0:1::/48 via fd00::7 src fd00::1",
	"ip route add blackhole fd03::/32",
	"ip route add unreachable fd04::/32",
	"ip route add prohibit fd05::/32",
	"ip route add fd01::/32 via fd00::7 dev v2 table 100",
	"ip rule add priority 200 fwmark 0x10/0xf0 lookup 100",
	"ip rule add priority 201 from 10.66.0.0/16 iif v3 prohibit",
	"ip rule add priority 202 to 10.77.0.0/16 blackhole",
	"ip -6 rule add priority 200 fwmark 0x10/0xf0 lookup 100",
	"ip -6 rule add priority 201 from fd66::/16 unreachable",
};

/* The same as an engine's text. */
static const char text[] =
	"# what the commands above make\n"
	"device 1 name lo mtu 65536 forwarding off\n"
	"device 2 name v2 address 02:00:00:00:00:02\n"
	"device 3 name v3 mtu 1400 address 02:00:00:00:00:03 forwarding inet\n"
	"local 127.0.0.0/8 dev lo src 127.0.0.1\n"
	"broadcast 10.0.0.255 dev v2 src 10.0.0.1\n"
	"broadcast 10.0.1.255 dev v3 src 10.0.1.1\n"
	"broadcast 10.0.1.15 dev v3 src 10.0.1.9\n"
	"local ::1 dev lo\n"
	"multicast ff00::/8 dev v2 table local metric 256\n"
	"address 10.0.0.1/24 dev v2\n"
	"address 10.0.1.1/24 dev v3\n"
	"address 10.0.1.9/28 dev v3\n"
	"address fd00::1/64 dev v2\n"
	"address fd00:1::1/64 dev v3\n"
	"address fd00:1::f:1/112 dev v3\n"
	"neighbour 10.0.0.7 dev v2 lladdr 02:00:00:00:00:07\n"
	"neighbour 10.0.1.7 dev v3 lladdr 02:00:00:00:01:07\n"
	"neighbour fd00::7 dev v2 lladdr 02:00:00:00:00:67\n"
	"neighbour fd00:1::7 dev v3 lladdr 02:00:00:00:01:67\n"
	"default via 10.0.0.7 dev v2\n"
	"10.1.0.0/16 via 10.0.1.7 dev v3 src 10.0.1.9 mtu 1300 metric 4\n"
	"10.1.0.0/16 via 10.0.0.7 dev v2 metric 9\n"
	"route 10.1.2.0/24 via 10.0.0.7 dev v2 mtu lock 1200 proto boot scope global\n"
	"10.2.0.0/16 via inet6 fd00::7 dev v2\n"
	"blackhole 10.3.0.0/16\n"
	"unreachable 10.4.0.0/16\n"
	"prohibit 10.5.0.0/16\n"
	"throw 10.6.0.0/16\n"
	"10.7.0.0/16 via 10.0.0.8 dev v2\n"
	"10.8.0.0/16 dev v3\n"
	"10.9.0.0/16 encap dev v2\n"
	"fd09::/32 encap dev v2 metric 1024\n"
	"10.1.0.0/16 via 10.0.0.7 dev v2 table 100\n"
	"blackhole default table 101\n"
	"default via fd00::7 dev v2 metric 77\n"
	"fd01::/32 via fd00:1::7 dev v3 mtu 1290 metric 1024\n"
	"fd02::/32 via fd00:1::7 dev v3 mtu lock 1290 metric 1024\n"
	"fd01:0:1::/48 via fd00::7 dev v2 src fd00::1 metric 1024\n"
	"blackhole fd03::/32 metric 1024\n"
	"unreachable fd04::/32 metric 1024\n"
	"prohibit fd05::/32 metric 1024\n"
	"fd01::/32 via fd00::7 dev v2 table 100 metric 1024\n"
	"rule 0 lookup local\n"
	"rule 200 fwmark 0x10/0xf0 lookup 100\n"
	"rule 201 from 10.66.0.0/16 iif v3 prohibit\n"
	"rule 202 to 10.77.0.0/16 blackhole\n"
	"rule 32766 lookup main\n"
	"rule 32767 lookup default\n"
	"rule 0 from ::/0 lookup local\n"
	"rule 200 from ::/0 fwmark 0x10/0xf0 lookup 100\n"
	"rule 201 from fd66::/16 unreachable\n"
	"rule 32766 from ::/0 lookup main\n";

/* What the programs read and write. */
struct question {
	struct bpf_fib_lookup params;
	u64 flags;
	s64 result;
	u64 size;
	u32 mtu, ifindex;
	s32 difference;
	u32 mtu_flags;
	s64 mtu_result;
};

struct side {
	const char *name;
	struct skep_engine *engine; /* NULL: the kernel */
	int map, progs[2];	    /* XDP, tc */
};

static int side_bpf(const struct side *side, int cmd, union bpf_attr *attr)
{
	int ret;

	if (side->engine)
		return skep_bpf(side->engine, cmd, attr, sizeof(*attr));
	ret = syscall(__NR_bpf, cmd, attr, sizeof(*attr));
	return ret < 0 ? -errno : ret;
}

#define AT(member) offsetof(struct question, member)
#define INSN(c, d, s, o, i)                                                         \
	{                                                                           \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) \
	}
#define MOVE(d, s)	     INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define NUMBER(d, n)	     INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, n)
#define LOAD(size, d, s, o)  INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, d, s, o) INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define ADD(d, n)	     INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, n)
#define CALL(helper)	     INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)

static int make_program(const struct side *side, u32 type)
{
	const struct bpf_insn insns[] = {
		MOVE(6, 1),
		INSN(BPF_LD | BPF_IMM | BPF_DW, 7, BPF_PSEUDO_MAP_VALUE, 0, side->map),
		INSN(0, 0, 0, 0, 0),
		MOVE(2, 7),
		NUMBER(3, sizeof(struct bpf_fib_lookup)),
		LOAD(BPF_DW, 4, 7, AT(flags)),
		CALL(BPF_FUNC_fib_lookup),
		STORE(BPF_DW, 7, 0, AT(result)),
		MOVE(1, 6),
		LOAD(BPF_W, 2, 7, AT(ifindex)),
		MOVE(3, 7),
		ADD(3, AT(mtu)),
		LOAD(BPF_W, 4, 7, AT(difference)),
		LOAD(BPF_W, 5, 7, AT(mtu_flags)),
		CALL(BPF_FUNC_check_mtu),
		STORE(BPF_DW, 7, 0, AT(mtu_result)),
		NUMBER(0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = {
		.prog_type = type,
		.insns = (uintptr_t)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (uintptr_t) "GPL",
	};

	return side_bpf(side, BPF_PROG_LOAD, &attr);
}

static void side_open(struct side *side)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = sizeof(struct question),
			       .max_entries = 1};

	side->map = side_bpf(side, BPF_MAP_CREATE, &attr);
	assert_true(side->map >= 0);
	side->progs[0] = make_program(side, BPF_PROG_TYPE_XDP);
	side->progs[1] = make_program(side, BPF_PROG_TYPE_SCHED_CLS);
	assert_true(side->progs[0] >= 0 && side->progs[1] >= 0);
}

static void side_close(struct side *side)
{
	close(side->map);
	close(side->progs[0]);
	close(side->progs[1]);
	skep_engine_free(side->engine);
}

static void side_ask(const struct side *side, u32 program, struct question *question)
{
	u8 packet[1000] = {0};
	u32 key = 0;
	union bpf_attr attr = {
		.map_fd = side->map, .key = (uintptr_t)&key, .value = (uintptr_t)question};

	assert_int_equal(side_bpf(side, BPF_MAP_UPDATE_ELEM, &attr), 0);
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = side->progs[program];
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	assert_int_equal(side_bpf(side, BPF_PROG_TEST_RUN, &attr), 0);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = side->map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)question;
	assert_int_equal(side_bpf(side, BPF_MAP_LOOKUP_ELEM, &attr), 0);
}

/* --- random questions --- */
static u64 seed = 88172645463325252ull;

static u32 random_below(u32 limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)(seed >> 32) % limit;
}

#define PICK(list) list[random_below(ARRAY_SIZE(list))]

static void pick_ipv4(struct bpf_fib_lookup *params)
{
	static const char *const to[] = {
		"10.0.0.7", "10.0.0.8",	 "10.0.0.1", "10.0.0.255", "10.0.1.7",
		"10.0.1.3", "10.1.0.1",	 "10.1.2.3", "10.2.0.1",   "10.3.0.1",
		"10.4.0.1", "10.5.0.1",	 "10.9.0.1", "10.6.0.1",   "10.7.0.1",
		"10.8.0.1", "10.77.0.1", "8.8.8.8",  "127.0.0.1",
	};
	static const char *const from[] = {"10.66.0.1", "10.0.0.9", "0.0.0.0", "192.0.2.1"};

	params->family = AF_INET;
	params->tos = 0;
	inet_pton(AF_INET, PICK(to), &params->ipv4_dst);
	inet_pton(AF_INET, PICK(from), &params->ipv4_src);
}

static void pick_ipv6(struct bpf_fib_lookup *params)
{
	static const char *const to[] = {
		"fd00::7",     "fd00::8", "fd00::1", "fd00:1::7", "fd00:1::f:3", "fd01::1",
		"fd02::1",     "fd09::1", "fd03::1", "fd04::1",	  "fd05::1",	 "fe80::1",
		"fd01:0:1::1", "ff02::1", "::1",     "2001::1",	  "fd66::66",
	};
	static const char *const from[] = {"fd66::1", "fd00::9", "fe80::9", "2001::9"};

	params->family = AF_INET6;
	inet_pton(AF_INET6, PICK(to), params->ipv6_dst);
	inet_pton(AF_INET6, PICK(from), params->ipv6_src);
}

static void pick_question(struct question *out)
{
	static const u32 devices[] = {0, 1, 2, 2, 2, 3, 3, 3, 99},
			 tables[] = {100, 101, 254, 7};
	static const u32 lengths[] = {0, 0, 100, 1250, 1295, 1350, 1450, 1600};
	static const u32 mtus[] = {0, 0, 1, 1399, 1400, 1401, 1500, 1501, 65536, 70000};
	static const s32 differences[] = {0, 0, 0, -900, 400, 600, -2000, 66000};
	static const u32 marks[] = {0, 0x10, 0x11, 0x20};
	const u32 mark = PICK(marks);

	memset(out, 0, sizeof(*out));
	if (random_below(2))
		pick_ipv4(&out->params);
	else
		pick_ipv6(&out->params);
	if (!random_below(100))
		out->params.family = 1;
	out->flags = random_below(1u << LOOKUP_FLAGS);
	if (!random_below(100))
		out->flags |= 1u << LOOKUP_FLAGS;
	out->params.ifindex = PICK(devices);
	out->params.tot_len = PICK(lengths);
	out->params.tbid = PICK(tables);
	memcpy(out->params.smac, &mark, sizeof(mark));
	out->mtu = PICK(mtus);
	out->ifindex = PICK(devices);
	out->difference = PICK(differences);
	out->mtu_flags = random_below(20) ? 0 : random_below(3);
}

static void fail_question(const struct side *side, u32 program, const struct question *question,
			  const struct question *want, const struct question *got)
{
	const struct bpf_fib_lookup *p = &question->params;
	const u8 *w = (const u8 *)want, *g = (const u8 *)got;
	char to[64] = "?", from[64] = "?";
	u32 at = 0;

	inet_ntop(p->family, p->ipv6_dst, to, sizeof(to));
	inet_ntop(p->family, p->ipv6_src, from, sizeof(from));
	while (at + 1 < sizeof(*want) && w[at] == g[at])
		at++;
	fail_msg(
		"%s, %s: from %s to %s, device %u, flags 0x%llx, length %u, table %u: Linux "
		"%lld, here %lld; mtu %u, device %u, difference %d, flags %u: Linux %lld, here "
		"%lld; byte %u: %u, %u",
		side->name, program ? "tc" : "xdp", from, to, p->ifindex, question->flags,
		p->tot_len, p->tbid, (long long)want->result, (long long)got->result,
		question->mtu, question->ifindex, question->difference, question->mtu_flags,
		(long long)want->mtu_result, (long long)got->mtu_result, at, w[at], g[at]);
}

static void write_setting(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), strlen(value));
	close(fd);
}

/* false: this cannot be had here. */
static bool make_network(void)
{
	if (!linux_has_bpf() || unshare(CLONE_NEWNET) || system("ip -V >/dev/null"))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		if (system(commands[i]))
			fail_msg("%s", commands[i]);
	write_setting("/proc/sys/net/ipv4/conf/v2/forwarding", "1");
	write_setting("/proc/sys/net/ipv4/conf/v3/forwarding", "1");
	write_setting("/proc/sys/net/ipv6/conf/v2/forwarding", "1");
	return true;
}

static void answers_are_those_of_linux(void **state)
{
	struct side sides[] = {{"Linux", NULL, -1, {-1, -1}},
			       {"copied", skep_engine_new(NULL, NULL), -1, {-1, -1}},
			       {"text", skep_engine_new(NULL, NULL), -1, {-1, -1}}};
	struct skep_error err;

	if (!make_network()) {
		skep_engine_free(sides[1].engine);
		skep_engine_free(sides[2].engine);
		skip();
	}
	if (skep_routes_copy_host(sides[1].engine, &err) ||
	    skep_routes_set(sides[2].engine, text, strlen(text), &err))
		fail_msg("%s", err.text);
	for (u32 i = 0; i < ARRAY_SIZE(sides); i++)
		side_open(&sides[i]);
	for (u32 i = 0; i < QUESTIONS; i++) {
		const u32 program = random_below(2);
		struct question question, answers[3];

		pick_question(&question);
		for (u32 j = 0; j < ARRAY_SIZE(sides); j++) {
			answers[j] = question;
			side_ask(&sides[j], program, &answers[j]);
			if (memcmp(&answers[0], &answers[j], sizeof(question)))
				fail_question(&sides[j], program, &question, &answers[0],
					      &answers[j]);
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(sides); i++)
		side_close(&sides[i]);
}

static void bad_lines_are_named(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"10.0.0.0/33 dev 1", "line 1: '10.0.0.0': expected [TYPE] PREFIX"},
		{"\n10.0.0.0/8", "line 2: 'end of line': expected dev DEVICE"},
		{"10.0.0.0/8 dev eth0", "'eth0': expected a device's number"},
		{"10.0.0.0/8 dev 1 colour red", "'colour': expected via, dev, src"},
		{"device one", "'one': expected a number"},
		{"device 1 address 2", "'2': expected an address like"},
		{"device 1 forwarding yes", "'yes': expected on, off, inet or inet6"},
		{"device 1 name 1234567890123456", "expected a name of at most 15 bytes"},
		{"device 1 up", "'up': expected name, mtu"},
		{"address 10.0.0.1 on 2", "'on': expected dev DEVICE"},
		{"address 10.0.0.1 dev 2 up", "'up': expected end of line"},
		{"neighbour 10.0.0.1 lladdr 02:00:00:00:00:01", "expected dev DEVICE"},
		{"neighbour 10.0.0.1 state 1", "'state': expected dev or lladdr"},
		{"rule 1 fwmark x", "'x': expected MARK[/MASK]"},
		{"rule 1 from 10.0.0.0/8", "expected lookup TABLE"},
		{"rule 1 goto 5", "'goto': expected from, to"},
		{"rule 1 tos 256", "expected a type of service below 256"},
		{"1.2.3.4 dev 1 table x", "'x': expected a table"},
		{"1.2.3.4 dev 1 mtu lock", "expected [lock] BYTES"},
	};
	struct skep_engine *engine = skep_engine_new(NULL, NULL);
	char line[600];
	struct skep_error err;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
			skep_routes_set(engine, rows[i].text, strlen(rows[i].text), &err),
			-EINVAL);
		if (!strstr(err.text, rows[i].error))
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_string_equal(skep_engine_error(engine)->text, err.text);
	}
	memset(line, 'x', sizeof(line));
	assert_int_equal(skep_routes_set(engine, line, sizeof(line), NULL), -EINVAL);
	assert_int_equal(skep_routes_set(engine, "", 0, &err), 0);
	skep_engine_free(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(answers_are_those_of_linux),
	};

	return cmocka_run_group_tests_name("net.route", tests, NULL, NULL);
}
