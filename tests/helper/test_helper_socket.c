/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_setsockopt() and bpf_getsockopt(): each case by a program that Linux runs when a socket
 * of a cgroup of this test's own connects, and by our body on a socket like it. Results, memory
 * and what the option is afterwards must be equal.
 */
#include "catalog/ctx.h"
#include "tests/helper/linux_call.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#define CGROUP2_MAGIC 0x63677270
#define VALUE_BYTES   16

struct option_case {
	bool sets;
	int level, name;
	u32 size;
	int number; /* what is set; as text: TEXT_VALUE */
};

#define TEXT_VALUE -12345 /* "reno" */

static const int levels[] = {SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP};
static const u32 sizes[] = {4, 2, 8, 16};

/* A cgroup of version 2 that this process may make groups in; NULL: none. */
static const char *find_cgroups(void)
{
	static const char *const places[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
	struct statfs status;

	for (u32 i = 0; i < ARRAY_SIZE(places); i++)
		if (!statfs(places[i], &status) && status.f_type == CGROUP2_MAGIC)
			return places[i];
	return NULL;
}

static bool join(const char *group)
{
	char path[256];
	int fd;
	bool done;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, "0", 1) == 1;
	if (fd >= 0)
		close(fd);
	return done;
}

static int listener(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)address, size), 0);
	assert_int_equal(listen(fd, 4096), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
	return fd;
}

static void fill_value(const struct option_case *test, u8 *value)
{
	memset(value, 0, VALUE_BYTES);
	if (test->number == TEXT_VALUE)
		strcpy((char *)value, "reno");
	else
		memcpy(value, &test->number, sizeof(test->number));
}

static u32 helper_of(const struct option_case *test)
{
	return test->sets ? BPF_FUNC_setsockopt : BPF_FUNC_getsockopt;
}

/* Its result is the call's, its memory behind the call's in the map. */
static int load_program(struct linux_call *call, int memory)
{
	struct bpf_insn insns[32];
	u32 count = linux_build_call(call, memory, memory, insns);
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		.expected_attach_type = BPF_CGROUP_INET4_CONNECT,
		.insns = (uintptr_t)(insns + 2), /* r1 is the context already */
		.insn_cnt = count - 2,
		.license = (uintptr_t) "GPL",
	};

	insns[count - 2].imm = 1; /* the connection is let through */
	return linux_bpf(BPF_PROG_LOAD, &attr);
}

static struct linux_call call_of(const struct option_case *test)
{
	struct linux_call call = {
		.type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		.helper = helper_of(test),
		.args = {NUMBER(0), NUMBER(test->level), NUMBER(test->name), MEMORY(0),
			 NUMBER(test->size)},
	};

	fill_value(test, call.memory);
	return call;
}

/* A socket whose program made the call. Bound to a device that is not there it cannot connect.
 */
static int call_in_linux(struct linux_call *call, int group, const struct sockaddr_in *to)
{
	int memory = linux_make_memory(call->memory, false), prog = load_program(call, memory);
	union bpf_attr attr = {.target_fd = group,
			       .attach_bpf_fd = prog,
			       .attach_type = BPF_CGROUP_INET4_CONNECT};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(prog >= 0);
	assert_int_equal(linux_bpf(BPF_PROG_ATTACH, &attr), 0);
	connect(fd, (const struct sockaddr *)to, sizeof(*to));
	assert_int_equal(linux_bpf(BPF_PROG_DETACH, &attr), 0);
	linux_read_memory(memory, call->memory);
	memcpy(&call->result, call->memory + MEMORY_BYTES - 8, 8);
	close(memory);
	close(prog);
	return fd;
}

/* The same in this process, before the socket connects. */
static int call_here(struct linux_call *call, const struct sockaddr_in *to)
{
	struct run_env env = {};
	struct run_context run = {.env = &env, .type = call->type};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sock_ctx sk = {.view = {.family = AF_INET, .protocol = IPPROTO_TCP},
			      .descriptor = fd + 1};
	struct bpf_sock_addr context = {.sk = &sk.view};

	call->result = helper_body(call->helper)(ptr_to_u64(&context), call->args[1].value,
						 call->args[2].value, ptr_to_u64(call->memory),
						 call->args[4].value, &run);
	memcpy(call->memory + MEMORY_BYTES - 8, &call->result, 8);
	connect(fd, (const struct sockaddr *)to, sizeof(*to));
	return fd;
}

