/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers of local storage, with an owner that a program was given. */
#include "btf/btf.h"
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
		u32 get, delete;
	} rows[] = {
		{BPF_MAP_TYPE_INODE_STORAGE, OWNER_INODE, BPF_FUNC_inode_storage_get,
		 BPF_FUNC_inode_storage_delete},
		{BPF_MAP_TYPE_CGRP_STORAGE, OWNER_CGROUP, BPF_FUNC_cgrp_storage_get,
		 BPF_FUNC_cgrp_storage_delete},
		{BPF_MAP_TYPE_TASK_STORAGE, OWNER_TASK, BPF_FUNC_task_storage_get,
		 BPF_FUNC_task_storage_delete},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct owners *owners = owners_new();
		struct map *map = make_map(owners, rows[i].type);
		struct owner *owner = owner_unnamed(rows[i].kind);
		helper_fn *get = helper_body(rows[i].get),
			  *delete = helper_body(rows[i].delete);
		const u64 which = ptr_to_u64(map), whose = ptr_to_u64(owner);
		u32 initial = 7, *value;

		rcu_read_lock();
		assert_int_equal(get(which, whose, 0, 0, 0, NULL), 0);
		assert_int_equal(get(which, whose, 0, 2, 0, NULL), 0);
		value = u64_to_ptr(get(which, whose, ptr_to_u64(&initial), 1, 0, NULL));
		assert_non_null(value);
		assert_int_equal(*value, 7);
		assert_int_equal(get(which, whose, 0, 0, 0, NULL), ptr_to_u64(value));
		assert_int_equal(delete (which, whose, 0, 0, 0, NULL), 0);
		assert_int_equal((s64) delete (which, whose, 0, 0, 0, NULL), -ENOENT);
		assert_int_equal((s64) delete (which, 0, 0, 0, 0, NULL), -EINVAL);
		rcu_read_unlock();
		object_put(&map->object);
		owner_end(owner);
		rcu_barrier();
		owners_free(owners);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(helpers_keep_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
