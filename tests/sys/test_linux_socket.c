/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of sockets: what may be in them, by real sockets, and how they leave: Linux and skep. */
#include "tests/sys/programs.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

static const u32 types[] = {BPF_MAP_TYPE_SOCKMAP, BPF_MAP_TYPE_SOCKHASH,
			    BPF_MAP_TYPE_REUSEPORT_SOCKARRAY};

static int make(struct world *world, u32 type, u32 value_size, u32 entries)
{
	union bpf_attr attr = {.map_type = type,
			       .key_size = 4,
			       .value_size = value_size,
			       .max_entries = entries};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

static int element(struct world *world, int cmd, int map, u32 key, void *value, u64 flags)
{
	union bpf_attr attr = {.map_fd = map,
			       .key = ptr_to_u64(&key),
			       .value = ptr_to_u64(value),
			       .flags = flags};

	return bpf(world, cmd, &attr);
}

static int put(struct world *world, int map, u32 key, long long socket, u64 flags)
{
	return element(world, BPF_MAP_UPDATE_ELEM, map, key, &socket, flags);
}

/* 1: the cookie of the socket; 2: another; or a negative errno. */
static int look_up(struct world *world, int map, u32 key, int socket)
{
	u64 found = 0, cookie = 0;
	socklen_t size = sizeof(cookie);
	int ret = element(world, BPF_MAP_LOOKUP_ELEM, map, key, &found, 0);

	getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	return ret ? ret : found == cookie ? 1 : 2;
}

/* --- sockets --- */

enum {
	TCP_NEW,
	TCP_LISTENS,
	TCP_LISTENS_SHARED,
	TCP_CLIENT,
	TCP_ACCEPTED,
	TCP6_LISTENS,
	UDP_NEW,
	UDP_BOUND,
	UDP_BOUND_SHARED,
	UDP_CONNECTED,
	UNIX_STREAM_NEW,
	UNIX_STREAM,
	UNIX_DGRAM,
	UNIX_SEQPACKET,
	RAW,
	PACKET,
	NETLINK,
	A_FILE,
	NOT_OPEN,
	NEGATIVE,
	LARGE,
	SOCKETS
};

static int bound(int family, int kind, bool shared)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 address6 = {.sin6_family = AF_INET6,
					.sin6_addr.s6_addr = {[15] = 1}};
	int fd = socket(family, kind, 0), one = 1, ret;

	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	ret = family == AF_INET ? bind(fd, (void *)&address, sizeof(address))
				: bind(fd, (void *)&address6, sizeof(address6));
	if (!ret && kind == SOCK_STREAM)
		listen(fd, 8);
	return fd;
}

static int connected(int listener, int kind)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, kind, 0);

	getsockname(listener, (void *)&address, &size);
	if (connect(fd, (void *)&address, size))
		fail_msg("connect");
	return fd;
}

static int one_of_pair(int kind)
{
	int ends[2] = {-1, -1};

	if (!socketpair(AF_UNIX, kind, 0, ends))
		close(ends[1]);
	return ends[0];
}

static int peer = -1; /* of the connection that was opened last */

