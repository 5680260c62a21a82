/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees of objects against a sorted array; timers on a clock that the test moves. */
#include "base/rcu.h"
#include "map/async.h"
#include "map/own_graph.h"
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NODES 300

/* --- trees --- */
struct item {
	struct own_tree_node node;
	u32 key;
	bool is_in;
};

static struct item *item_of(struct own_tree_node *node)
{
	return container_of(node, struct item, node);
}

static void add(struct own_tree *tree, struct item *item)
{
	struct own_tree_node *parent = NULL, *at = tree->root;
	int side = 0;

	while (at) {
		parent = at;
		side = item->key >= item_of(at)->key;
		at = at->child[side];
	}
	assert_true(own_node_claim(&item->node.owner, tree));
	assert_false(own_node_claim(&item->node.owner, tree));
	own_tree_add(tree, parent, side, &item->node);
	item->is_in = true;
}

/* Black nodes on each way down; fails where two differ, or red has red below. */
static u32 check_colours(const struct own_tree_node *node, u32 *count)
{
	bool is_red = node && node->parent & 1;
	u32 left, right;

	if (!node)
		return 1;
	++*count;
	for (int side = 0; side < 2; side++)
		if (node->child[side]) {
			assert_ptr_equal(u64_to_ptr(node->child[side]->parent & ~1ull), node);
			assert_false(is_red && node->child[side]->parent & 1);
		}
	left = check_colours(node->child[0], count);
	right = check_colours(node->child[1], count);
	assert_int_equal(left, right);
	return left + !is_red;
}

static void check_order(struct own_tree_node *node, s64 *last)
{
	if (!node)
		return;
	check_order(node->child[0], last);
	assert_true(item_of(node)->key >= *last);
	*last = item_of(node)->key;
	check_order(node->child[1], last);
}

static void trees_stay_ordered_and_balanced(void **state)
{
	static struct item items[NODES];
	struct own_tree tree = {};
	u32 in = 0;

	srandom(1);
	for (u32 step = 0; step < 20000; step++) {
		struct item *item = &items[random() % NODES];
		u32 count = 0;
		s64 last = -1;

		if (item->is_in) {
			own_tree_remove(&tree, &item->node);
			item->is_in = false;
			in--;
		} else {
			item->key = random() % 100;
			add(&tree, item);
			in++;
		}
		if (step % 50)
			continue;
		check_colours(tree.root, &count);
		check_order(tree.root, &last);
		assert_int_equal(count, in);
		for (struct own_tree_node *at = tree.root; at; at = at->child[0])
			if (!at->child[0])
				assert_ptr_equal(at, tree.first);
	}
}

/* --- timers --- */
#define TIMERS 4

struct value {
	u64 timer[2];
	u64 number;
};

static struct {
	u32 order[16], count;
	long answer; /* of what a callback does to its own timer */
	bool cancels, starts;
} calls;

static void on_time(void *engine, struct object *prog, u64 function, const u64 args[5])
{
	struct value *value = u64_to_ptr(args[2]);

	assert_int_equal(*(u32 *)u64_to_ptr(args[1]), value->number);
	assert_int_equal(function, 1000 + value->number);
	calls.order[calls.count++ % 16] = value->number;
	if (calls.cancels)
		calls.answer = async_cancel(value->timer);
	if (calls.starts)
		calls.answer = async_start(value->timer, 10, false);
}

static void prog_gone(struct object *object)
{
}

struct setup {
	struct async_world *world;
	struct map *map;
	struct value *value[TIMERS];
	struct object prog;
};

static struct map *make_map(void)
{
	struct map_desc desc = {.type = BPF_MAP_TYPE_ARRAY,
				.key_size = 4,
				.value_size = sizeof(struct value),
				.max_entries = TIMERS};
	struct skep_error err;
	struct map *map;

