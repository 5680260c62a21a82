/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that share maps in a region: what each of them does, and what must hold then. The
 * other process is the test again, with arguments: `test_NAME ROLE FD-or-DIRECTORY [ADDRESS]`.
 */
#ifndef SKEP_TESTS_SYS_REGION_WORLD_H
#define SKEP_TESTS_SYS_REGION_WORLD_H

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
#define BIG    6    /* words of a large value */
#define KEPT   KEYS /* the key that nobody deletes */

static inline int bpf(struct skep_engine *engine, int cmd, union bpf_attr attr)
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

static inline int create(struct skep_engine *engine, u32 i)
{
	return bpf(engine, BPF_MAP_CREATE,
		   (union bpf_attr){.map_type = maps[i].type,
				    .key_size = maps[i].key,
				    .value_size = maps[i].value,
				    .max_entries = maps[i].entries,
				    .map_flags = maps[i].flags});
}

static inline int pin(struct skep_engine *engine, int fd, const char *path)
{
	return bpf(engine, BPF_OBJ_PIN,
		   (union bpf_attr){.pathname = ptr_to_u64(path), .bpf_fd = (u32)fd});
}

static inline int get(struct skep_engine *engine, const char *path)
{
	return bpf(engine, BPF_OBJ_GET, (union bpf_attr){.pathname = ptr_to_u64(path)});
}

static inline int update(struct skep_engine *engine, int fd, const void *key, const void *value)
{
	return bpf(engine, BPF_MAP_UPDATE_ELEM,
		   (union bpf_attr){.map_fd = (u32)fd,
				    .key = ptr_to_u64(key),
				    .value = ptr_to_u64(value)});
}

static inline int look_up(struct skep_engine *engine, int fd, const void *key, void *value)
{
	return bpf(engine, BPF_MAP_LOOKUP_ELEM,
		   (union bpf_attr){.map_fd = (u32)fd,
				    .key = ptr_to_u64(key),
				    .value = ptr_to_u64(value)});
}

static inline int take(struct skep_engine *engine, int fd, void *value)
{
	return bpf(engine, BPF_MAP_LOOKUP_AND_DELETE_ELEM,
		   (union bpf_attr){.map_fd = (u32)fd, .value = ptr_to_u64(value)});
}

static inline int delete (struct skep_engine *engine, int fd, const void *key)
{
	return bpf(engine, BPF_MAP_DELETE_ELEM,
		   (union bpf_attr){.map_fd = (u32)fd, .key = ptr_to_u64(key)});
}

static inline struct skep_engine *start(struct skep_engine_opts opts, struct skep_error *err)
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

static inline int load_counter(struct skep_engine *engine, const int fds[2])
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

static inline u32 run(struct skep_engine *engine, int prog, u32 repeat)
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

static inline struct big big_of(u32 key, u64 round)
{
	struct big big;

	for (u32 i = 0; i < BIG; i++)
		big.word[i] = (round << 32 | key) * 0x9e3779b97f4a7c15ULL + i;
	return big;
}

static inline bool is_whole(u32 key, const struct big *big)
{
	for (u32 i = 1; i < BIG; i++)
		if (big->word[i] != big->word[0] + i)
			return false;
	/* The inverse of the factor. */
	return (u32)(big->word[0] * 0xf1de83e19937733dULL) == key;
}

/* Changes everything, for ever or so many rounds; the exit code. */
static inline int change(struct skep_engine *engine, const int *fds, u32 rounds)
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

static inline bool open_all(struct skep_engine *engine, int *fds)
{
	for (u32 i = 0; i < MAPS; i++) {
		fds[i] = get(engine, maps[i].pin);
		if (fds[i] < 0)
			return false;
	}
	return true;
}

static inline void make_all(struct skep_engine *engine, int *fds)
{
	for (u32 i = 0; i < MAPS; i++) {
		fds[i] = create(engine, i);
		if (fds[i] < 0)
			fail_msg("%s: %s", maps[i].pin, skep_engine_error(engine)->text);
		assert_int_equal(pin(engine, fds[i], maps[i].pin), 0);
	}
}

/* --- the other process --- */

static inline pid_t spawn(const char *role, const char *where, const char *more)
{
	pid_t child = fork();

	if (child)
		return child;
	execl("/proc/self/exe", "skep-test", role, where, more, (char *)NULL);
	_exit(99);
}

static inline int wait_for(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int play(int argc, char **argv)
{
	const char *role = argv[1];
	struct skep_engine_opts opts = {.slots = SLOTS};
	struct skep_error err = {};
	struct skep_engine *engine;
	void *address = argc > 3 ? u64_to_ptr(strtoull(argv[3], NULL, 0)) : NULL;
	bool works = !strcmp(role, "work");
	u32 key = KEPT, rounds = works ? ROUNDS : UINT32_MAX;
	struct big big;
	int fds[MAPS];

	/* Both tiers compute addresses of rows: the parent's is the full one. */
	if (works)
		opts.jit = SKEP_JIT_BASE;
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
	if (works && (look_up(engine, fds[HASH], &key, &big) || !is_whole(key, &big)))
		return 4;
	return change(engine, fds, rounds);
}

/* --- what must hold, whatever happened --- */

static inline void check_big(struct skep_engine *engine, int fd, u32 most)
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

static inline u32 walk(struct skep_engine *engine, int fd)
{
	u32 key, next = 0, count = 0;
	union bpf_attr attr = {.map_fd = (u32)fd, .next_key = ptr_to_u64(&next)};

	while (!skep_bpf(engine, BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr))) {
		key = next;
		attr.key = ptr_to_u64(&key);
		assert_in_range(++count, 1, 4 * KEYS);
	}
	return count;
}

/* Nobody else has the region: exactly max_entries go in, whatever died before. */
static inline void check_capacity(struct skep_engine *engine, int fd)
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

static inline u64 total_of_slots(struct skep_engine *engine, int fd)
{
	u64 slots[SLOTS], total = 0;
	u32 key = 0;

	assert_int_equal(look_up(engine, fd, &key, slots), 0);
	for (u32 i = 0; i < SLOTS; i++)
		total += slots[i];
	return total;
}

static inline u64 total(struct skep_engine *engine, int fd)
{
	u64 value;
	u32 key = 0;

	assert_int_equal(look_up(engine, fd, &key, &value), 0);
	return value;
}

static inline void check_all(struct skep_engine *engine, const int *fds)
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

#endif
