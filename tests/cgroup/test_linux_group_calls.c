/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs of control groups say of calls on sockets: addresses, names, options. */
#include "tests/cgroup/groups.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

/* A program at the inner group. */
struct attached {
	u32 type;
	int prog;
};

static struct attached attach(struct world *world, const struct nest *nest, u32 prog_type,
			      u32 type, const char *text)
{
	const struct program_kind kind = {.type = prog_type, .attach_type = type};
	const struct attached attached = {type, load_kind(world, kind, text, NULL)};

	assert_true(attached.prog >= 0);
	note(world, group_attach(world, attached.prog, nest->inner, type, BPF_F_ALLOW_MULTI),
	     "attach %u", type);
	return attached;
}

static struct attached attach_address(struct world *world, const struct nest *nest, u32 type,
				      const char *text)
{
	return attach(world, nest, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, type, text);
}

static void detach(struct world *world, const struct nest *nest, struct attached attached)
{
	note(world, group_detach(world, attached.prog, nest->inner, attached.type), "detach");
	close(attached.prog);
}

#define REFUSE "r0 = 0\nexit"

/* Port and address become others: members of struct bpf_sock_addr. */
#define SET_PORT4                                          \
	"r2 = *(u32 *)(r1 + 24)\nif r2 != 0x%x goto end\n" \
	"*(u32 *)(r1 + 24) = 0x%x\nend:\nr0 = 1\nexit"

/* --- connect --- */

static void note_connect(struct world *world, int type, u16 port, const char *what)
{
	const struct sockaddr_in to = here(port);
	struct sockaddr_in name = {};
	socklen_t size = sizeof(name);
	const int fd = do_socket(world, AF_INET, type);

	note(world, do_connect(world, fd, &to, sizeof(to)), "%s: connect", what);
	note(world, getpeername(fd, (void *)&name, &size), "%s: has a peer", what);
	close(fd);
}

static void connecting(struct world *world)
{
	struct nest nest = enter_groups();
	const int waiting = listen_here(AF_INET);
	struct attached attached;
	char text[256];

	note_connect(world, SOCK_STREAM, port_of(waiting), "nobody asked");
	attached = attach_address(world, &nest, BPF_CGROUP_INET4_CONNECT, REFUSE);
	note_connect(world, SOCK_STREAM, port_of(waiting), "refused");
	note_connect(world, SOCK_DGRAM, 9, "datagrams refused");
	detach(world, &nest, attached);
	/* Port 1 is another. */
	snprintf(text, sizeof(text), SET_PORT4, htons(1), htons(port_of(waiting)));
	attached = attach_address(world, &nest, BPF_CGROUP_INET4_CONNECT, text);
	note_connect(world, SOCK_STREAM, 1, "redirected");
	note_connect(world, SOCK_STREAM, port_of(waiting), "left alone");
	detach(world, &nest, attached);
	/* What a program says in place of EPERM. */
	attached = attach_address(world, &nest, BPF_CGROUP_INET4_CONNECT,
				  "r1 = -111\ncall 187\nr0 = 0\nexit");
	note_connect(world, SOCK_STREAM, port_of(waiting), "refused otherwise");
	detach(world, &nest, attached);
	attached = attach_address(world, &nest, BPF_CGROUP_INET6_CONNECT, REFUSE);
	note_connect(world, SOCK_STREAM, port_of(waiting), "the other family");
	detach(world, &nest, attached);
	close(waiting);
	leave_groups(&nest);
}

/* The address that a connection comes from: bpf_bind(). */
static const char from_another[] = "	r6 = r1\n"
				   "	r1 = 0x0200007f00000002 ll	# 127.0.0.2, port 0\n"
				   "	*(u64 *)(r10 - 16) = r1\n"
				   "	*(u64 *)(r10 - 8) = 0\n"
				   "	r1 = r6\n"
				   "	r2 = r10\n"
				   "	r2 += -16\n"
				   "	r3 = 16\n"
				   "	call 64			# bind\n"
				   "	r0 = 1\n"
				   "	exit\n";

