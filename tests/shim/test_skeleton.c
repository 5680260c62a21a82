/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A libbpf skeleton on skep. Built twice: with the static libbpf and the linker's wrapping
 * (WITH_WRAP), and as an ordinary program that runs under libskep-preload.so.
 */
#include "sample.skel.h"
#include "tests/unit.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <unistd.h>

#ifdef WITH_WRAP
#include "shim/wrap.h"
static struct skep_engine *engine;
#endif

static struct sample_bpf *skeleton;

static int be_silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static int set_up(void **state)
{
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(be_silent);
#ifdef WITH_WRAP
	engine = skep_engine_new(NULL, NULL);
	wrap_use_engine(engine);
#endif
	skeleton = sample_bpf__open();
	if (!skeleton)
		return -1;
	skeleton->rodata->step = 7;
	return sample_bpf__load(skeleton);
}

static int tear_down(void **state)
{
	bpf_map__unpin(skeleton->maps.pinned, NULL);
	sample_bpf__destroy(skeleton);
#ifdef WITH_WRAP
	wrap_use_linux();
	skep_engine_free(engine);
#endif
	return 0;
}

static void run(struct bpf_program *program, int repeat)
{
	static char packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = repeat);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
	assert_int_equal(opts.retval, 2); /* XDP_PASS */
}

static void test_globals(void **state)
{
	run(skeleton->progs.globals, 3);
	assert_int_equal(skeleton->bss->runs, 3);
	assert_int_equal(skeleton->data->total, 100 + 3 * 7);
	assert_int_not_equal(skeleton->bss->kernel_version, 0);
	skeleton->bss->runs = 10;
	run(skeleton->progs.globals, 1);
	assert_int_equal(skeleton->bss->runs, 11);
}

static void test_map_of_maps(void **state)
{
	uint32_t key = 1;
	uint64_t value;

	run(skeleton->progs.globals, 1);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.first), &key, &value),
			 0);
	assert_int_equal(value, 1);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.second), &key, &value),
			 0);
	assert_int_equal(value, 2);
}

struct received {
	unsigned int count, last;
	char text[12];
};

static int on_record(void *cookie, void *data, size_t size)
{
	struct received *received = cookie;

	received->count++;
	memcpy(&received->last, data, 4);
	memcpy(received->text, (char *)data + 4, sizeof(received->text));
	return 0;
}

static void test_ring_buffer(void **state)
{
	struct received received = {0};
	struct ring_buffer *ring =
		ring_buffer__new(bpf_map__fd(skeleton->maps.ring), on_record, &received, NULL);

	assert_non_null(ring);
	assert_int_equal(ring_buffer__poll(ring, 0), 0);
	/* More than the buffer holds at once. */
	for (unsigned int round = 1; round <= 100; round++) {
		run(skeleton->progs.to_ring, 5);
		assert_int_equal(ring_buffer__poll(ring, 1000), 5);
		assert_int_equal(ring_buffer__poll(ring, 0), 0);
		assert_int_equal(received.count, 5 * round);
		assert_int_equal(received.last, 5 * round);
	}
	assert_string_equal(received.text, "by ring");
	ring_buffer__free(ring);
}

static void on_sample(void *cookie, int cpu, void *data, __u32 size)
{
	on_record(cookie, data, size);
}

static void test_perf_buffer(void **state)
{
	struct received received = {0};
	struct perf_buffer *perf = perf_buffer__new(bpf_map__fd(skeleton->maps.perf), 2,
						    on_sample, NULL, &received, NULL);

	assert_non_null(perf);
	for (unsigned int round = 1; round <= 100; round++) {
		run(skeleton->progs.to_perf, 5);
		assert_true(perf_buffer__poll(perf, 1000) > 0);
		assert_int_equal(received.count, 5 * round);
		assert_int_equal(received.last, 5 * round);
		assert_int_equal(perf_buffer__poll(perf, 0), 0);
	}
	assert_string_equal(received.text, "by perf");
	perf_buffer__free(perf);
}

static void test_pinned_by_name(void **state)
{
	int fd = bpf_obj_get("/sys/fs/bpf/pinned");

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(bpf_map__unpin(skeleton->maps.pinned, NULL), 0);
	assert_true(bpf_obj_get("/sys/fs/bpf/pinned") < 0);
}

static void test_probes(void **state)
{
	static const struct {
		enum bpf_prog_type type;
		int helper, want;
	} rows[] = {
		{BPF_PROG_TYPE_XDP, BPF_FUNC_map_lookup_elem, 1},
		{BPF_PROG_TYPE_XDP, BPF_FUNC_redirect_map, 1},
		{BPF_PROG_TYPE_XDP, BPF_FUNC_skb_load_bytes, 0},
		{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_skb_load_bytes, 1},
	};

	assert_int_equal(libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SOCKET_FILTER, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_HASH, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL), 1);
	assert_int_equal(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_ARRAY_OF_MAPS, NULL), 1);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(libbpf_probe_bpf_helper(rows[i].type, rows[i].helper, NULL),
				 rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_globals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_map_of_maps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ring_buffer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_perf_buffer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pinned_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_probes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
