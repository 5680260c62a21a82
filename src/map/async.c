/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/async.h"
#include "base/os.h"
#include "map/own_graph.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000ull

struct async_world {
	async_call *call;
	void *engine;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* what is due first, what runs, whether all ends */
	struct own_tree due;	/* by time */
	struct async *running;
	pthread_t thread, runner; /* runner: who calls `running` */
	bool has_thread, ends;
	bool is_manual;
	u64 now; /* is_manual: the time */
};

struct async {
	struct own_tree_node node; /* in world->due; owner: it is there */
	struct async_world *world;
	struct map *map;
	u8 *value;
	u32 clock;
	u64 time; /* when it is due, CLOCK_MONOTONIC */
	u64 function;
	struct object *prog; /* reference; NULL: nothing to be called */
	struct rcu_head rcu;
};

typedef struct async *_Atomic async_field;

static struct async *async_of(struct own_tree_node *node)
{
	return container_of(node, struct async, node);
}

/* --- the world --- */
struct async_world *async_world_new(async_call *call, void *engine)
{
	struct async_world *world = calloc(1, sizeof(*world));
	pthread_condattr_t monotonic;

	if (!world)
		return NULL;
	world->call = call;
	world->engine = engine;
	pthread_mutex_init(&world->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&world->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return world;
}

void async_world_free(struct async_world *world)
{
	if (!world)
		return;
	pthread_mutex_lock(&world->lock);
	world->ends = true;
	pthread_cond_broadcast(&world->changed);
	pthread_mutex_unlock(&world->lock);
	if (world->has_thread)
		pthread_join(world->thread, NULL);
	pthread_cond_destroy(&world->changed);
	pthread_mutex_destroy(&world->lock);
	free(world);
}

static u64 now_of(const struct async_world *world, u32 clock)
{
	return world->is_manual ? world->now : os_time_ns((int)clock);
}

/* --- calling what is due: the lock is held, and let go for the call --- */
static u64 key_of(const struct async *async, u32 *index)
{
	const struct map_desc *desc = &async->map->desc;

	if (desc->values) {
		*index = (u32)((async->value - desc->values) / desc->value_stride);
		return ptr_to_u64(index);
	}
	return ptr_to_u64(async->value - round_up(desc->key_size, 8));
}

static void call(struct async_world *world, struct async *async)
{
	struct object *prog = object_get(async->prog);
	const u64 function = async->function;
	u32 index;
	const u64 args[5] = {ptr_to_u64(async->map), key_of(async, &index),
			     ptr_to_u64(async->value)};

	world->running = async;
	world->runner = pthread_self();
	pthread_mutex_unlock(&world->lock);
	world->call(world->engine, prog, function, args);
	object_put(prog);
	pthread_mutex_lock(&world->lock);
	world->running = NULL;
	pthread_cond_broadcast(&world->changed);
}

/* False: nothing is. A value that can be reached here stays until the section ends. */
static bool call_first(struct async_world *world)
{
	struct own_tree_node *first;
	bool is_due;

	rcu_read_lock();
	pthread_mutex_lock(&world->lock);
	first = world->due.first;
	is_due = first && !world->ends &&
		 async_of(first)->time <= now_of(world, CLOCK_MONOTONIC);
	if (is_due) {
		own_tree_remove(&world->due, first);
		call(world, async_of(first));
	}
	pthread_mutex_unlock(&world->lock);
	rcu_read_unlock();
	return is_due;
}

static void wait_for_change(struct async_world *world)
{
	struct timespec until;
	u64 time;

	if (!world->due.first) {
		pthread_cond_wait(&world->changed, &world->lock);
		return;
	}
	time = async_of(world->due.first)->time;
	until = (struct timespec){(time_t)(time / NS_PER_S), (long)(time % NS_PER_S)};
	pthread_cond_timedwait(&world->changed, &world->lock, &until);
}

static bool is_first_due(const struct async_world *world)
{
	return world->due.first &&
	       async_of(world->due.first)->time <= now_of(world, CLOCK_MONOTONIC);
}

static void *call_all(void *cookie)
{
	struct async_world *world = cookie;
	bool ends = false;

	while (!ends) {
		while (call_first(world))
			;
		pthread_mutex_lock(&world->lock);
		while (!world->ends && !is_first_due(world))
			wait_for_change(world);
		ends = world->ends;
		pthread_mutex_unlock(&world->lock);
	}
	return NULL;
}

void async_world_advance(struct async_world *world, u64 ns)
{
	pthread_mutex_lock(&world->lock);
	world->is_manual = true;
	world->now += ns;
	pthread_mutex_unlock(&world->lock);
	while (call_first(world))
		;
}

static int start_thread(struct async_world *world)
{
	if (world->has_thread || world->is_manual)
		return 0;
	if (pthread_create(&world->thread, NULL, call_all, world))
		return -ENOMEM;
	world->has_thread = true;
	return 0;
}

/* --- what programs ask for --- */
static struct async *get(void *field)
{
	return atomic_load_explicit((async_field *)field, memory_order_acquire);
}

/* Without a descriptor or pin of the map nothing is left that could end it. */
static bool is_orphan(const struct map *map)
{
	return !atomic_load(&map->object.users);
}

static u8 *value_of(void *field, const struct map *map, enum async_kind kind)
{
	const enum btf_field_kind wanted =
		kind == ASYNC_TIMER ? BTF_FIELD_TIMER : BTF_FIELD_WORKQUEUE;

	return (u8 *)field - map_desc_field(&map->desc, wanted);
}

long async_init(struct async_world *world, void *field, struct map *map, enum async_kind kind,
		u32 clock)
{
	struct async *async, *none = NULL;

	if (get(field))
		return -EBUSY;
	async = calloc(1, sizeof(*async));
	if (!async)
		return -ENOMEM;
	async->world = world;
	async->map = map;
	async->value = value_of(field, map, kind);
	async->clock = clock;
	/* release: pairs with the acquire in get() */
	if (!atomic_compare_exchange_strong((async_field *)field, &none, async)) {
		free(async);
		return -EBUSY;
	}
	if (is_orphan(map)) {
		async_release(field);
		return -EPERM;
	}
	return 0;
}

static void swap_prog(struct async *async, u64 function, struct object *prog)
{
	struct object *old = async->prog;

	async->function = function;
	async->prog = prog ? object_get(prog) : NULL;
	if (old)
		object_put(old);
}

long async_set(void *field, u64 function, struct object *prog)
{
	struct async *async = get(field);

	if (!async)
		return -EINVAL;
	if (is_orphan(async->map))
		return -EPERM;
	pthread_mutex_lock(&async->world->lock);
	swap_prog(async, function, prog);
	pthread_mutex_unlock(&async->world->lock);
	return 0;
}

/* Of those that are due at the same time, the one that was started first comes first. */
static void insert(struct async_world *world, struct async *async)
{
	struct own_tree_node *parent = NULL, *at = world->due.root;
	int side = 0;

	while (at) {
		parent = at;
		side = async->time >= async_of(at)->time;
		at = at->child[side];
	}
	own_node_claim(&async->node.owner, &world->due);
	own_tree_add(&world->due, parent, side, &async->node);
	pthread_cond_broadcast(&world->changed);
}

static bool withdraw(struct async *async)
{
	if (!async->node.owner)
		return false;
	own_tree_remove(&async->world->due, &async->node);
	return true;
}

static u64 due_at(const struct async *async, u64 at, bool is_absolute)
{
	const u64 now = now_of(async->world, CLOCK_MONOTONIC);
	const u64 clock = is_absolute ? now_of(async->world, async->clock) : 0;

	if (at <= clock)
		return now;
	return at - clock > INT64_MAX - now ? INT64_MAX : now + (at - clock);
}

long async_start(void *field, u64 at, bool is_absolute)
{
	struct async *async = get(field);
	long ret;

	if (!async)
		return -EINVAL;
	pthread_mutex_lock(&async->world->lock);
	ret = async->prog ? start_thread(async->world) : -EINVAL;
	if (!ret) {
		withdraw(async);
		async->time = due_at(async, at, is_absolute);
		insert(async->world, async);
	}
	pthread_mutex_unlock(&async->world->lock);
	return ret;
}

long async_cancel(void *field)
{
	struct async *async = get(field);
	struct async_world *world;
	long ret = -EDEADLK;

	if (!async)
		return -EINVAL;
	world = async->world;
	pthread_mutex_lock(&world->lock);
	if (world->running != async || !pthread_equal(world->runner, pthread_self())) {
		ret = withdraw(async);
		swap_prog(async, 0, NULL);
		while (world->running == async)
			pthread_cond_wait(&world->changed, &world->lock);
	}
	pthread_mutex_unlock(&world->lock);
	return ret;
}

static void async_free(struct rcu_head *rcu)
{
	free(container_of(rcu, struct async, rcu));
}

void async_release(void *field)
{
	struct async *async = atomic_exchange((async_field *)field, NULL);

	if (!async)
		return;
	pthread_mutex_lock(&async->world->lock);
	withdraw(async);
	swap_prog(async, 0, NULL);
	pthread_mutex_unlock(&async->world->lock);
	call_rcu(&async->rcu, async_free);
}