	assert_int_equal(map_new(&desc, NULL, 1, &map, &err), 0);
	map->desc.fields = (struct btf_fields){
		.kinds = BTF_FIELD_BIT(BTF_FIELD_TIMER),
		.count = 1,
		.field = {{.kind = BTF_FIELD_TIMER, .size = sizeof(u64[2])}},
	};
	map->object.users = 1;
	return map;
}

static void set_up(struct setup *setup)
{
	memset(&calls, 0, sizeof(calls));
	setup->world = async_world_new(on_time, NULL);
	setup->map = make_map();
	object_init(&setup->prog, OBJECT_PROG, prog_gone);
	async_world_advance(setup->world, 0);
	for (u32 i = 0; i < TIMERS; i++) {
		setup->value[i] = map_lookup(setup->map, &i, 0);
		setup->value[i]->number = i;
		assert_int_equal(async_init(setup->world, setup->value[i]->timer, setup->map,
					    ASYNC_TIMER, CLOCK_MONOTONIC),
				 0);
		assert_int_equal(async_set(setup->value[i]->timer, 1000 + i, &setup->prog), 0);
	}
}

static void tear_down(struct setup *setup)
{
	object_put(&setup->map->object);
	rcu_barrier();
	async_world_free(setup->world);
	assert_int_equal(setup->prog.refs, 1);
}

static void timers_fire_in_order(void **state)
{
	struct setup setup;
	const u32 want[] = {2, 0, 3, 1};

	set_up(&setup);
	async_start(setup.value[0]->timer, 20, false);
	async_start(setup.value[1]->timer, 30, false);
	async_start(setup.value[2]->timer, 10, true);
	async_start(setup.value[3]->timer, 20, false);
	async_world_advance(setup.world, 9);
	assert_int_equal(calls.count, 0);
	async_world_advance(setup.world, 1);
	assert_int_equal(calls.count, 1);
	async_world_advance(setup.world, 100);
	assert_int_equal(calls.count, 4);
	assert_memory_equal(calls.order, want, sizeof(want));
	tear_down(&setup);
}

static void timers_are_cancelled(void **state)
{
	struct setup setup;

	set_up(&setup);
	async_start(setup.value[0]->timer, 20, false);
	assert_int_equal(async_cancel(setup.value[0]->timer), 1);
	assert_int_equal(async_cancel(setup.value[0]->timer), 0);
	assert_int_equal(async_start(setup.value[0]->timer, 20, false), -EINVAL);
	async_start(setup.value[1]->timer, 20, false);
	async_start(setup.value[1]->timer, 50, false);
	async_start(setup.value[2]->timer, UINT64_MAX, false);
	async_world_advance(setup.world, 40);
	assert_int_equal(calls.count, 0);
	calls.cancels = true;
	async_world_advance(setup.world, 40);
	assert_int_equal(calls.count, 1);
	assert_int_equal(calls.answer, -EDEADLK);
	calls.cancels = false;
	calls.starts = true;
	async_start(setup.value[3]->timer, 10, false);
	async_world_advance(setup.world, 10);
	async_world_advance(setup.world, 10);
	assert_int_equal(calls.count, 3);
	tear_down(&setup);
}

static void timers_end_with_the_map_s_users(void **state)
{
	struct setup setup;

	set_up(&setup);
	async_start(setup.value[0]->timer, 20, false);
	async_start(setup.value[1]->timer, 20, false);
	async_release(setup.value[1]->timer);
	assert_int_equal(async_cancel(setup.value[1]->timer), -EINVAL);
	setup.map->object.users = 0;
	map_user_gone(setup.map);
	assert_int_equal(async_start(setup.value[0]->timer, 20, false), -EINVAL);
	assert_int_equal(async_init(setup.world, setup.value[0]->timer, setup.map, ASYNC_TIMER,
				    CLOCK_MONOTONIC),
			 -EPERM);
	async_world_advance(setup.world, 100);
	assert_int_equal(calls.count, 0);
	tear_down(&setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_stay_ordered_and_balanced),
		cmocka_unit_test(timers_fire_in_order),
		cmocka_unit_test(timers_are_cancelled),
		cmocka_unit_test(timers_end_with_the_map_s_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
