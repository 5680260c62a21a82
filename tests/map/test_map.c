/* SPDX-License-Identifier: BSD-2-Clause */
/* Creation checks, against the answers of Linux 6.18, and the basic operations. */
#include "tests/unit.h"

#include "catalog/map_type.h"
#include "map/map.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ENOTSUPP 524
#define SLOTS	 2

static struct map *make(u32 type, u32 key_size, u32 value_size, u32 max_entries, u32 flags)
{
	struct map_desc desc = {.type = type,
				.key_size = key_size,
				.value_size = value_size,
				.max_entries = max_entries,
				.flags = flags};
	struct map *map = NULL;

	assert_int_equal(map_new(&desc, NULL, SLOTS, &map, NULL), 0);
	return map;
}

static void test_creation(void **state)
{
	static const struct {
		u32 type, key_size, value_size, max_entries, flags;
		int want;
	} rows[] = {
		{BPF_MAP_TYPE_UNSPEC, 4, 4, 1, 0, -EINVAL},
		{99, 4, 4, 1, 0, -EINVAL},
		{BPF_MAP_TYPE_ARRAY, 4, 8, 16, 0, 0},
		{BPF_MAP_TYPE_ARRAY, 4, 8, 16, BPF_F_MMAPABLE, 0},
		{BPF_MAP_TYPE_ARRAY, 4, 8, 16, BPF_F_NO_PREALLOC, -EINVAL},
		{BPF_MAP_TYPE_ARRAY, 4, 8, 0, 0, -EINVAL},
		{BPF_MAP_TYPE_ARRAY, 5, 8, 1, 0, -EINVAL},
		{BPF_MAP_TYPE_ARRAY, 4, 0, 1, 0, -EINVAL},
		{BPF_MAP_TYPE_ARRAY, 4, 1U << 31, 1, 0, -E2BIG},
		{BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY | BPF_F_WRONLY, -EINVAL},
		{BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG, -EINVAL},
		{BPF_MAP_TYPE_PERCPU_ARRAY, 4, 32768, 1, 0, 0},
		{BPF_MAP_TYPE_PERCPU_ARRAY, 4, 32769, 1, 0, -E2BIG},
		{BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1, BPF_F_MMAPABLE, -EINVAL},
		{BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1, BPF_F_NUMA_NODE, -EINVAL},
		{BPF_MAP_TYPE_HASH, 5, 3, 7, BPF_F_NO_PREALLOC, 0},
		{BPF_MAP_TYPE_HASH, 4, 4194251, 1, 0, 0},
		{BPF_MAP_TYPE_HASH, 4, 4194252, 1, 0, -E2BIG},
		{BPF_MAP_TYPE_HASH, 0, 8, 1, 0, -EINVAL},
		{BPF_MAP_TYPE_HASH, 4, 8, 0, 0, -EINVAL},
		{BPF_MAP_TYPE_HASH, 4, 8, UINT32_MAX, 0, -E2BIG},
		{BPF_MAP_TYPE_HASH, 4, 8, 1, BPF_F_NO_COMMON_LRU, -EINVAL},
		{BPF_MAP_TYPE_HASH, 4, 8, 10000000, 0, 0},
		{BPF_MAP_TYPE_PERCPU_HASH, 4, 32769, 1, 0, -E2BIG},
		{BPF_MAP_TYPE_LRU_HASH, 4, 8, 1, BPF_F_NO_PREALLOC, -ENOTSUPP},
		{BPF_MAP_TYPE_LRU_HASH, 4, 8, 1, BPF_F_NO_COMMON_LRU, 0},
		{BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 1, BPF_F_NUMA_NODE, -EINVAL},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct map_desc desc = {.type = rows[i].type,
					.key_size = rows[i].key_size,
					.value_size = rows[i].value_size,
					.max_entries = rows[i].max_entries,
					.flags = rows[i].flags};
		struct map *map = NULL;
		struct skep_error err = {0};
		int code = map_new(&desc, NULL, SLOTS, &map, &err);

		if (code != rows[i].want)
			fail_msg("row %u: %d, want %d (%s)", i, code, rows[i].want, err.text);
		if (map)
			object_put(&map->object);
	}
}

/* Every row of maps.def: it can be created, or skep says that it does not have it (-EINVAL: Linux
 * would ask for BTF types first). */
