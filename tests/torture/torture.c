/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads on few keys of one map, and what each call answered: for each key there must be an
 * order of the calls, in which none goes before one that was over when it began, that a map
 * used by a single thread would have answered alike. Allocations fail now and then: such a
 * call must have changed nothing. Keys that nobody changes are met by every walk. Half of the
 * threads call as programs on slots of their own do, and at the beginning of a round the first
 * of these owns the table of a hash map (table_bias.h).
 *
 * usage: torture [SECONDS]
 */
#include "tests/torture/history.h"

#include "base/os.h"
#include "map/hash.h"
#include "map/map.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS	    4
#define CALLS	    6 /* of a thread in a round */
#define KEYS	    3 /* that change */
#define STABLE_KEYS 150
#define OTHER_KEY   (KEYS + STABLE_KEYS)
#define SLOTS	    4
#define KEY_MAX	    32
#define SECONDS	    8

static const struct row {
	const char *name;
	u32 type, key_size, flags;
} rows[] = {
	{"hash", BPF_MAP_TYPE_HASH, 4, 0},
	{"hash, 16-byte keys", BPF_MAP_TYPE_HASH, 16, 0},
	{"hash, odd keys", BPF_MAP_TYPE_HASH, 21, 0},
	{"hash, not preallocated", BPF_MAP_TYPE_HASH, 8, BPF_F_NO_PREALLOC},
	{"LRU hash", BPF_MAP_TYPE_LRU_HASH, 4, 0},
	{"LRU hash, a part for each slot", BPF_MAP_TYPE_LRU_HASH, 4, BPF_F_NO_COMMON_LRU},
	{"trie", BPF_MAP_TYPE_LPM_TRIE, 8, BPF_F_NO_PREALLOC},
	{"trie, long keys", BPF_MAP_TYPE_LPM_TRIE, 20, BPF_F_NO_PREALLOC},
};

struct round {
	const struct row *row;
	struct map *map;
	pthread_barrier_t start, end;
	atomic_ullong clock;
	atomic_ullong values; /* the next value that is written: none is written twice */
	atomic_bool stop;
	atomic_uint failures;
	bool owned;
	struct history_call calls[THREADS][CALLS];
	u64 left[KEYS]; /* the values between two rounds; 0: none */
	u64 count;
};

struct worker {
	struct round *round;
	u32 number;
	u64 random;
	pthread_t thread;
};

/* --- allocations that fail: the linker sends all of them here --- */

static _Thread_local u32 until_failure; /* calls; 0: never */
static atomic_uint failed_allocations;

static bool fails(void)
{
	if (!until_failure || --until_failure)
		return false;
	atomic_fetch_add(&failed_allocations, 1);
	return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_mmap(void *address, size_t length, int prot, int flags, int fd, long offset);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_mmap(void *address, size_t length, int prot, int flags, int fd, long offset);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_mmap(void *address, size_t length, int prot, int flags, int fd, long offset)
{
	if (!fails())
		return __real_mmap(address, length, prot, flags, fd, offset);
	errno = ENOMEM;
	return (void *)-1;
}

/* --- the calls --- */

static u32 draw(u64 *random, u32 below)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (u32)(*random >> 32) % below;
}

/* In tries, paths part at two bytes. */
static void make_key(const struct row *row, u32 number, u8 key[KEY_MAX])
{
	const u32 bits = (row->key_size - 4) * 8;

	memset(key, 0, KEY_MAX);
	if (row->type == BPF_MAP_TYPE_LPM_TRIE) {
		memcpy(key, &bits, sizeof(bits));
		key[5] = number % 3;
		key[row->key_size - 1] = (u8)number;
	} else {
		memcpy(key, &number, sizeof(number));
	}
}

static bool has_slot(const struct worker *worker)
{
	return worker->number < THREADS / 2;
}

static int answer_update(struct worker *worker, const u8 *key, u64 flags, u64 *value)
{
	struct map *map = worker->round->map;
	int code;

	*value = atomic_fetch_add(&worker->round->values, 1);
	if (!has_slot(worker))
		return map_user_update(map, key, value, flags);
	rcu_read_lock();
	code = (int)map_update(map, key, value, flags, worker->number);
	rcu_read_unlock();
	return code;
}

