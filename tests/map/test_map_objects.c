/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps that refer to objects: prog arrays, maps of maps, device maps; and freezing. */
#include "tests/unit.h"

#include "base/os.h"
#include "map/device.h"
#include "map/map.h"
#include "tests/map/live.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static const struct map_desc array_desc = {
	.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 4};
static const struct map_desc hash_desc = {
	.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 4};

static struct map *make(const struct map_desc *desc, struct map *inner)
{
	struct map *map = NULL;

	assert_int_equal(map_new(desc, inner, 2, &map, NULL), 0);
	return map;
}

static struct map_desc outer_desc(u32 type)
{
	return (struct map_desc){
		.type = type, .key_size = 4, .value_size = 4, .max_entries = 3};
}

/* An object whose end is seen. */
static int released;

static void count_release(struct object *object)
{
	released++;
}

static void test_prog_array(void **state)
{
	struct map_desc desc = outer_desc(BPF_MAP_TYPE_PROG_ARRAY);
	struct map *map = make(&desc, NULL);
	struct object prog, event;
	u32 key = 2, id = 0;

	object_init(&prog, OBJECT_PROG, count_release);
	object_init(&event, OBJECT_PERF_EVENT, count_release);
	prog.id = 77;
	released = 0;
	assert_int_equal(map_user_update_object(map, &key, &event, 0), -EINVAL);
	assert_int_equal(map_user_update_object(map, &key, &prog, BPF_EXIST), -EINVAL);
	assert_int_equal(map_user_update_object(map, &key, &prog, BPF_ANY), 0);
	assert_ptr_equal(map_prog_at(map, 2), &prog);
	assert_null(map_prog_at(map, 1));
	assert_null(map_prog_at(map, 1ULL << 32));
	assert_int_equal(map_user_lookup(map, &key, &id, 0), 0);
	assert_int_equal(id, 77);
	object_put(&prog);
	assert_int_equal(released, 0);
	map_user_gone(map);
	assert_int_equal(released, 1);
	assert_null(map_prog_at(map, 2));
	key = 3;
	assert_int_equal(map_user_delete(map, &key), -E2BIG);
	object_put(&map->object);
}