static long long open_socket(u32 which)
{
	int listener, fd, other;

	switch (which) {
	case TCP_NEW: return socket(AF_INET, SOCK_STREAM, 0);
	case TCP_LISTENS: return bound(AF_INET, SOCK_STREAM, false);
	case TCP_LISTENS_SHARED: return bound(AF_INET, SOCK_STREAM, true);
	case TCP_CLIENT:
	case TCP_ACCEPTED:
		listener = bound(AF_INET, SOCK_STREAM, false);
		fd = connected(listener, SOCK_STREAM);
		other = accept(listener, NULL, NULL);
		close(listener);
		peer = which == TCP_CLIENT ? other : fd;
		return which == TCP_CLIENT ? fd : other;
	case TCP6_LISTENS: return bound(AF_INET6, SOCK_STREAM, false);
	case UDP_NEW: return socket(AF_INET, SOCK_DGRAM, 0);
	case UDP_BOUND: return bound(AF_INET, SOCK_DGRAM, false);
	case UDP_BOUND_SHARED: return bound(AF_INET, SOCK_DGRAM, true);
	case UDP_CONNECTED:
		other = bound(AF_INET, SOCK_DGRAM, false);
		fd = connected(other, SOCK_DGRAM);
		close(other);
		return fd;
	case UNIX_STREAM_NEW: return socket(AF_UNIX, SOCK_STREAM, 0);
	case UNIX_STREAM: return one_of_pair(SOCK_STREAM);
	case UNIX_DGRAM: return one_of_pair(SOCK_DGRAM);
	case UNIX_SEQPACKET: return one_of_pair(SOCK_SEQPACKET);
	case RAW: return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	case PACKET: return socket(AF_PACKET, SOCK_RAW, 0);
	case NETLINK: return socket(AF_NETLINK, SOCK_RAW, 0);
	case A_FILE: return open("/dev/null", O_RDONLY);
	case NOT_OPEN: return 999;
	case LARGE: return 1LL << 31;
	default: return -1;
	}
}

static void close_socket(long long fd)
{
	if (fd >= 0 && fd != 999 && fd < 1LL << 31)
		close((int)fd);
	if (peer >= 0)
		close(peer);
	peer = -1;
}

/* --- what may be there --- */

static void members(struct world *world)
{
	for (u32 t = 0; t < ARRAY_SIZE(types); t++)
		for (u32 size = 4; size <= 8; size += 4) {
			const int map = make(world, types[t], size, 4);

			for (u32 which = 0; which < SOCKETS; which++) {
				long long fd = open_socket(which);

				note(world, put(world, map, 1, fd, 0), "%u/%u: socket %u", t,
				     size, which);
				note(world, look_up(world, map, 1, (int)fd),
				     "%u/%u: socket %u: look-up", t, size, which);
				note(world,
				     element(world, BPF_MAP_DELETE_ELEM, map, 1, NULL, 0),
				     "%u/%u: socket %u: delete", t, size, which);
				close_socket(fd);
			}
			close(map);
		}
}

/* --- the same operations on each --- */

static void operations(struct world *world)
{
	for (u32 t = 0; t < ARRAY_SIZE(types); t++) {
		const int map = make(world, types[t], 8, 2);
		const int fds[] = {(int)open_socket(UDP_BOUND_SHARED),
				   (int)open_socket(TCP_LISTENS_SHARED),
				   (int)open_socket(UDP_BOUND_SHARED)};
		static const u32 keys[] = {0, 1, 2, ~0U};
		u32 next = 77;
		u64 value[2];

		note(world, element(world, BPF_MAP_GET_NEXT_KEY, map, 0, &next, 0),
		     "%u: next of 0 while empty", t);
		for (u64 flags = 0; flags < 10; flags++)
			for (u32 k = 0; k < ARRAY_SIZE(keys); k++)
				note(world, put(world, map, keys[k], fds[k % 3], flags),
				     "%u: put %u with %u", t, k, (u32)flags);
		note(world, put(world, map, 0, fds[1], BPF_ANY), "%u: another", t);
		note(world, put(world, map, 0, 999, BPF_NOEXIST), "%u: bad and there", t);
		note(world, put(world, map, 5, 999, 8), "%u: bad and bad", t);
		for (u32 k = 0; k < ARRAY_SIZE(keys); k++) {
			note(world, look_up(world, map, keys[k], fds[k % 3]), "%u: look-up %u",
			     t, k);
			note(world,
			     element(world, BPF_MAP_LOOKUP_ELEM, map, keys[k], value,
				     BPF_F_LOCK),
			     "%u: locked", t);
			note(world,
			     element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, keys[k], value,
				     0),
			     "%u: take", t);
		}
		for (u32 k = 0; k < ARRAY_SIZE(keys); k++) {
			int ret = element(world, BPF_MAP_GET_NEXT_KEY, map, keys[k], &next, 0);

			/* In which order a hash has its keys does not matter. */
			if (types[t] != BPF_MAP_TYPE_SOCKHASH) {
				note(world, ret, "%u: next of %u", t, k);
				note(world, next, "%u: next key of %u", t, k);
			}
		}
		for (u32 k = 0; k < ARRAY_SIZE(keys); k++)
			for (u32 round = 0; round < 2; round++)
				note(world,
				     element(world, BPF_MAP_DELETE_ELEM, map, keys[k], NULL, 0),
				     "%u: delete %u", t, k);
		for (u32 i = 0; i < ARRAY_SIZE(fds); i++)
			close(fds[i]);
		close(map);
	}
}

