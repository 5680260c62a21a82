// SPDX-License-Identifier: BSD-2-Clause
/* Objects as arguments and results of helpers; variables of the kernel. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "verdict.h"

#define SWITCH(name) \
	BPF_PROG(name, bool preempt, struct task_struct *prev, struct task_struct *next)
#define FREE(name) \
	BPF_PROG(name, struct sk_buff *skb, void *location, int reason, struct sock *sk)

#define REGS(task) ((struct pt_regs *)bpf_task_pt_regs(task))

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} sockets SEC(".maps");

extern const struct rq runqueues_missing __ksym __weak;
extern const void schedule __ksym;

__u64 buffer[8];

/* --- types --- */

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(trusted_task)
{
	return REGS(prev)->ip;
}

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(rcu_task)
{
	return REGS(prev->real_parent)->ip;
}

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(old_task)
{
	return REGS(prev->mm->owner)->ip;
}

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(untrusted_task)
{
	return REGS(prev->last_wakee)->ip;
}

SEC("tp_btf/sched_switch") REJECT("R1 is of type mm_struct but task_struct is expected")
int SWITCH(other_type)
{
	return REGS((void *)prev->mm)->ip;
}

SEC("tp_btf/sched_switch") REJECT("R1 is of type task_struct but task_struct is expected")
int SWITCH(inside_task)
{
	return REGS((void *)prev + 8)->ip;
}

SEC("tp_btf/sched_switch") REJECT("R1 type=scalar expected=ptr_, trusted_ptr_, rcu_ptr_")
int SWITCH(number_as_task)
{
	return REGS((void *)(long)prev->pid)->ip;
}

SEC("iter/task") REJECT("R1 type=trusted_ptr_or_null_ expected=ptr_, trusted_ptr_, rcu_ptr_")
int unchecked_task(struct bpf_iter__task *ctx)
{
	return REGS(ctx->task)->ip & 1;
}

SEC("iter/task") ACCEPT int sequence_file(struct bpf_iter__task *ctx)
{
	static const char text[] = "hello";

	bpf_seq_write(ctx->meta->seq, text, sizeof(text));
	return 0;
}

/* --- storage --- */

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(storage_of_task)
{
	__u64 *value = bpf_task_storage_get(&tasks, prev, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	return value ? *value : 0;
}

SEC("tp_btf/sched_switch") REJECT("R0 invalid mem access 'map_value_or_null'")
int SWITCH(storage_unchecked)
{
	__u64 *value = bpf_task_storage_get(&tasks, prev, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	return *value;
}

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(storage_of_group)
{
	__u64 *value = bpf_cgrp_storage_get(&cgroups, prev->cgroups->dfl_cgrp, 0, 1);

	return value ? *value : 0;
}

SEC("tp_btf/sched_switch") REJECT("R2 is of type task_struct but cgroup is expected")
int SWITCH(storage_of_wrong_type)
{
	__u64 *value = bpf_cgrp_storage_get(&cgroups, (void *)prev, 0, 1);

	return value ? *value : 0;
}

SEC("tp_btf/sched_switch") REJECT("cannot pass map_type 32 into func bpf_task_storage_get#156")
int SWITCH(wrong_storage)
{
	__u64 *value = bpf_task_storage_get(&cgroups, prev, 0, 1);

	return value ? *value : 0;
}

SEC("tp_btf/kfree_skb") ACCEPT int FREE(storage_of_socket)
{
	__u64 *value = sk ? bpf_sk_storage_get(&sockets, sk, 0, 1) : 0;

	return value ? *value : 0;
}

SEC("tp_btf/kfree_skb") ACCEPT int FREE(storage_of_maybe_socket)
{
	__u64 *value = bpf_sk_storage_get(&sockets, sk, 0, 1);

	return value ? *value : 0;
}

/* --- sockets --- */

SEC("tc")
REJECT("R1 type=sock_common_or_null expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_")
int cast_socket(struct __sk_buff *skb)
{
	struct tcp_sock *tcp = skb->sk ? bpf_skc_to_tcp_sock(skb->sk) : 0;

	return tcp ? tcp->snd_cwnd : 0;
}

SEC("tc")
REJECT("R1 type=sock_common_or_null expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_")
int cast_unchecked(struct __sk_buff *skb)
{
	struct tcp_sock *tcp = skb->sk ? bpf_skc_to_tcp_sock(skb->sk) : 0;

	return tcp->snd_cwnd;
}

SEC("tc")
REJECT("R1 type=sock_common_or_null expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_")
int cast_of_cast(struct __sk_buff *skb)
{
	struct tcp_sock *tcp = skb->sk ? bpf_skc_to_tcp_sock(skb->sk) : 0;
	struct udp6_sock *udp = tcp ? bpf_skc_to_udp6_sock(tcp) : 0;

	return udp ? udp->udp.len : 0;
}

SEC("tc") REJECT("R8 invalid mem access 'scalar'") int cast_is_released(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), 0, 0);
	struct tcp_sock *tcp = sk ? bpf_skc_to_tcp_sock(sk) : 0;

	if (sk)
		bpf_sk_release(sk);
	return tcp ? tcp->snd_cwnd : 0;
}

SEC("tc") ACCEPT int cast_releases(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), 0, 0);
	struct tcp_sock *tcp = sk ? bpf_skc_to_tcp_sock(sk) : 0;

	if (tcp)
		bpf_sk_release(tcp);
	else if (sk)
		bpf_sk_release(sk);
	return 0;
}

SEC("iter/tcp")
REJECT("R1 type=trusted_ptr_or_null_ expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_")
int release_unreferenced(struct bpf_iter__tcp *ctx)
{
	if (ctx->sk_common)
		bpf_skc_to_tcp_sock(ctx->sk_common);
	return 0;
}

/* --- objects as memory --- */

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(object_as_memory)
{
	return bpf_trace_printk(prev->comm, 8, 0);
}

SEC("tp_btf/sched_switch")
REJECT("bpf_probe_read_kernel() may write into memory pointed by R1 type=trusted_ptr_")
int SWITCH(object_as_output)
{
	return bpf_probe_read_kernel(prev, 8, prev);
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, int);
	__type(value, __u64);
} hash SEC(".maps");

SEC("tp_btf/sched_switch")
REJECT("bpf_map_lookup_elem() may write into memory pointed by R2 type=trusted_ptr_")
int SWITCH(object_as_key)
{
	return bpf_map_lookup_elem(&hash, prev) ? 1 : 0;
}

SEC("tc") REJECT("R1 type=ptr_ expected=sock_common, sock, tcp_sock, xdp_sock")
int object_as_socket(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tcp = sk ? bpf_skc_to_tcp_sock(sk) : 0;
	struct bpf_tcp_sock *view = tcp ? bpf_tcp_sock((void *)tcp) : 0;

	return view ? view->snd_cwnd : 0;
}

SEC("kprobe") ACCEPT int storage_in_kprobe(void *ctx)
{
	__u64 *value = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), 0, 1);

	return value ? *value : 0;
}

/* --- variables of the kernel --- */

SEC("tc")
REJECT("R1 type=map_value expected=percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_")
int not_per_cpu(struct __sk_buff *skb)
{
	const struct rq *rq = bpf_this_cpu_ptr(&buffer);

	return rq->cpu;
}

SEC("tc") ACCEPT int typeless_symbol(struct __sk_buff *skb)
{
	return (long)&schedule != 0;
}

SEC("tc") ACCEPT int weak_symbol(struct __sk_buff *skb)
{
	return &runqueues_missing ? 1 : 0;
}

char _license[] SEC("license") = "GPL";
