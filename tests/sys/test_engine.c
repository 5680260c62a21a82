/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine as a handle: options, rights, records of errors, ids, printed lines, statistics.
 */
#include "base/types.h"
#include "sys/engine.h"
#include "tests/unit.h"
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <skep/inspect.h>
#include <skep/port.h>
#include <skep/skep.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct skep_engine *engine;

static int bpf(int cmd, union bpf_attr attr)
{
	return skep_bpf(engine, cmd, &attr, sizeof(attr));
}

static void start(u32 rights)
{
	const struct skep_engine_opts opts = {
		.sz = sizeof(opts), .rights = rights, .rights_given = true};

	engine = skep_engine_new(&opts, NULL);
	assert_non_null(engine);
}

static int tear_down(void **state)
{
	skep_engine_free(engine);
	engine = NULL;
	return 0;
}

static int create(u32 type, u32 key, u32 flags)
{
	return bpf(BPF_MAP_CREATE, (union bpf_attr){.map_type = type,
						    .key_size = key,
						    .value_size = 8,
						    .max_entries = 4,
						    .map_flags = flags});
}

static const struct bpf_insn pass[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
	{.code = BPF_JMP | BPF_EXIT},
};

static int load(u32 type, const struct bpf_insn *insns, u32 count)
{
	return bpf(BPF_PROG_LOAD, (union bpf_attr){.prog_type = type,
						   .insns = ptr_to_u64(insns),
						   .insn_cnt = count,
						   .license = ptr_to_u64("GPL")});
}

static int outcome(int ret)
{
	if (ret < 0)
		return ret;
	close(ret);
	return 0;
}

/* As capabilities(7) and the kernel's tables of types say. */
static void test_rights(void **state)
{
	const u32 bpf_right = SKEP_RIGHT_BPF, net = SKEP_RIGHT_NET_ADMIN,
		  perfmon = SKEP_RIGHT_PERFMON, admin = SKEP_RIGHT_ADMIN;
	const struct {
		u32 rights;
		int hash, lru, xdp, socket_filter, kprobe, btf, next_id;
	} rows[] = {
		{0, 0, -EPERM, -EPERM, 0, -EPERM, -EPERM, -EPERM},
		{bpf_right, 0, 0, -EPERM, 0, -EPERM, -EINVAL, -EPERM},
		{bpf_right | net, 0, 0, 0, 0, -EPERM, -EINVAL, -EPERM},
		{bpf_right | perfmon, 0, 0, -EPERM, 0, 0, -EINVAL, -EPERM},
		{net | perfmon, 0, -EPERM, -EPERM, 0, -EPERM, -EPERM, -EPERM},
		{admin, 0, 0, 0, 0, 0, -EINVAL, -ENOENT},
		{SKEP_RIGHTS_ALL, 0, 0, 0, 0, 0, -EINVAL, -ENOENT},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# rights %#x\n", rows[i].rights);
		start(rows[i].rights);
		assert_int_equal(outcome(create(BPF_MAP_TYPE_HASH, 4, 0)), rows[i].hash);
		assert_int_equal(outcome(create(BPF_MAP_TYPE_LRU_HASH, 4, 0)), rows[i].lru);
		assert_int_equal(outcome(load(BPF_PROG_TYPE_XDP, pass, 2)), rows[i].xdp);
		assert_int_equal(outcome(load(BPF_PROG_TYPE_SOCKET_FILTER, pass, 2)),
				 rows[i].socket_filter);
		assert_int_equal(outcome(load(BPF_PROG_TYPE_KPROBE, pass, 2)), rows[i].kprobe);
		assert_int_equal(bpf(BPF_BTF_LOAD,
				     (union bpf_attr){.btf = ptr_to_u64(pass), .btf_size = 16}),
				 rows[i].btf);
		assert_int_equal(bpf(BPF_LINK_GET_NEXT_ID, (union bpf_attr){.start_id = 0}),
				 rows[i].next_id);
		tear_down(NULL);
	}
}

/* The limit on instructions is lower without CAP_BPF. */
static void test_size_without_rights(void **state)
{
	static struct bpf_insn insns[4097];

	for (u32 i = 0; i < ARRAY_SIZE(insns); i++)
		insns[i] = pass[0];
	insns[4095] = insns[4096] = pass[1];
	start(0);
	assert_int_equal(outcome(load(BPF_PROG_TYPE_SOCKET_FILTER, insns, 4096)), 0);
	assert_int_equal(load(BPF_PROG_TYPE_SOCKET_FILTER, insns, 4097), -E2BIG);
}

