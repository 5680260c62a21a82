// SPDX-License-Identifier: BSD-2-Clause
/* Tasks, their memory and their groups, as the kernel's structures show them. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "check.h"

#define ESRCH 3

struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
void bpf_task_release(struct task_struct *task) __ksym;
struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
struct task_struct *bpf_task_from_vpid(s32 pid) __ksym;
int bpf_send_signal_task(struct task_struct *task, int sig, enum pid_type type, u64 value) __ksym;
long bpf_task_under_cgroup(struct task_struct *task, struct cgroup *ancestor) __ksym;
struct cgroup *bpf_task_get_cgroup1(struct task_struct *task, int hierarchy) __ksym;
struct cgroup *bpf_cgroup_acquire(struct cgroup *group) __ksym;
void bpf_cgroup_release(struct cgroup *group) __ksym;
struct cgroup *bpf_cgroup_ancestor(struct cgroup *group, int level) __ksym;
struct cgroup *bpf_cgroup_from_id(u64 id) __ksym;
int bpf_copy_from_user_task_str(void *to, u32 size, const void *from, struct task_struct *task,
				u64 flags) __ksym;
int bpf_copy_from_user_task_dynptr(struct bpf_dynptr *to, u32 offset, u32 size, const void *from,
				   struct task_struct *task) __ksym;
int bpf_copy_from_user_task_str_dynptr(struct bpf_dynptr *to, u32 offset, u32 size, const void *from,
				       struct task_struct *task) __ksym;
void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;
int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned int flags) __ksym;
struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;
int bpf_iter_task_vma_new(struct bpf_iter_task_vma *it, struct task_struct *task, u64 address) __ksym;
struct vm_area_struct *bpf_iter_task_vma_next(struct bpf_iter_task_vma *it) __ksym;
void bpf_iter_task_vma_destroy(struct bpf_iter_task_vma *it) __ksym;
int bpf_iter_css_new(struct bpf_iter_css *it, struct cgroup_subsys_state *start, unsigned int flags) __ksym;
struct cgroup_subsys_state *bpf_iter_css_next(struct bpf_iter_css *it) __ksym;
void bpf_iter_css_destroy(struct bpf_iter_css *it) __ksym;
int bpf_iter_css_task_new(struct bpf_iter_css_task *it, struct cgroup_subsys_state *css,
			  unsigned int flags) __ksym;
struct task_struct *bpf_iter_css_task_next(struct bpf_iter_css_task *it) __ksym;
void bpf_iter_css_task_destroy(struct bpf_iter_css_task *it) __ksym;
int bpf_cgroup_read_xattr(struct cgroup *group, const char *name, struct bpf_dynptr *out) __ksym;
struct kmem_cache *bpf_get_kmem_cache(u64 address) __ksym;

#define FOR_EACH(kind, item, args...)                                                              \
	for (struct bpf_iter_##kind it, *once = (bpf_iter_##kind##_new(&it, args), &it); once;     \
	     bpf_iter_##kind##_destroy(&it), once = NULL)                                          \
		while ((item = bpf_iter_##kind##_next(&it)))

long seen[64];
char text[64];
/* Counters are no locals: each round would be a state of its own. */
long before, behind, up, processes, threads, own, leaders;

static bool same_text(const char *a, const char *b, int size)
{
	for (int i = 0; i < size; i++) {
		if (a[i] != b[i])
			return false;
		if (!a[i])
			return true;
	}
	return true;
}

SEC("syscall") int fields_of_the_current_task(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const u64 ids = bpf_get_current_pid_tgid();
	char comm[16];

	CHECK(task->pid == (u32)ids);
	CHECK(task->tgid == ids >> 32);
	bpf_get_current_comm(comm, sizeof(comm));
	CHECK(same_text(comm, task->comm, 16));
	CHECK(task->group_leader->pid == ids >> 32);
	CHECK(task->real_parent->tgid);
	CHECK(task->cred->uid.val == (u32)bpf_get_current_uid_gid());
	CHECK(task->cred->gid.val == bpf_get_current_uid_gid() >> 32);
	CHECK(task->mm->arg_start && task->mm->arg_end > task->mm->arg_start);
	CHECK(task->cgroups->dfl_cgrp->kn->id == bpf_get_current_cgroup_id());
	seen[0] = task->real_parent->tgid;
	seen[1] = task->static_prio;
	seen[2] = task->policy;
	seen[3] = task->mm->arg_start;
	seen[4] = task->mm->env_end;
	seen[5] = task->mm->start_stack;
	seen[6] = task->start_boottime / 10000000;
	seen[7] = task->cred->cap_effective.val;
	seen[8] = task->cgroups->dfl_cgrp->level;
	seen[9] = task->prio;
	seen[10] = task->loginuid.val;
	return 0;
}

