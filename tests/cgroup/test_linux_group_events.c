/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of type sockops: what they are told of TCP sockets, and sockmaps that they fill. */
#include "tests/cgroup/groups.h"

/* What a program notes of an event. */
struct told {
	u32 op, state, args[2], family, flags, remote_is_here, has_local_port;
};

/* Notes the events that there are here, and asks for changes of state from the first on. */
static const char note_events[] =
	"	r6 = r1\n"
	"	r7 = *(u32 *)(r6 + 0)		# op\n"
	"	if r7 == 3 goto note\n"
	"	if r7 == 4 goto note\n"
	"	if r7 == 5 goto note\n"
	"	if r7 == 10 goto change\n"
	"	if r7 == 11 goto note\n"
	"	r0 = 1\n"
	"	exit\n"
	"change:\n"
	"	r1 = *(u32 *)(r6 + 8)		# to what the peer does\n"
	"	if r1 == 5 goto end\n"
	"	if r1 == 8 goto end\n"
	"note:\n"
	"	*(u32 *)(r10 - 32) = r7\n"
	"	r1 = *(u32 *)(r6 + 88)		# state\n"
	"	*(u32 *)(r10 - 28) = r1\n"
	"	r1 = *(u32 *)(r6 + 4)		# args\n"
	"	r2 = *(u32 *)(r6 + 8)\n"
	"	if r7 == 10 goto args\n"
	"	r1 = 0\n"
	"	r2 = 0\n"
	"args:\n"
	"	*(u32 *)(r10 - 24) = r1\n"
	"	*(u32 *)(r10 - 20) = r2\n"
	"	r1 = *(u32 *)(r6 + 20)		# family\n"
	"	*(u32 *)(r10 - 16) = r1\n"
	"	r1 = *(u32 *)(r6 + 84)		# bpf_sock_ops_cb_flags\n"
	"	*(u32 *)(r10 - 12) = r1\n"
	"	r1 = *(u32 *)(r6 + 24)		# remote_ip4\n"
	"	w2 = 0\n"
	"	if w1 != 0x100007f goto other\n"
	"	w2 = 1\n"
	"other:\n"
	"	*(u32 *)(r10 - 8) = r2\n"
	"	r1 = *(u32 *)(r6 + 68)		# local_port\n"
	"	w2 = 0\n"
	"	if r7 == 3 goto unknown\n"
	"	if w1 == 0 goto unknown\n"
	"	w2 = 1\n"
	"unknown:\n"
	"	*(u32 *)(r10 - 4) = r2\n"
	"	r1 = map_fd 0 ll\n"
	"	r2 = r10\n"
	"	r2 += -32\n"
	"	r3 = 0\n"
	"	call 87				# map_push_elem\n"
	"	r1 = r6\n"
	"	r2 = 4				# BPF_SOCK_OPS_STATE_CB_FLAG\n"
	"	call 59				# sock_ops_cb_flags_set\n"
	"end:\n"
	"	r0 = 1\n"
	"	exit\n";

static int make_queue(struct world *world)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_QUEUE, /* of events */
			       .value_size = sizeof(struct told),
			       .max_entries = 64};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

static void note_queue(struct world *world, int queue, const char *when)
{
	struct told told;
	union bpf_attr attr = {.map_fd = queue, .value = ptr_to_u64(&told)};
	u32 count = 0;

	while (!bpf(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr)) {
		count++;
		note(world, told.op, "%s %u: op", when, count);
		note(world, told.state, "%s %u: state", when, count);
		note(world, told.args[0], "%s %u: from", when, count);
		note(world, told.args[1], "%s %u: to", when, count);
		note(world, told.family, "%s %u: family", when, count);
		note(world, told.flags, "%s %u: flags", when, count);
		note(world, told.remote_is_here, "%s %u: remote", when, count);
		note(world, told.has_local_port, "%s %u: local port", when, count);
	}
	note(world, count, "%s: events", when);
}

static int load_events(struct world *world, const char *text, const int *maps)
{
	const int prog = load_text(world, BPF_PROG_TYPE_SOCK_OPS, text, maps);

	assert_true(prog >= 0);
	return prog;
}

static int listener(struct world *world, int family)
{
	const struct sockaddr_in address = here(0);
	const struct sockaddr_in6 address6 = here6(0);
	const int fd = do_socket(world, family, SOCK_STREAM);

	if (family == AF_INET)
		do_bind(world, fd, &address, sizeof(address));
	else
		do_bind(world, fd, &address6, sizeof(address6));
	note(world, do_listen(world, fd), "listen");
	return fd;
}

static int reach(struct world *world, int fd, int family, u16 port)
{
	const struct sockaddr_in address = here(port);
	const struct sockaddr_in6 address6 = here6(port);

	return family == AF_INET ? do_connect(world, fd, &address, sizeof(address))
				 : do_connect(world, fd, &address6, sizeof(address6));
}

static void events_of(struct world *world, int family)
{
	struct nest nest = enter_groups();
	const int queue = make_queue(world), prog = load_events(world, note_events, &queue);
	int waiting, a, b;

	note(world, group_attach(world, prog, nest.outer, BPF_CGROUP_SOCK_OPS, 0), "attach");
	waiting = listener(world, family);
	note_queue(world, queue, "listen");
	a = do_socket(world, family, SOCK_STREAM);
	note(world, reach(world, a, family, port_of(waiting)), "connect");
	b = do_accept(world, waiting);
	note_queue(world, queue, "connect and accept");
	note(world, do_shutdown(world, a, SHUT_WR), "shutdown");
	note_queue(world, queue, "shutdown");
	note(world, group_detach(world, prog, nest.outer, BPF_CGROUP_SOCK_OPS), "detach");
	close(a);
	close(b);
	close(waiting);
	note_queue(world, queue, "close");
	close(prog);
	close(queue);
	leave_groups(&nest);
}