/* --- sockets that are closed --- */

static void closes(struct world *world)
{
	for (u32 t = 0; t < ARRAY_SIZE(types); t++) {
		const int map = make(world, types[t], 8, 2);
		int fd = (int)open_socket(UDP_BOUND_SHARED), copy = dup(fd);
		int fresh;
		u32 next;

		note(world, put(world, map, 0, fd, 0), "%u: put", t);
		close(fd);
		note(world, look_up(world, map, 0, copy), "%u: a copy is open", t);
		note(world, element(world, BPF_MAP_GET_NEXT_KEY, map, 9, &next, 0),
		     "%u: next of wild", t);
		/* Another file has the number. */
		fresh = (int)open_socket(A_FILE);
		note(world, look_up(world, map, 0, copy), "%u: the number is reused", t);
		close(copy);
		note(world, look_up(world, map, 0, fresh), "%u: closed", t);
		note(world, element(world, BPF_MAP_DELETE_ELEM, map, 0, NULL, 0),
		     "%u: delete closed", t);
		for (u32 i = 0; i < 6; i++) {
			fd = (int)open_socket(UDP_BOUND_SHARED);
			note(world, put(world, map, i % 2, fd, BPF_NOEXIST), "%u: fill %u", t,
			     i);
			note(world, look_up(world, map, i % 2, fd), "%u: filled %u", t, i);
			close(fd);
			note(world, look_up(world, map, i % 2, fd), "%u: emptied %u", t, i);
		}
		close(fresh);
		close(map);
	}
}

