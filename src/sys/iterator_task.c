/* SPDX-License-Identifier: BSD-2-Clause */
/* Iterators over what /proc and the cgroup tree show: tasks, their open files, the areas of
 * their memory; groups. */
#include "helper/kernel_cgroup.h"
#include "helper/kernel_file.h"
#include "helper/kernel_task.h"
#include "sys/iterator.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct kernel_world *world_of(const struct iterator *it)
{
	return it->call->engine->env.kernel;
}

/* --- whose --- */

/* The process of a pidfd. */
static int process_of(struct call *call, u32 fd, pid_t *out)
{
	struct owner_key key;
	int ret = owner_key_of_fd(OWNER_TASK, (int)fd, &key);

	if (ret)
		return call_fail(call, ret == -ENOENT ? -EINVAL : ret,
				 "descriptor %u is no pidfd", fd);
	*out = (pid_t)key.id[0];
	return 0;
}

int iterator_read_task(struct call *call, const union bpf_iter_link_info *info,
		       const struct prog *prog, struct iterator_scope *out)
{
	const u32 tid = info->task.tid, pid = info->task.pid, pid_fd = info->task.pid_fd;

	if (!!tid + !!pid + !!pid_fd > 1)
		return call_fail(call, -EINVAL, "tid, pid and pid_fd exclude each other");
	out->thread = (pid_t)tid;
	out->process = (pid_t)pid;
	return pid_fd ? process_of(call, pid_fd, &out->process) : 0;
}

void iterator_describe_task(const struct iterator_scope *scope, struct bpf_link_info *out)
{
	out->iter.task.tid = (u32)scope->thread;
	out->iter.task.pid = (u32)scope->process;
}

static int list_tasks(const struct iterator_scope *scope, bool threads, struct task_list *out)
{
	if (!scope->thread)
		return task_list_new(out, scope->process, threads);
	*out = (struct task_list){malloc(sizeof(pid_t)), 1};
	if (!out->ids)
		return -ENOMEM;
	*out->ids = scope->thread;
	return 0;
}

typedef bool show_task(struct iterator *it, void *task);

/* Files and memory are those of a process: its threads have no others. */
static void walk_tasks(struct iterator *it, bool threads, show_task *show)
{
	struct task_list list;
	int ret = list_tasks(it->scope, threads, &list);
	bool goes_on = ret != -ENOMEM;

	if (!goes_on)
		it->error = ret;
	for (u32 i = 0; !ret && goes_on && i < list.count; i++) {
		void *task = kernel_task(world_of(it), list.ids[i]);

		if (task && (threads || it->scope->thread ||
			     kernel_task_id(task) ==
				     (pid_t)kernel_value(task, KERNEL_task_struct_tgid)))
			goes_on = show(it, task);
		kernel_put(task);
	}
	if (goes_on)
		iterator_show(it, 0, 0, 0);
	if (!ret)
		task_list_done(&list);
}

static bool show_task_itself(struct iterator *it, void *task)
{
	return iterator_show(it, ptr_to_u64(task), 0, 0);
}

void iterator_walk_tasks(struct iterator *it)
{
	walk_tasks(it, true, show_task_itself);
}

/* --- open files --- */

static bool show_file(struct iterator *it, void *task, u32 fd)
{
	void *file = kernel_file(world_of(it), kernel_task_id(task), fd);
	bool goes_on = !file || iterator_show(it, ptr_to_u64(task), fd, ptr_to_u64(file));

	kernel_put(file);
	return goes_on;
}

static bool show_files(struct iterator *it, void *task)
{
	struct task_list numbers;
	bool goes_on = true;

	if (task_list_files(&numbers, kernel_task_id(task)))
		return true;
	for (u32 i = 0; i < numbers.count && goes_on; i++)
		goes_on = show_file(it, task, (u32)numbers.ids[i]);
	task_list_done(&numbers);
	return goes_on;
}

void iterator_walk_files(struct iterator *it)
{
	walk_tasks(it, false, show_files);
}

/* --- areas of memory --- */

static bool show_areas(struct iterator *it, void *task)
{
	struct area_list list;
	bool goes_on = true;
	void *area;

	if (area_list_new(&list, kernel_task_id(task), 0))
		return true;
	while (goes_on && (area = area_list_next(&list, world_of(it)))) {
		goes_on = iterator_show(it, ptr_to_u64(task), ptr_to_u64(area), 0);
		kernel_put(area);
	}
	area_list_done(&list);
	return goes_on;
}