static void binding_in_connect(struct world *world)
{
	struct nest nest = enter_groups();
	const struct attached attached =
		attach_address(world, &nest, BPF_CGROUP_INET4_CONNECT, from_another);
	const int waiting = listen_here(AF_INET), fd = do_socket(world, AF_INET, SOCK_STREAM);
	const struct sockaddr_in to = here(port_of(waiting));
	struct sockaddr_in name = {};
	socklen_t size = sizeof(name);

	note(world, do_connect(world, fd, &to, sizeof(to)), "connect");
	getsockname(fd, (void *)&name, &size);
	note(world, ntohl(name.sin_addr.s_addr), "from");
	detach(world, &nest, attached);
	close(fd);
	close(waiting);
	leave_groups(&nest);
}

/* --- bind --- */

static int bound(struct world *world, int family)
{
	const struct sockaddr_in address = here(0);
	const struct sockaddr_in6 address6 = here6(0);
	const int fd = do_socket(world, family, SOCK_STREAM);

	note(world,
	     family == AF_INET ? do_bind(world, fd, &address, sizeof(address))
			       : do_bind(world, fd, &address6, sizeof(address6)),
	     "bind %d", family);
	return fd;
}

static void binding(struct world *world)
{
	struct nest nest = enter_groups();
	struct sockaddr_in name = {};
	struct sockaddr_in6 name6 = {};
	socklen_t size = sizeof(name), size6 = sizeof(name6);
	struct attached attached, second;
	int fd;

	attached = attach_address(world, &nest, BPF_CGROUP_INET4_BIND, REFUSE);
	close(bound(world, AF_INET));
	close(bound(world, AF_INET6));
	detach(world, &nest, attached);
	attached = attach_address(world, &nest, BPF_CGROUP_INET4_BIND,
				  "*(u32 *)(r1 + 4) = 0x0200007f\nr0 = 1\nexit");
	second = attach_address(world, &nest, BPF_CGROUP_INET6_BIND,
				"*(u32 *)(r1 + 8) = 0\n*(u32 *)(r1 + 12) = 0\n"
				"*(u32 *)(r1 + 16) = 0\n*(u32 *)(r1 + 20) = 0\n"
				"r0 = 1\nexit");
	fd = bound(world, AF_INET);
	getsockname(fd, (void *)&name, &size);
	note(world, ntohl(name.sin_addr.s_addr), "bound to");
	close(fd);
	fd = bound(world, AF_INET6);
	getsockname(fd, (void *)&name6, &size6);
	note(world, IN6_IS_ADDR_UNSPECIFIED(&name6.sin6_addr), "bound to any");
	close(fd);
	detach(world, &nest, attached);
	detach(world, &nest, second);
	attached = attach(world, &nest, BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND,
			  "r2 = *(u32 *)(r1 + 44)\nr0 = 0\nif r2 == 0 goto end\n"
			  "r2 = *(u32 *)(r1 + 24)\nif r2 == 0x0100007f goto end\nr0 = 1\n"
			  "end:\nexit");
	close(bound(world, AF_INET));
	close(bound(world, AF_INET6));
	detach(world, &nest, attached);
	leave_groups(&nest);
}

/* --- sockets that are made --- */

static void creating(struct world *world)
{
	struct nest nest = enter_groups();
	struct attached attached =
		attach(world, &nest, BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE,
		       "r2 = *(u32 *)(r1 + 4)\nr0 = 0\nif r2 == 10 goto end\n"
		       "r3 = 7\n*(u32 *)(r1 + 16) = r3\nr3 = 3\n*(u32 *)(r1 + 20) = r3\n"
		       "r0 = 1\nend:\nexit");
	int fd, value = -1;
	socklen_t size = sizeof(value);

	note_fd(world, do_socket(world, AF_INET6, SOCK_STREAM), "refused");
	note_fd(world, do_socket(world, AF_UNIX, SOCK_STREAM), "not asked about");
	fd = do_socket(world, AF_INET, SOCK_DGRAM);
	getsockopt(fd, SOL_SOCKET, SO_MARK, &value, &size);
	note(world, value, "mark");
	getsockopt(fd, SOL_SOCKET, SO_PRIORITY, &value, &size);
	note(world, value, "priority");
	close(fd);
	detach(world, &nest, attached);
	leave_groups(&nest);
}