static int answer_delete(struct worker *worker, const u8 *key)
{
	int code;

	if (!has_slot(worker))
		return map_user_delete(worker->round->map, key);
	rcu_read_lock();
	code = (int)map_delete(worker->round->map, key, worker->number);
	rcu_read_unlock();
	return code;
}

static int answer(struct worker *worker, const u8 *key, enum history_kind kind, u64 *value)
{
	struct round *round = worker->round;

	switch (kind) {
	case HISTORY_UPDATE: return answer_update(worker, key, BPF_ANY, value);
	case HISTORY_INSERT: return answer_update(worker, key, BPF_NOEXIST, value);
	case HISTORY_REPLACE: return answer_update(worker, key, BPF_EXIST, value);
	case HISTORY_DELETE: return answer_delete(worker, key);
	case HISTORY_TAKE: return map_user_lookup_and_delete(round->map, key, value, 0);
	case HISTORY_LOOKUP: return map_user_lookup(round->map, key, value, 0);
	}
	return -EINVAL;
}

static enum history_kind draw_kind(struct worker *worker)
{
	enum history_kind kind = draw(&worker->random, HISTORY_TAKE + 1);

	return kind == HISTORY_TAKE && worker->round->row->type == BPF_MAP_TYPE_LPM_TRIE
		       ? HISTORY_LOOKUP
		       : kind;
}

static void call(struct worker *worker, struct history_call *out)
{
	struct round *round = worker->round;
	u8 key[KEY_MAX];

	out->key = draw(&worker->random, KEYS);
	out->kind = draw_kind(worker);
	out->value = 0;
	make_key(round->row, out->key, key);
	until_failure = draw(&worker->random, 4) ? 0 : 1 + draw(&worker->random, 3);
	out->start = atomic_fetch_add(&round->clock, 1);
	out->answer = answer(worker, key, out->kind, &out->value);
	out->end = atomic_fetch_add(&round->clock, 1);
	until_failure = 0;
}

/* Every key that stays is met, and the walk ends. */
static void walk(struct round *round)
{
	u8 keys[2][KEY_MAX] = {}, seen[KEYS + STABLE_KEYS] = {};
	u32 stable = 0, steps = 0;
	u64 value;

	while (!map_user_next_key(round->map, steps ? keys[steps % 2] : NULL,
				  keys[(steps + 1) % 2])) {
		if (++steps > 100 * (KEYS + STABLE_KEYS))
			break;
		if (map_user_lookup(round->map, keys[steps % 2], &value, 0))
			continue;
		if (value >= KEYS && value < KEYS + STABLE_KEYS && !seen[value]++)
			stable++;
	}
	if (stable < STABLE_KEYS)
		atomic_fetch_add(&round->failures, 1);
}

/* Its slot changes a key of its own until it owns the table. */
static void become_owner(struct worker *worker)
{
	struct map *map = worker->round->map;
	struct table_bias *bias = &hash_of(map)->table.bias;
	u8 key[KEY_MAX];
	u64 value = 0;

	make_key(worker->round->row, OTHER_KEY, key);
	atomic_store(&bias->wanted, 1);
	while (!bias_is_own(&bias->bias, worker->number)) {
		rcu_read_lock();
		map_update(map, key, &value, BPF_ANY, worker->number);
		map_delete(map, key, worker->number);
		rcu_read_unlock();
	}
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct round *round = worker->round;

	for (;;) {
		if (worker->number == 0 && round->owned)
			become_owner(worker);
		pthread_barrier_wait(&round->start);
		if (atomic_load(&round->stop))
			return NULL;
		for (u32 i = 0; i < CALLS; i++)
			call(worker, &round->calls[worker->number][i]);
		if (worker->number == 0 && round->count % 8 == 0)
			walk(round);
		pthread_barrier_wait(&round->end);
	}
}

/* --- rounds --- */