SEC("syscall") int registers_of_the_current_task(void *ctx)
{
	CHECK(bpf_task_pt_regs(bpf_get_current_task_btf()));
	return 0;
}

SEC("syscall") int the_current_task_as_a_number(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	CHECK(task == bpf_get_current_task_btf());
	CHECK(BPF_CORE_READ(task, pid) == (u32)bpf_get_current_pid_tgid());
	CHECK(BPF_CORE_READ(task, group_leader, tgid) == bpf_get_current_pid_tgid() >> 32);
	seen[0] = BPF_CORE_READ(task, real_parent, tgid);
	return 0;
}

SEC("syscall") int tasks_by_id(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(bpf_get_current_pid_tgid()), *again;

	CHECK(task);
	seen[0] = task->pid != (u32)bpf_get_current_pid_tgid();
	seen[1] = task->tgid != bpf_get_current_pid_tgid() >> 32;
	again = bpf_task_acquire(task);
	bpf_task_release(task);
	CHECK(again);
	seen[2] = again->pid != (u32)bpf_get_current_pid_tgid();
	bpf_task_release(again);
	task = bpf_task_from_pid(-1);
	if (task) {
		bpf_task_release(task);
		return __LINE__;
	}
	task = bpf_task_from_pid(0x7fffffff);
	if (task) {
		bpf_task_release(task);
		return __LINE__;
	}
	task = bpf_task_from_vpid(bpf_get_current_pid_tgid());
	seen[3] = task ? task->pid != (u32)bpf_get_current_pid_tgid() : -1;
	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("syscall") int signals_to_tasks(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	CHECK(bpf_send_signal_task(task, 0, PIDTYPE_PID, 0) == 0);
	CHECK(bpf_send_signal_task(task, 0, PIDTYPE_TGID, 0) == 0);
	CHECK(bpf_send_signal_task(task, 0, PIDTYPE_PID, 7) == 0);
	CHECK(bpf_send_signal_task(task, 0, PIDTYPE_PGID, 0) == -EINVAL);
	seen[0] = bpf_send_signal_task(task, 200, PIDTYPE_PID, 0);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, long);
} of_tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, long);
} of_groups SEC(".maps");