static void test_options(void **state)
{
	struct {
		struct skep_engine_opts opts;
		u8 newer[8];
	} newer = {.opts = {.sz = sizeof(newer)}};
	struct skep_engine_opts short_opts = {.sz = sizeof(size_t), .slots = 999999};
	struct skep_engine_opts many = {.sz = sizeof(many), .slots = 999999};
	struct skep_error err;

	engine = skep_engine_new(&newer.opts, &err);
	assert_non_null(engine);
	tear_down(NULL);
	newer.newer[3] = 1;
	assert_null(skep_engine_new(&newer.opts, &err));
	assert_int_equal(err.code, -E2BIG);
	assert_null(skep_engine_new(&many, &err));
	assert_int_equal(err.code, -EINVAL);
	/* What the caller's structure is too short for keeps its default. */
	engine = skep_engine_new(&short_opts, &err);
	assert_non_null(engine);
}

static void *other_thread(void *unused)
{
	return (void *)(intptr_t)skep_engine_error(engine)->code;
}

static void test_errors(void **state)
{
	struct skep_error err = {};
	pthread_t thread;
	void *code;

	start(SKEP_RIGHTS_ALL);
	assert_int_equal(skep_engine_error(engine)->code, 0);
	assert_int_equal(bpf(BPF_MAP_FREEZE, (union bpf_attr){.map_fd = 12345}), -EBADF);
	assert_int_equal(skep_engine_error(engine)->code, -EBADF);
	assert_string_equal(skep_engine_error(engine)->text, "descriptor 12345 is not open");
	assert_int_equal(skep_port_close(engine, 7), -ENODEV);
	assert_string_equal(skep_engine_error(engine)->text, "no port 7");
	assert_int_equal(skep_port_open(engine, "none:", &err), -EINVAL);
	assert_string_equal(skep_engine_error(engine)->text, err.text);
	pthread_create(&thread, NULL, other_thread, NULL);
	pthread_join(thread, &code);
	assert_null(code);
	assert_int_equal(outcome(create(BPF_MAP_TYPE_ARRAY, 4, 0)), 0);
	assert_int_equal(skep_engine_error(engine)->code, 0);
}

static u32 next_id(u32 id)
{
	union bpf_attr attr = {.start_id = id};

	return skep_bpf(engine, BPF_MAP_GET_NEXT_ID, &attr, sizeof(attr)) ? 0 : attr.next_id;
}

static void test_ids(void **state)
{
	int fds[5];

	start(SKEP_RIGHTS_ALL);
	assert_int_equal(next_id(0), 0);
	for (u32 i = 0; i < 5; i++)
		fds[i] = create(BPF_MAP_TYPE_ARRAY, 4, 0);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(next_id(i), i + 1);
	close(fds[2]);
	assert_int_equal(next_id(2), 4);
	/* An id does not come back. */
	fds[2] = create(BPF_MAP_TYPE_ARRAY, 4, 0);
	assert_int_equal(next_id(2), 4);
	assert_int_equal(next_id(5), 6);
	assert_int_equal(next_id(6), 0);
	for (u32 i = 0; i < 5; i++)
		close(fds[i]);
	assert_int_equal(next_id(0), 0);
}

/* Descriptors of one engine mean nothing to another. */
static void test_two_engines(void **state)
{
	struct skep_engine *first, *second;
	union bpf_attr freeze = {0};

	start(SKEP_RIGHTS_ALL);
	first = engine;
	freeze.map_fd = create(BPF_MAP_TYPE_ARRAY, 4, 0);
	start(SKEP_RIGHTS_ALL);
	second = engine;
	assert_int_equal(skep_bpf(second, BPF_MAP_FREEZE, &freeze, sizeof(freeze)), -EINVAL);
	assert_int_equal(skep_bpf(first, BPF_MAP_FREEZE, &freeze, sizeof(freeze)), 0);
	skep_engine_free(first);
	assert_int_equal(close(freeze.map_fd), 0);
}

static const struct bpf_insn print[] = {
	{.code = BPF_ST | BPF_MEM | BPF_W,
	 .dst_reg = 10,
	 .off = -8,
	 .imm = 0x00206968}, /* hi */
	{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 10},
	{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = -8},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 4},
	{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_trace_printk},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
	{.code = BPF_JMP | BPF_EXIT},
};

static int run_once(int prog)
{
	static const u8 packet[64];

	return bpf(BPF_PROG_TEST_RUN, (union bpf_attr){.test = {.prog_fd = (u32)prog,
								.data_in = ptr_to_u64(packet),
								.data_size_in = 64}});
}

static void test_trace(void **state)
{
	char text[64] = {0};
	int fd, prog;

	start(SKEP_RIGHTS_ALL);
	fd = skep_trace_open(engine);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), -1);
	prog = load(BPF_PROG_TYPE_XDP, print, ARRAY_SIZE(print));
	assert_true(prog >= 0);
	assert_int_equal(run_once(prog), 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "hi"));
	/* A full pipe loses lines and stops nobody. */
	for (u32 i = 0; i < 20000; i++)
		assert_int_equal(run_once(prog), 0);
	close(prog);
	close(fd);
}

static struct bpf_prog_info info_of(int prog)
{
	struct bpf_prog_info info = {0};

	assert_int_equal(bpf(BPF_OBJ_GET_INFO_BY_FD,
			     (union bpf_attr){.info = {.bpf_fd = (u32)prog,
						       .info_len = sizeof(info),
						       .info = ptr_to_u64(&info)}}),
			 0);
	return info;
}