/* Which inner maps a map of maps takes: as the live kernel decides. */
static const struct {
	struct map_desc template, inner;
} pairs[] = {
	{{.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 4},
	 {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 4}},
	{{.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 4},
	 {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 5}},
	{{.type = BPF_MAP_TYPE_ARRAY,
	  .key_size = 4,
	  .value_size = 8,
	  .max_entries = 4,
	  .flags = BPF_F_INNER_MAP},
	 {.type = BPF_MAP_TYPE_ARRAY,
	  .key_size = 4,
	  .value_size = 8,
	  .max_entries = 5,
	  .flags = BPF_F_INNER_MAP}},
	{{.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 4},
	 {.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 4}},
	{{.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 4},
	 {.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 9}},
	{{.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 4},
	 {.type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8, .max_entries = 4}},
	{{.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 4},
	 {.type = BPF_MAP_TYPE_HASH,
	  .key_size = 4,
	  .value_size = 8,
	  .max_entries = 4,
	  .flags = BPF_F_NO_PREALLOC}},
	{{.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
	 {.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 8192}},
	{{.type = BPF_MAP_TYPE_QUEUE, .value_size = 8, .max_entries = 4},
	 {.type = BPF_MAP_TYPE_QUEUE, .value_size = 8, .max_entries = 5}},
};

static int live_pair(const struct map_desc *outer, u32 row)
{
	int template = live_create(&pairs[row].template, 0);
	int inner = live_create(&pairs[row].inner, 0), map = live_create(outer, template);
	u32 key = 1, fd = (u32)inner;
	int result = map < 0 ? map : live_element(BPF_MAP_UPDATE_ELEM, map, &key, &fd, 0);

	close(template);
	close(inner);
	close(map);
	return result;
}

static bool have_bpf(void)
{
	int fd = live_create(&hash_desc, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void test_inner_maps_as_linux(void **state)
{
	static const u32 types[] = {BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS};

	if (!have_bpf())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(pairs) * 2; i++) {
		struct map_desc desc = outer_desc(types[i % 2]);
		struct map *template = make(&pairs[i / 2].template, NULL);
		struct map *inner = make(&pairs[i / 2].inner, NULL);
		struct map *map = make(&desc, template);
		u32 key = 1;
		int ours = map_user_update_object(map, &key, &inner->object, 0);
		int theirs = live_pair(&desc, i / 2);

		if (ours != theirs)
			fail_msg("pair %u in type %u: skep %d, Linux %d", i / 2, desc.type,
				 ours, theirs);
		object_put(&template->object);
		object_put(&inner->object);
		object_put(&map->object);
	}
}

static void test_map_of_maps(void **state)
{
	static const u32 types[] = {BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS};

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct map_desc desc = outer_desc(types[i]);
		struct map *inner = make(&hash_desc, NULL), *map = make(&desc, inner);
		u32 key = 1, id = 0;

		inner->object.id = 5;
		assert_ptr_equal(map->desc.inner, &map->inner);
		assert_int_equal(map->desc.inner->type, BPF_MAP_TYPE_HASH);
		assert_int_equal(map_user_update_object(map, &key, &inner->object, 0), 0);
		rcu_read_lock();
		assert_ptr_equal(map_lookup(map, &key, 0), inner);
		rcu_read_unlock();
		assert_int_equal(map_user_lookup(map, &key, &id, 0), 0);
		assert_int_equal(id, 5);
		assert_int_equal(inner->object.refs, 2);
		assert_int_equal(map_user_delete(map, &key), 0);
		assert_int_equal(map_user_delete(map, &key), -ENOENT);
		assert_int_equal(inner->object.refs, 1);
		assert_int_equal(map_user_update_object(map, &key, &inner->object, 0), 0);
		object_put(&inner->object);
		object_put(&map->object);
	}
}

/* One level only, and no template of a type that cannot be one. */
static void test_templates(void **state)
{
	struct map_desc desc = outer_desc(BPF_MAP_TYPE_ARRAY_OF_MAPS);
	struct map_desc progs_desc = outer_desc(BPF_MAP_TYPE_PROG_ARRAY);
	struct map *array = make(&array_desc, NULL), *outer = make(&desc, array);
	struct map *progs = make(&progs_desc, NULL), *map = NULL;

	assert_int_equal(map_new(&desc, NULL, 2, &map, NULL), -EBADF);
	assert_int_equal(map_new(&desc, outer, 2, &map, NULL), -EINVAL);
	assert_int_equal(map_new(&desc, progs, 2, &map, NULL), -524);
	assert_null(map);
	object_put(&array->object);
	object_put(&outer->object);
	object_put(&progs->object);
}

static bool count_devices(void *cookie, const struct map_device *device)
{
	*(u32 *)cookie += device->target;
	return false;
}

static void test_devices(void **state)
{
	static const u32 types[] = {BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH};

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct map_desc desc = {.type = types[i],
					.key_size = 4,
					.value_size = sizeof(struct bpf_devmap_val),
					.max_entries = 4};
		struct map *map = make(&desc, NULL);
		struct bpf_devmap_val value = {.ifindex = 3};
		struct object prog;
		u32 key = 1, sum = 0;

		object_init(&prog, OBJECT_PROG, count_release);
		prog.id = 9;
		assert_true(map_holds_devices(map));
		assert_true(map->desc.flags & BPF_F_RDONLY_PROG);
		assert_int_equal(map_user_update(map, &key, &value, 0), 0);
		key = 2;
		value.ifindex = 4;
		assert_int_equal(map_user_update_device(map, &key, &value, &prog, 0), 0);
		rcu_read_lock();
		assert_int_equal(map_device_find(map, 2)->target, 4);
		assert_ptr_equal(map_device_find(map, 2)->prog, &prog);
		assert_null(map_device_find(map, 0));
		map_device_each(map, count_devices, &sum);
		rcu_read_unlock();
		assert_int_equal(sum, 7);
		assert_int_equal(map_user_lookup(map, &key, &value, 0), 0);
		assert_int_equal(value.ifindex, 4);
		assert_int_equal(value.bpf_prog.id, 9);
		assert_int_equal(map_user_delete(map, &key), 0);
		assert_int_equal(map_user_lookup(map, &key, &value, 0), -ENOENT);
		object_put(&map->object);
		rcu_barrier();
		assert_int_equal(prog.refs, 1);
	}
}

