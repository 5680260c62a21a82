/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps whose values are written in place, without a lock: no element that serves another
 * key is written to, and no update is lost to a look-up that deletes. What LRU maps keep.
 */
#include "tests/unit.h"

#include "map/map.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 3

static struct map *new_map(u32 type, u32 max_entries)
{
	struct map_desc desc = {
		.type = type, .key_size = 4, .value_size = 8, .max_entries = max_entries};
	struct map *map;

	assert_int_equal(map_new(&desc, NULL, SLOTS, &map, NULL), 0);
	return map;
}

/* --- a value is its key's --- */

#define KEYS  150
#define STEPS 60000

struct shared {
	struct map *map;
	bool per_cpu;
	atomic_uint failures, updates;
};

struct thread {
	struct shared *shared;
	u32 slot; /* SLOTS: the thread is user space's */
	pthread_t id;
};

static u64 value_of(u32 key, u32 step)
{
	return (u64)key << 32 | step;
}

/* Every value that user space sees is the key's, or a fresh one of another slot. */
static void check_values(struct shared *shared, u32 key)
{
	u64 values[SLOTS] = {0};

	if (map_user_lookup(shared->map, &key, values, 0))
		return;
	for (u32 i = 0; i < (shared->per_cpu ? SLOTS : 1); i++)
		if (values[i] >> 32 != key && !(shared->per_cpu && !values[i]))
			atomic_fetch_add(&shared->failures, 1);
}

static void change(struct shared *shared, u32 slot, u32 key, u32 step)
{
	u64 value = value_of(key, step);

	if (step % 3 == 0)
		map_delete(shared->map, &key, slot);
	else if (!map_update(shared->map, &key, &value, BPF_ANY, slot))
		atomic_fetch_add(&shared->updates, 1);
}

static void *change_and_check(void *argument)
{
	struct thread *thread = argument;
	struct shared *shared = thread->shared;
	u64 random = thread->slot + 1, taken[SLOTS];

	for (u32 step = 1; step < STEPS; step++) {
		u32 key;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		key = 1 + (u32)(random >> 33) % KEYS;
		rcu_read_lock();
		if (thread->slot < SLOTS)
			change(shared, thread->slot, key, step);
		rcu_read_unlock();
		if (thread->slot == SLOTS && step % 16 == 0 &&
		    !map_user_lookup_and_delete(shared->map, &key, taken, 0) &&
		    !shared->per_cpu && taken[0] >> 32 != key)
			atomic_fetch_add(&shared->failures, 1);
		check_values(shared, key);
	}
	return NULL;
}

static u32 count_keys(struct map *map)
{
	u32 keys[2], count = 0;

	while (!map_user_next_key(map, count ? &keys[count % 2] : NULL, &keys[(count + 1) % 2]))
		count++;
	return count;
}

static void check_type(u32 type, bool per_cpu, u32 max_entries)
{
	struct shared shared = {new_map(type, max_entries), per_cpu, 0, 0};
	struct thread threads[SLOTS + 1];

	for (u32 i = 0; i <= SLOTS; i++) {
		threads[i] = (struct thread){&shared, i, 0};
		assert_int_equal(
			pthread_create(&threads[i].id, NULL, change_and_check, &threads[i]), 0);
	}
	for (u32 i = 0; i <= SLOTS; i++)
		pthread_join(threads[i].id, NULL);
	assert_int_equal(shared.failures, 0);
	assert_true(shared.updates > STEPS);
	assert_in_range(count_keys(shared.map), 0, max_entries);
	object_put(&shared.map->object);
}

static void test_values_are_their_keys(void **state)
{
	check_type(BPF_MAP_TYPE_HASH, false, KEYS);
	check_type(BPF_MAP_TYPE_HASH, false, KEYS / 2);
	check_type(BPF_MAP_TYPE_PERCPU_HASH, true, KEYS);
	check_type(BPF_MAP_TYPE_LRU_HASH, false, KEYS / 2);
	check_type(BPF_MAP_TYPE_LRU_PERCPU_HASH, true, KEYS / 2);
	check_type(BPF_MAP_TYPE_HASH, false, 20000);
}

/* --- buckets with more keys than a group takes, or no more of them --- */