/* A connection that is reset leaves; one whose peer is done with stays. */
static void connections(struct world *world)
{
	static const struct linger reset = {.l_onoff = 1};

	for (u32 t = 0; t < 2; t++)
		for (u32 kind = 0; kind < 3; kind++) {
			const int map = make(world, types[t], 8, 2);
			int listener = (int)open_socket(TCP_LISTENS);
			int fd = connected(listener, SOCK_STREAM);
			int other = accept(listener, NULL, NULL);

			note(world, put(world, map, 0, fd, 0), "%u/%u: put", t, kind);
			note(world, put(world, map, 1, listener, 0), "%u/%u: listener", t,
			     kind);
			if (kind == 1)
				setsockopt(other, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
			if (kind == 2)
				shutdown(fd, SHUT_RDWR);
			close(other);
			usleep(20000);
			note(world, look_up(world, map, 0, fd), "%u/%u: after", t, kind);
			note(world, look_up(world, map, 1, listener), "%u/%u: its listener", t,
			     kind);
			shutdown(listener, SHUT_RDWR);
			note(world, look_up(world, map, 1, listener), "%u/%u: shut down", t,
			     kind);
			close(listener);
			close(fd);
			close(map);
		}
}

/* A reuseport array owns its sockets: no other one, and no other place, has them. */
static void reuseport(struct world *world)
{
	const int map = make(world, types[2], 8, 3), other = make(world, types[2], 8, 3);
	const int fd = (int)open_socket(UDP_BOUND_SHARED);
	const int second = (int)open_socket(UDP_BOUND_SHARED);

	note(world, put(world, map, 0, fd, 0), "first");
	note(world, put(world, map, 1, fd, 0), "other place");
	note(world, put(world, map, 0, fd, BPF_EXIST), "same place");
	note(world, put(world, other, 0, fd, 0), "other map");
	note(world, put(world, map, 0, second, 0), "replaced");
	note(world, put(world, other, 0, fd, 0), "other map again");
	note(world, put(world, other, 1, second, 0), "second elsewhere");
	close(map);
	close(make(world, types[2], 8, 3));
	usleep(50000);
	note(world, put(world, other, 1, second, 0), "the map is gone");
	note(world, element(world, BPF_MAP_DELETE_ELEM, other, 1, NULL, 0), "delete");
	note(world, put(world, other, 2, second, 0), "elsewhere");
	close(fd);
	close(second);
	close(other);
}

/* --- programs --- */

/* Look-up, then the socket's fields; update and deletion by the program. */
static const char find[] = "	*(u32 *)(r10 - 4) = 1\n"
			   "	r1 = map_fd 0 ll\n"
			   "	r2 = r10\n"
			   "	r2 += -4\n"
			   "	call 1			# map_lookup_elem\n"
			   "	if r0 == 0 goto out\n"
			   "	r6 = r0\n"
			   "	r7 = *(u32 *)(r6 + 4)	# family\n"
			   "	r1 = *(u32 *)(r6 + 8)	# type\n"
			   "	r7 *= 100\n"
			   "	r7 += r1\n"
			   "	r1 = *(u32 *)(r6 + 12)	# protocol\n"
			   "	r7 *= 100\n"
			   "	r7 += r1\n"
			   "	r1 = *(u32 *)(r6 + 24)	# src_ip4\n"
			   "	r7 += r1\n"
			   "	r1 = *(u32 *)(r6 + 44)	# src_port\n"
			   "	r7 += r1\n"
			   "	r1 = *(u32 *)(r6 + 72)	# state\n"
			   "	r7 += r1\n"
			   "	r1 = r6\n"
			   "	call 86			# sk_release\n"
			   "	r0 = r7\n"
			   "out:	exit\n";
static const char remove_it[] = "	*(u32 *)(r10 - 4) = 1\n"
				"	r1 = map_fd 0 ll\n"
				"	r2 = r10\n"
				"	r2 += -4\n"
				"	call 3			# map_delete_elem\n"
				"	exit\n";
static const char copy_it[] = "	*(u32 *)(r10 - 4) = 1\n"
			      "	r1 = map_fd 0 ll\n"
			      "	r2 = r10\n"
			      "	r2 += -4\n"
			      "	call 1\n"
			      "	if r0 == 0 goto out\n"
			      "	r6 = r0\n"
			      "	*(u32 *)(r10 - 4) = %u\n"
			      "	r1 = map_fd 1 ll\n"
			      "	r2 = r10\n"
			      "	r2 += -4\n"
			      "	r3 = r6\n"
			      "	r4 = %u\n"
			      "	call 2			# map_update_elem\n"
			      "	r7 = r0\n"
			      "	r1 = r6\n"
			      "	call 86\n"
			      "	r0 = r7\n"
			      "out:	exit\n";

static void programs(struct world *world)
{
	static const u32 which[] = {UDP_BOUND, TCP_LISTENS, TCP_CLIENT, TCP6_LISTENS};

	for (u32 t = 0; t < 2; t++) {
		const int maps[] = {make(world, types[t], 8, 2), make(world, types[t], 8, 2)};

		for (u32 i = 0; i < ARRAY_SIZE(which); i++) {
			int fd = (int)open_socket(which[i]);
			u32 port = 0;
			union {
				struct sockaddr_in in;
				struct sockaddr_in6 in6;
			} name;
			socklen_t size = sizeof(name);
			long long result;

			getsockname(fd, (void *)&name, &size);
			port = ntohs(name.in.sin_port);
			note(world, (int)run_text(world, BPF_PROG_TYPE_SCHED_CLS, find, maps),
			     "%u/%u: nothing", t, i);
			put(world, maps[0], 1, fd, 0);
			result = run_text(world, BPF_PROG_TYPE_SCHED_CLS, find, maps);
			note(world, (u32)result - port, "%u/%u: found", t, i);
			for (u32 key = 0; key < 4; key++)
				for (u32 flags = 0; flags < 4; flags++) {
					char text[600];

					snprintf(text, sizeof(text), copy_it, key, flags);
					note(world,
					     (int)run_text(world, BPF_PROG_TYPE_SCHED_CLS, text,
							   maps),
					     "%u/%u: copy to %u with %u", t, i, key, flags);
					note(world, look_up(world, maps[1], key, fd),
					     "%u/%u: copied to %u", t, i, key);
				}
			note(world,
			     (int)run_text(world, BPF_PROG_TYPE_SCHED_CLS, remove_it, maps),
			     "%u/%u: remove", t, i);
			note(world,
			     (int)run_text(world, BPF_PROG_TYPE_SCHED_CLS, remove_it, maps),
			     "%u/%u: again", t, i);
			close_socket(fd);
		}
		close(maps[0]);
		close(maps[1]);
	}
}

static void test_checked(void **state)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .checked = true};

	if (!linux_has_isa())
		skip();
	worlds_compare_with(programs, &opts);
}

