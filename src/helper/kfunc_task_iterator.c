/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open-coded iterators over tasks, over areas of a task's memory, and over the tasks of a
 * group. What a program got stays until its read-side section ends.
 */
#include "base/os.h"
#include "helper/body.h"
#include "helper/kernel_cgroup.h"
#include "helper/kernel_file.h"
#include "helper/kernel_task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- tasks --- */
enum { ALL_PROCESSES, ALL_THREADS, THREADS_OF_PROCESS };

struct task_iterator {
	pid_t *ids; /* owned; NULL: nothing to come */
	u32 count, next;
	void *current; /* reference */
};

_Static_assert(sizeof(struct task_iterator) == 24, "as large as struct bpf_iter_task");

/* A process's threads from this one on. */
static u32 index_of(const struct task_list *list, pid_t id)
{
	u32 i = 0;

	while (i < list->count && list->ids[i] < id)
		i++;
	return i;
}

KFUNC_BODY(bpf_iter_task_new)
{
	struct task_iterator *it = u64_to_ptr(r1);
	void *task = u64_to_ptr(r2);
	const u32 kind = r3;
	struct task_list list;
	pid_t group = 0;
	int ret;

	*it = (struct task_iterator){0};
	if (kind > THREADS_OF_PROCESS || (kind == THREADS_OF_PROCESS && !task))
		return -EINVAL;
	if (kind == THREADS_OF_PROCESS)
		group = (pid_t)kernel_value(task, KERNEL_task_struct_tgid);
	ret = task_list_new(&list, group, kind != ALL_PROCESSES);
	if (ret == -ENOMEM)
		return ret;
	it->ids = list.ids;
	it->count = list.count;
	if (group)
		it->next = index_of(&list, kernel_task_id(task));
	return 0;
}

static void *next_task(struct kernel_world *world, const pid_t *ids, u32 count, u32 *next)
{
	void *task = NULL;

	while (!task && *next < count)
		task = kernel_task(world, ids[(*next)++]);
	return task;
}

KFUNC_BODY(bpf_iter_task_next)
{
	struct task_iterator *it = u64_to_ptr(r1);
	void *task = next_task(run->env->kernel, it->ids, it->count, &it->next);

	kernel_put(it->current);
	it->current = task;
	return ptr_to_u64(task);
}

KFUNC_BODY(bpf_iter_task_destroy)
{
	struct task_iterator *it = u64_to_ptr(r1);

	kernel_put(it->current);
	free(it->ids);
	*it = (struct task_iterator){0};
	return 0;
}

/* --- areas of memory --- */
struct area_iterator {
	struct area_list list;
	void *current; /* reference */
};

/* The program's 8 bytes hold a pointer, which it owns; NULL: nothing to come. */
KFUNC_BODY(bpf_iter_task_vma_new)
{
	struct area_iterator **state = u64_to_ptr(r1), *it;
	int ret;

	*state = NULL;
	if (!r2)
		return -ENOENT;
	it = calloc(1, sizeof(*it));
	if (!it)
		return -ENOMEM;
	ret = area_list_new(&it->list, kernel_task_id(u64_to_ptr(r2)), r3);
	if (ret)
		free(it);
	else
		*state = it;
	return ret;
}

KFUNC_BODY(bpf_iter_task_vma_next)
{
	struct area_iterator *it = *(struct area_iterator **)u64_to_ptr(r1);

	if (!it)
		return 0;
	kernel_put(it->current);
	it->current = area_list_next(&it->list, run->env->kernel);
	return ptr_to_u64(it->current);
}

KFUNC_BODY(bpf_iter_task_vma_destroy)
{
	struct area_iterator **state = u64_to_ptr(r1), *it = *state;

	if (it) {
		kernel_put(it->current);
		area_list_done(&it->list);
		free(it);
	}
	*state = NULL;
	return 0;
}

/* --- tasks of a group --- */
#define CSS_TASKS_PROCESSES 1 /* Linux's CSS_TASK_ITER_PROCS */
#define CSS_TASKS_THREADED  2 /* CSS_TASK_ITER_THREADED */
#define GROUP_FILE_MAX	    (16 << 20)

struct group_iterator {
	char *text, *rest; /* ids of tasks; owned; what is not read yet */
	void *current;	   /* reference */
};

static int read_members(void *group, bool processes, char **out)
{
	char path[KERNEL_PATH_BYTES + 32];
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", kernel_cgroup_path(group),
		 processes ? "cgroup.procs" : "cgroup.threads");
	return os_read_file(path, GROUP_FILE_MAX, out, &size);
}

/* 0: there is none. */
static pid_t next_member(struct group_iterator *it)
{
	char *end = it->rest;
	const pid_t id = end ? (pid_t)strtol(it->rest, &end, 10) : 0;

	it->rest = end;
	return id;
}

KFUNC_BODY(bpf_iter_css_task_new)
{
	struct group_iterator **state = u64_to_ptr(r1), *it;
	const u32 flags = r3;
	int ret;

	*state = NULL;
	if (flags && flags != CSS_TASKS_PROCESSES &&
	    flags != (CSS_TASKS_PROCESSES | CSS_TASKS_THREADED))
		return -EINVAL;
	it = calloc(1, sizeof(*it));
	if (!it)
		return -ENOMEM;
	ret = r2 ? read_members(u64_to_ptr(r2), flags & CSS_TASKS_PROCESSES, &it->text)
		 : -ENOENT;
	if (ret == -ENOMEM) {
		free(it);
		return ret;
	}
	it->rest = ret ? NULL : it->text;
	*state = it;
	return 0;
}

KFUNC_BODY(bpf_iter_css_task_next)
{
	struct group_iterator *it = *(struct group_iterator **)u64_to_ptr(r1);
	void *task = NULL;
	pid_t id;

	if (!it)
		return 0;
	while (!task && (id = next_member(it)))
		task = kernel_task(run->env->kernel, id);
	kernel_put(it->current);
	it->current = task;
	return ptr_to_u64(task);
}

KFUNC_BODY(bpf_iter_css_task_destroy)
{
	struct group_iterator **state = u64_to_ptr(r1), *it = *state;

	if (it) {
		kernel_put(it->current);
		free(it->text);
		free(it);
	}
	*state = NULL;
	return 0;
}
