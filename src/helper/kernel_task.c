/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper/kernel_task.h"

#include "base/os.h"
#include "helper/kernel_cgroup.h"
#include "helper/kernel_file.h"
#include "helper/run_context.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAT_FIELDS 52 /* of /proc/PID/stat, counted from 1 as proc(5) does */
#define FILE_MAX    (1 << 16)
#define NS_PER_SEC  1000000000ull
#define NORMAL_PRIO 120 /* of nice 0 */
#define PROC_PRIO   100 /* what /proc takes off a priority */
#define TASK_COMM   16

/* --- what /proc tells --- */

struct proc_task {
	pid_t id;
	u64 number[STAT_FIELDS +
		   1]; /* by field; 2 (the name) and 3 (the state) are elsewhere */
	char comm[TASK_COMM];
	char state;
	char *status; /* /proc/PID/status; owned */
};

static char *read_file(pid_t task, const char *name)
{
	char path[48], *text;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%d/%s", task, name);
	return os_read_file(path, FILE_MAX, &text, &size) ? NULL : text;
}

static bool parse_stat(const char *text, struct proc_task *out)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	char *at;

	if (!open || !close || close < open || close[1] != ' ')
		return false;
	snprintf(out->comm, sizeof(out->comm), "%.*s", (int)(close - open - 1), open + 1);
	out->state = close[2];
	at = (char *)close + 3;
	for (u32 i = 4; i <= STAT_FIELDS && *at; i++)
		out->number[i] = *at == '-' || at[1] == '-' ? (u64)strtoll(at, &at, 10)
							    : strtoull(at, &at, 10);
	return true;
}

static bool read_task(pid_t id, struct proc_task *out)
{
	char *stat = read_file(id, "stat");
	bool ok;

	*out = (struct proc_task){.id = id};
	ok = stat && parse_stat(stat, out);
	free(stat);
	out->status = ok ? read_file(id, "status") : NULL;
	return out->status;
}

/* The numbers of a line of /proc/PID/status: how many there were. */
static u32 status_numbers(const struct proc_task *from, const char *name, int base, u64 *out,
			  u32 count)
{
	const size_t length = strlen(name);
	const char *line = from->status;
	u32 got = 0;

	while (line && (strncmp(line, name, length) || line[length] != ':'))
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
	for (char *at = line ? (char *)line + length + 1 : NULL, *end; at && got < count;
	     at = end) {
		out[got] = strtoull(at, &end, base);
		if (end == at)
			break;
		got++;
	}
	return got;
}

static u64 status_number(const struct proc_task *from, const char *name)
{
	u64 number = 0;

	status_numbers(from, name, 10, &number, 1);
	return number;
}

static u64 number_in_file(pid_t task, const char *name)
{
	char *text = read_file(task, name);
	const u64 number = text ? strtoull(text, NULL, 10) : 0;

	free(text);
	return number;
}

/* --- parts --- */

static void *make_cred(struct kernel_world *world, const struct proc_task *from)
{
	static const struct {
		const char *name;
		enum kernel_member member;
	} capabilities[] = {
		{"CapInh", KERNEL_cred_cap_inheritable}, {"CapPrm", KERNEL_cred_cap_permitted},
		{"CapEff", KERNEL_cred_cap_effective},	 {"CapBnd", KERNEL_cred_cap_bset},
		{"CapAmb", KERNEL_cred_cap_ambient},
	};
	static const enum kernel_member uids[] = {KERNEL_cred_uid, KERNEL_cred_euid,
						  KERNEL_cred_suid, KERNEL_cred_fsuid},
					gids[] = {KERNEL_cred_gid, KERNEL_cred_egid,
						  KERNEL_cred_sgid, KERNEL_cred_fsgid};
	void *cred = kernel_new(world, KERNEL_STRUCT_cred);
	u64 uid[4] = {0}, gid[4] = {0};

	if (!cred)
		return NULL;
	status_numbers(from, "Uid", 10, uid, 4);
	status_numbers(from, "Gid", 10, gid, 4);
	for (u32 i = 0; i < 4; i++) {
		kernel_set(cred, uids[i], uid[i]);
		kernel_set(cred, gids[i], gid[i]);
	}
	for (u32 i = 0; i < ARRAY_SIZE(capabilities); i++) {
		u64 set = 0;

		status_numbers(from, capabilities[i].name, 16, &set, 1);
		kernel_set(cred, capabilities[i].member, set);
	}
	return cred;
}

