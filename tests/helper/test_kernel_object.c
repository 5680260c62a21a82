/* SPDX-License-Identifier: BSD-2-Clause */
/* Structures of the kernel that programs see: every row of kernel_members.def, and who holds
 * whom. */
#include "base/os.h"
#include "base/rcu.h"
#include "helper/kernel_object.h"
#include "helper/kernel_task.h"
#include "helper/run_context.h"
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BTF_MAX (256 << 20)

/* An engine is what its types are. */
static const struct btf_view *types(void *engine)
{
	return engine;
}

static struct btf_view *read_types(void)
{
	struct btf_view *out = NULL;
	struct skep_error err;
	size_t size;
	char *data;

	if (os_read_file("/sys/kernel/btf/vmlinux", BTF_MAX, &data, &size))
		return NULL;
	if (btf_view_new(data, size, &out, NULL, &err))
		out = NULL;
	free(data);
	return out;
}

static const struct {
	enum kernel_structure structure;
	enum kernel_member member;
	const char *name;
} rows[] = {
#define STRUCTURE(name, bytes)
#define MEMBER(structure, name, path) \
	{KERNEL_STRUCT_##structure, KERNEL_##structure##_##name, #structure "." path},
#include "helper/kernel_members.def"
};

/* A member keeps what is put there; without types all of them are left out. */
static void members_are_set(void **state)
{
	struct run_env env = {.kernel_types = types, .engine = *state};
	struct kernel_world *world = kernel_world_new(&env);

	assert_non_null(world);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		void *object = kernel_new(world, rows[i].structure);
		const u64 want = *state ? 0x5a : 0;

		assert_non_null(object);
		kernel_set(object, rows[i].member, 0x5a);
		kernel_set_text(object, rows[i].member, "Z");
		if (kernel_value(object, rows[i].member) != want)
			fail_msg("%s: not there", rows[i].name);
		kernel_put(object);
	}
	kernel_world_free(world);
}

static void objects_hold_each_other(void **state)
{
	struct run_env env = {.kernel_types = types, .engine = *state};
	struct kernel_world *world = kernel_world_new(&env);
	void *group = kernel_new(world, KERNEL_STRUCT_cgroup);
	void *node = kernel_new(world, KERNEL_STRUCT_kernfs_node);

	kernel_hold(group, KERNEL_cgroup_kn, node);
	kernel_hold(group, KERNEL_cgroup_kn, NULL);
	assert_true(kernel_get(node));
	kernel_put(group);
	rcu_barrier();
	assert_int_equal(kernel_hidden(node)->references, 1);
	kernel_put(node);
	assert_false(kernel_get(NULL));
	kernel_world_free(world);
}

static void tasks_are_those_of_proc(void **state)
{
	struct run_env env = {.kernel_types = types, .engine = *state};
	struct kernel_world *world = kernel_world_new(&env);
	void *task = kernel_task(world, getpid());
	struct task_list list;
	bool found = false;

	assert_non_null(task);
	assert_int_equal(kernel_task_id(task), getpid());
	assert_true(kernel_task_is_current(task));
	assert_null(kernel_task(world, -1));
	assert_null(kernel_task(world, INT32_MAX));
	kernel_put(task);
	assert_int_equal(task_list_new(&list, getpid(), true), 0);
	for (u32 i = 0; i < list.count; i++)
		found = found || list.ids[i] == gettid();
	assert_true(found);
	task_list_done(&list);
	assert_int_equal(task_list_new(&list, INT32_MAX, true), -ESRCH);
	kernel_world_free(world);
}

int main(void)
{
	struct btf_view *view = read_types(); /* NULL: this kernel shows none */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_set),
		cmocka_unit_test(objects_hold_each_other),
		cmocka_unit_test(tasks_are_those_of_proc),
		cmocka_unit_test_prestate(members_are_set, view),
		cmocka_unit_test_prestate(objects_hold_each_other, view),
		cmocka_unit_test_prestate(tasks_are_those_of_proc, view),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	btf_view_free(view);
	return failed;
}
