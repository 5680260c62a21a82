/* SPDX-License-Identifier: BSD-2-Clause */
/* Local storage: who notices the end of an owner, and values under threads. */
#include "tests/types.h"
#include "tests/unit.h"

#include "btf/btf.h"
#include "map/account.h"
#include "map/local_storage.h"
#include "map/map.h"
#include "map/own.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- witnesses --- */

static int open_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

static int open_pipe(void)
{
	int ends[2];

	if (pipe(ends))
		return -1;
	close(ends[1]);
	return ends[0];
}

static int open_nameless(void)
{
	return open("/tmp", O_TMPFILE | O_RDWR, 0600);
}

static int open_memfd(void)
{
	return memfd_create("owner", 0);
}

static const struct {
	const char *name;
	int (*open)(void);
} files[] = {
	{"socket", open_socket},
	{"pipe", open_pipe},
	{"nameless file", open_nameless},
	{"memfd", open_memfd},
};

static bool ask(struct witnesses *all, const struct witness *witness)
{
	bool gone;

	witnesses_begin(all);
	gone = witness_says_gone(all, witness);
	witnesses_end(all);
	return gone;
}

static void files_have_witnesses(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		struct witnesses all;
		struct witness witness;
		int fd = files[i].open(), copy;

		witnesses_init(&all);
		witness_file(&all, &witness, fd);
		if (witness.kind == WITNESS_NONE || ask(&all, &witness))
			fail_msg("%s: no witness", files[i].name);
		copy = dup(fd);
		close(fd);
		if (ask(&all, &witness))
			fail_msg("%s: gone while a copy is open", files[i].name);
		close(copy);
		if (!ask(&all, &witness))
			fail_msg("%s: still there after the last close", files[i].name);
		witness_done(&witness);
		witnesses_done(&all);
	}
}

static void *give_thread(void *cookie)
{
	*(pid_t *)cookie = gettid();
	return NULL;
}

static void threads_have_witnesses(void **state)
{
	struct witness witness;
	struct witnesses all;
	pthread_t thread;
	pid_t id = 0;

	witnesses_init(&all);
	witness_thread(&witness, getpid(), thread_start_time(getpid()));
	assert_true(witness.number > 0);
	assert_false(ask(&all, &witness));
	assert_int_equal(pthread_create(&thread, NULL, give_thread, &id), 0);
	pthread_join(thread, NULL);
	/* The id may be there a moment longer than the thread. */
	for (u32 i = 0; i < 1000 && thread_start_time(id); i++)
		usleep(1000);
	witness_thread(&witness, id, 1);
	assert_true(ask(&all, &witness));
	witnesses_done(&all);
}

static void directories_have_witnesses(void **state)
{
	char path[] = "/tmp/skep-witness-XXXXXX";
	struct witness witness;
	struct witnesses all;
	int fd;

	witnesses_init(&all);
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY);
	witness_directory(&witness, fd);
	assert_false(ask(&all, &witness));
	close(fd);
	assert_false(ask(&all, &witness));
	rmdir(path);
	assert_true(ask(&all, &witness));
	witness_done(&witness);
	witnesses_done(&all);
}

/* --- owners that end --- */

static struct map *make(struct owners *owners)
{
	struct map_desc desc = {.type = BPF_MAP_TYPE_SK_STORAGE,
				.key_size = 4,
				.value_size = 4,
				.flags = BPF_F_NO_PREALLOC,
				.key_type = 1,
				.value_type = 1,
				.btf = two_types()};
	struct map *map = NULL;

	assert_int_equal(map_new(&desc, NULL, 1, &map, NULL), 0);
	map->owners = owners;
	return map;
}

/* So many sockets that came and went leave no more than a few behind. */
static void values_end_with_their_sockets(void **state)
{
	struct owners *owners = owners_new();
	struct map *map = make(owners);
	u32 value = 1;

	for (u32 i = 0; i < 5000; i++) {
		int fd = open_socket();

		assert_int_equal(map_user_update(map, &fd, &value, 0), 0);
		close(fd);
		assert_true(owners_count(owners) <= 128);
	}
	object_put(&map->object);
	rcu_barrier();
	owners_free(owners);
}

/* --- what values hold --- */

#define HOLDERS 20000

static struct map *make_holding(const struct map_world *world)
{
	struct map_desc desc = {.type = BPF_MAP_TYPE_SK_STORAGE,
				.key_size = 4,
				.value_size = 8,
				.flags = BPF_F_NO_PREALLOC,
				.key_type = 1,
				.value_type = 2,
				.btf = two_types()};
	struct map *map = NULL;

