/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps in a region: two processes at once, processes that are killed in the middle of their
 * work, what is found afterwards, files that are damaged. The other process is this program
 * again, with arguments: `test_region ROLE FD-or-DIRECTORY`.
 */
#include "isa/isa.h"
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <skep/region.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS  3
#define SIZE   (8ULL << 20)
#define KEYS   200
#define ROUNDS 2000
#define BIG    6 /* words of a large value */

static const char *self;

static int bpf(struct skep_engine *engine, int cmd, union bpf_attr attr)
{
	return skep_bpf(engine, cmd, &attr, sizeof(attr));
}

static const struct {
	const char *pin;
	u32 type, key, value, entries, flags;
} maps[] = {
	{"/sys/fs/bpf/array", BPF_MAP_TYPE_ARRAY, 4, 8, 8, 0},
	{"/sys/fs/bpf/slots", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 8, 0},
	{"/sys/fs/bpf/hash", BPF_MAP_TYPE_HASH, 4, 8 * BIG, KEYS, 0},
	{"/sys/fs/bpf/lru", BPF_MAP_TYPE_LRU_HASH, 4, 8 * BIG, KEYS / 2, 0},
	{"/sys/fs/bpf/slots_hash", BPF_MAP_TYPE_PERCPU_HASH, 4, 8, KEYS, 0},
	{"/sys/fs/bpf/queue", BPF_MAP_TYPE_QUEUE, 0, 8, 100, 0},
	{"/sys/fs/bpf/stack", BPF_MAP_TYPE_STACK, 0, 8, 100, 0},
	{"/sys/fs/bpf/shown", BPF_MAP_TYPE_ARRAY, 4, 8, 8, BPF_F_MMAPABLE},
};
enum { ARRAY, SLOT_ARRAY, HASH, LRU, SLOT_HASH, QUEUE, STACK, SHOWN, MAPS };

static int create(struct skep_engine *engine, u32 i)
{
	return bpf(engine, BPF_MAP_CREATE,
		   (union bpf_attr){.map_type = maps[i].type,
				    .key_size = maps[i].key,
				    .value_size = maps[i].value,
				    .max_entries = maps[i].entries,
				    .map_flags = maps[i].flags});
}

static int pin(struct skep_engine *engine, int fd, const char *path)
{
	return bpf(engine, BPF_OBJ_PIN,
		   (union bpf_attr){.pathname = ptr_to_u64(path), .bpf_fd = (u32)fd});
}

static int get(struct skep_engine *engine, const char *path)
{
	return bpf(engine, BPF_OBJ_GET, (union bpf_attr){.pathname = ptr_to_u64(path)});
}

static int update(struct skep_engine *engine, int fd, const void *key, const void *value)
{
	return bpf(engine, BPF_MAP_UPDATE_ELEM,
		   (union bpf_attr){.map_fd = (u32)fd,
				    .key = ptr_to_u64(key),
				    .value = ptr_to_u64(value)});
}

static int look_up(struct skep_engine *engine, int fd, const void *key, void *value)
{
	return bpf(engine, BPF_MAP_LOOKUP_ELEM,
		   (union bpf_attr){.map_fd = (u32)fd,
				    .key = ptr_to_u64(key),
				    .value = ptr_to_u64(value)});
}

static int take(struct skep_engine *engine, int fd, void *value)
{
	return bpf(engine, BPF_MAP_LOOKUP_AND_DELETE_ELEM,
		   (union bpf_attr){.map_fd = (u32)fd, .value = ptr_to_u64(value)});
}

static int delete (struct skep_engine *engine, int fd, const void *key)
{
	return bpf(engine, BPF_MAP_DELETE_ELEM,
		   (union bpf_attr){.map_fd = (u32)fd, .key = ptr_to_u64(key)});
}

static struct skep_engine *start(struct skep_engine_opts opts, struct skep_error *err)
{
	opts.sz = sizeof(opts);
	opts.region_size = SIZE;
	return skep_engine_new(&opts, err);
}

/* --- a program that counts: array[0] atomically, its slot's values without any lock --- */

