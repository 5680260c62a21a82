/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads on one map. Each key has one writer, so that what a reader may see of it is known:
 * a value is what one update wrote, and a key's values never go back. A key that is never
 * deleted is always found, by look-ups and by every walk over the keys.
 */
#include "tests/unit.h"

#include "map/map.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define WRITERS	     2
#define READERS	     2
#define KEYS	     600
#define STABLE_KEYS  200 /* of them the first are never deleted */
#define MILLISECONDS 600
#define SLOTS	     4
#define UNUSED_KEYS  100000 /* numbers from here on are never in a map */

struct value {
	u64 key, sequence, check;
};

struct torture {
	struct map *map;
	atomic_bool stop;
	atomic_uint failures;
	atomic_ullong written[KEYS]; /* highest sequence whose update is complete */
	atomic_ullong started[KEYS]; /* highest sequence whose update has begun */
};

struct worker {
	struct torture *torture;
	u32 number;
	u64 random, steps;
	pthread_t thread;
};

static u32 draw(struct worker *worker, u32 below)
{
	worker->random ^= worker->random << 13;
	worker->random ^= worker->random >> 7;
	worker->random ^= worker->random << 17;
	return (u32)(worker->random >> 32) % below;
}

static void expect(struct torture *torture, bool good)
{
	if (!good)
		atomic_fetch_add(&torture->failures, 1);
}

static void make_key(u8 key[32], u32 number)
{
	memset(key, 0, 32);
	memcpy(key, &number, sizeof(number));
}

static u64 check_of(u64 key, u64 sequence)
{
	return ((key + 1) * 0x9e3779b97f4a7c15ULL) ^ sequence;
}

static void write_key(struct torture *torture, u32 number)
{
	struct value value = {.key = number, .sequence = torture->started[number] + 1};
	u8 key[32];

	value.check = check_of(value.key, value.sequence);
	make_key(key, number);
	atomic_store(&torture->started[number], value.sequence);
	expect(torture, map_user_update(torture->map, key, &value, BPF_ANY) == 0);
	atomic_store(&torture->written[number], value.sequence);
}

static void *writer(void *argument)
{
	struct worker *worker = argument;
	struct torture *torture = worker->torture;
	u8 key[32];

	for (; !atomic_load(&torture->stop); worker->steps++) {
		u32 number = draw(worker, KEYS / WRITERS) * WRITERS + worker->number;

		if (number < STABLE_KEYS || draw(worker, 3)) {
			write_key(torture, number);
			continue;
		}
		make_key(key, number);
		map_user_delete(torture->map, key);
	}
	return NULL;
}

static void read_key(struct torture *torture, u32 number)
{
	u64 least = atomic_load(&torture->written[number]);
	struct value value = {0};
	u8 key[32];
	int err;

	make_key(key, number);
	err = map_user_lookup(torture->map, key, &value, 0);
	expect(torture, err == 0 || (err == -ENOENT && number >= STABLE_KEYS));
	if (err)
		return;
	expect(torture, value.key == number &&
				value.check == check_of(value.key, value.sequence) &&
				value.sequence <= atomic_load(&torture->started[number]));
	expect(torture, number >= STABLE_KEYS || value.sequence >= least);
}

static void read_as_program(struct torture *torture, struct worker *worker)
{
	u32 number = draw(worker, STABLE_KEYS);
	u8 key[32];
	void *value;

	make_key(key, number);
	rcu_read_lock();
	value = map_lookup(torture->map, key, 0);
	expect(torture, value && map_owns(torture->map, value, sizeof(struct value)));
	make_key(key, UNUSED_KEYS + number);
	expect(torture, !map_lookup(torture->map, key, 0));
	rcu_read_unlock();
}

/* Every stable key is met, and the walk ends. A key that is deleted under the walk sends it
 * back to the start. */
static void walk(struct torture *torture)
{
	u8 keys[2][32] = {0}, seen[STABLE_KEYS] = {0};
	u32 stable = 0, steps = 0, number;

	while (!map_user_next_key(torture->map, steps ? keys[steps % 2] : NULL,
				  keys[(steps + 1) % 2])) {
		memcpy(&number, keys[(steps + 1) % 2], sizeof(number));
		expect(torture, number < KEYS);
		if (number < STABLE_KEYS && !seen[number]++)
			stable++;
		if (++steps > 1000 * KEYS)
			break;
	}
	expect(torture, stable == STABLE_KEYS);
}

