// SPDX-License-Identifier: BSD-2-Clause
/* Loads through pointers to the kernel's structures, and what the loaded pointers are. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "verdict.h"

#define SWITCH(name) \
	BPF_PROG(name, bool preempt, struct task_struct *prev, struct task_struct *next)
#define FREE(name) \
	BPF_PROG(name, struct sk_buff *skb, void *location, int reason, struct sock *sk)

/* --- where an access may be --- */

SEC("tp_btf/sched_switch") ACCEPT NAKED int first_word(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 8); r0 = *(u64 *)(r1 + 0); r0 = 0; exit;");
}

SEC("tp_btf/sched_switch") REJECT("access beyond struct task_struct at off 32000 size 8")
NAKED int beyond_structure(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 8); r0 = *(u64 *)(r1 + 32000); r0 = 0; exit;");
}

SEC("tp_btf/sched_switch") REJECT("R1 is ptr_task_struct invalid negative access: off=-8")
NAKED int before_structure(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 8); r0 = *(u64 *)(r1 - 8); r0 = 0; exit;");
}

SEC("tp_btf/sched_switch")
REJECT("math between trusted_ptr_ pointer and register with unbounded min value is not allowed")
NAKED int unbounded_offset(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 8); r2 = *(u64 *)(r1 + 0); r1 += r2;"
		     "r0 = *(u64 *)(r1 + 0); r0 = 0; exit;");
}

SEC("tp_btf/sched_switch")
REJECT("R1 is ptr_task_struct invalid variable offset: off=0, var_off=(0x0; 0xff)")
NAKED int bounded_offset(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 8); r2 = *(u8 *)(r1 + 0); r1 += r2;"
		     "r0 = *(u64 *)(r1 + 0); r0 = 0; exit;");
}

SEC("tp_btf/sched_switch") REJECT("only read is supported") NAKED int store(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 8); *(u64 *)(r1 + 0) = r1; r0 = 0; exit;");
}

SEC("tp_btf/sched_switch") REJECT("only read is supported") NAKED int atomic_store(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 8); lock *(u64 *)(r1 + 0) += r1; r0 = 0; exit;");
}

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(array_of_bytes)
{
	return prev->comm[3] + *(int *)(prev->comm + 12);
}

SEC("tp_btf/sched_switch")
REJECT("access beyond the end of member comm (mend:1768) in struct task_struct with off 1764 size 8")
int SWITCH(beyond_array_of_bytes)
{
	return *(long *)(prev->comm + 12);
}

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(bit_field)
{
	return prev->in_execve + prev->in_iowait;
}

SEC("tp_btf/kfree_skb") ACCEPT int FREE(arrays)
{
	return skb->head[5] + skb->cb[40];
}

/* --- what a loaded pointer is --- */

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(members_of_members)
{
	return prev->real_parent->mm->exe_file->f_inode->i_sb->s_flags;
}

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(rcu_members)
{
	return prev->cgroups->dfl_cgrp->kn->id;
}

SEC("tp_btf/sched_switch") ACCEPT int SWITCH(typed_pointer_to_bits)
{
	return *(prev->cpus_ptr->bits);
}

SEC("tp_btf/kfree_skb") REJECT("R1 invalid mem access 'trusted_ptr_or_null_'")
int FREE(may_be_null_argument)
{
	return sk->sk_type;
}

SEC("tp_btf/kfree_skb") ACCEPT int FREE(checked_argument)
{
	return sk ? sk->sk_type : 0;
}

SEC("tp_btf/kfree_skb") ACCEPT int FREE(in_union)
{
	return skb->dev->ifindex;
}

SEC("tp_btf/kfree_skb") REJECT("R1 invalid mem access 'rcu_ptr_or_null_'") int FREE(rcu_or_null)
{
	return skb->sk->sk_type;
}

SEC("tp_btf/kfree_skb") ACCEPT int FREE(rcu_checked)
{
	struct sock *of_skb = skb->sk;

	return of_skb ? of_skb->sk_type : 0;
}

SEC("kprobe") ACCEPT int current_task(void *ctx)
{
	return bpf_get_current_task_btf()->real_parent->pid;
}

SEC("tp_btf/sched_process_exec")
ACCEPT int BPF_PROG(untyped_leaf, struct task_struct *task, int old, struct linux_binprm *binprm)
{
	return binprm->file->f_flags + binprm->filename[3] + binprm->mm->total_vm;
}

/* A leaf may point anywhere: it can be moved, but not written or passed on. */
SEC("tp_btf/sched_process_exec") ACCEPT NAKED int leaf_moves(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 16); r1 = *(u64 *)(r1 + %[off]); r2 = *(u64 *)(r1 + 9);"
		     "r1 += r2; r1 += 5; r1 -= 10000000; r0 = *(u64 *)(r1 - 300); r0 = 0; exit;"
		     ::[off] "i"(__builtin_offsetof(struct linux_binprm, filename)));
}

SEC("tp_btf/sched_process_exec") REJECT("R1 cannot write into rdonly_untrusted_mem")
NAKED int leaf_store(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 16); r1 = *(u64 *)(r1 + %[off]);"
		     "*(u8 *)(r1 + 0) = 1; r0 = 0; exit;"
		     ::[off] "i"(__builtin_offsetof(struct linux_binprm, filename)));
}

SEC("tp_btf/sched_process_exec")
REJECT("R1 type=rdonly_untrusted_mem expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_")
NAKED int leaf_to_helper(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 16); r1 = *(u64 *)(r1 + %[off]);"
		     "r2 = 8; r3 = 0; r4 = 0; r5 = 0; call %[trace_printk]; r0 = 0; exit;"
		     ::[off] "i"(__builtin_offsetof(struct linux_binprm, filename)),
		     [trace_printk] "i"(bpf_trace_printk));
}

SEC("tp_btf/sched_process_exec") ACCEPT NAKED int leaf_is_not_null(void)
{
	asm volatile("r1 = *(u64 *)(r1 + 16); r1 = *(u64 *)(r1 + %[off]);"
		     "if r1 == 0 goto +1; r1 = *(u8 *)(r1 + 0); r0 = r1; exit;"
		     ::[off] "i"(__builtin_offsetof(struct linux_binprm, filename)));
}

/* --- one instruction, two kinds of pointers --- */

SEC("tp_btf/kfree_skb") ACCEPT int FREE(plain_or_trusted)
{
	struct sock *either = reason ? sk : (struct sock *)skb->dev;

	if (!either)
		return 0;
	return *(volatile int *)either;
}

char _license[] SEC("license") = "GPL";