/* --- names --- */

static void note_name(struct world *world, int fd, bool is_peer, socklen_t room)
{
	struct sockaddr_in name = {};

	note(world, do_name(world, fd, &name, &room, is_peer), "name %d", is_peer);
	note(world, name.sin_family, "family %d", is_peer);
	note(world, room, "size %d", is_peer);
	note(world, ntohl(name.sin_addr.s_addr), "address %d", is_peer);
	note(world, name.sin_port == htons(77), "port %d", is_peer);
}

static void naming(struct world *world)
{
	struct nest nest = enter_groups();
	const char *text = "*(u32 *)(r1 + 4) = 0x05050505\n*(u32 *)(r1 + 24) = 0x4d00\n"
			   "r0 = 1\nexit";
	const struct attached own = attach_address(world, &nest, BPF_CGROUP_INET4_GETSOCKNAME,
						   text),
			      peer = attach_address(world, &nest, BPF_CGROUP_INET4_GETPEERNAME,
						    text);
	const int waiting = listen_here(AF_INET), fd = do_socket(world, AF_INET, SOCK_STREAM);
	struct sockaddr_in to = here(0);

	note_name(world, fd, true, sizeof(to));
	note_name(world, fd, false, sizeof(to));
	detach(world, &nest, own);
	to.sin_port = htons(port_of(waiting));
	do_connect(world, fd, &to, sizeof(to));
	note_name(world, fd, true, sizeof(to));
	note_name(world, fd, true, 6);
	detach(world, &nest, peer);
	close(fd);
	close(waiting);
	leave_groups(&nest);
}

/* --- datagrams --- */

struct letter {
	char text[16];
	struct sockaddr_in peer;
	struct iovec iov;
	struct msghdr message;
};

static struct msghdr *letter(struct letter *letter, struct sockaddr_in peer, size_t length)
{
	letter->peer = peer;
	letter->iov = (struct iovec){letter->text, length};
	letter->message = (struct msghdr){.msg_name = &letter->peer,
					  .msg_namelen = sizeof(letter->peer),
					  .msg_iov = &letter->iov,
					  .msg_iovlen = 1};
	return &letter->message;
}

static int open_box(void)
{
	const struct sockaddr_in address = here(0);
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
	return fd;
}

static void note_arrival(struct world *world, int fd, const char *what)
{
	struct pollfd waits = {.fd = fd, .events = POLLIN};
	struct letter got = {};

	if (poll(&waits, 1, 20000) <= 0)
		fail_msg("%s did not come", what);
	note(world, do_recvmsg(world, fd, letter(&got, here(0), sizeof(got.text))), "%s: bytes",
	     what);
	note(world, ntohl(got.peer.sin_addr.s_addr), "%s: from", what);
	note(world, got.message.msg_namelen, "%s: size of the name", what);
}

static void datagrams(struct world *world)
{
	struct nest nest = enter_groups();
	const int box = open_box(), fd = do_socket(world, AF_INET, SOCK_DGRAM);
	struct letter sent = {.text = "letter"};
	struct attached attached, second;
	char text[256];

	attached = attach_address(world, &nest, BPF_CGROUP_UDP4_SENDMSG, REFUSE);
	note(world, do_sendmsg(world, fd, letter(&sent, here(port_of(box)), 6)), "refused");
	detach(world, &nest, attached);
	snprintf(text, sizeof(text), SET_PORT4, htons(1), htons(port_of(box)));
	attached = attach_address(world, &nest, BPF_CGROUP_UDP4_SENDMSG, text);
	note(world, do_sendmsg(world, fd, letter(&sent, here(1), 6)), "to another");
	note_arrival(world, box, "to another");
	second = attach_address(world, &nest, BPF_CGROUP_UDP4_SENDMSG,
				"*(u32 *)(r1 + 40) = 0x0200007f\nr0 = 1\nexit");
	note(world, do_sendmsg(world, fd, letter(&sent, here(1), 6)), "from another");
	note_arrival(world, box, "from another");
	detach(world, &nest, second);
	detach(world, &nest, attached);
	attached = attach_address(world, &nest, BPF_CGROUP_UDP4_RECVMSG,
				  "*(u32 *)(r1 + 4) = 0x05050505\nr0 = 1\nexit");
	note(world, do_sendmsg(world, fd, letter(&sent, here(port_of(box)), 6)), "plain");
	note_arrival(world, box, "under another name");
	detach(world, &nest, attached);
	close(box);
	close(fd);
	leave_groups(&nest);
}