static void *reader(void *argument)
{
	struct worker *worker = argument;
	struct torture *torture = worker->torture;

	for (; !atomic_load(&torture->stop); worker->steps++) {
		read_key(torture, draw(worker, KEYS));
		read_as_program(torture, worker);
		if (worker->steps % 512 == 0)
			walk(torture);
	}
	return NULL;
}

static void run_workers(struct torture *torture)
{
	const struct timespec duration = {0, MILLISECONDS * 1000000};
	struct worker workers[WRITERS + READERS];

	for (u32 i = 0; i < WRITERS + READERS; i++) {
		workers[i] = (struct worker){torture, i, 0x9e3779b97f4a7c15ULL * (i + 1), 0, 0};
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
						i < WRITERS ? writer : reader, &workers[i]),
				 0);
	}
	nanosleep(&duration, NULL);
	atomic_store(&torture->stop, true);
	for (u32 i = 0; i < WRITERS + READERS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_true(workers[i].steps > 0);
	}
}

/* What is left is what was written, and the map takes exactly as many as it should. */
static void check_rest(struct torture *torture, u32 max_entries)
{
	struct value value = {0};
	u32 count = 0;
	u8 key[32];

	for (u32 number = 0; number < KEYS; number++) {
		make_key(key, number);
		if (map_user_lookup(torture->map, key, &value, 0))
			continue;
		count++;
		assert_int_equal(value.sequence, torture->written[number]);
	}
	for (; count < max_entries; count++) {
		make_key(key, UNUSED_KEYS + count);
		assert_int_equal(map_user_update(torture->map, key, &value, BPF_NOEXIST), 0);
	}
	make_key(key, UNUSED_KEYS + count);
	assert_int_equal(map_user_update(torture->map, key, &value, BPF_NOEXIST), -E2BIG);
}

static void torture_hash(u32 key_size)
{
	static struct torture torture;
	struct map_desc desc = {.type = BPF_MAP_TYPE_HASH,
				.key_size = key_size,
				.value_size = sizeof(struct value),
				.max_entries = KEYS + 8};

	memset(&torture, 0, sizeof(torture));
	assert_int_equal(map_new(&desc, NULL, SLOTS, &torture.map, NULL), 0);
	for (u32 number = 0; number < STABLE_KEYS; number++)
		write_key(&torture, number);
	run_workers(&torture);
	assert_int_equal(torture.failures, 0);
	check_rest(&torture, KEYS + 8);
	object_put(&torture.map->object);
}

static void test_hash(void **state)
{
	torture_hash(4);
	torture_hash(16);
	torture_hash(21);
}

/* An LRU map under churn: never an error, never a foreign value, never more than max_entries.
 */
#define CHURN_ENTRIES 500
#define CHURN_STEPS   60000

struct churn {
	struct map *map;
	u32 number;
	atomic_uint *failures;
	pthread_t thread;
};

static void *churn(void *argument)
{
	struct churn *churn = argument;
	u64 random = churn->number + 1;

	for (u32 i = 0; i < CHURN_STEPS; i++) {
		u64 value, got;
		u32 key;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		key = (u32)(random >> 33) % (4 * CHURN_ENTRIES);
		value = check_of(key, 0);
		if (map_user_update(churn->map, &key, &value, BPF_ANY))
			atomic_fetch_add(churn->failures, 1);
		if (!map_user_lookup(churn->map, &key, &got, 0) && got != value)
			atomic_fetch_add(churn->failures, 1);
	}
	return NULL;
}

/* `least`: so many elements are there in the end. */
static void churn_lru(u32 flags, u32 least)
{
	struct map_desc desc = {.type = BPF_MAP_TYPE_LRU_HASH,
				.key_size = 4,
				.value_size = 8,
				.max_entries = CHURN_ENTRIES,
				.flags = flags};
	struct churn churns[WRITERS + READERS];
	atomic_uint failures = 0;
	struct map *map;
	u32 keys[2], count = 0;

	assert_int_equal(map_new(&desc, NULL, SLOTS, &map, NULL), 0);
	for (u32 i = 0; i < ARRAY_SIZE(churns); i++) {
		churns[i] = (struct churn){map, i, &failures, 0};
		assert_int_equal(pthread_create(&churns[i].thread, NULL, churn, &churns[i]), 0);
	}
	for (u32 i = 0; i < ARRAY_SIZE(churns); i++)
		pthread_join(churns[i].thread, NULL);
	assert_int_equal(failures, 0);
	while (!map_user_next_key(map, count ? &keys[count % 2] : NULL, &keys[(count + 1) % 2]))
		count++;
	assert_in_range(count, least - ARRAY_SIZE(churns), CHURN_ENTRIES);
	object_put(&map->object);
}