static void compare_afterwards(const struct option_case *test, int theirs, int ours)
{
	u8 a[VALUE_BYTES] = {0}, b[VALUE_BYTES] = {0};
	socklen_t a_size = sizeof(a), b_size = sizeof(b);

	getsockopt(theirs, test->level, test->name, a, &a_size);
	getsockopt(ours, test->level, test->name, b, &b_size);
	if (a_size != b_size || memcmp(a, b, sizeof(a)))
		fail_msg("level %d, option %d, size %u, value %d: differs afterwards",
			 test->level, test->name, test->size, test->number);
}

static void compare(const struct option_case *test, int group, const struct sockaddr_in *to)
{
	struct linux_call theirs = call_of(test), ours = theirs;
	int a = call_in_linux(&theirs, group, to), b = call_here(&ours, to);

	if (theirs.result != ours.result || memcmp(theirs.memory, ours.memory, VALUE_BYTES))
		fail_msg("%s: level %d, option %d, size %u, value %d: Linux %lld, %02x%02x, "
			 "here %lld, %02x%02x",
			 test->sets ? "set" : "get", test->level, test->name, test->size,
			 test->number, (long long)theirs.result, theirs.memory[0],
			 theirs.memory[1], (long long)ours.result, ours.memory[0],
			 ours.memory[1]);
	if (test->sets && !theirs.result)
		compare_afterwards(test, a, b);
	close(a);
	close(b);
}

static void compare_all(int group, const struct sockaddr_in *to)
{
	for (u32 l = 0; l < ARRAY_SIZE(levels); l++)
		for (int name = 0; name < 80; name++)
			for (u32 s = 0; s < ARRAY_SIZE(sizes); s++)
				for (int i = 0; i < 4; i++) {
					const struct option_case test = {
						.sets = i,
						.level = levels[l],
						.name = name,
						.size = sizes[s],
						.number = i == 1   ? 1
							  : i == 2 ? 600
								   : TEXT_VALUE,
					};

					/* one size and value too few tells nothing new */
					if (s < 2 || i < 2)
						compare(&test, group, to);
				}
}

static void options_are_those_of_linux(void **state)
{
	const char *cgroups = find_cgroups();
	char path[128];
	struct sockaddr_in address;
	int group, server;

	if (!cgroups || !linux_can_call())
		skip();
	snprintf(path, sizeof(path), "%s/skep_test_%d", cgroups, getpid());
	if (mkdir(path, 0755))
		skip();
	group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	server = listener(&address);
	if (join(path)) {
		compare_all(group, &address);
		assert_true(join(cgroups));
	}
	close(server);
	close(group);
	assert_int_equal(rmdir(path), 0);
}

static void sockets_that_cannot_be_reached_have_none(void **state)
{
	struct run_env env = {};
	struct run_context run = {.env = &env, .type = BPF_PROG_TYPE_SOCK_OPS};
	struct sock_ctx sk = {.view = {.family = AF_INET, .protocol = IPPROTO_TCP}};
	struct bpf_sock_ops ops = {.sk = &sk.view};
	int value = 7;
	const u64 ctx = ptr_to_u64(&ops), v = ptr_to_u64(&value);

	assert_int_equal(
		helper_body(BPF_FUNC_setsockopt)(ctx, SOL_SOCKET, SO_SNDBUF, v, 4, &run),
		-EOPNOTSUPP);
	assert_int_equal(
		helper_body(BPF_FUNC_getsockopt)(ctx, SOL_SOCKET, SO_SNDBUF, v, 4, &run),
		-EOPNOTSUPP);
	assert_int_equal(value, 0);
	ops.sk = NULL;
	assert_int_equal(
		helper_body(BPF_FUNC_getsockopt)(ctx, SOL_SOCKET, SO_SNDBUF, v, 4, &run),
		-EOPNOTSUPP);
	assert_int_equal(helper_body(BPF_FUNC_sock_ops_cb_flags_set)(ctx, 1, 0, 0, 0, &run),
			 -EINVAL);
	ops.is_fullsock = 1;
	assert_int_equal(helper_body(BPF_FUNC_sock_ops_cb_flags_set)(ctx, 0x183, 0, 0, 0, &run),
			 0x180);
	assert_int_equal(ops.bpf_sock_ops_cb_flags, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_that_cannot_be_reached_have_none),
		cmocka_unit_test(options_are_those_of_linux),
	};

	return cmocka_run_group_tests_name("helper.socket", tests, NULL, NULL);
}