/* --- options --- */

static void note_option(struct world *world, int fd, int level, int name, socklen_t room)
{
	u32 value[16] = {0x1234};

	note(world, do_getsockopt(world, fd, level, name, value, &room), "get %d/%d", level,
	     name);
	note(world, value[0], "value %d/%d", level, name);
	note(world, room, "size %d/%d", level, name);
}

/* Option 1000 of level 6 is the program's own; of SO_PRIORITY it adds 1; others it hides. */
#define OPTION_HEAD                               \
	"	r6 = *(u64 *)(r1 + 8)		# optval\n"      \
	"	r7 = *(u64 *)(r1 + 16)		# optval_end\n" \
	"	r8 = r6\n"                              \
	"	r8 += 4\n"                              \
	"	if r8 > r7 goto fail\n"                 \
	"	r2 = *(u32 *)(r1 + 24)		# level\n"      \
	"	r3 = *(u32 *)(r1 + 28)		# optname\n"

static const char set_option[] = OPTION_HEAD "	if r2 != 6 goto others\n"
					     "	if r3 != 1000 goto others\n"
					     "	r2 = -1\n"
					     "	*(u32 *)(r1 + 32) = r2		# optlen\n"
					     "	r0 = 1\n"
					     "	exit\n"
					     "others:\n"
					     "	if r3 != 12 goto pass		# SO_PRIORITY\n"
					     "	r4 = *(u32 *)(r6 + 0)\n"
					     "	r4 += 1\n"
					     "	*(u32 *)(r6 + 0) = r4\n"
					     "	r0 = 1\n"
					     "	exit\n"
					     "pass:\n"
					     "	if r3 == 8 goto fail		# SO_RCVBUF\n"
					     "	r2 = 0\n"
					     "	*(u32 *)(r1 + 32) = r2\n"
					     "	r0 = 1\n"
					     "	exit\n"
					     "fail:\n"
					     "	r0 = 0\n"
					     "	exit\n";

static const char get_option[] = OPTION_HEAD "	if r2 != 6 goto others\n"
					     "	if r3 != 1000 goto others\n"
					     "	r4 = 99\n"
					     "	*(u32 *)(r6 + 0) = r4\n"
					     "	r4 = 4\n"
					     "	*(u32 *)(r1 + 32) = r4\n"
					     "	r4 = 0\n"
					     "	*(u32 *)(r1 + 36) = r4		# retval\n"
					     "	r0 = 1\n"
					     "	exit\n"
					     "others:\n"
					     "	if r3 == 8 goto fail\n"
					     "	if r3 != 12 goto pass\n"
					     "	r4 = *(u32 *)(r6 + 0)\n"
					     "	r4 += 100\n"
					     "	*(u32 *)(r6 + 0) = r4\n"
					     "pass:\n"
					     "	r0 = 1\n"
					     "	exit\n"
					     "fail:\n"
					     "	r0 = 0\n"
					     "	exit\n";