/* Programs that use the maps where sockets receive and send can be loaded. */
#define MAP_AND_INDEX "r2 = map_fd 0 ll\nr3 = 0\nr4 = 0\ncall "
#define MAP_AND_KEY                                                                      \
	"r3 = 0\n*(u32 *)(r10 - 4) = r3\nr3 = r10\nr3 += -4\nr2 = map_fd 0 ll\nr4 = 0\n" \
	"call "

#define SOCK_MAP_UPDATE	 "53"
#define SOCK_HASH_UPDATE "70"

static void users(struct world *world)
{
	static const struct {
		u32 type, map;
		const char *text;
	} rows[] = {
		{BPF_PROG_TYPE_SK_SKB, BPF_MAP_TYPE_SOCKMAP, MAP_AND_INDEX "52\nexit"},
		{BPF_PROG_TYPE_SK_SKB, BPF_MAP_TYPE_SOCKHASH, MAP_AND_KEY "72\nexit"},
		{BPF_PROG_TYPE_SK_MSG, BPF_MAP_TYPE_SOCKMAP, MAP_AND_INDEX "60\nexit"},
		{BPF_PROG_TYPE_SK_MSG, BPF_MAP_TYPE_SOCKHASH, MAP_AND_KEY "71\nexit"},
		{BPF_PROG_TYPE_SOCK_OPS, BPF_MAP_TYPE_SOCKMAP,
		 MAP_AND_KEY SOCK_MAP_UPDATE "\nr0 = 0\nexit"},
		{BPF_PROG_TYPE_SOCK_OPS, BPF_MAP_TYPE_SOCKHASH,
		 MAP_AND_KEY SOCK_HASH_UPDATE "\nr0 = 0\nexit"},
		{BPF_PROG_TYPE_SOCK_OPS, BPF_MAP_TYPE_SOCKHASH,
		 MAP_AND_KEY SOCK_MAP_UPDATE "\nr0 = 0\nexit"},
		{BPF_PROG_TYPE_SK_REUSEPORT, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY,
		 MAP_AND_KEY "82\nexit"},
		{BPF_PROG_TYPE_SK_REUSEPORT, BPF_MAP_TYPE_SOCKMAP, MAP_AND_KEY "82\nexit"},
		{BPF_PROG_TYPE_SK_REUSEPORT, BPF_MAP_TYPE_SOCKHASH, MAP_AND_KEY "82\nexit"},
		{BPF_PROG_TYPE_SK_REUSEPORT, BPF_MAP_TYPE_ARRAY, MAP_AND_KEY "82\nexit"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int map = make(world, rows[i].map, 4, 4);

		note_fd(world, load_text(world, rows[i].type, rows[i].text, &map), "load");
		close(map);
	}
}

SCENARIO(members)
SCENARIO(operations)
SCENARIO(closes)
SCENARIO(connections)
SCENARIO(reuseport)
SCENARIO(programs)
SCENARIO(users)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),	  cmocka_unit_test(test_operations),
		cmocka_unit_test(test_closes),	  cmocka_unit_test(test_connections),
		cmocka_unit_test(test_reuseport), cmocka_unit_test(test_programs),
		cmocka_unit_test(test_checked),	  cmocka_unit_test(test_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
