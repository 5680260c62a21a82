/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps in the file of a directory of pins: what is found after owners ended or were killed,
 * and files that are others' or damaged.
 */
#include "tests/sys/region_world.h"

static char directory[] = "/tmp/skep-region-XXXXXX", file[64];

static int make_directory(void **state)
{
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(file, sizeof(file), "%s/region", directory);
	return 0;
}

static int remove_directory(void **state)
{
	unlink(file);
	return rmdir(directory);
}

static struct skep_engine *open_pins(struct skep_error *err)
{
	const struct skep_engine_opts opts = {.pin_dir = directory, .slots = SLOTS};

	return start(opts, err);
}

static struct skep_engine *must_open(void)
{
	struct skep_error err;
	struct skep_engine *engine = open_pins(&err);

	if (!engine)
		fail_msg("%s", err.text);
	return engine;
}

static void pinned_maps_live_on(void **state)
{
	int fds[MAPS], loose, again[MAPS];
	struct skep_engine *engine = must_open();
	struct big big = big_of(5, 9), found;
	struct bpf_map_info info = {};
	union bpf_attr attr = {.info = {.info_len = sizeof(info), .info = ptr_to_u64(&info)}};
	u32 key = 5;

	make_all(engine, fds);
	loose = create(engine, HASH);
	assert_true(loose >= 0);
	assert_int_equal(pin(engine, fds[HASH], maps[ARRAY].pin), -EEXIST);
	assert_int_equal(update(engine, fds[HASH], &key, &big), 0);
	skep_engine_free(engine);
	engine = must_open();
	assert_true(open_all(engine, again));
	assert_int_equal(look_up(engine, again[HASH], &key, &found), 0);
	assert_memory_equal(&found, &big, sizeof(big));
	attr.info.bpf_fd = (u32)again[HASH];
	assert_int_equal(skep_bpf(engine, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)), 0);
	assert_int_equal(info.type, BPF_MAP_TYPE_HASH);
	assert_int_equal(info.value_size, 8 * BIG);
	assert_int_equal(get(engine, "/sys/fs/bpf/none"), -ENOENT);
	check_capacity(engine, again[HASH]);
	skep_engine_free(engine);
}

/* Killed at any moment: at most the update under way is lost. */
static void killed_owners_leave_whole_maps(void **state)
{
	int fds[MAPS];
	struct skep_engine *engine = must_open();

	make_all(engine, fds);
	skep_engine_free(engine);
	for (u32 i = 0; i < 15; i++) {
		pid_t child = spawn("change", directory, NULL);

		nanosleep(&(struct timespec){.tv_nsec = 30000000 + i * 3100000}, NULL);
		kill(child, SIGKILL);
		assert_int_equal(wait_for(child), 128 + SIGKILL);
		engine = must_open();
		assert_true(open_all(engine, fds));
		check_all(engine, fds);
		check_capacity(engine, fds[HASH]);
		skep_engine_free(engine);
	}
}

static u64 next_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Opened, everything in it is touched: nothing may crash or hang. */
static void use(u32 round)
{
	struct skep_error err = {};
	struct skep_engine *engine = open_pins(&err);
	int fds[MAPS];

	if (!engine) {
		if (!err.text[0] || strchr(err.text, '\n'))
			fail_msg("round %u: code %d, '%s'", round, err.code, err.text);
		return;
	}
	for (u32 i = 0; i < MAPS; i++)
		fds[i] = get(engine, maps[i].pin);
	for (u32 key = 0; key < KEYS && fds[HASH] >= 0; key++) {
		struct big big = big_of(key, round);

		update(engine, fds[HASH], &key, &big);
		update(engine, fds[LRU], &key, &big);
	}
	if (fds[HASH] >= 0)
		walk(engine, fds[HASH]);
	skep_engine_free(engine);
}

static void write_file(const u8 *bytes, size_t size)
{
	int fd = open(file, O_WRONLY | O_TRUNC | O_CREAT, 0600);

	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static size_t read_file(u8 **out)
{
	int fd = open(file, O_RDONLY);
	struct stat status;

	fstat(fd, &status);
	*out = malloc((size_t)status.st_size);
	assert_int_equal(read(fd, *out, (size_t)status.st_size), status.st_size);
	close(fd);
	return (size_t)status.st_size;
}

static size_t make_good_file(u8 **out)
{
	int fds[MAPS];
	struct skep_engine *engine = must_open();

	make_all(engine, fds);
	change(engine, fds, 400);
	skep_engine_free(engine);
	return read_file(out);
}

static void expect(int code, const char *text)
{
	struct skep_error err = {};

	assert_null(open_pins(&err));
	if (err.code != code || !strstr(err.text, text))
		fail_msg("code %d, '%s', want %d, '%s'", err.code, err.text, code, text);
}

static void other_files_are_told_apart(void **state)
{
	u8 *good, *bad;
	size_t size = make_good_file(&good);

	bad = malloc(size);
	write_file(good, 100);
	expect(-EINVAL, "the file has 100 bytes, its header says 8388608");
	write_file(good, 10);
	expect(-EINVAL, "too short for a region");
	write_file(good, size / 2);
	expect(-EINVAL, "the file has 4194304 bytes");
	memcpy(bad, good, size);
	bad[0] = 'x';
	write_file(bad, size);
	expect(-EINVAL, "not a region of skep");
	memcpy(bad, good, size);
	bad[8] = 9;
	write_file(bad, size);
	expect(-EINVAL, "version 9 of regions, this skep has 1");
	memcpy(bad, good, size);
	bad[17]++;
	write_file(bad, size);
	expect(-EINVAL, "its header is damaged");
	write_file(good, size);
	chmod(file, 0666);
	expect(-EPERM, "others may write the file");
	free(bad);
	free(good);
}

/* Bits and words changed anywhere, most of them where there is something. */
static void damaged_files_crash_nothing(void **state)
{
	u64 random = 88172645463325252ULL;
	u8 *good, *bad;
	size_t size = make_good_file(&good);

	bad = malloc(size);
	for (u32 round = 0; round < 200; round++) {
		u32 changes = 1 + next_random(&random) % 8;

		memcpy(bad, good, size);
		for (u32 i = 0; i < changes;) {
			size_t at = 4096 + next_random(&random) % (size - 4104);
			u64 word = next_random(&random);

			/* Zeros are mostly where nothing is. */
			if (!bad[at] && next_random(&random) % 64)
				continue;
			if (word & 1)
				bad[at] ^= (u8)(1 << (word >> 8) % 8);
			else
				memcpy(bad + at, &random, word & 2 ? 4 : 1);
			i++;
		}
		write_file(bad, size);
		use(round);
	}
	free(bad);
	free(good);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pinned_maps_live_on, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(killed_owners_leave_whole_maps, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(other_files_are_told_apart, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(damaged_files_crash_nothing, make_directory,
						remove_directory),
	};

	if (argc > 2)
		return play(argc, argv);
	return cmocka_run_group_tests_name("region_file", tests, NULL, NULL);
}