static const char counter[] = "	*(u32 *)(r10 - 4) = 0\n"
			      "	r1 = map_fd 0 ll\n"
			      "	r2 = r10\n"
			      "	r2 += -4\n"
			      "	call 1\n"
			      "	if r0 == 0 goto +8\n"
			      "	r1 = 1\n"
			      "	lock *(u64 *)(r0 + 0) += r1\n"
			      "	r1 = map_fd 1 ll\n"
			      "	r2 = r10\n"
			      "	r2 += -4\n"
			      "	call 1\n"
			      "	if r0 != 0 goto +2\n"
			      "	r0 = 0\n"
			      "	exit\n"
			      "	r1 = *(u64 *)(r0 + 0)\n"
			      "	r1 += 1\n"
			      "	*(u64 *)(r0 + 0) = r1\n"
			      "	r0 = 1\n"
			      "	exit\n";

static int load_counter(struct skep_engine *engine, const int fds[2])
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP, .license = ptr_to_u64("GPL")};
	struct bpf_insn *insns;
	struct skep_error err;
	int fd;

	if (insns_assemble(counter, &insns, &attr.insn_cnt, &err))
		fail_msg("%s", err.text);
	for (u32 i = 0; i < attr.insn_cnt; i++)
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
			insns[i].imm = fds[insns[i].imm];
			i++;
		}
	attr.insns = ptr_to_u64(insns);
	fd = skep_bpf(engine, BPF_PROG_LOAD, &attr, sizeof(attr));
	free(insns);
	return fd;
}

static u32 run(struct skep_engine *engine, int prog, u32 repeat)
{
	u8 packet[64] = {0};
	union bpf_attr attr = {.test = {.prog_fd = (u32)prog,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet),
					.repeat = repeat}};

	return skep_bpf(engine, BPF_PROG_TEST_RUN, &attr, sizeof(attr)) ? 0 : attr.test.retval;
}

/* --- large values say by themselves whether they are whole --- */

struct big {
	u64 word[BIG];
};

static struct big big_of(u32 key, u64 round)
{
	struct big big;

	for (u32 i = 0; i < BIG; i++)
		big.word[i] = (round << 32 | key) * 0x9e3779b97f4a7c15ULL + i;
	return big;
}

static bool is_whole(u32 key, const struct big *big)
{
	for (u32 i = 1; i < BIG; i++)
		if (big->word[i] != big->word[0] + i)
			return false;
	/* The inverse of the factor. */
	return (u32)(big->word[0] * 0xf1de83e19937733dULL) == key;
}

/* Changes everything, for ever or so many rounds; the exit code. */
static int change(struct skep_engine *engine, const int *fds, u32 rounds)
{
	u32 seed = (u32)getpid() * 2654435761u;
	int prog = load_counter(engine, fds);

	for (u32 round = 0; round != rounds; round++) {
		u32 key, slot_key;
		u64 number = round, slots[SLOTS] = {round, round, round}, taken;
		struct big big;

		seed = seed * 1664525 + 1013904223;
		key = (seed >> 16) % KEYS;
		slot_key = key;
		big = big_of(key, round);
		update(engine, fds[HASH], &key, &big);
		update(engine, fds[LRU], &key, &big);
		update(engine, fds[SLOT_HASH], &slot_key, slots);
		if (seed & 1 << 20)
			delete (engine, fds[HASH], &key);
		update(engine, fds[QUEUE], NULL, &number);
		update(engine, fds[STACK], NULL, &number);
		if (seed & 1 << 21)
			take(engine, fds[QUEUE], &taken);
		if (seed & 1 << 22)
			take(engine, fds[STACK], &taken);
		if (run(engine, prog, 3) != 1)
			return 3;
	}
	return 0;
}

static bool open_all(struct skep_engine *engine, int *fds)
{
	for (u32 i = 0; i < MAPS; i++) {
		fds[i] = get(engine, maps[i].pin);
		if (fds[i] < 0)
			return false;
	}
	return true;
}

static void make_all(struct skep_engine *engine, int *fds)
{
	for (u32 i = 0; i < MAPS; i++) {
		fds[i] = create(engine, i);
		if (fds[i] < 0)
			fail_msg("%s: %s", maps[i].pin, skep_engine_error(engine)->text);
		assert_int_equal(pin(engine, fds[i], maps[i].pin), 0);
	}
}

/* --- the other process --- */

static pid_t spawn(const char *role, const char *where, const char *more)
{
	pid_t child = fork();

	if (child)
		return child;
	execl(self, self, role, where, more, (char *)NULL);
	_exit(99);
}