/* Addresses are 0 in the files of processes that this one may not trace. */
static void *make_mm(struct kernel_world *world, const struct proc_task *from)
{
	static const struct {
		u32 field;
		enum kernel_member member;
	} addresses[] = {
		{26, KERNEL_mm_struct_start_code},  {27, KERNEL_mm_struct_end_code},
		{28, KERNEL_mm_struct_start_stack}, {45, KERNEL_mm_struct_start_data},
		{46, KERNEL_mm_struct_end_data},    {47, KERNEL_mm_struct_start_brk},
		{48, KERNEL_mm_struct_arg_start},   {49, KERNEL_mm_struct_arg_end},
		{50, KERNEL_mm_struct_env_start},   {51, KERNEL_mm_struct_env_end},
	};
	char exe[40];
	void *mm;

	if (!from->number[23]) /* a thread of the kernel has no memory */
		return NULL;
	mm = kernel_new(world, KERNEL_STRUCT_mm_struct);
	for (u32 i = 0; mm && i < ARRAY_SIZE(addresses); i++)
		kernel_set(mm, addresses[i].member, from->number[addresses[i].field]);
	if (!mm)
		return NULL;
	kernel_set(mm, KERNEL_mm_struct_total_vm, from->number[23] / os_page_size());
	snprintf(exe, sizeof(exe), "/proc/%d/exe", from->id);
	kernel_hold(mm, KERNEL_mm_struct_exe_file, kernel_file_behind(world, exe));
	return mm;
}

static void *make_css_set(struct kernel_world *world, pid_t task)
{
	void *set = kernel_new(world, KERNEL_STRUCT_css_set);

	if (set)
		kernel_hold(set, KERNEL_css_set_dfl_cgrp,
			    kernel_cgroup_of_task(world, task, 0));
	return set;
}

/* As the kernel numbers them. */
static void set_state(void *task, char state)
{
	static const char running[] = "RSDTt";
	const char *at = strchr(running, state);

	if (at && at > running)
		kernel_set(task, KERNEL_task_struct_state, 1u << (at - running - 1));
	else if (state == 'Z')
		kernel_set(task, KERNEL_task_struct_exit_state, 0x20);
	else if (state == 'X')
		kernel_set(task, KERNEL_task_struct_exit_state, 0x10);
	else if (state == 'I')
		kernel_set(task, KERNEL_task_struct_state, 0x402);
}

static void set_numbers(void *task, const struct proc_task *from)
{
	static const struct {
		u32 field;
		enum kernel_member member;
	} fields[] = {
		{9, KERNEL_task_struct_flags},	      {10, KERNEL_task_struct_min_flt},
		{12, KERNEL_task_struct_maj_flt},     {39, KERNEL_task_struct_cpu},
		{40, KERNEL_task_struct_rt_priority}, {41, KERNEL_task_struct_policy},
		{52, KERNEL_task_struct_exit_code},
	};
	const u64 tick = NS_PER_SEC / (u64)sysconf(_SC_CLK_TCK);

	for (u32 i = 0; i < ARRAY_SIZE(fields); i++)
		kernel_set(task, fields[i].member, from->number[fields[i].field]);
	kernel_set(task, KERNEL_task_struct_prio, from->number[18] + PROC_PRIO);
	kernel_set(task, KERNEL_task_struct_normal_prio, from->number[18] + PROC_PRIO);
	kernel_set(task, KERNEL_task_struct_static_prio, from->number[19] + NORMAL_PRIO);
	kernel_set(task, KERNEL_task_struct_utime, from->number[14] * tick);
	kernel_set(task, KERNEL_task_struct_stime, from->number[15] * tick);
	kernel_set(task, KERNEL_task_struct_start_boottime, from->number[22] * tick);
	kernel_set(task, KERNEL_task_struct_nvcsw,
		   status_number(from, "voluntary_ctxt_switches"));
	kernel_set(task, KERNEL_task_struct_nivcsw,
		   status_number(from, "nonvoluntary_ctxt_switches"));
	kernel_set(task, KERNEL_task_struct_loginuid, number_in_file(from->id, "loginuid"));
	kernel_set(task, KERNEL_task_struct_sessionid, number_in_file(from->id, "sessionid"));
}

/* --- the task --- */

/* What it is called, whose it is, and what it belongs to. */
static void *make_task(struct kernel_world *world, const struct proc_task *from)
{
	void *task = kernel_new(world, KERNEL_STRUCT_task_struct);
	const pid_t tgid = (pid_t)status_number(from, "Tgid");
	void *cred;

	if (!task)
		return NULL;
	kernel_hidden(task)->key =
		(struct owner_key){OWNER_TASK, {(u64)from->id, from->number[22]}};
	kernel_set(task, KERNEL_task_struct_pid, from->id);
	kernel_set(task, KERNEL_task_struct_tgid, tgid);
	kernel_set_text(task, KERNEL_task_struct_comm, from->comm);
	set_state(task, from->state);
	set_numbers(task, from);
	cred = make_cred(world, from);
	kernel_hold(task, KERNEL_task_struct_cred, cred);
	kernel_set(task, KERNEL_task_struct_real_cred, ptr_to_u64(cred));
	kernel_hold(task, KERNEL_task_struct_mm, make_mm(world, from));
	kernel_hold(task, KERNEL_task_struct_cgroups, make_css_set(world, from->id));
	return task;
}