#define CROWD 512

static void check_crowd(struct map *map, const bool *present)
{
	u32 count = 0;

	for (u32 key = 0; key < CROWD; key++) {
		const u64 *value = map_lookup(map, &key, 0);

		count += present[key];
		if (!value != !present[key] || (value && *value != value_of(key, 1)))
			fail_msg("key %u: %s", key, value ? "there, or wrong" : "not there");
	}
	assert_int_equal(count_keys(map), count);
}

/* The slot brings or takes so many keys at random. */
static void move_crowd(struct map *map, bool *present, u32 slot, u32 steps, bool bring)
{
	static u64 random;

	while (steps--) {
		u32 key;
		u64 value;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		key = (u32)(random >> 33) % CROWD;
		value = value_of(key, 1);
		if (bring)
			assert_int_equal(map_update(map, &key, &value, BPF_ANY, slot), 0);
		else
			assert_int_equal(map_delete(map, &key, slot),
					 present[key] ? 0 : -ENOENT);
		present[key] = bring;
	}
}

/* All keys of a full map, from which some or nearly all go and come. */
static void test_crowded_buckets(void **state)
{
	static const u32 types[] = {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH};

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct map *map = new_map(types[i], CROWD);
		bool present[CROWD] = {false};

		rcu_read_lock();
		for (u32 round = 0; round < 300; round++) {
			u32 slot = round / 20 % 2, steps = round % 3 ? 100 : 4 * CROWD;

			move_crowd(map, present, slot, 4 * CROWD, true);
			check_crowd(map, present);
			move_crowd(map, present, slot, steps, false);
			check_crowd(map, present);
		}
		rcu_read_unlock();
		object_put(&map->object);
	}
}

/* Exactly max_entries keys go in, again and again, whoever deleted and whoever inserts. */
static void test_count_is_exact(void **state)
{
	static const u32 sizes[] = {1, 7, 300, 17000};

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct map *map = new_map(BPF_MAP_TYPE_HASH, sizes[i]);

		for (u32 round = 0; round < 8; round++) {
			u32 in = round % SLOTS, out = (round + 1) % SLOTS, key;

			for (key = 0; key < sizes[i]; key++)
				assert_int_equal(map_update(map, &key, &(u64){key}, 0, in), 0);
			assert_int_equal(map_update(map, &key, &(u64){key}, 0, in), -E2BIG);
			assert_int_equal(map_update(map, &key, &(u64){key}, 0, out), -E2BIG);
			assert_int_equal(map_user_update(map, &key, &(u64){key}, 0), -E2BIG);
			for (key = 0; key < sizes[i]; key++)
				assert_int_equal(map_delete(map, &key, out), 0);
		}
		object_put(&map->object);
	}
}

/* --- no update is lost --- */

#define ROUNDS 3000

struct exchange {
	struct map *map;
	atomic_bool stop;
	atomic_ullong tries, stored; /* `stored`: the last that was there to be updated */
};

static void *update_existing(void *argument)
{
	struct exchange *exchange = argument;
	u32 key = 1;

	for (u64 value = 1; !atomic_load(&exchange->stop); value++) {
		rcu_read_lock();
		if (!map_update(exchange->map, &key, &value, BPF_EXIST, 0))
			atomic_store(&exchange->stored, value);
		rcu_read_unlock();
		atomic_fetch_add(&exchange->tries, 1);
	}
	return NULL;
}

/* Until updates that were under way have ended. */
static void wait_for_tries(struct exchange *exchange, u32 count)
{
	u64 until = atomic_load(&exchange->tries) + count;

	while (atomic_load(&exchange->tries) < until)
		sched_yield();
}

static void test_taken_value_is_the_last(void **state)
{
	struct exchange exchange = {.map = new_map(BPF_MAP_TYPE_HASH, 8)};
	pthread_t writer;
	u32 key = 1;

	assert_int_equal(pthread_create(&writer, NULL, update_existing, &exchange), 0);
	for (u32 round = 0; round < ROUNDS; round++) {
		u64 value = 0;

		atomic_store(&exchange.stored, 0);
		assert_int_equal(map_user_update(exchange.map, &key, &value, BPF_NOEXIST), 0);
		wait_for_tries(&exchange, 1);
		assert_int_equal(map_user_lookup_and_delete(exchange.map, &key, &value, 0), 0);
		wait_for_tries(&exchange, 2);
		assert_int_equal(value, atomic_load(&exchange.stored));
	}
	atomic_store(&exchange.stop, true);
	pthread_join(writer, NULL);
	object_put(&exchange.map->object);
}

