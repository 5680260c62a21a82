/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel functions on tasks (kernel_task.h). */
#include "helper/body.h"
#include "helper/kernel_cgroup.h"
#include "helper/kernel_task.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAD_WITH_ZEROS 1 /* Linux's BPF_F_PAD_ZEROS */

enum { TO_THREAD, TO_PROCESS }; /* Linux's PIDTYPE_PID and PIDTYPE_TGID */

KFUNC_BODY(bpf_task_acquire)
{
	return kernel_get(u64_to_ptr(r1)) ? r1 : 0;
}

KFUNC_BODY(bpf_task_release)
{
	kernel_put(u64_to_ptr(r1));
	return 0;
}

KFUNC_BODY(bpf_task_from_pid)
{
	return ptr_to_u64(kernel_task(run->env->kernel, (pid_t)r1));
}

/* /proc shows the ids of this process's namespace. */
KFUNC_BODY(bpf_task_from_vpid)
{
	return ptr_to_u64(kernel_task(run->env->kernel, (pid_t)r1));
}

KFUNC_BODY(bpf_task_under_cgroup)
{
	struct cgroup_place place;
	void *group = u64_to_ptr(r2);

	if (!group || cgroup_of_task(kernel_task_id(u64_to_ptr(r1)), 0, &place))
		return 0;
	return kernel_cgroup_is_under(place.path, group);
}

KFUNC_BODY(bpf_task_get_cgroup1)
{
	const pid_t task = kernel_task_id(u64_to_ptr(r1));

	return (s32)r2 > 0 ? ptr_to_u64(kernel_cgroup_of_task(run->env->kernel, task, (u32)r2))
			   : 0;
}

/* What a signal carries is the number: programs have no other way to send one. */
static int send(pid_t task, pid_t group, bool to_group, int sig, u64 value)
{
	siginfo_t info = {.si_signo = sig, .si_code = value ? SI_QUEUE : SI_USER};
	long ret;

	info.si_pid = getpid();
	info.si_uid = getuid();
	if (value)
		info.si_value.sival_ptr = u64_to_ptr(value);
	if (value)
		ret = to_group ? syscall(SYS_rt_sigqueueinfo, group, sig, &info)
			       : syscall(SYS_rt_tgsigqueueinfo, group, task, sig, &info);
	else
		ret = to_group ? kill(group, sig) : tgkill(group, task, sig);
	return ret ? -errno : 0;
}

KFUNC_BODY(bpf_send_signal_task)
{
	void *task = u64_to_ptr(r1);

	if (r3 > TO_PROCESS)
		return -EINVAL;
	if (!task)
		return -ESRCH;
	return send(kernel_task_id(task), (pid_t)kernel_value(task, KERNEL_task_struct_tgid),
		    r3 == TO_PROCESS, (int)r2, r4);
}

/* --- another process's memory --- */
KFUNC_BODY(bpf_copy_from_user_task_str)
{
	char *out = u64_to_ptr(r1);
	const u32 size = r2;
	long length;

	if (r5 & ~(u64)PAD_WITH_ZEROS)
		return -EINVAL;
	if (!size)
		return 0;
	length = fault_safe_try_string_in(kernel_task_id(u64_to_ptr(r4)), out, size, r3);
	if (length < 0)
		memset(out, 0, size);
	else if (r5 & PAD_WITH_ZEROS)
		memset(out + length, 0, size - length);
	return length;
}
