/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What maps take: each byte is charged to the map and to the budget, and comes back with the
 * map; a budget that is used up refuses one more element and leaves what is there.
 */
#include "tests/unit.h"

#include "base/os.h"
#include "map/account.h"
#include "map/map.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#define SLOTS 3

static const struct {
	const char *name;
	struct map_desc desc;
	u64 least; /* bytes that its elements have */
} types[] = {
	{"array", {BPF_MAP_TYPE_ARRAY, 4, 8, 1000}, 8000},
	{"array, mmap", {BPF_MAP_TYPE_ARRAY, 4, 8, 1000, BPF_F_MMAPABLE}, 8000},
	{"per-CPU array", {BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1000}, 8000 * SLOTS},
	{"hash", {BPF_MAP_TYPE_HASH, 4, 8, 100000}, 1600000},
	{"per-CPU hash", {BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 1000}, 8000 * (SLOTS + 1)},
	{"LRU hash", {BPF_MAP_TYPE_LRU_HASH, 4, 8, 1000}, 16000},
	{"LRU per-CPU hash", {BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 1000}, 8000 * (SLOTS + 1)},
	{"queue", {BPF_MAP_TYPE_QUEUE, 0, 8, 1000}, 8000},
	{"stack", {BPF_MAP_TYPE_STACK, 0, 8, 1000}, 8000},
	{"bloom filter", {BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 1000}, 1000},
	{"ring buffer", {BPF_MAP_TYPE_RINGBUF, 0, 0, 65536}, 65536},
	{"user ring buffer", {BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 65536}, 65536},
	{"arena", {(u32)BPF_MAP_TYPE_ARENA, 0, 0, 100, BPF_F_MMAPABLE}, 409600},
	{"prog array", {BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1000}, 8000},
	{"cgroup array", {BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 1000}, 8000},
	{"stack trace", {BPF_MAP_TYPE_STACK_TRACE, 4, 80, 1000}, 80000},
	{"devmap", {BPF_MAP_TYPE_DEVMAP, 4, 4, 1000}, 8000},
	{"devmap hash", {BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 1000}, 16000},
	{"cpumap", {BPF_MAP_TYPE_CPUMAP, 4, 4, 1000}, 8000},
	{"sockmap", {BPF_MAP_TYPE_SOCKMAP, 4, 4, 1000}, 8000},
	{"sockhash", {BPF_MAP_TYPE_SOCKHASH, 4, 4, 1000}, 16000},
	{"trie", {BPF_MAP_TYPE_LPM_TRIE, 8, 8, 1000, BPF_F_NO_PREALLOC}, 1},
};

static struct map *make(const struct map_desc *desc, struct budget *budget,
			struct skep_error *err)
{
	const struct map_world world = {.slots = SLOTS, .budget = budget};
	struct map *map = NULL;

	return map_make(desc, NULL, &world, &map, err) ? NULL : map;
}

static void drop(struct map *map)
{
	object_put(&map->object);
	rcu_barrier();
	rcu_barrier();
}

static void every_type_is_counted(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct budget *budget = budget_new(0);
		struct skep_error err = {};
		struct map *map = make(&types[i].desc, budget, &err);

		if (!map)
			fail_msg("%s: %s", types[i].name, err.text);
		if (map_bytes(map) < types[i].least || map_bytes(map) != budget_used(budget))
			fail_msg("%s: %llu bytes, budget %llu, want at least %llu",
				 types[i].name, map_bytes(map), budget_used(budget),
				 types[i].least);
		drop(map);
		if (budget_used(budget))
			fail_msg("%s: %llu bytes left", types[i].name, budget_used(budget));
		budget_put(budget);
	}
}

static void too_much_is_refused_whole(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct map *map = make(&types[i].desc, NULL, NULL);
		u64 bytes = map_bytes(map);
		struct budget *budget = budget_new(bytes - 1);
		struct skep_error err = {};

		drop(map);
		if (make(&types[i].desc, budget, &err) || err.code != -ENOMEM ||
		    !strstr(err.text, "the engine's limit of"))
			fail_msg("%s: code %d, '%s'", types[i].name, err.code, err.text);
		if (budget_used(budget))
			fail_msg("%s: %llu bytes left", types[i].name, budget_used(budget));
		budget_put(budget);
	}
}