static int wait_for(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int play(int argc, char **argv)
{
	const char *role = argv[1];
	struct skep_engine_opts opts = {.slots = SLOTS};
	struct skep_error err = {};
	struct skep_engine *engine;
	void *address = argc > 3 ? u64_to_ptr(strtoull(argv[3], NULL, 0)) : NULL;
	u32 key = 1, rounds = !strcmp(role, "work") ? ROUNDS : UINT32_MAX;
	struct big big;
	int fds[MAPS];

	if (argv[2][0] == '/') {
		opts.pin_dir = argv[2];
	} else {
		opts.region = SKEP_REGION_FD;
		opts.region_fd = atoi(argv[2]);
	}
	if (!strcmp(role, "taken"))
		mmap(address, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	engine = start(opts, &err);
	if (!strcmp(role, "taken"))
		return engine || err.code != -EADDRINUSE ||
		       !strstr(err.text, "is taken in this");
	if (!engine || !open_all(engine, fds)) {
		fprintf(stderr, "# %s\n", engine ? skep_engine_error(engine)->text : err.text);
		return 1;
	}
	if (address && skep_region_address(engine) != address)
		return 2;
	if (!strcmp(role, "work") &&
	    (look_up(engine, fds[HASH], &key, &big) || !is_whole(key, &big)))
		return 4;
	return change(engine, fds, rounds);
}

/* --- what must hold, whatever happened --- */

static void check_big(struct skep_engine *engine, int fd, u32 most)
{
	struct big big;
	u32 count = 0;

	for (u32 key = 0; key < KEYS; key++) {
		if (look_up(engine, fd, &key, &big))
			continue;
		count++;
		if (!is_whole(key, &big))
			fail_msg("key %u has a value of two updates", key);
	}
	assert_in_range(count, 0, most);
}

static u32 walk(struct skep_engine *engine, int fd)
{
	u32 key, next, count = 0;
	union bpf_attr attr = {.map_fd = (u32)fd, .next_key = ptr_to_u64(&next)};

	while (!skep_bpf(engine, BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr))) {
		key = next;
		attr.key = ptr_to_u64(&key);
		assert_in_range(++count, 1, 4 * KEYS);
	}
	return count;
}

/* Nobody else has the region: exactly max_entries go in, whatever died before. */
static void check_capacity(struct skep_engine *engine, int fd)
{
	u32 count = walk(engine, fd);

	for (u32 key = 1000; count < KEYS; key++, count++) {
		struct big big = big_of(key, 1);

		assert_int_equal(update(engine, fd, &key, &big), 0);
	}
	for (u32 key = 5000; key < 5010; key++) {
		struct big big = big_of(key, 1);

		assert_int_equal(update(engine, fd, &key, &big), -E2BIG);
	}
	assert_int_equal(walk(engine, fd), KEYS);
	for (u32 key = 1000; key < 1000 + KEYS; key++)
		delete (engine, fd, &key);
}

static u64 total_of_slots(struct skep_engine *engine, int fd)
{
	u64 slots[SLOTS], total = 0;
	u32 key = 0;

	assert_int_equal(look_up(engine, fd, &key, slots), 0);
	for (u32 i = 0; i < SLOTS; i++)
		total += slots[i];
	return total;
}

static u64 total(struct skep_engine *engine, int fd)
{
	u64 value;
	u32 key = 0;

	assert_int_equal(look_up(engine, fd, &key, &value), 0);
	return value;
}

static void check_all(struct skep_engine *engine, const int *fds)
{
	u64 number;

	check_big(engine, fds[HASH], KEYS);
	check_big(engine, fds[LRU], KEYS / 2);
	assert_in_range(walk(engine, fds[LRU]), 0, KEYS / 2);
	assert_in_range(walk(engine, fds[SLOT_HASH]), 0, KEYS);
	for (u32 i = 0; !take(engine, fds[QUEUE], &number); i++)
		assert_in_range(i, 0, 100);
	for (u32 i = 0; !take(engine, fds[STACK], &number); i++)
		assert_in_range(i, 0, 100);
}

/* --- tests --- */

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
	struct big big = big_of(1, 7);
	u32 key = 1;
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
		cmocka_unit_test(two_processes_share_maps),
		cmocka_unit_test(killed_processes_hang_nobody),
		cmocka_unit_test(an_address_is_taken),
		cmocka_unit_test(what_cannot_be_shared_is_refused),
		cmocka_unit_test(a_region_is_filled_and_emptied),
		cmocka_unit_test_setup_teardown(pinned_maps_live_on, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(killed_owners_leave_whole_maps, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(other_files_are_told_apart, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(damaged_files_crash_nothing, make_directory,
						remove_directory),
	};

	self = "/proc/self/exe";
	if (argc > 2)
		return play(argc, argv);
	return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