static void events(struct world *world)
{
	events_of(world, AF_INET);
	events_of(world, AF_INET6);
}

/* --- a sockmap that a program fills --- */

/* Both ends of connections come into the map, by who began; from there on they answer one
 * another's data. */
static const char fill_map[] =
	"	r6 = r1\n"
	"	r7 = *(u32 *)(r6 + 0)\n"
	"	*(u32 *)(r10 - 4) = 0\n"
	"	if r7 == 4 goto put\n"
	"	*(u32 *)(r10 - 4) = 1\n"
	"	if r7 == 5 goto put\n"
	"	*(u32 *)(r10 - 4) = 2\n"
	"	if r7 == 3 goto put\n"
	"	r0 = 1\n"
	"	exit\n"
	"put:\n"
	"	r1 = r6\n"
	"	r2 = map_fd 0 ll\n"
	"	r3 = r10\n"
	"	r3 += -4\n"
	"	r4 = 0\n"
	"	call %u			# sock_map_update, sock_hash_update\n"
	"	*(u32 *)(r10 - 8) = r0\n"
	"	r1 = map_fd 1 ll\n"
	"	r2 = r10\n"
	"	r2 += -8\n"
	"	r3 = 0\n"
	"	call 87			# map_push_elem\n"
	"	r0 = 1\n"
	"	exit\n";

static int make_map(struct world *world, u32 type, u32 key_size)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = key_size, .value_size = 4, .max_entries = 4};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

/* What is sent by one end comes out at its own other side: redirected to socket 0's ingress. */
#define TO_THE_FIRST                      \
	"	r2 = map_fd 0 ll\n"             \
	"	r3 = 0\n"                       \
	"	r4 = 1\n"                       \
	"	call 60			# msg_redirect_map\n" \
	"	exit\n"

static void say(struct world *world, int fd, const char *text)
{
	struct iovec iov = {(void *)text, strlen(text)};
	const struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	note(world, do_sendmsg(world, fd, &message), "say %s", text);
}

static void hear(struct world *world, int fd, const char *text)
{
	struct pollfd waits = {.fd = fd, .events = POLLIN};
	char heard[64] = "";

	if (poll(&waits, 1, 20000) > 0)
		recv(fd, heard, sizeof(heard) - 1, 0);
	note(world, !strcmp(heard, text), "hear %s", text);
}

static void note_results(struct world *world, int queue)
{
	s32 result = 0;
	union bpf_attr attr = {.map_fd = queue, .value = ptr_to_u64(&result)};

	while (!bpf(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr))
		note(world, result, "update");
}

static void connect_later(struct world *world, int fd, u16 port)
{
	const struct sockaddr_in address = here(port);
	struct pollfd waits = {.fd = fd, .events = POLLOUT};
	int error = -1;
	socklen_t size = sizeof(error);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	note(world, do_connect(world, fd, &address, sizeof(address)), "connect later");
	note(world, poll(&waits, 1, 20000), "it may be written to");
	do_getsockopt(world, fd, SOL_SOCKET, SO_ERROR, &error, &size);
	note(world, error, "error");
	fcntl(fd, F_SETFL, 0);
}

static void fill(struct world *world, u32 type, u32 helper, bool is_later)
{
	struct nest nest = enter_groups();
	const int maps[] = {make_map(world, type, 4), make_map(world, BPF_MAP_TYPE_QUEUE, 0)};
	const struct program_kind kind = {.type = BPF_PROG_TYPE_SK_MSG,
					  .attach_type = BPF_SK_MSG_VERDICT};
	const int message =
		load_kind(world, kind,
			  type == BPF_MAP_TYPE_SOCKMAP ? TO_THE_FIRST : "r0 = 1\nexit", maps);
	union bpf_attr attr = {.target_fd = maps[0],
			       .attach_bpf_fd = message,
			       .attach_type = BPF_SK_MSG_VERDICT};
	char text[1024];
	int prog, waiting = listen_here(AF_INET), a, b;

	snprintf(text, sizeof(text), fill_map, helper);
	prog = load_events(world, text, maps);
	note(world, bpf(world, BPF_PROG_ATTACH, &attr), "messages");
	note(world, group_attach(world, prog, nest.inner, BPF_CGROUP_SOCK_OPS, 2), "events");
	a = do_socket(world, AF_INET, SOCK_STREAM);
	if (is_later)
		connect_later(world, a, port_of(waiting));
	else
		note(world, reach(world, a, AF_INET, port_of(waiting)), "connect");
	b = do_accept(world, waiting);
	note_results(world, maps[1]);
	say(world, b, "one");
	hear(world, a, "one");
	say(world, a, "two");
	hear(world, type == BPF_MAP_TYPE_SOCKMAP ? a : b, "two");
	group_detach(world, prog, nest.inner, BPF_CGROUP_SOCK_OPS);
	close(a);
	close(b);
	close(waiting);
	close(message);
	close(prog);
	close(maps[0]);
	close(maps[1]);
	leave_groups(&nest);
}

static void filling(struct world *world)
{
	for (u32 later = 0; later < 2; later++) {
		fill(world, BPF_MAP_TYPE_SOCKMAP, 53, later);
		fill(world, BPF_MAP_TYPE_SOCKHASH, 70, later);
	}
}

SCENARIO_IF(events, has_groups())
SCENARIO_IF(filling, has_groups())

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_filling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