/* With parts: threads without a slot fill that of the CPU they are on. */
static void test_lru(void **state)
{
	churn_lru(0, CHURN_ENTRIES);
	churn_lru(BPF_F_NO_COMMON_LRU, CHURN_ENTRIES / SLOTS);
}

/* A trie whose every other prefix comes and goes: those that stay are always found, by
 * look-ups and by walks. */
#define TRIE_KEYS  256
#define TRIE_STEPS 30000

struct prefix {
	u32 length;
	u8 data[4];
};

struct trie {
	struct map *map;
	atomic_uint failures;
	atomic_bool stop;
};

/* Number 2n: 10.n.0.0/16, which stays; 2n + 1: 10.n.128.0/17 or shorter, which does not. */
static struct prefix prefix_of(u32 number)
{
	struct prefix prefix = {16, {10, (u8)(number / 2), 0, 0}};

	if (number % 2) {
		prefix.length = number % 4 == 1 ? 17 : 12 + number % 3;
		prefix.data[2] = 128;
	}
	return prefix;
}

static void *change_trie(void *argument)
{
	struct trie *trie = argument;
	u64 random = 88172645463325252ULL;

	for (u32 i = 0; i < TRIE_STEPS; i++) {
		struct prefix prefix;
		u64 value;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		value = (random >> 33) % (2 * TRIE_KEYS);
		prefix = prefix_of((u32)value);
		if (value % 2 == 0 || random >> 63)
			map_user_update(trie->map, &prefix, &value, BPF_ANY);
		else
			map_user_delete(trie->map, &prefix);
	}
	return NULL;
}

static u32 walk_trie(struct trie *trie)
{
	struct prefix prefixes[2];
	u32 stable = 0, steps = 0;

	while (!map_user_next_key(trie->map, steps ? &prefixes[steps % 2] : NULL,
				  &prefixes[(steps + 1) % 2])) {
		stable += prefixes[++steps % 2].length == 16;
		if (steps > 1000 * TRIE_KEYS)
			break;
	}
	return stable;
}

static void *read_trie(void *argument)
{
	struct trie *trie = argument;

	for (u32 i = 0; !atomic_load(&trie->stop); i++) {
		struct prefix address = prefix_of(i % TRIE_KEYS * 2);
		const u64 *value;

		address.length = 32;
		address.data[3] = 1;
		rcu_read_lock();
		value = map_lookup(trie->map, &address, 0);
		if (!value || *value != i % TRIE_KEYS * 2)
			atomic_fetch_add(&trie->failures, 1);
		rcu_read_unlock();
		if (i % 4096 == 0 && walk_trie(trie) < TRIE_KEYS)
			atomic_fetch_add(&trie->failures, 1);
	}
	return NULL;
}

static void test_trie(void **state)
{
	struct map_desc desc = {.type = BPF_MAP_TYPE_LPM_TRIE,
				.key_size = sizeof(struct prefix),
				.value_size = 8,
				.max_entries = 4 * TRIE_KEYS,
				.flags = BPF_F_NO_PREALLOC};
	struct trie trie = {0};
	pthread_t writers[WRITERS], readers[READERS];

	assert_int_equal(map_new(&desc, NULL, SLOTS, &trie.map, NULL), 0);
	for (u64 number = 0; number < 2 * TRIE_KEYS; number += 2) {
		struct prefix prefix = prefix_of((u32)number);

		assert_int_equal(map_user_update(trie.map, &prefix, &number, BPF_NOEXIST), 0);
	}
	for (u32 i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_trie, &trie), 0);
	for (u32 i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&writers[i], NULL, change_trie, &trie), 0);
	for (u32 i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	atomic_store(&trie.stop, true);
	for (u32 i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(trie.failures, 0);
	assert_int_equal(walk_trie(&trie), TRIE_KEYS);
	object_put(&trie.map->object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_lru),
		cmocka_unit_test(test_trie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