/* Relatives of relatives are not asked for: those pointers are NULL. */
static void *make_relative(struct kernel_world *world, pid_t id)
{
	struct proc_task from;
	void *task = NULL;

	if (id && read_task(id, &from)) {
		task = make_task(world, &from);
		free(from.status);
	}
	return task;
}

static void set_relatives(struct kernel_world *world, void *task, pid_t tgid, pid_t parent_id)
{
	void *parent = make_relative(world, parent_id);

	if (tgid == kernel_task_id(task))
		kernel_set(task, KERNEL_task_struct_group_leader, ptr_to_u64(task));
	else
		kernel_hold(task, KERNEL_task_struct_group_leader, make_relative(world, tgid));
	kernel_hold(task, KERNEL_task_struct_real_parent, parent);
	kernel_set(task, KERNEL_task_struct_parent, ptr_to_u64(parent));
}

void *kernel_task(struct kernel_world *world, pid_t thread)
{
	struct proc_task from;
	void *task;

	if (thread <= 0 || !read_task(thread, &from))
		return NULL;
	task = make_task(world, &from);
	if (task)
		set_relatives(world, task, (pid_t)status_number(&from, "Tgid"),
			      (pid_t)from.number[4]);
	free(from.status);
	return task;
}

pid_t kernel_task_id(void *task)
{
	return task ? (pid_t)kernel_hidden(task)->key.id[0] : 0;
}

bool kernel_task_is_current(void *task)
{
	return task && kernel_task_id(task) == gettid();
}

/* --- the calling thread --- */

static void release_object(void *object)
{
	kernel_put(object);
}

/* Another thread may have been asked at the same time by a program of its own; not this one. */
static void *make_current(const struct run_context *run, struct owner *owner)
{
	void *task = kernel_task(run->env->kernel, (pid_t)owner->key.id[0]);

	owner->object = task;
	owner->release_object = release_object;
	return task;
}

void *kernel_task_current(const struct run_context *run)
{
	struct owner *owner = run->env->owners ? owner_current_task(run->env->owners) : NULL;

	if (!owner)
		return NULL;
	return likely(owner->object) ? owner->object : make_current(run, owner);
}

struct owner *kernel_owner(const struct run_context *run, void *object)
{
	struct owner *current;

	if (!object || !run->env->owners)
		return NULL;
	current = owner_current_task(run->env->owners);
	return current && current->object == object
		       ? current
		       : owner_make(run->env->owners, &kernel_hidden(object)->key, -1);
}

/* --- lists --- */

static int by_number(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

/* The directories of a path whose names are numbers. */
static int add_numbers(struct task_list *list, const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int ret = directory ? 0 : -ESRCH;

	while (!ret && (entry = readdir(directory))) {
		pid_t *grown;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		grown = realloc(list->ids, (list->count + 1) * sizeof(*grown));
		ret = grown ? 0 : -ENOMEM;
		if (ret)
			break;
		list->ids = grown;
		grown[list->count++] = (pid_t)atoi(entry->d_name);
	}
	if (directory)
		closedir(directory);
	return ret;
}

static int add_threads(struct task_list *list, pid_t group)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/task", group);
	return add_numbers(list, path);
}

/* A process that ended meanwhile has no threads. */
static int add_all_threads(struct task_list *list)
{
	struct task_list processes = {0};
	int ret = add_numbers(&processes, "/proc");

	for (u32 i = 0; i < processes.count && ret != -ENOMEM; i++)
		ret = add_threads(list, processes.ids[i]);
	free(processes.ids);
	return ret == -ENOMEM ? ret : 0;
}

static int finish_list(struct task_list *list, int ret)
{
	if (ret)
		task_list_done(list);
	else if (list->count)
		qsort(list->ids, list->count, sizeof(*list->ids), by_number);
	return ret;
}

int task_list_new(struct task_list *list, pid_t group, bool threads)
{
	*list = (struct task_list){0};
	if (group)
		return finish_list(list, add_threads(list, group));
	return finish_list(list, threads ? add_all_threads(list) : add_numbers(list, "/proc"));
}

int task_list_files(struct task_list *list, pid_t task)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/fd", task);
	*list = (struct task_list){0};
	return finish_list(list, add_numbers(list, path));
}

void task_list_done(struct task_list *list)
{
	free(list->ids);
	*list = (struct task_list){0};
}
