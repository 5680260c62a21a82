// SPDX-License-Identifier: BSD-2-Clause
/* What a license that is not compatible with the GPL rules out. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "verdict.h"

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *task) __ksym;

SEC("syscall") REJECT("cannot call kernel function from non-GPL compatible program")
int a_kernel_function(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (task)
		bpf_task_release(task);
	return 0;
}

char _license[] SEC("license") = "BSD";
