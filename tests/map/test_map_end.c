/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of large maps: who drops the last reference does not wait for it, and in the end
 * nothing is left of what the values held.
 */
#include "tests/unit.h"

#include "map/account.h"
#include "map/async.h"
#include "map/map.h"
#include "map/own.h"
#include "map/own_graph.h"

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ELEMENTS 100000

struct node {
	struct own_list_node link;
	u64 number;
};

struct world {
	struct budget *budget;
	struct reaper *reaper;
	struct own_world *own;
	struct own_type *type;
};

static int set_up(void **state)
{
	static struct world world;
	const struct own_type_params params = {
		.size = sizeof(struct node), .copies = 1, .count_offset = -1};

	world.budget = budget_new(0);
	world.reaper = reaper_new();
	world.own = own_world_new(false);
	world.type = own_type_new(world.own, &params);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	reaper_stop(world->reaper);
	rcu_barrier();
	assert_int_equal(budget_used(world->budget), 0);
	assert_int_equal(own_world_count(world->own), 0);
	own_type_put(world->type);
	own_world_put(world->own);
	reaper_put(world->reaper);
	budget_put(world->budget);
	return 0;
}

static struct map *make(struct world *world, const struct map_desc *desc, u32 slots)
{
	const struct map_world where = {
		.slots = slots, .budget = world->budget, .reaper = world->reaper};
	struct map *map;

	assert_int_equal(map_make(desc, NULL, &where, &map, NULL), 0);
	return map;
}

static void set_field(struct map *map, enum btf_field_kind kind, u32 size)
{
	map->desc.fields = (struct btf_fields){
		.kinds = BTF_FIELD_BIT(kind),
		.count = 1,
		.field = {{.kind = kind, .size = size}},
	};
}

/* Inside a read-side section nothing of the map can go: who drops it returns nevertheless. */
static void drop(struct world *world, struct map *map, u64 objects)
{
	rcu_read_lock();
	object_put(&map->object);
	assert_int_equal(own_world_count(world->own), objects);
	rcu_read_unlock();
	reaper_drain(world->reaper);
	rcu_barrier();
	assert_int_equal(own_world_count(world->own), 0);
	assert_int_equal(budget_used(world->budget), 0);
}

static void drop_with_pointers(struct world *world, u32 type, u32 slots, u32 copies)
{
	const struct map_desc desc = {type, 4, 16, ELEMENTS};
	u8 value[16 * 4] = {};
	struct map *map = make(world, &desc, slots);

	for (u32 i = 0; i < ELEMENTS; i++)
		assert_int_equal(map_user_update(map, &i, value, 0), 0);
	set_field(map, BTF_FIELD_KPTR, sizeof(u64));
	for (u32 i = 0; i < ELEMENTS; i++)
		for (u32 slot = 0; slot < copies; slot++)
			*(void **)map_lookup(map, &i, slot) = own_new(world->type);
	drop(world, map, (u64)ELEMENTS * copies);
}

static void pointers_go(void **state)
{
	drop_with_pointers(*state, BPF_MAP_TYPE_HASH, 1, 1);
	drop_with_pointers(*state, BPF_MAP_TYPE_LRU_HASH, 1, 1);
	drop_with_pointers(*state, BPF_MAP_TYPE_ARRAY, 1, 1);
	drop_with_pointers(*state, BPF_MAP_TYPE_PERCPU_ARRAY, 3, 3);
	drop_with_pointers(*state, BPF_MAP_TYPE_PERCPU_HASH, 3, 3);
}

/* One value is more than one step. */
static void a_long_list_goes(void **state)
{
	struct world *world = *state;
	const struct map_desc desc = {BPF_MAP_TYPE_ARRAY, 4, sizeof(struct own_list), 1};
	struct map *map = make(world, &desc, 1);
	u32 key = 0;
	struct own_list *list = map_lookup(map, &key, 0);

	set_field(map, BTF_FIELD_LIST_HEAD, sizeof(*list));
	for (u32 i = 0; i < ELEMENTS; i++) {
		struct node *node = own_new(world->type);

		assert_true(own_node_claim(&node->link.owner, list));
		own_list_push(list, &node->link, true);
	}
	drop(world, map, ELEMENTS);
}

static void call(void *engine, struct object *prog, u64 function, const u64 args[5])
{
}

static void timers_go(void **state)
{
	struct world *world = *state;
	const struct map_desc desc = {BPF_MAP_TYPE_ARRAY, 4, 16, ELEMENTS};
	struct async_world *async = async_world_new(call, NULL);
	struct map *map = make(world, &desc, 1);

	set_field(map, BTF_FIELD_TIMER, 16);
	map->object.users = 1;
	for (u32 i = 0; i < ELEMENTS; i++)
		assert_int_equal(async_init(async, map_lookup(map, &i, 0), map, ASYNC_TIMER,
					    CLOCK_MONOTONIC),
				 0);
	map->object.users = 0;
	map_user_gone(map);
	reaper_drain(world->reaper);
	for (u32 i = 0; i < ELEMENTS; i++)
		assert_null(*(void **)map_lookup(map, &i, 0));
	drop(world, map, 0);
	async_world_free(async);
}

/* --- chores wait together --- */
#define CHORES 3

static struct work {
	struct chore chore;
	u32 steps;
} works[CHORES];

/* What was done: the work's number, twice each. */
static u32 done[2 * CHORES], done_count;
static sem_t all_are_queued;

static bool step(struct chore *chore)
{
	struct work *work = container_of(chore, struct work, chore);

	if (!done_count)
		sem_wait(&all_are_queued);
	done[done_count++] = (u32)(work - works);
	return ++work->steps == 2;
}

/* While the first waits for its second step, the others make their first. */
static void chores_wait_together(void **state)
{
	struct world *world = *state;

	sem_init(&all_are_queued, 0, 0);
	for (u32 i = 0; i < CHORES; i++) {
		works[i] = (struct work){.chore = {.step = step}};
		assert_true(reaper_add(world->reaper, &works[i].chore));
	}
	sem_post(&all_are_queued);
	reaper_drain(world->reaper);
	assert_int_equal(done_count, 2 * CHORES);
	assert_int_equal(done[0], 0);
	assert_int_equal(done[2 * CHORES - 1], CHORES - 1);
	assert_int_not_equal(done[2 * CHORES - 2], CHORES - 1);
	for (u32 i = 0; i < CHORES; i++)
		assert_int_equal(works[i].steps, 2);
	sem_destroy(&all_are_queued);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pointers_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_list_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(timers_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(chores_wait_together, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("end", tests, NULL, NULL);
}
