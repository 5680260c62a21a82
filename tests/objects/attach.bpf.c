// SPDX-License-Identifier: BSD-2-Clause
/* Contexts that are arguments: iterators, tracepoints and their buffers; helpers by the place. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "verdict.h"

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} sockets SEC(".maps");

/* --- tracepoints --- */

SEC("raw_tp.w/bpf_test_finish") ACCEPT int buffer_read(int **ctx)
{
	return **ctx;
}

SEC("raw_tp.w/bpf_test_finish") ACCEPT int buffer_write(int **ctx)
{
	**ctx = 1;
	return 0;
}

SEC("raw_tp.w/bpf_test_finish") REJECT("R1 invalid tracepoint buffer access: off=-4, size=4")
int before_buffer(int **ctx)
{
	return (*ctx)[-1];
}

SEC("raw_tp.w/bpf_test_finish")
REJECT("R6 invalid variable buffer offset: off=0, var_off=(0x0; 0x1c)")
int somewhere_in_buffer(int **ctx)
{
	return (*ctx)[bpf_get_prandom_u32() & 7];
}

SEC("raw_tp/bpf_test_finish") REJECT("R1 invalid mem access 'scalar'") int no_buffer(int **ctx)
{
	return **ctx;
}

SEC("tp_btf/sched_switch") REJECT("func 'sched_switch' doesn't have 7-th argument")
NAKED int no_such_argument(void)
{
	asm volatile("r0 = *(u64 *)(r1 + 40); r0 = 0; exit;");
}

SEC("tp_btf/sched_switch") REJECT("func 'sched_switch' size 4 must be 8")
NAKED int half_an_argument(void)
{
	asm volatile("r0 = *(u32 *)(r1 + 8); r0 = 0; exit;");
}

SEC("tp_btf/sched_switch") REJECT("func 'sched_switch' offset 4 is not multiple of 8")
NAKED int between_arguments(void)
{
	asm volatile("r0 = *(u32 *)(r1 + 4); r0 = 0; exit;");
}

SEC("tp_btf/sched_switch") REJECT("invalid bpf_context access off=0 size=8")
NAKED int written_argument(void)
{
	asm volatile("*(u64 *)(r1 + 0) = r1; r0 = 0; exit;");
}

SEC("tp_btf/sched_switch") ACCEPT
int BPF_PROG(any_result, bool preempt, struct task_struct *prev)
{
	return prev->pid;
}

/* --- iterators --- */

SEC("iter/task")
REJECT("At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]")
int result_beyond(struct bpf_iter__task *ctx)
{
	return 2;
}

SEC("iter/task") REJECT("R1 invalid mem access 'trusted_ptr_or_null_'")
int unchecked(struct bpf_iter__task *ctx)
{
	return ctx->task->pid & 1;
}

SEC("iter.s/task") REJECT("R1 invalid mem access 'trusted_ptr_or_null_'")
int without_rcu(struct bpf_iter__task *ctx)
{
	return ctx->task ? ctx->task->mm->exe_file->f_flags & 1 : 0;
}

SEC("iter.s/task") ACCEPT int sleeps(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	char bytes[8];

	return task ? bpf_copy_from_user_task(bytes, 8, 0, task, 0) & 1 : 0;
}

SEC("iter/task") REJECT("helper call might sleep in a non-sleepable prog")
int sleeps_where_it_must_not(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	char bytes[8];

	return task ? bpf_copy_from_user_task(bytes, 8, 0, task, 0) & 1 : 0;
}

SEC("iter/bpf_map") REJECT("R1 type=trusted_ptr_or_null_ expected=map_ptr")
int map_as_argument(struct bpf_iter__bpf_map *ctx)
{
	int key = 0;

	return ctx->map && bpf_map_lookup_elem(ctx->map, &key);
}

SEC("iter/task_vma") REJECT("R1 invalid mem access 'ptr_or_null_'")
int files_of_memory(struct bpf_iter__task_vma *ctx)
{
	return ctx->vma && ctx->task ? ctx->vma->vm_file->f_inode->i_ino & 1 : 0;
}

SEC("iter/netlink") REJECT("R1 invalid mem access 'ptr_or_null_'")
int netlink_socket(struct bpf_iter__netlink *ctx)
{
	return ctx->sk ? ctx->sk->portid & 1 : 0;
}

SEC("iter/kmem_cache") REJECT("R1 invalid mem access 'trusted_ptr_or_null_'")
int cache_unchecked(struct bpf_iter__kmem_cache *ctx)
{
	return ctx->s->size & 1;
}

/* --- helpers by the place --- */

SEC("iter/tcp") ACCEPT int socket_options(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct tcp_sock *tcp = sk ? bpf_skc_to_tcp_sock(sk) : 0;

	return tcp ? bpf_setsockopt(tcp, 6, 13, "x", 1) & 1 : 0;
}

SEC("iter/udp") REJECT("program of this type cannot use helper bpf_setsockopt#49")
int no_socket_options(struct bpf_iter__udp *ctx)
{
	return ctx->udp_sk ? bpf_setsockopt(ctx->udp_sk, 6, 13, "x", 1) & 1 : 0;
}

SEC("iter/task_file") ACCEPT int path_in_iterator(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	char bytes[8];

	return file ? bpf_d_path((void *)&file->f_path, bytes, 8) & 1 : 0;
}

SEC("tp_btf/sched_switch") REJECT("helper call is not allowed in probe")
int BPF_PROG(path_in_tracepoint, bool p, struct task_struct *task)
{
	char bytes[8];

	return bpf_d_path((void *)&task->mm->exe_file->f_path, bytes, 8);
}

SEC("tp_btf/tcp_probe") ACCEPT int BPF_PROG(storage_in_tracepoint, struct sock *sk)
{
	__u64 *value = bpf_sk_storage_get(&sockets, sk, 0, 0);

	return value ? *value : 0;
}

SEC("tp_btf/sched_switch")
REJECT("func bpf_get_func_ip#173 supported only for fentry/fexit/fmod_ret programs")
int address_of_a_tracepoint(void *ctx)
{
	return bpf_get_func_ip(ctx);
}

SEC("cgroup/dev") ACCEPT int error_of_a_device(void *ctx)
{
	bpf_set_retval(-1);
	return bpf_get_retval() == -1;
}

SEC("cgroup/sysctl") ACCEPT int error_of_a_setting(void *ctx)
{
	return bpf_get_retval() == 0;
}

char _license[] SEC("license") = "GPL";