/* --- LRU: as many hits as least recently used would have, within 1 % --- */

#define ZIPF_KEYS  50000
#define ZIPF_STEPS 400000
#define ZIPF_SKEW  0.9

/* Exact: a list of the keys, the last used first. */
struct model {
	u32 next[ZIPF_KEYS + 1], previous[ZIPF_KEYS + 1]; /* ZIPF_KEYS: both ends */
	bool present[ZIPF_KEYS];
	u32 count;
};

static void model_unlink(struct model *model, u32 key)
{
	model->next[model->previous[key]] = model->next[key];
	model->previous[model->next[key]] = model->previous[key];
}

static void model_push(struct model *model, u32 key)
{
	model->next[key] = model->next[ZIPF_KEYS];
	model->previous[key] = ZIPF_KEYS;
	model->previous[model->next[key]] = key;
	model->next[ZIPF_KEYS] = key;
}

static bool model_use(struct model *model, u32 key, u32 capacity)
{
	bool hit = model->present[key];

	if (hit) {
		model_unlink(model, key);
	} else if (model->count == capacity) {
		model->present[model->previous[ZIPF_KEYS]] = false;
		model_unlink(model, model->previous[ZIPF_KEYS]);
	} else {
		model->count++;
	}
	model->present[key] = true;
	model_push(model, key);
	return hit;
}

static bool map_use(struct map *map, u32 key)
{
	if (map_lookup(map, &key, 0))
		return true;
	assert_int_equal(map_update(map, &key, &(u64){key}, BPF_ANY, 0), 0);
	return false;
}

/* How probable the keys 0..i are. */
static double *zipf_distribution(void)
{
	double *sums = calloc(ZIPF_KEYS, sizeof(*sums)), sum = 0;

	assert_non_null(sums);
	for (u32 i = 0; i < ZIPF_KEYS; i++)
		sums[i] = sum += pow(i + 1, -ZIPF_SKEW);
	for (u32 i = 0; i < ZIPF_KEYS; i++)
		sums[i] /= sum;
	return sums;
}

static u32 zipf_draw(const double *sums, u64 *random)
{
	double at;
	u32 low = 0, high = ZIPF_KEYS - 1;

	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	at = (double)(*random >> 11) / (double)(1ULL << 53);
	while (low < high) {
		u32 middle = (low + high) / 2;

		if (sums[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void check_hits(const double *sums, u32 capacity)
{
	struct model *model = calloc(1, sizeof(*model));
	struct map *map = new_map(BPF_MAP_TYPE_LRU_HASH, capacity);
	u32 hits = 0, ideal = 0;
	u64 random = 1;

	assert_non_null(model);
	model->next[ZIPF_KEYS] = model->previous[ZIPF_KEYS] = ZIPF_KEYS;
	rcu_read_lock();
	for (u32 i = 0; i < ZIPF_STEPS; i++) {
		u32 key = zipf_draw(sums, &random);

		hits += map_use(map, key);
		ideal += model_use(model, key, capacity);
	}
	rcu_read_unlock();
	if (hits + ZIPF_STEPS / 100 < ideal)
		fail_msg("%u entries: %u hits of %u, least recently used has %u", capacity,
			 hits, ZIPF_STEPS, ideal);
	object_put(&map->object);
	free(model);
}

static void test_lru_hits(void **state)
{
	static const u32 capacities[] = {16, 100, 1000, 5000, 20000};
	double *sums = zipf_distribution();

	for (u32 i = 0; i < ARRAY_SIZE(capacities); i++)
		check_hits(sums, capacities[i]);
	free(sums);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_their_keys),
		cmocka_unit_test(test_crowded_buckets),
		cmocka_unit_test(test_count_is_exact),
		cmocka_unit_test(test_taken_value_is_the_last),
		cmocka_unit_test(test_lru_hits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
