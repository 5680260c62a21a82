/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers of local storage, with an owner that a program was given. */
#include "btf/btf.h"
#include "helper/kernel_object.h"
#include "helper/run_context.h"
#include "map/local_storage.h"
#include "tests/types.h"
#include "tests/unit.h"

#include <errno.h>

static struct map *make_map(struct owners *owners, u32 type)
{
	const struct map_desc desc = {.type = type,
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

static void helpers_keep_values(void **state)
{
	static const struct {
		u32 type;
		enum owner_kind kind;
		enum kernel_structure structure;
		u32 get, delete;
	} rows[] = {
		{BPF_MAP_TYPE_INODE_STORAGE, OWNER_INODE, KERNEL_STRUCT_inode,
		 BPF_FUNC_inode_storage_get, BPF_FUNC_inode_storage_delete},
		{BPF_MAP_TYPE_CGRP_STORAGE, OWNER_CGROUP, KERNEL_STRUCT_cgroup,
		 BPF_FUNC_cgrp_storage_get, BPF_FUNC_cgrp_storage_delete},
		{BPF_MAP_TYPE_TASK_STORAGE, OWNER_TASK, KERNEL_STRUCT_task_struct,
		 BPF_FUNC_task_storage_get, BPF_FUNC_task_storage_delete},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct owners *owners = owners_new();
		struct map *map = make_map(owners, rows[i].type);
		struct run_env env = {.owners = owners};
		struct run_context run = {.env = &env};
		void *object;
		helper_fn *get = helper_body(rows[i].get),
			  *delete = helper_body(rows[i].delete);
		const u64 which = ptr_to_u64(map);
		u64 whose;
		u32 initial = 7, *value;

		env.kernel = kernel_world_new(&env);
		object = kernel_new(env.kernel, rows[i].structure);
		assert_non_null(object);
		kernel_hidden(object)->key = (struct owner_key){rows[i].kind, {1, 2, 3}};
		whose = ptr_to_u64(object);
		rcu_read_lock();
		assert_int_equal(get(which, whose, 0, 0, 0, &run), 0);
		assert_int_equal(get(which, whose, 0, 2, 0, &run), 0);
		value = u64_to_ptr(get(which, whose, ptr_to_u64(&initial), 1, 0, &run));
		assert_non_null(value);
		assert_int_equal(*value, 7);
		assert_int_equal(get(which, whose, 0, 0, 0, &run), ptr_to_u64(value));
		assert_int_equal(delete (which, whose, 0, 0, 0, &run), 0);
		assert_int_equal((s64) delete (which, whose, 0, 0, 0, &run), -ENOENT);
		assert_int_equal((s64) delete (which, 0, 0, 0, 0, &run), -EINVAL);
		rcu_read_unlock();
		object_put(&map->object);
		kernel_put(object);
		rcu_barrier();
		owners_free(owners);
		kernel_world_free(env.kernel);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(helpers_keep_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
