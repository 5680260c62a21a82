/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long others wait while a map with a million elements, each with a pointer to an object,
 * is freed: the thread that drops it, and one that reads and updates another map meanwhile,
 * beside the same thread when nothing is freed.
 */
#include "base/os.h"
#include "map/account.h"
#include "map/map.h"
#include "map/own.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define ELEMENTS 1000000
#define KEYS	 1000

static atomic_bool ends;

struct worker {
	struct map *map;
	u64 longest, rounds;
};

static u64 now(void)
{
	return os_time_ns(CLOCK_MONOTONIC);
}

static void *work(void *cookie)
{
	struct worker *worker = cookie;
	u64 before = now();

	while (!atomic_load_explicit(&ends, memory_order_relaxed)) {
		u32 key = worker->rounds++ % KEYS;
		u64 value = worker->rounds, time;

		rcu_read_lock();
		map_lookup(worker->map, &key, 0);
		map_update(worker->map, &key, &value, 0, 0);
		rcu_read_unlock();
		time = now();
		if (time - before > worker->longest)
			worker->longest = time - before;
		before = time;
	}
	return NULL;
}

static struct map *make(const struct map_world *world, u32 entries)
{
	const struct map_desc desc = {BPF_MAP_TYPE_HASH, 4, 16, entries};
	struct map *map;

	return map_make(&desc, NULL, world, &map, NULL) ? NULL : map;
}

static void fill(struct map *map, struct own_type *type)
{
	u64 value[2] = {};

	for (u32 i = 0; i < ELEMENTS; i++)
		map_user_update(map, &i, value, 0);
	map->desc.fields = (struct btf_fields){
		.kinds = BTF_FIELD_BIT(BTF_FIELD_KPTR),
		.count = 1,
		.field = {{.kind = BTF_FIELD_KPTR, .size = sizeof(u64)}},
	};
	for (u32 i = 0; i < ELEMENTS; i++)
		*(void **)map_lookup(map, &i, 0) = own_new(type);
}

/* One round: with `map` dropped, or NULL: nothing for `rest` ns. Its time. */
static u64 watch(const struct map_world *world, struct map *map, struct own_world *own,
		 u64 rest, const char *what)
{
	struct worker worker = {.map = make(world, KEYS)};
	u64 start, dropped, end;
	pthread_t thread;

	atomic_store(&ends, false);
	if (!worker.map || pthread_create(&thread, NULL, work, &worker))
		return 0;
	start = now();
	if (map)
		object_put(&map->object);
	dropped = now();
	while (own_world_count(own) || now() - start < rest)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	end = now();
	atomic_store(&ends, true);
	pthread_join(thread, NULL);
	object_put(&worker.map->object);
	printf("%-10s %8.1f ms  close %7.3f ms  longest stall of a reader and updater %7.3f ms, "
	       "%.1f M rounds/s\n",
	       what, (end - start) / 1e6, (dropped - start) / 1e6, worker.longest / 1e6,
	       worker.rounds * 1e3 / (end - start));
	return end - start;
}

int main(void)
{
	const struct own_type_params params = {.size = 16, .copies = 1, .count_offset = -1};
	struct own_world *own = own_world_new(false);
	struct own_type *type = own_type_new(own, &params);
	struct map_world background = {.slots = 1, .reaper = reaper_new()};
	const struct map_world at_once = {.slots = 1};
	u64 time = 0;

	for (u32 round = 0; round < 3; round++) {
		struct map *map = make(&at_once, ELEMENTS);

		if (map)
			fill(map, type);
		watch(&at_once, map, own, time, "at once");
		map = make(&background, ELEMENTS);
		if (map)
			fill(map, type);
		time = watch(&background, map, own, 0, "in steps");
		watch(&background, NULL, own, time, "nothing");
	}
	reaper_stop(background.reaper);
	reaper_put(background.reaper);
	own_type_put(type);
	own_world_put(own);
	return 0;
}
