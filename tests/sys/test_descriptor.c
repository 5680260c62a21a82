/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors are real: the kernel counts their copies, and the engine notices the last close.
 */
#include "base/types.h"
#include "tests/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <skep/skep.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct skep_engine *engine;

static int bpf(int cmd, union bpf_attr attr)
{
	return skep_bpf(engine, cmd, &attr, sizeof(attr));
}

static int create(u32 flags)
{
	return bpf(BPF_MAP_CREATE, (union bpf_attr){.map_type = BPF_MAP_TYPE_ARRAY,
						    .key_size = 4,
						    .value_size = 8,
						    .max_entries = 4,
						    .map_flags = flags});
}

static bool exists(u32 id)
{
	int fd = bpf(BPF_MAP_GET_FD_BY_ID, (union bpf_attr){.map_id = id});

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static u32 id_of(int fd)
{
	struct bpf_map_info info = {0};

	assert_int_equal(bpf(BPF_OBJ_GET_INFO_BY_FD,
			     (union bpf_attr){.info = {.bpf_fd = fd,
						       .info_len = sizeof(info),
						       .info = ptr_to_u64(&info)}}),
			 0);
	return info.id;
}

static int set_up(void **state)
{
	engine = skep_engine_new(NULL, NULL);
	return engine ? 0 : -1;
}

static int tear_down(void **state)
{
	skep_engine_free(engine);
	return 0;
}

static const u32 forms[] = {0, BPF_F_MMAPABLE}; /* a pipe, a memfd */

static void test_close(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(forms); i++) {
		int fd = create(forms[i]);
		u32 id = id_of(fd);

		assert_true(exists(id));
		close(fd);
		assert_false(exists(id));
	}
}

static void test_dup(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(forms); i++) {
		int fd = create(forms[i]), copy = dup(fd);
		u32 id = id_of(fd);

		close(fd);
		assert_true(exists(id));
		assert_int_equal(id_of(copy), id);
		close(copy);
		assert_false(exists(id));
	}
}

static void test_close_on_exec(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(forms); i++) {
		int fd = create(forms[i]);

		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
	}
}

/* A child's copy keeps the object until the child is gone. */
static void test_fork(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(forms); i++) {
		int fd = create(forms[i]), wait_for_us[2];
		u32 id = id_of(fd);
		char byte;
		pid_t child;

		assert_int_equal(pipe(wait_for_us), 0);
		child = fork();
		if (!child) {
			close(wait_for_us[1]);
			_exit((int)read(wait_for_us[0], &byte, 1));
		}
		close(fd);
		assert_true(exists(id));
		close(wait_for_us[0]);
		close(wait_for_us[1]);
		assert_int_equal(waitpid(child, NULL, 0), child);
		assert_false(exists(id));
	}
}

/* A forked process goes on with its own copy of the engine, and neither hears of the other. */
static void test_engine_in_a_child(void **state)
{
	int fd = create(0), status;
	u32 id = id_of(fd);
	pid_t child = fork();

	if (!child) {
		int own = create(0);

		close(own);
		close(fd);
		_exit(exists(id) ? 0 : 1); /* the parent holds it */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (u32 i = 0; i < 20; i++)
		close(create(0));
	assert_true(exists(id));
	close(fd);
	assert_false(exists(id));
}

static void test_no_descriptor_left(void **state)
{
	struct rlimit before, few;
	int fds[64], count = 0, fd;

	getrlimit(RLIMIT_NOFILE, &before);
	few = (struct rlimit){.rlim_cur = 40, .rlim_max = before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &few);
	while ((fd = create(forms[count % 2])) >= 0)
		fds[count++] = fd;
	assert_int_equal(fd, -EMFILE);
	assert_true(count > 5);
	while (count)
		close(fds[--count]);
	fd = create(0);
	assert_true(fd >= 0);
	close(fd);
	setrlimit(RLIMIT_NOFILE, &before);
}

static int pass_through_socket(int fd)
{
	int sockets[2];
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	*header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
				   .cmsg_type = SCM_RIGHTS,
				   .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	assert_int_equal(sendmsg(sockets[0], &message, 0), 1);
	close(fd);
	memset(control, 0, sizeof(control));
	assert_int_equal(recvmsg(sockets[1], &message, 0), 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	close(sockets[0]);
	close(sockets[1]);
	return fd;
}

static void test_socket(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(forms); i++) {
		int fd = create(forms[i]);
		u32 id = id_of(fd);

		fd = pass_through_socket(fd);
		assert_int_equal(id_of(fd), id);
		close(fd);
		assert_false(exists(id));
	}
}

/* A mapping is enough to keep an array, as on Linux. */
static void test_mapping(void **state)
{
	int fd = create(BPF_F_MMAPABLE);
	u32 id = id_of(fd), key = 1;
	u64 *values = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), value = 0;

	assert_ptr_not_equal(values, MAP_FAILED);
	values[1] = 42;
	assert_int_equal(
		bpf(BPF_MAP_LOOKUP_ELEM, (union bpf_attr){.map_fd = fd,
							  .key = ptr_to_u64(&key),
							  .value = ptr_to_u64(&value)}),
		0);
	assert_int_equal(value, 42);
	close(fd);
	assert_true(exists(id));
	munmap(values, 4096);
	assert_false(exists(id));
}

