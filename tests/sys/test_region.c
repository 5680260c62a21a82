/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps in a region that processes have at once: both change them, one is killed in the middle
 * of its work, one cannot have the address; what a region refuses.
 */
#include "tests/sys/region_world.h"

static char fd_text[16], address_text[32];

static struct skep_engine *start_new(int *fds)
{
	const struct skep_engine_opts opts = {.region = SKEP_REGION_NEW, .slots = SLOTS};
	struct skep_error err;
	struct skep_engine *engine = start(opts, &err);
	int fd;

	if (!engine)
		fail_msg("%s", err.text);
	make_all(engine, fds);
	fd = skep_region_fd(engine);
	assert_true(fd >= 0);
	fcntl(fd, F_SETFD, 0);
	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	snprintf(address_text, sizeof(address_text), "%p", skep_region_address(engine));
	return engine;
}

/* Both change everything at once; counters that slots have alone are exact. */
static void two_processes_share_maps(void **state)
{
	int fds[MAPS];
	struct skep_engine *engine = start_new(fds);
	struct big big = big_of(KEPT, 7);
	u32 key = KEPT;
	pid_t child;

	assert_int_equal(update(engine, fds[HASH], &key, &big), 0);
	child = spawn("work", fd_text, address_text);
	assert_int_equal(change(engine, fds, ROUNDS), 0);
	assert_int_equal(wait_for(child), 0);
	assert_int_equal(total(engine, fds[ARRAY]), 2 * 3 * ROUNDS);
	assert_int_equal(total_of_slots(engine, fds[SLOT_ARRAY]), 2 * 3 * ROUNDS);
	check_all(engine, fds);
	check_capacity(engine, fds[HASH]);
	skep_engine_free(engine);
	close(atoi(fd_text));
}

/* The one that lives goes on, whatever the others held when they were killed. */
static void killed_processes_hang_nobody(void **state)
{
	int fds[MAPS];
	struct skep_engine *engine = start_new(fds);

	alarm(120);
	for (u32 i = 0; i < 15; i++) {
		pid_t child = spawn("change", fd_text, address_text);
		u64 before = total(engine, fds[ARRAY]);

		/* Until it works. */
		while (total(engine, fds[ARRAY]) < before + 30)
			nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
		assert_int_equal(change(engine, fds, 20 + i * 7), 0);
		kill(child, SIGKILL);
		assert_int_equal(wait_for(child), 128 + SIGKILL);
		assert_int_equal(change(engine, fds, 300), 0);
		check_big(engine, fds[HASH], KEYS);
		check_big(engine, fds[LRU], KEYS / 2);
	}
	check_all(engine, fds);
	alarm(0);
	skep_engine_free(engine);
	close(atoi(fd_text));
}

static void an_address_is_taken(void **state)
{
	int fds[MAPS];
	struct skep_engine *engine = start_new(fds), *second;
	struct skep_engine_opts opts = {.region = SKEP_REGION_FD, .region_fd = atoi(fd_text)};
	struct skep_error err;

	assert_int_equal(wait_for(spawn("taken", fd_text, address_text)), 0);
	second = start(opts, &err);
	assert_null(second);
	assert_int_equal(err.code, -EADDRINUSE);
	skep_engine_free(engine);
	close(atoi(fd_text));
}

static void what_cannot_be_shared_is_refused(void **state)
{
	static const struct {
		u32 type, key, value, entries, flags;
	} rows[] = {
		{BPF_MAP_TYPE_LPM_TRIE, 8, 8, 4, BPF_F_NO_PREALLOC},
		{BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0},
		{BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0},
		{BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 4, 0},
		{BPF_MAP_TYPE_STACK_TRACE, 4, 8, 4, 0},
	};
	struct skep_engine_opts opts = {.region = SKEP_REGION_NEW};
	struct skep_engine *engine = start(opts, NULL), *lenient;

	assert_non_null(engine);
	opts.region_or_private = true;
	lenient = start(opts, NULL);
	assert_non_null(lenient);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const union bpf_attr attr = {.map_type = rows[i].type,
					     .key_size = rows[i].key,
					     .value_size = rows[i].value,
					     .max_entries = rows[i].entries,
					     .map_flags = rows[i].flags};
		int fd;

		assert_int_equal(bpf(engine, BPF_MAP_CREATE, attr), -EOPNOTSUPP);
		assert_non_null(strstr(skep_engine_error(engine)->text, "a region cannot"));
		fd = bpf(lenient, BPF_MAP_CREATE, attr);
		assert_true(fd >= 0);
		close(fd);
	}
	skep_engine_free(engine);
	skep_engine_free(lenient);
}

/* What is freed can be had again; what does not fit is refused, and what is there stays. */
static void a_region_is_filled_and_emptied(void **state)
{
	const struct skep_engine_opts opts = {.region = SKEP_REGION_NEW};
	struct skep_engine *engine = start(opts, NULL);
	const union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
				     .key_size = 4,
				     .value_size = 1 << 20,
				     .max_entries = 3};
	u8 *value = calloc(1, 1 << 20);
	u32 key = 0;
	int fds[2];

	for (u32 i = 0; i < 5; i++) {
		for (u32 j = 0; j < 2; j++) {
			fds[j] = bpf(engine, BPF_MAP_CREATE, attr);
			assert_true(fds[j] >= 0);
		}
		assert_int_equal(bpf(engine, BPF_MAP_CREATE, attr), -ENOSPC);
		assert_non_null(strstr(skep_engine_error(engine)->text, "the region is full"));
		assert_int_equal(look_up(engine, fds[0], &key, value), 0);
		assert_int_equal(value[77], 0);
		value[77] = 1;
		assert_int_equal(update(engine, fds[0], &key, value), 0);
		close(fds[0]);
		close(fds[1]);
	}
	free(value);
	skep_engine_free(engine);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_processes_share_maps),
		cmocka_unit_test(killed_processes_hang_nobody),
		cmocka_unit_test(an_address_is_taken),
		cmocka_unit_test(what_cannot_be_shared_is_refused),
		cmocka_unit_test(a_region_is_filled_and_emptied),
	};

	if (argc > 2)
		return play(argc, argv);
	return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
