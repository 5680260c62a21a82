// SPDX-License-Identifier: BSD-2-Clause
/* Every kind of iterator that skep has; run.c says over what each goes. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define PF_KTHREAD 0x00200000

#define MAP(its_name, its_type, its_value)                   \
	struct {                                             \
		__uint(type, BPF_MAP_TYPE_##its_type);       \
		__uint(max_entries, 10);                     \
		__type(key, u32);                            \
		__type(value, its_value);                    \
	} its_name SEC(".maps")

struct wide {
	u64 a, b;
};

MAP(array, ARRAY, struct wide);
MAP(percpu_array, PERCPU_ARRAY, u64);
MAP(hash, HASH, struct wide);
MAP(sums, HASH, struct wide);
MAP(lru, LRU_HASH, u64);

/* The order of an array's elements is known. */
SEC("iter/bpf_map_elem") int elements_array(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct wide *value = ctx->value;
	u32 *key = ctx->key;

	BPF_SEQ_PRINTF(seq, "%llu", ctx->meta->seq_num);
	bpf_seq_write(seq, ": ", 2);
	if (key && value)
		BPF_SEQ_PRINTF(seq, "%u = %llu, %llu\n", *key, value->a, value->b);
	else
		BPF_SEQ_PRINTF(seq, "end, map of %u\n", ctx->map->max_entries);
	return 0;
}

SEC("iter/bpf_map_elem") int elements_percpu_array(struct bpf_iter__bpf_map_elem *ctx)
{
	u64 *value = ctx->value;
	u32 *key = ctx->key;

	if (key && value)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%u = %llu\n", *key, value[0]);
	return 0;
}

/* The order of others is not: what is written last is a sum. Values are written in place. */
SEC("iter/bpf_map_elem") int elements_hash(struct bpf_iter__bpf_map_elem *ctx)
{
	u32 zero = 0;
	struct wide *sum = bpf_map_lookup_elem(&sums, &zero), *value = ctx->value;
	u32 *key = ctx->key;

	if (!sum)
		return 0;
	if (key && value) {
		sum->a += *key;
		sum->b += value->b;
		value->b = 7;
	} else {
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llu, %llu of %llu\n", sum->a, sum->b, ctx->meta->seq_num);
	}
	return 0;
}

SEC("iter/bpf_map_elem") int elements_lru(struct bpf_iter__bpf_map_elem *ctx)
{
	if (!ctx->key)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llu\n", ctx->meta->seq_num);
	return 0;
}

static bool same(const char *a, const char *b, int size)
{
	for (int i = 0; i < size; i++) {
		if (a[i] != b[i])
			return false;
		if (!a[i])
			break;
	}
	return true;
}

SEC("iter/bpf_map") int maps(struct bpf_iter__bpf_map *ctx)
{
	struct bpf_map *map = ctx->map;

	if (!map || !same(map->name, "percpu_array", 13) || map->max_entries != 10)
		return 0;
	BPF_SEQ_PRINTF(ctx->meta->seq, "%d %u %u %u %llu %u\n", map->map_type, map->key_size, map->value_size,
		       map->map_flags, map->map_extra, map->frozen);
	return 0;
}

SEC("iter/bpf_prog") int programs(struct bpf_iter__bpf_prog *ctx)
{
	struct bpf_prog *prog = ctx->prog;

	if (!prog || !same(prog->aux->name, "own_files", 10))
		return 0;
	BPF_SEQ_PRINTF(ctx->meta->seq, "%s: %d %d, %u maps, %u lines %u functions, btf %d\n", prog->aux->name,
		       prog->type, prog->expected_attach_type, prog->aux->used_map_cnt, prog->aux->nr_linfo,
		       prog->aux->func_info_cnt, prog->aux->attach_btf_id);
	return 0;
}

/* Of this program's own link. */
SEC("iter/bpf_link") int links(struct bpf_iter__bpf_link *ctx)
{
	struct bpf_link *link = ctx->link;

	if (link && link->type == BPF_LINK_TYPE_ITER && same(link->prog->aux->name, "links", 6))
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d %d\n", link->type, link->attach_type);
	return 0;
}

SEC("iter/task") int own_threads(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;

	if (!task) {
		bpf_seq_write(seq, "end\n", 4);
		return 0;
	}
	BPF_SEQ_PRINTF(seq, "%d %d %s prio %d flags %x parent %d\n", task->tgid, task->pid, task->comm,
		       task->static_prio, task->flags & PF_KTHREAD, task->real_parent->tgid);
	BPF_SEQ_PRINTF(seq, "uid %u gid %u leader %d cgroup %llu\n", task->cred->uid.val, task->cred->gid.val,
		       task->group_leader->pid, task->cgroups->dfl_cgrp->kn->id);
	return 0;
}

SEC("iter/task") int one_thread(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llu: %d\n", ctx->meta->seq_num, task->pid);
	return 0;
}

struct bpf_insn shown = {.code = 1, .dst_reg = 2, .imm = -3};

SEC("iter/task") int one_text_by_types(struct bpf_iter__task *ctx)
{
	struct btf_ptr what = {};

	what.ptr = &shown;
	what.type_id = bpf_core_type_id_kernel(struct bpf_insn);
	if (ctx->task && bpf_seq_printf_btf(ctx->meta->seq, &what, sizeof(what), BTF_F_COMPACT))
		bpf_seq_write(ctx->meta->seq, "failed", 6);
	return 0;
}

/* All tasks of the machine, of which one is looked for. */
SEC("iter/task") int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->pid == (u32)bpf_get_current_pid_tgid())
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d\n", task->tgid);
	return 0;
}

SEC("iter/task_file") int own_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	char path[256];

	if (!task || !file || ctx->fd > 2)
		return 0;
	path[0] = 0;
	bpf_d_path((struct path *)&file->f_path, path, sizeof(path));
	BPF_SEQ_PRINTF(ctx->meta->seq, "%d: %u %s ino %lu mode %x flags %x\n", task->tgid, ctx->fd, path,
		       file->f_inode->i_ino, file->f_inode->i_mode, file->f_flags & 3);
	return 0;
}

SEC("iter/task_vma") int own_areas(struct bpf_iter__task_vma *ctx)
{
	struct vm_area_struct *area = ctx->vma;
	char path[256];

	if (!area || !area->vm_file || !(area->vm_flags & 4))
		return 0;
	path[0] = 0;
	bpf_d_path((struct path *)&area->vm_file->f_path, path, sizeof(path));
	BPF_SEQ_PRINTF(ctx->meta->seq, "%lx-%lx %lx %lx %s %lu %x\n", area->vm_start, area->vm_end,
		       area->vm_flags & 15, area->vm_pgoff, path, area->vm_file->f_inode->i_ino,
		       area->vm_file->f_inode->i_sb->s_dev);
	return 0;
}

SEC("iter/cgroup") int root_group(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *group = ctx->cgroup;

	if (group)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%llu: %d %llu\n", ctx->meta->seq_num, group->level,
			       group->kn->id);
	return 0;
}

char _license[] SEC("license") = "GPL";