/* The calls on the key, and a look-up behind them all. */
static void check_key(struct round *round, u32 number)
{
	struct history_call calls[THREADS * CALLS + 1];
	struct history_call *last;
	u32 count = 0;
	u8 key[KEY_MAX];

	for (u32 i = 0; i < THREADS * CALLS; i++)
		if (round->calls[i / CALLS][i % CALLS].key == number)
			calls[count++] = round->calls[i / CALLS][i % CALLS];
	last = &calls[count++];
	*last = (struct history_call){.key = number,
				      .kind = HISTORY_LOOKUP,
				      .start = UINT64_MAX - 1,
				      .end = UINT64_MAX};
	make_key(round->row, number, key);
	last->answer = map_user_lookup(round->map, key, &last->value, 0);
	if (!history_is_possible(calls, count, round->left[number])) {
		atomic_fetch_add(&round->failures, 1);
		history_print(calls, count, round->left[number]);
	}
	round->left[number] = last->answer ? 0 : last->value;
}

static void run_rounds(struct round *round, double seconds)
{
	const u64 end = os_time_ns(CLOCK_MONOTONIC) + (u64)(seconds * 1e9);

	while (os_time_ns(CLOCK_MONOTONIC) < end && !atomic_load(&round->failures)) {
		pthread_barrier_wait(&round->start);
		pthread_barrier_wait(&round->end);
		for (u32 i = 0; i < KEYS; i++)
			check_key(round, i);
		round->count++;
	}
	atomic_store(&round->stop, true);
	pthread_barrier_wait(&round->start);
}

static int run_threads(struct round *round, double seconds)
{
	struct worker workers[THREADS];

	pthread_barrier_init(&round->start, NULL, THREADS + 1);
	pthread_barrier_init(&round->end, NULL, THREADS + 1);
	for (u32 i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){round, i, 0x9e3779b97f4a7c15ULL * (i + 1), 0};
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			abort();
	}
	run_rounds(round, seconds);
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_barrier_destroy(&round->start);
	pthread_barrier_destroy(&round->end);
	return round->failures ? 1 : 0;
}

/* Each of the allocations fails once. */
static struct map *make_map(const struct row *row)
{
	const struct map_desc desc = {.type = row->type,
				      .key_size = row->key_size,
				      .value_size = sizeof(u64),
				      .max_entries = 1000,
				      .flags = row->flags};
	struct map *map = NULL;
	int code = -ENOMEM;

	for (u32 i = 1; code == -ENOMEM; i++) {
		until_failure = i;
		code = map_new(&desc, NULL, SLOTS, &map, NULL);
	}
	until_failure = 0;
	return code ? NULL : map;
}

/* A key that had no memory is not there, and comes in with memory. */
static bool fill_key(struct round *round, u64 number)
{
	u8 key[KEY_MAX];
	u64 value;
	int code;

	make_key(round->row, (u32)number, key);
	until_failure = 1 + number % 2;
	code = map_user_update(round->map, key, &number, BPF_NOEXIST);
	until_failure = 0;
	if (code != -ENOMEM)
		return !code;
	return map_user_lookup(round->map, key, &value, 0) == -ENOENT &&
	       map_user_update(round->map, key, &number, BPF_NOEXIST) == 0;
}

static int torture(const struct row *row, double seconds)
{
	static struct round round;
	int failed = 0;

	memset(&round, 0, sizeof(round));
	round.row = row;
	atomic_store(&round.values, KEYS + STABLE_KEYS);
	round.map = make_map(row);
	if (!round.map)
		return 1;
	for (u64 i = KEYS; i < KEYS + STABLE_KEYS; i++)
		failed |= !fill_key(&round, i);
	round.owned = row->type != BPF_MAP_TYPE_LPM_TRIE && os_barrier_ready();
	failed |= run_threads(&round, seconds);
	printf("# %s: %llu rounds\n", row->name, round.count);
	object_put(&round.map->object);
	return failed || !round.count;
}

int main(int argc, char **argv)
{
	const double seconds = argc > 1 ? atof(argv[1]) : SECONDS;
	const u32 count = ARRAY_SIZE(rows);
	bool failed = !history_check_itself();

	printf("1..%u\n%sok 1 - the judge of histories\n", count + 2, failed ? "not " : "");
	for (u32 i = 0; i < count; i++) {
		const bool bad = torture(&rows[i], seconds / count);

		printf("%sok %u - %s\n", bad ? "not " : "", i + 2, rows[i].name);
		failed |= bad;
	}
	printf("# %u allocations failed\n", atomic_load(&failed_allocations));
	printf("%sok %u - allocations that fail\n", failed_allocations ? "" : "not ",
	       count + 2);
	return failed || !failed_allocations;
}