struct prefix {
	u32 length;
	u8 data[4];
};

static struct prefix prefix_of(u32 i)
{
	struct prefix prefix = {.length = 32};

	memcpy(prefix.data, &i, sizeof(i));
	return prefix;
}

static u32 count(struct map *map)
{
	struct prefix key, next;
	const struct prefix *from = NULL;
	u32 found = 0;

	while (!map_user_next_key(map, from, &next)) {
		key = next;
		from = &key;
		found++;
	}
	return found;
}

/* Until the budget is used up; then all is there, can be read, changed and deleted. */
static void a_trie_keeps_what_it_has(void **state)
{
	const struct map_desc desc = {BPF_MAP_TYPE_LPM_TRIE, 8, 8, 1000000, BPF_F_NO_PREALLOC,
				      .name = "routes"};
	struct budget *budget = budget_new(1 << 20);
	struct map *map = make(&desc, budget, NULL);
	struct skep_error err = {};
	struct prefix key;
	u64 value;
	int code = 0;
	u32 put = 0;

	for (;; put++) {
		key = prefix_of(put * 2654435761u);
		value = put;
		code = map_user_update(map, &key, &value, 0);
		if (code)
			break;
	}
	assert_int_equal(code, -ENOMEM);
	assert_true(account_was_refused(map->account));
	account_refuse(map->account, map->desc.name, &err);
	assert_non_null(strstr(err.text, "map 'routes' needs "));
	assert_in_range(put, 1000, 100000);
	assert_in_range(budget_used(budget), 1, 1 << 20);
	assert_int_equal(map_bytes(map), budget_used(budget));
	assert_int_equal(count(map), put);
	for (u32 i = 0; i < put; i++) {
		key = prefix_of(i * 2654435761u);
		assert_int_equal(map_user_lookup(map, &key, &value, 0), 0);
		assert_int_equal(value, i);
	}
	for (u32 i = 0; i < put; i++) {
		key = prefix_of(i * 2654435761u);
		assert_int_equal(map_user_delete(map, &key), 0);
	}
	assert_int_equal(count(map), 0);
	drop(map);
	assert_int_equal(budget_used(budget), 0);
	budget_put(budget);
}

/* Groups that overflow are charged when they are used: some do at this load. */
static void a_hash_grows_by_what_overflows(void **state)
{
	const struct map_desc desc = {BPF_MAP_TYPE_HASH, 4, 8, 8192 * 8};
	struct budget *budget = budget_new(0), *tight;
	struct map *map = make(&desc, budget, NULL);
	u64 value = 1, before = map_bytes(map);
	u32 put = 0;
	int code = 0;

	for (u32 i = 0; i < desc.max_entries; i++)
		assert_int_equal(map_user_update(map, &i, &value, 0), 0);
	assert_true(map_bytes(map) > before);
	assert_int_equal(map_bytes(map), budget_used(budget));
	drop(map);
	assert_int_equal(budget_used(budget), 0);
	budget_put(budget);

	tight = budget_new(before);
	map = make(&desc, tight, NULL);
	for (u32 i = 0; i < desc.max_entries; i++)
		if (map_user_update(map, &i, &value, 0))
			code = -ENOMEM;
		else
			put++;
	assert_int_equal(code, -ENOMEM);
	assert_in_range(put, desc.max_entries / 2, desc.max_entries - 1);
	assert_int_equal(count(map), put);
	drop(map);
	assert_int_equal(budget_used(tight), 0);
	budget_put(tight);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_counted),
		cmocka_unit_test(too_much_is_refused_whole),
		cmocka_unit_test(a_trie_keeps_what_it_has),
		cmocka_unit_test(a_hash_grows_by_what_overflows),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