static void test_freeze(void **state)
{
	struct map_desc desc = array_desc;
	struct map *map;
	void *address = NULL;
	u64 value = 5;
	u32 key = 0;

	desc.flags = BPF_F_MMAPABLE;
	map = make(&desc, NULL);
	assert_int_equal(
		map_mmap(map, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0, &address), 0);
	*(u64 *)address = 17;
	assert_int_equal(map_user_lookup(map, &key, &value, 0), 0);
	assert_int_equal(value, 17);
	assert_int_equal(map_freeze(map), -EBUSY);
	munmap(address, 4096);
	assert_int_equal(map_freeze(map), 0);
	assert_int_equal(map_freeze(map), -EPERM);
	assert_int_equal(map_user_update(map, &key, &value, 0), -EPERM);
	assert_int_equal(map_user_lookup(map, &key, &value, 0), 0);
	assert_int_equal(
		map_mmap(map, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0, &address),
		-EPERM);
	assert_int_equal(map_mmap(map, NULL, 4096, PROT_READ, MAP_SHARED, 0, &address), 0);
	munmap(address, 4096);
	assert_int_equal(map_mmap(map, NULL, 8192, PROT_READ, MAP_SHARED, 0, &address),
			 -EINVAL);
	object_put(&map->object);
}

/* Copies leave the fields with a meaning alone, and user space reads them as zeros. */
static void test_special_fields(void **state)
{
	u64 value[4] = {1, 2, 3, 4}, got[4];
	struct map_desc desc = hash_desc;
	struct map *map;
	u32 key = 1;
	u64 *stored;

	desc.value_size = sizeof(value);
	map = make(&desc, NULL);
	map->desc.fields = (struct btf_fields){
		.kinds = BTF_FIELD_BIT(BTF_FIELD_SPIN_LOCK) | BTF_FIELD_BIT(BTF_FIELD_TIMER),
		.count = 2,
		.field = {{.kind = BTF_FIELD_SPIN_LOCK, .offset = 8, .size = 4},
			  {.kind = BTF_FIELD_TIMER, .offset = 16, .size = 16}},
	};
	assert_int_equal(map_user_update(map, &key, value, BPF_F_LOCK | BPF_NOEXIST), 0);
	rcu_read_lock();
	stored = map_lookup(map, &key, 0);
	stored[2] = 99;
	rcu_read_unlock();
	value[0] = 7;
	assert_int_equal(map_user_update(map, &key, value, BPF_F_LOCK), 0);
	assert_int_equal(stored[0], 7);
	assert_int_equal(stored[1], 0);
	assert_int_equal(stored[2], 99);
	assert_int_equal(map_user_lookup(map, &key, got, BPF_F_LOCK), 0);
	assert_int_equal(got[0], 7);
	assert_int_equal(got[1] | got[2] | got[3], 0);
	stored[2] = 0; /* it is no timer that could be ended */
	object_put(&map->object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prog_array),
		cmocka_unit_test(test_inner_maps_as_linux),
		cmocka_unit_test(test_map_of_maps),
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_freeze),
		cmocka_unit_test(test_special_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