static void test_every_type(void **state)
{
	static const struct {
		u32 key_size, value_size, max_entries, flags;
		int want;
	} rows[] = {
		[BPF_MAP_TYPE_HASH] = {4, 8, 1, 0, 0},
		[BPF_MAP_TYPE_ARRAY] = {4, 8, 1, 0, 0},
		[BPF_MAP_TYPE_PROG_ARRAY] = {4, 4, 1, 0, 0},
		[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = {4, 4, 1, 0, 0},
		[BPF_MAP_TYPE_PERCPU_HASH] = {4, 8, 1, 0, 0},
		[BPF_MAP_TYPE_PERCPU_ARRAY] = {4, 8, 1, 0, 0},
		[BPF_MAP_TYPE_STACK_TRACE] = {4, 8, 1},
		[BPF_MAP_TYPE_CGROUP_ARRAY] = {4, 4, 1},
		[BPF_MAP_TYPE_LRU_HASH] = {4, 8, 1, 0, 0},
		[BPF_MAP_TYPE_LRU_PERCPU_HASH] = {4, 8, 1, 0, 0},
		[BPF_MAP_TYPE_LPM_TRIE] = {8, 8, 1, BPF_F_NO_PREALLOC, 0},
		[BPF_MAP_TYPE_ARRAY_OF_MAPS] = {4, 4, 1, 0, 0},
		[BPF_MAP_TYPE_HASH_OF_MAPS] = {4, 4, 1, 0, 0},
		[BPF_MAP_TYPE_DEVMAP] = {4, 4, 1, 0, 0},
		[BPF_MAP_TYPE_SOCKMAP] = {4, 4, 1},
		[BPF_MAP_TYPE_CPUMAP] = {4, 4, 1, 0, 0},
		[BPF_MAP_TYPE_XSKMAP] = {4, 4, 1, 0, 0},
		[BPF_MAP_TYPE_SOCKHASH] = {4, 4, 1},
		[BPF_MAP_TYPE_CGROUP_STORAGE] = {8, 8, 0},
		[BPF_MAP_TYPE_REUSEPORT_SOCKARRAY] = {4, 4, 1},
		[BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE] = {8, 8, 0},
		[BPF_MAP_TYPE_QUEUE] = {0, 8, 1, 0, 0},
		[BPF_MAP_TYPE_STACK] = {0, 8, 1, 0, 0},
		[BPF_MAP_TYPE_SK_STORAGE] = {4, 8, 0, BPF_F_NO_PREALLOC, -EINVAL},
		[BPF_MAP_TYPE_DEVMAP_HASH] = {4, 4, 1, 0, 0},
		[BPF_MAP_TYPE_STRUCT_OPS] = {4, 8, 1, 0, -EINVAL},
		[BPF_MAP_TYPE_RINGBUF] = {0, 0, 4096, 0, 0},
		[BPF_MAP_TYPE_INODE_STORAGE] = {4, 8, 0, BPF_F_NO_PREALLOC, -EINVAL},
		[BPF_MAP_TYPE_TASK_STORAGE] = {4, 8, 0, BPF_F_NO_PREALLOC, -EINVAL},
		[BPF_MAP_TYPE_BLOOM_FILTER] = {0, 8, 1, 0, 0},
		[BPF_MAP_TYPE_USER_RINGBUF] = {0, 0, 4096, 0, 0},
		[BPF_MAP_TYPE_USER_RINGBUF + 1] = {4, 8, 0, BPF_F_NO_PREALLOC, -EINVAL},
		[BPF_MAP_TYPE_USER_RINGBUF + 2] = {0, 0, 1, BPF_F_MMAPABLE},
	};
	struct map *inner = make(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);

	assert_int_equal(map_type_last() + 1, ARRAY_SIZE(rows));
	for (u32 type = 1; type < ARRAY_SIZE(rows); type++) {
		struct map_desc desc = {.type = type,
					.key_size = rows[type].key_size,
					.value_size = rows[type].value_size,
					.max_entries = rows[type].max_entries,
					.flags = rows[type].flags};
		struct map *map = NULL;
		int code = map_new(&desc, inner, SLOTS, &map, NULL);

		if (code != rows[type].want)
			fail_msg("%s: %d, want %d", map_type_row(type)->name, code,
				 rows[type].want);
		if (map)
			object_put(&map->object);
	}
	object_put(&inner->object);
}

/* Keys and values come back; the map is full at exactly max_entries; deletion makes room. */
static void test_hash_is_exact(void **state)
{
	static const u32 key_sizes[] = {1, 3, 4, 7, 8, 9, 16, 17, 40};

	for (u32 i = 0; i < ARRAY_SIZE(key_sizes); i++) {
		struct map *map = make(BPF_MAP_TYPE_HASH, key_sizes[i], 12, 200, 0);
		u8 key[40] = {0}, keys[2][40], value[12], got[12];
		u32 count = 0;

		for (u32 n = 0; n < 201; n++) {
			key[0] = n;
			memset(value, n, sizeof(value));
			assert_int_equal(map_user_update(map, key, value, BPF_NOEXIST),
					 n < 200 ? 0 : -E2BIG);
		}
		key[0] = 17;
		memset(value, 99, sizeof(value));
		assert_int_equal(map_user_update(map, key, value, BPF_EXIST), 0);
		assert_int_equal(map_user_lookup(map, key, got, 0), 0);
		assert_memory_equal(got, value, sizeof(got));
		while (!map_user_next_key(map, count ? keys[count % 2] : NULL,
					  keys[(count + 1) % 2]))
			count++;
		assert_int_equal(count, 200);
		assert_int_equal(map_user_delete(map, key), 0);
		assert_int_equal(map_user_delete(map, key), -ENOENT);
		assert_int_equal(map_user_update(map, key, value, 0), 0);
		object_put(&map->object);
	}
}

static void test_lru_evicts_what_was_not_used(void **state)
{
	struct map *map = make(BPF_MAP_TYPE_LRU_HASH, 4, 8, 1000, 0);
	u64 value = 1;
	u32 hits = 0;

	for (u32 key = 0; key < 5000; key++) {
		u32 hot = key % 100;

		assert_int_equal(map_user_update(map, &key, &value, 0), 0);
		rcu_read_lock();
		map_lookup(map, &hot, 0);
		rcu_read_unlock();
	}
	for (u32 key = 0; key < 100; key++)
		hits += !map_user_lookup(map, &key, &value, 0);
	assert_true(hits >= 95);
	object_put(&map->object);
}

static void test_percpu(void **state)
{
	static const u32 types[] = {BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH,
				    BPF_MAP_TYPE_LRU_PERCPU_HASH};

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct map *map = make(types[i], 4, 5, 4, 0);
		u8 values[8 * SLOTS] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, got[8 * SLOTS];
		u32 key = 3;

		assert_int_equal(map_user_value_size(map), sizeof(values));
		assert_int_equal(map_user_update(map, &key, values, 0), 0);
		assert_int_equal(map_user_lookup(map, &key, got, 0), 0);
		assert_memory_equal(got, values, sizeof(got));
		rcu_read_lock();
		assert_memory_equal(map_lookup(map, &key, 1), values + 8, 5);
		assert_memory_equal(map_lookup_slot(map, &key, 0), values, 5);
		assert_null(map_lookup_slot(map, &key, SLOTS));
		assert_int_equal(map_update(map, &key, "abcde", BPF_EXIST, 1), 0);
		rcu_read_unlock();
		assert_int_equal(map_user_lookup(map, &key, got, 0), 0);
		assert_memory_equal(got, values, 8);
		assert_memory_equal(got + 8, "abcde", 5);
		object_put(&map->object);
	}
}