	desc.fields = (struct btf_fields){.kinds = BTF_FIELD_BIT(BTF_FIELD_KPTR),
					  .count = 1,
					  .field = {{.kind = BTF_FIELD_KPTR, .size = 8}}};
	assert_int_equal(map_make(&desc, NULL, world, &map, NULL), 0);
	return map;
}

static void give(struct map *map, struct owner *owner, struct own_type *type)
{
	void **value;

	rcu_read_lock();
	value = local_storage_get(map, owner, NULL);
	assert_non_null(value);
	*value = own_new(type);
	rcu_read_unlock();
}

/* It goes with the value, with its owner and with the map. */
static void what_values_hold_goes(void **state)
{
	const struct own_type_params params = {.size = 8, .copies = 1, .count_offset = -1};
	struct own_world *own = own_world_new(false);
	struct own_type *type = own_type_new(own, &params);
	struct map_world world = {.slots = 1, .budget = budget_new(0), .reaper = reaper_new()};
	struct map *map = make_holding(&world);
	struct owner **owners = calloc(HOLDERS, sizeof(struct owner *));

	for (u32 i = 0; i < HOLDERS; i++) {
		owners[i] = owner_unnamed(OWNER_SOCKET);
		give(map, owners[i], type);
	}
	assert_true(map_bytes(map) > HOLDERS * 16ULL);
	assert_int_equal(map_bytes(map), budget_used(world.budget));
	rcu_read_lock();
	assert_int_equal(local_storage_delete(map, owners[0]), 0);
	rcu_read_unlock();
	owner_end(owners[1]);
	rcu_barrier();
	rcu_barrier();
	assert_int_equal(own_world_count(own), HOLDERS - 2);
	object_put(&map->object);
	reaper_drain(world.reaper);
	rcu_barrier();
	rcu_barrier();
	assert_int_equal(own_world_count(own), 0);
	assert_int_equal(budget_used(world.budget), 0);
	for (u32 i = 0; i < HOLDERS; i++)
		if (i != 1)
			owner_end(owners[i]);
	rcu_barrier();
	free(owners);
	own_type_put(type);
	own_world_put(own);
	reaper_stop(world.reaper);
	reaper_put(world.reaper);
	budget_put(world.budget);
}

/* --- threads --- */

#define OWNERS	24
#define MAPS	20 /* more than a cache has places */
#define THREADS 3
#define ROUNDS	20000

static struct owner *shared_owners[OWNERS];
static _Atomic(struct map *) shared_maps[MAPS];

static void step(u64 random, struct owners *owners)
{
	struct owner *owner = shared_owners[random % OWNERS];
	_Atomic(struct map *) *place = &shared_maps[random / OWNERS % MAPS];
	struct map *map, *fresh = random >> 20 & 15 ? NULL : make(owners);
	u32 initial = 0, *value;

	rcu_read_lock();
	map = atomic_load(place);
	if (random >> 16 & 7) {
		value = local_storage_get(map, owner, &initial);
		assert_non_null(value);
		__atomic_fetch_add(value, 1, __ATOMIC_RELAXED);
	} else {
		local_storage_delete(map, owner);
	}
	if (fresh)
		object_put(&atomic_exchange(place, fresh)->object);
	rcu_read_unlock();
}

static void *work(void *cookie)
{
	u64 random = (uintptr_t)&random;

	for (u32 i = 0; i < ROUNDS; i++) {
		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		step(random >> 16, cookie);
	}
	return NULL;
}

static void threads_meet(void **state)
{
	struct owners *owners = owners_new();
	pthread_t threads[THREADS];

	for (u32 i = 0; i < OWNERS; i++)
		shared_owners[i] = owner_unnamed(OWNER_SOCKET);
	for (u32 i = 0; i < MAPS; i++)
		shared_maps[i] = make(owners);
	for (u32 i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, owners), 0);
	for (u32 i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (u32 i = 0; i < OWNERS / 2; i++)
		owner_end(shared_owners[i]);
	for (u32 i = 0; i < MAPS; i++)
		object_put(&shared_maps[i]->object);
	for (u32 i = OWNERS / 2; i < OWNERS; i++)
		owner_end(shared_owners[i]);
	rcu_barrier();
	rcu_barrier();
	owners_free(owners);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_have_witnesses),
		cmocka_unit_test(threads_have_witnesses),
		cmocka_unit_test(directories_have_witnesses),
		cmocka_unit_test(values_end_with_their_sockets),
		cmocka_unit_test(what_values_hold_goes),
		cmocka_unit_test(threads_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
