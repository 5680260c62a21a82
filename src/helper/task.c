/* SPDX-License-Identifier: BSD-2-Clause */
/* Who runs, where: the calling thread stands for the current task, the slot for the CPU. */
#include "base/os.h"
#include "helper/body.h"
#include "helper/kernel_file.h"
#include "helper/kernel_task.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define TASK_COMM_LEN 16

HELPER_BODY(get_smp_processor_id)
{
	return run->slot;
}

/* Slots have no memory of their own. */
HELPER_BODY(get_numa_node_id)
{
	return 0;
}

/* xorshift64*, one per thread */
HELPER_BODY(get_prandom_u32)
{
	static _Thread_local u64 state;

	while (!state)
		if (getrandom(&state, sizeof(state), GRND_NONBLOCK) != sizeof(state))
			state = os_time_ns(CLOCK_MONOTONIC);
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull) >> 32;
}

/* Asking costs a system call: asked once a thread, and again after fork(). */
static _Thread_local u64 pid_tgid;

static void forget_pid(void)
{
	pid_tgid = 0;
}

static void watch_fork(void)
{
	pthread_atfork(NULL, NULL, forget_pid);
}

HELPER_BODY(get_current_pid_tgid)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (!pid_tgid) {
		pthread_once(&once, watch_fork);
		pid_tgid = (u64)getpid() << 32 | (u32)gettid();
	}
	return pid_tgid;
}

HELPER_BODY(get_current_uid_gid)
{
	return (u64)getgid() << 32 | getuid();
}

HELPER_BODY(get_current_comm)
{
	char comm[TASK_COMM_LEN] = "";
	char *out = u64_to_ptr(r1);
	const u32 size = r2;

	prctl(PR_GET_NAME, comm);
	memset(out, 0, size);
	memcpy(out, comm, strnlen(comm, min(size - 1, TASK_COMM_LEN - 1u)));
	return 0;
}

HELPER_BODY(get_current_task)
{
	return ptr_to_u64(kernel_task_current(run));
}

/* Of a thread that a probe stopped they are the program's context; others do not hold still. */
HELPER_BODY(task_pt_regs)
{
	static const u64 none[64]; /* more than any machine's */

	if (run->type == BPF_PROG_TYPE_KPROBE && kernel_task_is_current(u64_to_ptr(r1)))
		return ptr_to_u64(run->ctx);
	return ptr_to_u64(none);
}

HELPER_BODY(find_vma)
{
	struct area_list list;
	void *area;
	u64 start;

	if (r5)
		return -EINVAL;
	if (!r1 || area_list_new(&list, kernel_task_id(u64_to_ptr(r1)), r2))
		return -ENOENT;
	area = area_list_next(&list, run->env->kernel);
	area_list_done(&list);
	start = area ? kernel_value(area, KERNEL_vm_area_struct_vm_start) : UINT64_MAX;
	if (start <= r2)
		run->call_back(run, r3, (const u64[5]){r1, ptr_to_u64(area), r4});
	kernel_put(area);
	return start <= r2 ? 0 : -ENOENT;
}

HELPER_BODY(get_ns_current_pid_tgid)
{
	struct bpf_pidns_info *out = u64_to_ptr(r3);
	struct stat own;
	u64 ids;

	memset(out, 0, (u32)r4);
	if ((u32)r4 != sizeof(*out) || stat("/proc/self/ns/pid", &own) || r1 != own.st_dev ||
	    r2 != own.st_ino)
		return -EINVAL;
	ids = helper_get_current_pid_tgid(0, 0, 0, 0, 0, run);
	out->pid = ids;
	out->tgid = ids >> 32;
	return 0;
}

/* --- signals: to this process only --- */
static u64 sent(int ret)
{
	return ret ? (u64)-errno : 0;
}

HELPER_BODY(send_signal)
{
	return sent(kill(getpid(), (int)r1));
}

HELPER_BODY(send_signal_thread)
{
	return sent(tgkill(getpid(), gettid(), (int)r1));
}

HELPER_BODY(sys_close)
{
	return sent(close((int)r1));
}