void iterator_walk_areas(struct iterator *it)
{
	walk_tasks(it, false, show_areas);
}

/* --- groups --- */

/* Linux's BPF_CGROUP_ITER_*, from SELF_ONLY on. */
static bool order_of(u32 order, enum cgroup_order *out)
{
	static const enum cgroup_order orders[] = {CGROUP_SELF, CGROUP_PRE, CGROUP_POST,
						   CGROUP_UP};

	if (!order || order > ARRAY_SIZE(orders))
		return false;
	*out = orders[order - 1];
	return true;
}

static int directory_of_fd(struct call *call, u32 fd, struct iterator_scope *out)
{
	char link[40], path[KERNEL_PATH_BYTES];
	struct owner_key key;
	ssize_t length;
	int ret = owner_key_of_fd(OWNER_CGROUP, (int)fd, &key);

	if (ret)
		return call_fail(call, ret, "descriptor %u is no cgroup's", fd);
	snprintf(link, sizeof(link), "/proc/self/fd/%u", fd);
	length = readlink(link, path, sizeof(path));
	if (length < 0)
		return call_fail(call, -errno, "descriptor %u has no name", fd);
	out->cgroup = key.id[0];
	out->directory = strndup(path, (size_t)length);
	return out->directory ? 0 : -ENOMEM;
}

static int directory_of_id(struct call *call, u64 id, struct iterator_scope *out)
{
	void *group = kernel_cgroup_of_id(call->engine->env.kernel, id);

	if (!group)
		return call_fail(call, -ENOENT, "no cgroup has id %llu", id);
	out->cgroup = id;
	out->directory = strdup(kernel_cgroup_path(group));
	kernel_put(group);
	return out->directory ? 0 : -ENOMEM;
}

static int directory_of_root(struct call *call, struct iterator_scope *out)
{
	const char *mount = cgroup_mount();
	struct stat status;

	if (!mount || stat(mount, &status))
		return call_fail(call, -ENOENT, "no cgroup tree is mounted");
	out->cgroup = status.st_ino;
	out->directory = strdup(mount);
	return out->directory ? 0 : -ENOMEM;
}

int iterator_read_cgroup(struct call *call, const union bpf_iter_link_info *info,
			 const struct prog *prog, struct iterator_scope *out)
{
	enum cgroup_order unused;

	out->order = info->cgroup.order;
	if (!order_of(out->order, &unused))
		return call_fail(call, -EINVAL, "order %u of an iterator over cgroups",
				 out->order);
	if (info->cgroup.cgroup_fd && info->cgroup.cgroup_id)
		return call_fail(call, -EINVAL, "cgroup_fd and cgroup_id exclude each other");
	if (info->cgroup.cgroup_fd)
		return directory_of_fd(call, info->cgroup.cgroup_fd, out);
	return info->cgroup.cgroup_id ? directory_of_id(call, info->cgroup.cgroup_id, out)
				      : directory_of_root(call, out);
}

void iterator_describe_cgroup(const struct iterator_scope *scope, struct bpf_link_info *out)
{
	out->iter.cgroup.cgroup_id = scope->cgroup;
	out->iter.cgroup.order = scope->order;
}

/* The v2 tree's mount; of a directory elsewhere, which is of an older tree, itself. */
static const char *mount_of(const char *directory)
{
	const char *mount = cgroup_mount();

	return mount && !strncmp(directory, mount, strlen(mount)) ? mount : directory;
}

void iterator_walk_groups(struct iterator *it)
{
	const char *directory = it->scope->directory, *mount = mount_of(directory);
	enum cgroup_order order;
	struct cgroup_list list;
	bool goes_on = true;

	if (!order_of(it->scope->order, &order) ||
	    cgroup_list_new(&list, mount, directory, order)) {
		it->error = -ENOMEM;
		return;
	}
	for (u32 i = 0; i < list.count && goes_on; i++) {
		void *group = kernel_cgroup(world_of(it), mount, list.paths[i]);

		if (group)
			goes_on = iterator_show(it, ptr_to_u64(group), 0, 0);
		kernel_put(group);
	}
	if (goes_on)
		iterator_show(it, 0, 0, 0);
	cgroup_list_done(&list);
}