/* One task, by whatever pointer. */
SEC("syscall") int storage_of_tasks(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(bpf_get_current_pid_tgid());
	long *value, *same;

	CHECK(task);
	value = bpf_task_storage_get(&of_tasks, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	same = bpf_task_storage_get(&of_tasks, task, 0, 0);
	if (value)
		*value += 1;
	seen[0] = value == same;
	seen[1] = value ? *value : 0;
	bpf_task_storage_delete(&of_tasks, task);
	bpf_task_release(task);
	CHECK(value);
	CHECK(!bpf_task_storage_get(&of_tasks, bpf_get_current_task_btf(), 0, 0));
	return 0;
}

SEC("syscall") int groups(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct cgroup *group = bpf_cgroup_from_id(bpf_get_current_cgroup_id()), *above, *again;
	long *value;

	CHECK(group);
	seen[0] = group->kn->id == bpf_get_current_cgroup_id();
	seen[1] = group->level;
	seen[2] = bpf_task_under_cgroup(task, group);
	seen[3] = group->self.cgroup == group;
	above = bpf_cgroup_ancestor(group, 0);
	if (above) {
		seen[4] = above->level == 0;
		seen[5] = bpf_task_under_cgroup(task, above);
		again = bpf_cgroup_acquire(above);
		bpf_cgroup_release(above);
		if (again) {
			seen[6] = again->kn->id;
			bpf_cgroup_release(again);
		}
	}
	above = bpf_cgroup_ancestor(group, group->level + 1);
	seen[7] = !!above;
	if (above)
		bpf_cgroup_release(above);
	above = bpf_cgroup_ancestor(group, -1);
	seen[8] = !!above;
	if (above)
		bpf_cgroup_release(above);
	value = bpf_cgrp_storage_get(&of_groups, group, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	seen[9] = !!value;
	seen[10] = bpf_cgrp_storage_delete(&of_groups, group);
	bpf_cgroup_release(group);
	group = bpf_cgroup_from_id(0xfffffff);
	seen[11] = !!group;
	if (group)
		bpf_cgroup_release(group);
	group = bpf_task_get_cgroup1(task, 0);
	seen[12] = !!group;
	if (group)
		bpf_cgroup_release(group);
	return 0;
}

SEC("syscall") int attributes_of_groups(void *ctx)
{
	struct cgroup *group = bpf_cgroup_from_id(bpf_get_current_cgroup_id());
	struct bpf_dynptr out;

	CHECK(group);
	bpf_dynptr_from_mem(text, sizeof(text), 0, &out);
	seen[0] = bpf_cgroup_read_xattr(group, "user.skep", &out);
	seen[1] = bpf_cgroup_read_xattr(group, "trusted.skep", &out);
	bpf_cgroup_release(group);
	CHECK(seen[0] < 0);
	return 0;
}

SEC("syscall") int groups_of_a_tree(void *ctx)
{
	struct cgroup *root = bpf_cgroup_from_id(1);
	struct cgroup_subsys_state *css;
	long first = 0, last = 0;

	CHECK(root);
	bpf_rcu_read_lock();
	FOR_EACH(css, css, &root->self, BPF_CGROUP_ITER_DESCENDANTS_PRE) {
		if (!before++)
			first = css->cgroup->kn->id;
	}
	FOR_EACH(css, css, &root->self, BPF_CGROUP_ITER_DESCENDANTS_POST) {
		behind++;
		last = css->cgroup->kn->id;
	}
	FOR_EACH(css, css, &root->self, BPF_CGROUP_ITER_ANCESTORS_UP)
		up++;
	bpf_rcu_read_unlock();
	bpf_cgroup_release(root);
	CHECK(before && behind); /* groups come and go meanwhile */
	CHECK(first == 1 && last == 1 && up == 1);
	before = behind = 0;
	return 0;
}

SEC("syscall") int all_tasks(void *ctx)
{
	const u32 pid = bpf_get_current_pid_tgid(), tgid = bpf_get_current_pid_tgid() >> 32;
	struct task_struct *task;

	bpf_rcu_read_lock();
	FOR_EACH(task, task, NULL, 0) {
		processes++;
		leaders += task->pid == task->tgid;
		seen[0] |= task->tgid == tgid;
	}
	FOR_EACH(task, task, NULL, 1) {
		threads++;
		seen[1] |= task->pid == pid;
	}
	FOR_EACH(task, task, bpf_get_current_task_btf(), 2) {
		own++;
		seen[2] |= task->pid == pid;
		seen[3] |= task->tgid != tgid;
	}
	bpf_rcu_read_unlock();
	CHECK(processes && leaders == processes && threads && own);
	processes = threads = own = leaders = 0;
	return 0;
}

SEC("syscall") int wrong_iterators(void *ctx)
{
	struct bpf_iter_task it;
	struct bpf_iter_css groups;
	struct cgroup *root = bpf_cgroup_from_id(1);

	CHECK(root);
	bpf_rcu_read_lock();
	seen[0] = bpf_iter_task_new(&it, NULL, 2);
	seen[1] = !!bpf_iter_task_next(&it);
	bpf_iter_task_destroy(&it);
	seen[2] = bpf_iter_task_new(&it, NULL, 3);
	seen[3] = !!bpf_iter_task_next(&it);
	bpf_iter_task_destroy(&it);
	seen[4] = bpf_iter_css_new(&groups, &root->self, 1);
	seen[5] = !!bpf_iter_css_next(&groups);
	bpf_iter_css_destroy(&groups);
	bpf_rcu_read_unlock();
	bpf_cgroup_release(root);
	return 0;
}

SEC("syscall") int tasks_of_a_group(void *ctx)
{
	struct cgroup *group = bpf_cgroup_from_id(bpf_get_current_cgroup_id());
	const u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct task_struct *task;

	CHECK(group);
	FOR_EACH(css_task, task, &group->self, 1)
		seen[0] |= task->tgid == tgid;
	FOR_EACH(css_task, task, &group->self, 0)
		seen[1] |= task->tgid == tgid;
	bpf_cgroup_release(group);
	CHECK(seen[0] && seen[1]);
	return 0;
}

SEC("syscall") int areas_of_memory(u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct bpf_iter_task_vma it;
	struct vm_area_struct *area;
	u64 last = 0, found = 0, wrong = 0, files = 0;

	seen[0] = bpf_iter_task_vma_new(&it, task, 0);
	while ((area = bpf_iter_task_vma_next(&it))) {
		if (area->vm_start < last)
			wrong = 1;
		last = area->vm_end;
		if (area->vm_start <= *ctx && *ctx < area->vm_end) {
			found = area->vm_start;
			seen[2] = area->vm_flags & 15;
			seen[3] = area->vm_pgoff;
			files = area->vm_file->f_inode->i_ino;
		}
	}
	bpf_iter_task_vma_destroy(&it);
	CHECK(!wrong && found);
	seen[1] = found;
	seen[4] = files;
	seen[5] = bpf_iter_task_vma_new(&it, task, found + 1);
	area = bpf_iter_task_vma_next(&it);
	seen[6] = area ? area->vm_start : 0;
	bpf_iter_task_vma_destroy(&it);
	return 0;
}

struct found {
	u64 start, end;
	u32 file;
};

static long look(struct task_struct *task, struct vm_area_struct *area, struct found *found)
{
	found->start = area->vm_start;
	found->end = area->vm_end;
	found->file = area->vm_file != NULL;
	return 0;
}

SEC("raw_tp") int one_area(u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct found found = {};

	CHECK(bpf_find_vma(task, task->mm->arg_start, look, &found, 0) == 0);
	CHECK(found.start <= task->mm->arg_start && task->mm->arg_start < found.end && !found.file);
	CHECK(bpf_find_vma(task, 0, look, &found, 0) == -ENOENT);
	CHECK(bpf_find_vma(task, task->mm->arg_start, look, &found, 1) == -EINVAL);
	return 0;
}

SEC("syscall") int memory_of_a_task(u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct bpf_dynptr whole;
	char small[8];

	CHECK(bpf_copy_from_user_task(text, 20, (void *)*ctx, task, 0) == 0);
	CHECK(same_text(text, "memory of user space", 20));
	CHECK(bpf_copy_from_user_task(small, 8, (void *)8, task, 0) == -EFAULT);
	CHECK(!small[0] && !small[7]);
	CHECK(bpf_copy_from_user_task(small, 8, (void *)*ctx, task, 1) == -EINVAL);
	CHECK(bpf_copy_from_user_task_str(text, sizeof(text), (void *)*ctx, task, 0) == 21);
	CHECK(bpf_copy_from_user_task_str(small, 8, (void *)*ctx, task, 0) == 8);
	CHECK(same_text(small, "memory ", 8));
	CHECK(bpf_copy_from_user_task_str(text, sizeof(text), (void *)*ctx, task, 1) == 21);
	CHECK(!text[40]);
	CHECK(bpf_copy_from_user_task_str(small, 8, (void *)8, task, 0) == -EFAULT);
	seen[0] = small[0];
	CHECK(bpf_copy_from_user_task_str(small, 8, (void *)*ctx, task, 2) == -EINVAL);
	CHECK(bpf_copy_from_user_task_str(small, 0, (void *)*ctx, task, 0) == 0);
	bpf_dynptr_from_mem(text, sizeof(text), 0, &whole);
	CHECK(bpf_copy_from_user_task_dynptr(&whole, 4, 6, (void *)*ctx, task) == 0);
	CHECK(same_text(text, "memomemory", 10));
	CHECK(bpf_copy_from_user_task_str_dynptr(&whole, 0, 7, (void *)*ctx, task) == 7);
	CHECK(same_text(text, "memory", 7));
	CHECK(bpf_copy_from_user_task_dynptr(&whole, 60, 6, (void *)*ctx, task) == -E2BIG);
	return 0;
}

SEC("syscall") int no_cache(void *ctx)
{
	struct kmem_cache *cache = bpf_get_kmem_cache(8);

	CHECK(!cache);
	return 0;
}

char _license[] SEC("license") = "GPL";
