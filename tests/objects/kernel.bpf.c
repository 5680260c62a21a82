// SPDX-License-Identifier: BSD-2-Clause
/* The kernel's types are at hand. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "verdict.h"

SEC("kprobe")
ACCEPT int reads_by_core(struct pt_regs *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, real_parent, tgid);
}

char _license[] SEC("license") = "GPL";
