// SPDX-License-Identifier: BSD-2-Clause
/* Kernel functions and a structure of the kernel, as a program of Linux names them. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct task_struct {
	int pid;
	int tgid;
} __attribute__((preserve_access_index));

struct bpf_iter_num;

extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
extern int bpf_strlen(const char *text) __ksym;
extern int bpf_no_such_function(int number) __ksym __weak;

SEC("syscall") int look(void *ctx)
{
	const unsigned long long ids = bpf_get_current_pid_tgid();
	struct task_struct *task = bpf_task_from_pid((int)ids);
	int ret = 1;

	if (!task)
		return 2;
	if (task->pid == (int)ids && task->tgid == (int)(ids >> 32))
		ret = 0;
	bpf_task_release(task);
	if (bpf_no_such_function)
		return 3;
	return bpf_strlen("skep") == 4 ? ret : 4;
}

char _license[] SEC("license") = "GPL";