static void test_statistics(void **state)
{
	int prog, stats;

	start(SKEP_RIGHTS_ALL);
	prog = load(BPF_PROG_TYPE_XDP, pass, 2);
	run_once(prog);
	assert_int_equal(info_of(prog).run_cnt, 0);
	stats = bpf(BPF_ENABLE_STATS, (union bpf_attr){.enable_stats = {.type = 0}});
	assert_true(stats >= 0);
	run_once(prog);
	run_once(prog);
	assert_int_equal(info_of(prog).run_cnt, 2);
	close(stats);
	close(load(BPF_PROG_TYPE_XDP, pass, 2)); /* notices that it was closed */
	run_once(prog);
	assert_int_equal(info_of(prog).run_cnt, 2);
	close(prog);
}

/* PROG_BIND_MAP: the program keeps a map that its instructions do not name. */
static void test_bind_map(void **state)
{
	int prog, map;
	union bpf_attr bind = {0};

	start(SKEP_RIGHTS_ALL);
	prog = load(BPF_PROG_TYPE_XDP, pass, 2);
	map = create(BPF_MAP_TYPE_ARRAY, 4, 0);
	bind.prog_bind_map.prog_fd = (u32)prog;
	bind.prog_bind_map.map_fd = (u32)map;
	assert_int_equal(bpf(BPF_PROG_BIND_MAP, bind), 0);
	assert_int_equal(bpf(BPF_PROG_BIND_MAP, bind), 0);
	assert_int_equal(info_of(prog).nr_map_ids, 1);
	close(map);
	assert_int_equal(next_id(0), 1);
	close(prog);
	for (int i = 0; i < 1000 && next_id(0); i++)
		usleep(1000); /* freed after a grace period */
	assert_int_equal(next_id(0), 0);
}

/* Programs of two types cannot share a prog array. */
static void test_owner_of_prog_array(void **state)
{
	int array, xdp, filter;
	u32 key = 0;
	union bpf_attr update = {0};

	start(SKEP_RIGHTS_ALL);
	array = bpf(BPF_MAP_CREATE, (union bpf_attr){.map_type = BPF_MAP_TYPE_PROG_ARRAY,
						     .key_size = 4,
						     .value_size = 4,
						     .max_entries = 2});
	xdp = load(BPF_PROG_TYPE_XDP, pass, 2);
	filter = load(BPF_PROG_TYPE_SOCKET_FILTER, pass, 2);
	update.map_fd = (u32)array;
	update.key = ptr_to_u64(&key);
	update.value = ptr_to_u64(&xdp);
	assert_int_equal(bpf(BPF_MAP_UPDATE_ELEM, update), 0);
	update.value = ptr_to_u64(&filter);
	assert_int_equal(bpf(BPF_MAP_UPDATE_ELEM, update), -EINVAL);
	close(array);
	close(xdp);
	close(filter);
}

/* What skep lacks may be used, and nothing runs. */
static void test_verify_only(void **state)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .verify_only = true};
	struct bpf_insn insns[] = {
		{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	const struct btf_view *kernel;
	char *lacks = NULL;
	int prog;

	engine = skep_engine_new(&opts, NULL);
	kernel = kernel_btf_view(&engine->kernel_btf);
	insns[0].imm = kernel ? (s32)btf_find(kernel, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC) : 0;
	if (!insns[0].imm)
		skip(); /* the kernel does not show its types */
	prog = load(BPF_PROG_TYPE_XDP, insns, ARRAY_SIZE(insns));
	assert_true(prog >= 0);
	assert_int_equal(skep_prog_lacks(engine, prog, &lacks), 0);
	assert_string_equal(lacks, "kernel function bpf_cast_to_kern_ctx\n");
	free(lacks);
	assert_int_equal(skep_prog_lacks(engine, 999, &lacks), -EBADF);
	assert_int_equal(bpf(BPF_PROG_TEST_RUN, (union bpf_attr){.test.prog_fd = prog}),
			 -EOPNOTSUPP);
	assert_int_equal(bpf(BPF_LINK_CREATE, (union bpf_attr){.link_create.prog_fd = prog}),
			 -EOPNOTSUPP);
	close(prog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_rights, tear_down),
		cmocka_unit_test_teardown(test_size_without_rights, tear_down),
		cmocka_unit_test_teardown(test_options, tear_down),
		cmocka_unit_test_teardown(test_errors, tear_down),
		cmocka_unit_test_teardown(test_ids, tear_down),
		cmocka_unit_test_teardown(test_two_engines, tear_down),
		cmocka_unit_test_teardown(test_trace, tear_down),
		cmocka_unit_test_teardown(test_statistics, tear_down),
		cmocka_unit_test_teardown(test_bind_map, tear_down),
		cmocka_unit_test_teardown(test_owner_of_prog_array, tear_down),
		cmocka_unit_test_teardown(test_verify_only, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