static void options(struct world *world)
{
	static const int names[][2] = {{SOL_SOCKET, SO_PRIORITY},
				       {IPPROTO_TCP, 1000},
				       {SOL_SOCKET, SO_RCVBUF},
				       {IPPROTO_TCP, TCP_NODELAY},
				       {IPPROTO_TCP, 999}};
	struct nest nest = enter_groups();
	const int fd = do_socket(world, AF_INET, SOCK_STREAM);
	struct attached set, get;
	const u32 three = 3;

	set = attach(world, &nest, BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT,
		     set_option);
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		note(world,
		     do_setsockopt(world, fd, names[i][0], names[i][1], &three, sizeof(three)),
		     "set %d", names[i][1]);
		if (names[i][1] != SO_RCVBUF)
			note_option(world, fd, names[i][0], names[i][1], 4);
	}
	get = attach(world, &nest, BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT,
		     get_option);
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		for (socklen_t room = 0; room < 12; room += 4)
			note_option(world, fd, names[i][0], names[i][1], room);
	detach(world, &nest, get);
	detach(world, &nest, set);
	close(fd);
	leave_groups(&nest);
}

/* --- which socket it is --- */

/* Its cookie becomes the only value of the array. */
#define KEEP_COOKIE                        \
	"	call 46			# get_socket_cookie\n" \
	"	*(u64 *)(r10 - 8) = r0\n"        \
	"	*(u32 *)(r10 - 12) = 0\n"        \
	"	r1 = map_fd 0 ll\n"              \
	"	r2 = r10\n"                      \
	"	r2 += -12\n"                     \
	"	r3 = r10\n"                      \
	"	r3 += -8\n"                      \
	"	r4 = 0\n"                        \
	"	call 2			# map_update_elem\n"    \
	"end:\n"                           \
	"	r0 = 1\n"                        \
	"	exit\n"
/* When a connection begins: the other end tells of itself, too. */
#define WHEN_CONNECTING "	r2 = *(u32 *)(r1 + 0)\n	if r2 != 3 goto end\n"

static void note_cookie(struct world *world, int map, int fd, const char *what)
{
	u64 cookie = 0, kept = 0;
	socklen_t size = sizeof(cookie);
	u32 key = 0;
	union bpf_attr attr = {
		.map_fd = map, .key = ptr_to_u64(&key), .value = ptr_to_u64(&kept)};

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size), 0);
	bpf(world, BPF_MAP_LOOKUP_ELEM, &attr);
	note(world, kept == cookie, "cookie: %s", what);
}

static void cookies(struct world *world)
{
	static const struct program_kind kinds[] = {
		{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT},
		{BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND},
		{BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS},
	};
	struct nest nest = enter_groups();
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = 8,
			       .max_entries = 1};
	const int map = bpf(world, BPF_MAP_CREATE, &attr), waiting = listen_here(AF_INET);
	const struct sockaddr_in to = here(port_of(waiting)), any = here(0);

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		const int prog = load_kind(world, kinds[i],
					   i < 2 ? KEEP_COOKIE : WHEN_CONNECTING KEEP_COOKIE,
					   &map),
			  fd = do_socket(world, AF_INET, SOCK_STREAM);
		const u32 type = i < 2 ? kinds[i].attach_type : BPF_CGROUP_SOCK_OPS;

		assert_true(prog >= 0);
		note(world, group_attach(world, prog, nest.inner, type, 0), "attach %u", i);
		do_bind(world, fd, &any, sizeof(any));
		do_connect(world, fd, &to, sizeof(to));
		note_cookie(world, map, fd, i ? "of an event" : "of an address");
		group_detach(world, prog, nest.inner, type);
		close(prog);
		close(fd);
	}
	close(waiting);
	close(map);
	leave_groups(&nest);
}

SCENARIO_IF(cookies, has_groups())
SCENARIO_IF(connecting, has_groups())
SCENARIO_IF(binding_in_connect, has_groups())
SCENARIO_IF(binding, has_groups())
SCENARIO_IF(creating, has_groups())
SCENARIO_IF(naming, has_groups())
SCENARIO_IF(datagrams, has_groups())
SCENARIO_IF(options, has_groups())

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_connecting),
		cmocka_unit_test(test_binding_in_connect),
		cmocka_unit_test(test_binding),
		cmocka_unit_test(test_creating),
		cmocka_unit_test(test_naming),
		cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