static void test_rights_of_a_descriptor(void **state)
{
	int fd = create(BPF_F_MMAPABLE), read_only;
	u32 id = id_of(fd), key = 0;
	u64 value = 1;
	union bpf_attr element = {.key = ptr_to_u64(&key), .value = ptr_to_u64(&value)};

	read_only = bpf(BPF_MAP_GET_FD_BY_ID,
			(union bpf_attr){.map_id = id, .open_flags = BPF_F_RDONLY});
	assert_true(read_only >= 0);
	element.map_fd = fd;
	assert_int_equal(bpf(BPF_MAP_UPDATE_ELEM, element), 0);
	element.map_fd = read_only;
	assert_int_equal(bpf(BPF_MAP_LOOKUP_ELEM, element), 0);
	assert_int_equal(bpf(BPF_MAP_UPDATE_ELEM, element), -EPERM);
	close(fd);
	assert_true(exists(id));
	close(read_only);
	assert_false(exists(id));
}

static void test_pins(void **state)
{
	int fd = create(0), again;
	u32 id = id_of(fd);
	union bpf_attr pin = {.pathname = ptr_to_u64("/sys/fs/bpf/x/../a//b/."), .bpf_fd = fd};
	union bpf_attr get = {.pathname = ptr_to_u64("/sys/fs/bpf/a/b")};

	assert_int_equal(bpf(BPF_OBJ_GET, get), -ENOENT);
	assert_int_equal(bpf(BPF_OBJ_PIN, pin), 0);
	assert_int_equal(bpf(BPF_OBJ_PIN, pin), -EEXIST);
	close(fd);
	again = bpf(BPF_OBJ_GET, get);
	assert_int_equal(id_of(again), id);
	close(again);
	assert_true(exists(id));
	get.file_flags = BPF_F_RDONLY | BPF_F_WRONLY;
	assert_int_equal(bpf(BPF_OBJ_GET, get), -EINVAL);
}

/* Two programs that tail-call each other go when nobody can start them any more. */
static void test_prog_array_cycle(void **state)
{
	static const struct bpf_insn insns_template[] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 2, .src_reg = BPF_PSEUDO_MAP_FD},
		{0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_insn insns[ARRAY_SIZE(insns_template)];
	u32 key = 0, id;
	int array, prog;

	array = bpf(BPF_MAP_CREATE, (union bpf_attr){.map_type = BPF_MAP_TYPE_PROG_ARRAY,
						     .key_size = 4,
						     .value_size = 4,
						     .max_entries = 1});
	id = id_of(array);
	memcpy(insns, insns_template, sizeof(insns));
	insns[0].imm = array;
	prog = bpf(BPF_PROG_LOAD, (union bpf_attr){.prog_type = BPF_PROG_TYPE_XDP,
						   .insns = ptr_to_u64(insns),
						   .insn_cnt = ARRAY_SIZE(insns),
						   .license = ptr_to_u64("GPL")});
	assert_true(prog >= 0);
	assert_int_equal(bpf(BPF_MAP_UPDATE_ELEM, (union bpf_attr){.map_fd = array,
								   .key = ptr_to_u64(&key),
								   .value = ptr_to_u64(&prog)}),
			 0);
	close(prog);
	assert_true(exists(id));
	close(array);
	/* Freed after a grace period. */
	for (int i = 0; i < 1000 && exists(id); i++)
		usleep(1000);
	assert_false(exists(id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_close, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dup, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_on_exec, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fork, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_engine_in_a_child, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_descriptor_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_socket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mapping, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rights_of_a_descriptor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_prog_array_cycle, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
