/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets as programs find and choose them: the same programs in the running kernel and in an
 * engine, with sockets of a network namespace of this test's own.
 */
#include "tests/linux.h"
#include "tests/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <skep/skep.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define PORT	  4711
#define OTHER	  4712
#define SOCKETS	  8
#define FIELDS	  20 /* of struct bpf_sock, 4 bytes each */
#define MARK	  0x77
#define NO_SOCKET 7 /* a key without one */

/* What programs read and write. */
struct question {
	struct bpf_sock_tuple tuple;
	u32 key; /* of the map of sockets */
	u64 network, flags, flags_again, verdict;
	s64 result, result_again;
	u32 fields[FIELDS];
};

struct side {
	struct skep_engine *engine; /* NULL: the kernel */
	int map, sockets;
};

static int sockets[SOCKETS];

static int side_bpf(const struct side *side, int cmd, union bpf_attr *attr)
{
	int ret;

	if (side->engine)
		return skep_bpf(side->engine, cmd, attr, sizeof(*attr));
	ret = syscall(__NR_bpf, cmd, attr, sizeof(*attr));
	return ret < 0 ? -errno : ret;
}

/* --- the sockets --- */
static int make_socket(int family, int type, int port)
{
	const struct sockaddr_in in = {.sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
					 .sin6_port = htons(port),
					 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const int mark = MARK, yes = 1;
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	if (family == AF_INET)
		assert_int_equal(bind(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	else
		assert_int_equal(bind(fd, (const struct sockaddr *)&in6, sizeof(in6)), 0);
	return fd;
}

static void connect_to(int fd, int port)
{
	const struct sockaddr_in in = {.sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
}

/* By index: IPv4 and IPv6 listeners, both ends of a connection, UDP alone, connected, IPv6. */
static void make_sockets(void)
{
	sockets[0] = make_socket(AF_INET, SOCK_STREAM, PORT);
	sockets[1] = make_socket(AF_INET6, SOCK_STREAM, PORT);
	assert_int_equal(listen(sockets[0], 5) | listen(sockets[1], 5), 0);
	sockets[2] = make_socket(AF_INET, SOCK_STREAM, OTHER);
	connect_to(sockets[2], PORT);
	sockets[3] = accept(sockets[0], NULL, NULL);
	sockets[4] = make_socket(AF_INET, SOCK_DGRAM, PORT);
	sockets[5] = make_socket(AF_INET, SOCK_DGRAM, OTHER);
	connect_to(sockets[5], PORT);
	sockets[6] = make_socket(AF_INET6, SOCK_DGRAM, PORT);
}

static bool make_network(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (!linux_has_bpf() || unshare(CLONE_NEWNET))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
	return true;
}

/* --- the sides --- */
static int make_map(const struct side *side, u32 type, u32 value, u32 entries)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = 4, .value_size = value, .max_entries = entries};
	int fd = side_bpf(side, BPF_MAP_CREATE, &attr);

	assert_true(fd >= 0);
	return fd;
}

static void side_open(struct side *side)
{
	side->map = make_map(side, BPF_MAP_TYPE_ARRAY, sizeof(struct question), 1);
	side->sockets = make_map(side, BPF_MAP_TYPE_SOCKMAP, 4, SOCKETS);
	for (u32 key = 0; key < NO_SOCKET; key++) {
		union bpf_attr attr = {.map_fd = side->sockets,
				       .key = ptr_to_u64(&key),
				       .value = ptr_to_u64(&sockets[key])};

		assert_int_equal(side_bpf(side, BPF_MAP_UPDATE_ELEM, &attr), 0);
	}
}

static void side_close(struct side *side)
{
	close(side->map);
	close(side->sockets);
	skep_engine_free(side->engine);
}

#define AT(member)	     offsetof(struct question, member)
#define INSN(c, d, s, o, i)  ((struct bpf_insn){(c), (d), (s), (o), (i)})
#define MOVE(d, s)	     INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define NUMBER(d, n)	     INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, n)
#define LOAD(size, d, s, o)  INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, d, s, o) INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define ADD(d, n)	     INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, n)
#define CALL(helper)	     INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define IF_NULL(r, skip)     INSN(BPF_JMP | BPF_JEQ | BPF_K, r, 0, skip, 0)
#define MAP(out, r, kind, fd)                                               \
	do {                                                                \
		*(out)++ = INSN(BPF_LD | BPF_IMM | BPF_DW, r, kind, 0, fd); \
		*(out)++ = INSN(0, 0, 0, 0, 0);                             \
	} while (0)

static int load(const struct side *side, u32 type, const struct bpf_insn *insns, u32 count)
{
	static char log[65536];
	union bpf_attr attr = {
		.prog_type = type,
		.expected_attach_type = type == BPF_PROG_TYPE_SK_LOOKUP ? BPF_SK_LOOKUP : 0,
		.insns = ptr_to_u64(insns),
		.insn_cnt = count,
		.license = ptr_to_u64("GPL"),
		.log_level = 1,
		.log_buf = ptr_to_u64(log),
		.log_size = sizeof(log),
	};
	int fd = side_bpf(side, BPF_PROG_LOAD, &attr);

	if (fd < 0)
		print_error("%s\n", log);
	assert_true(fd >= 0);
	return fd;
}

/* What it finds, all fields of it, and what sk_fullsock and get_listener_sock say. */
static int load_finder(const struct side *side, u32 helper, u32 size)
{
	struct bpf_insn insns[128], *out = insns, *skip;

	MAP(out, 7, BPF_PSEUDO_MAP_VALUE, side->map);
	*out++ = MOVE(2, 7);
	*out++ = NUMBER(3, size);
	*out++ = LOAD(BPF_DW, 4, 7, AT(network));
	*out++ = LOAD(BPF_DW, 5, 7, AT(flags));
	*out++ = CALL(helper);
	skip = out++;
	*out++ = MOVE(6, 0);
	for (u32 i = 0; i < FIELDS; i++) {
		/* skc_lookup gives what has an address only; its padding cannot be read */
		if (i >= 12 || (helper == BPF_FUNC_skc_lookup_tcp && i >= 2 && i <= 5))
			continue;
		*out++ = LOAD(BPF_W, 1, 6, i * 4);
		*out++ = STORE(BPF_W, 7, 1, AT(fields) + i * 4);
	}
	*out++ = LOAD(BPF_H, 1, 6, offsetof(struct bpf_sock, dst_port));
	*out++ = STORE(BPF_W, 7, 1, AT(fields) + 13 * 4);
	*out++ = LOAD(BPF_W, 1, 6, offsetof(struct bpf_sock, dst_ip4));
	*out++ = STORE(BPF_W, 7, 1, AT(fields) + 14 * 4);
	*out++ = LOAD(BPF_W, 1, 6, offsetof(struct bpf_sock, state));
	*out++ = STORE(BPF_W, 7, 1, AT(fields) + 15 * 4);
	*out++ = NUMBER(1, 1);
	*out++ = STORE(BPF_DW, 7, 1, AT(result));
	*out++ = MOVE(1, 6);
	*out++ = CALL(BPF_FUNC_sk_release);
	*skip = IF_NULL(0, out - skip - 1);
	*out++ = NUMBER(0, 0);
	*out++ = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return load(side, BPF_PROG_TYPE_SCHED_CLS, insns, out - insns);
}

/* Chooses the socket of the key, or NULL, and then once more. */
static int load_chooser(const struct side *side)
{
	struct bpf_insn insns[128], *out = insns, *skip, *skip_release;

	*out++ = MOVE(6, 1);
	MAP(out, 7, BPF_PSEUDO_MAP_VALUE, side->map);
	MAP(out, 1, BPF_PSEUDO_MAP_FD, side->sockets);
	*out++ = MOVE(2, 7);
	*out++ = ADD(2, AT(key));
	*out++ = CALL(BPF_FUNC_map_lookup_elem);
	*out++ = MOVE(8, 0);
	*out++ = INSN(BPF_JMP | BPF_JNE | BPF_K, 8, 0, 1, 0);
	*out++ = NUMBER(8, 0);
	for (u32 i = 0; i < 2; i++) {
		*out++ = MOVE(1, 6);
		*out++ = MOVE(2, 8);
		*out++ = LOAD(BPF_DW, 3, 7, i ? AT(flags_again) : AT(flags));
		*out++ = CALL(BPF_FUNC_sk_assign);
		*out++ = STORE(BPF_DW, 7, 0, i ? AT(result_again) : AT(result));
	}
	skip_release = out++;
	*out++ = MOVE(1, 8);
	*out++ = CALL(BPF_FUNC_sk_release);
	*skip_release = IF_NULL(8, out - skip_release - 1);
	*out++ = LOAD(BPF_DW, 1, 7, AT(verdict));
	*out++ = NUMBER(0, SK_DROP);
	skip = out++;
	*out++ = NUMBER(0, SK_PASS);
	*skip = IF_NULL(1, out - skip - 1);
	*out++ = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return load(side, BPF_PROG_TYPE_SK_LOOKUP, insns, out - insns);
}

static void access_question(const struct side *side, int cmd, struct question *question)
{
	u32 key = 0;
	union bpf_attr attr = {
		.map_fd = side->map, .key = ptr_to_u64(&key), .value = ptr_to_u64(question)};

	assert_int_equal(side_bpf(side, cmd, &attr), 0);
}

static void ask_finder(const struct side *side, int prog, struct question *question)
{
	u8 packet[64] = {0};
	union bpf_attr attr = {.test.prog_fd = prog,
			       .test.data_in = ptr_to_u64(packet),
			       .test.data_size_in = sizeof(packet)};

	access_question(side, BPF_MAP_UPDATE_ELEM, question);
	assert_int_equal(side_bpf(side, BPF_PROG_TEST_RUN, &attr), 0);
	access_question(side, BPF_MAP_LOOKUP_ELEM, question);
}

/* What came of it is the chosen socket's cookie and the verdict. */
static void ask_chooser(const struct side *side, int prog, u32 family, u32 protocol,
			struct question *question)
{
	struct bpf_sk_lookup ctx = {.family = family, .protocol = protocol, .local_port = PORT};
	union bpf_attr attr = {.test.prog_fd = prog,
			       .test.ctx_in = ptr_to_u64(&ctx),
			       .test.ctx_size_in = sizeof(ctx),
			       .test.ctx_out = ptr_to_u64(&ctx),
			       .test.ctx_size_out = sizeof(ctx),
			       .test.repeat = 2};

	access_question(side, BPF_MAP_UPDATE_ELEM, question);
	assert_int_equal(side_bpf(side, BPF_PROG_TEST_RUN, &attr), 0);
	access_question(side, BPF_MAP_LOOKUP_ELEM, question);
	memcpy(question->fields, &ctx.cookie, sizeof(ctx.cookie));
	question->fields[2] = attr.test.retval;
}

/* --- the questions --- */
static struct bpf_sock_tuple tuple_of(u32 size, u32 from, u32 to, bool is_elsewhere)
{
	struct bpf_sock_tuple tuple = {};
	const u32 address = htonl(is_elsewhere ? INADDR_LOOPBACK + 1 : INADDR_LOOPBACK);

	if (size == sizeof(tuple.ipv4)) {
		tuple.ipv4.saddr = htonl(INADDR_LOOPBACK);
		tuple.ipv4.daddr = address;
		tuple.ipv4.sport = htons(from);
		tuple.ipv4.dport = htons(to);
	} else {
		tuple.ipv6.saddr[3] = tuple.ipv6.daddr[3] = htonl(is_elsewhere ? 2 : 1);
		tuple.ipv6.sport = htons(from);
		tuple.ipv6.dport = htons(to);
	}
	return tuple;
}

static void compare_finders(const struct side *sides, u32 helper, u32 size)
{
	static const u32 ports[] = {PORT, OTHER, 9};
	static const struct {
		u64 network, flags;
	} where[] = {{-1, 0}, {0xffffffff, 0}, {0, 0}, {5, 0}, {-1, 1}, {1ull << 33, 0}};
	int progs[2] = {load_finder(&sides[0], helper, size),
			load_finder(&sides[1], helper, size)};
	u32 found = 0;

	for (u32 i = 0; i < 3 * 3 * ARRAY_SIZE(where) * 2; i++) {
		const u32 from = ports[i % 3], to = ports[i / 3 % 3],
			  w = i / 9 % ARRAY_SIZE(where);
		struct question theirs = {.tuple = tuple_of(size, from, to, i / 9 / 6),
					  .network = where[w].network,
					  .flags = where[w].flags};
		struct question ours = theirs;

		ask_finder(&sides[0], progs[0], &theirs);
		ask_finder(&sides[1], progs[1], &ours);
		found += theirs.result;
		/* What IPv4 sockets have in the place of an IPv6 address is of no meaning. */
		if (theirs.fields[1] == AF_INET)
			memcpy(ours.fields + 7, theirs.fields + 7, 16);
		for (u32 f = 0; f < FIELDS; f++)
			if (theirs.result != ours.result || theirs.fields[f] != ours.fields[f])
				fail_msg(
					"helper %u, %u bytes, %u to %u, %u, network %lld, flags "
					"%lld: field %u: Linux %lld, %u, here %lld, %u",
					helper, size, from, to, i / 9 / 6, where[w].network,
					where[w].flags, f, theirs.result, theirs.fields[f],
					ours.result, ours.fields[f]);
	}
	if (size != 8)
		assert_true(found > 0);
	close(progs[0]);
	close(progs[1]);
}

static void compare_choosers(const struct side *sides)
{
	static const u32 families[] = {AF_INET, AF_INET6},
			 protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	int progs[2] = {load_chooser(&sides[0]), load_chooser(&sides[1])};

	for (u32 i = 0; i < SOCKETS * 2 * 2 * 2 * 5 * 5; i++) {
		const u32 family = families[i / SOCKETS % 2], protocol = protocols[i / 16 % 2];
		struct question theirs = {.key = i % SOCKETS,
					  .verdict = i / 32 % 2,
					  .flags = i / 64 % 5,
					  .flags_again = i / 320 % 5};
		struct question ours = theirs;

		ask_chooser(&sides[0], progs[0], family, protocol, &theirs);
		ask_chooser(&sides[1], progs[1], family, protocol, &ours);
		if (memcmp(&theirs, &ours, sizeof(ours)))
			fail_msg("socket %u, family %u, protocol %u, verdict %llu, flags %llu, "
				 "%llu: Linux %lld, %lld, %x, here %lld, %lld, %x",
				 theirs.key, family, protocol, theirs.verdict, theirs.flags,
				 theirs.flags_again, theirs.result, theirs.result_again,
				 theirs.fields[0], ours.result, ours.result_again,
				 ours.fields[0]);
	}
	close(progs[0]);
	close(progs[1]);
}

static void sockets_are_found_and_chosen(void **state)
{
	static const u32 helpers[] = {BPF_FUNC_sk_lookup_tcp, BPF_FUNC_sk_lookup_udp,
				      BPF_FUNC_skc_lookup_tcp};
	struct side sides[] = {{NULL}, {skep_engine_new(NULL, NULL)}};

	if (!make_network()) {
		skep_engine_free(sides[1].engine);
		skip();
	}
	make_sockets();
	side_open(&sides[0]);
	side_open(&sides[1]);
	for (u32 i = 0; i < ARRAY_SIZE(helpers); i++) {
		compare_finders(sides, helpers[i], sizeof(((struct bpf_sock_tuple *)0)->ipv4));
		compare_finders(sides, helpers[i], sizeof(((struct bpf_sock_tuple *)0)->ipv6));
		compare_finders(sides, helpers[i], 8);
	}
	compare_choosers(sides);
	side_close(&sides[0]);
	side_close(&sides[1]);
	for (u32 i = 0; i < NO_SOCKET; i++)
		close(sockets[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_are_found_and_chosen),
	};

	return cmocka_run_group_tests_name("sys.linux_socket_find", tests, NULL, NULL);
}