/* Of maps made without CAP_PERFMON: nothing that a compiler could index without a guard. */
static void test_guarded_index(void **state)
{
	static const u32 types[] = {BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY};

	for (u32 i = 0; i < ARRAY_SIZE(types) * 2; i++) {
		const struct map_desc desc = {.type = types[i / 2],
					      .key_size = 4,
					      .value_size = 8,
					      .max_entries = 3,
					      .by_unprivileged = i & 1};
		const u32 beyond[] = {3, 4, 1U << 31, UINT32_MAX};
		struct map_rows rows;
		struct map *map;

		assert_int_equal(map_new(&desc, NULL, SLOTS, &map, NULL), 0);
		assert_int_equal(map_rows(map, &rows), !desc.by_unprivileged);
		rcu_read_lock();
		for (u32 key = 0; key < 3; key++) {
			u64 value = 100 + key, *found;

			assert_int_equal(map_update(map, &key, &value, BPF_ANY, 1), 0);
			found = map_lookup(map, &key, 1);
			assert_non_null(found);
			assert_int_equal(*found, value);
		}
		for (u32 k = 0; k < ARRAY_SIZE(beyond); k++) {
			assert_null(map_lookup(map, &beyond[k], 1));
			assert_int_equal(map_update(map, &beyond[k], &desc, BPF_ANY, 1),
					 -E2BIG);
		}
		rcu_read_unlock();
		object_put(&map->object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_creation),
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_hash_is_exact),
		cmocka_unit_test(test_lru_evicts_what_was_not_used),
		cmocka_unit_test(test_percpu),
		cmocka_unit_test(test_guarded_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
