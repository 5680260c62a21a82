// SPDX-License-Identifier: BSD-2-Clause
/* RCU sections, disabled preemption and interrupts. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "verdict.h"

void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;
void bpf_preempt_disable(void) __ksym;
void bpf_preempt_enable(void) __ksym;
void bpf_local_irq_save(unsigned long *flags) __ksym;
void bpf_local_irq_restore(unsigned long *flags) __ksym;
struct bpf_key *bpf_lookup_user_key(u32 serial, u64 flags) __ksym;
void bpf_key_put(struct bpf_key *key) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} programs SEC(".maps");

int place[4];

SEC("syscall") ACCEPT int rcu(void *ctx)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return 0;
}

SEC("tc") ACCEPT int rcu_where_it_is_implied(void *ctx)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall") REJECT("nested rcu read lock (kernel function bpf_rcu_read_lock)")
int rcu_nested(void *ctx)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall") REJECT("unmatched rcu read unlock (kernel function bpf_rcu_read_unlock)")
int rcu_unmatched(void *ctx)
{
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall")
REJECT("BPF_EXIT instruction in main prog cannot be used inside bpf_rcu_read_lock-ed region")
int rcu_left_open(void *ctx)
{
	bpf_rcu_read_lock();
	return 0;
}

SEC("syscall") REJECT("sleepable helper bpf_copy_from_user#148 in rcu_read_lock region")
int rcu_helper_sleeps(void *ctx)
{
	bpf_rcu_read_lock();
	bpf_copy_from_user(place, 4, NULL);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall")
REJECT("kernel func bpf_lookup_user_key is sleepable within rcu_read_lock region")
int rcu_kfunc_sleeps(void *ctx)
{
	struct bpf_key *key;

	bpf_rcu_read_lock();
	key = bpf_lookup_user_key(0, 0);
	bpf_rcu_read_unlock();
	if (key)
		bpf_key_put(key);
	return 0;
}

SEC("tc")
REJECT("tail_call cannot be used inside bpf_rcu_read_lock-ed region")
int rcu_tail_call(struct __sk_buff *ctx)
{
	bpf_rcu_read_lock();
	bpf_tail_call(ctx, &programs, 0);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall") ACCEPT int preemption(void *ctx)
{
	bpf_preempt_disable();
	bpf_preempt_disable();
	bpf_preempt_enable();
	bpf_preempt_enable();
	return 0;
}

SEC("syscall")
REJECT("unmatched attempt to enable preemption (kernel function bpf_preempt_enable)")
int preemption_unmatched(void *ctx)
{
	bpf_preempt_enable();
	return 0;
}

SEC("syscall")
REJECT("BPF_EXIT instruction in main prog cannot be used inside bpf_preempt_disable-ed region")
int preemption_left_off(void *ctx)
{
	bpf_preempt_disable();
	return 0;
}

SEC("syscall") REJECT("sleepable helper bpf_copy_from_user#148 in non-preemptible region")
int preemption_helper_sleeps(void *ctx)
{
	bpf_preempt_disable();
	bpf_copy_from_user(place, 4, NULL);
	bpf_preempt_enable();
	return 0;
}

SEC("syscall")
REJECT("kernel func bpf_lookup_user_key is sleepable within non-preemptible region")
int preemption_kfunc_sleeps(void *ctx)
{
	struct bpf_key *key;

	bpf_preempt_disable();
	key = bpf_lookup_user_key(0, 0);
	bpf_preempt_enable();
	if (key)
		bpf_key_put(key);
	return 0;
}

static __noinline void disable(void)
{
	bpf_preempt_disable();
}

SEC("syscall") ACCEPT int preemption_in_a_function(void *ctx)
{
	disable();
	bpf_preempt_enable();
	return 0;
}

SEC("syscall") ACCEPT int interrupts(void *ctx)
{
	unsigned long outer, inner;

	bpf_local_irq_save(&outer);
	bpf_local_irq_save(&inner);
	bpf_local_irq_restore(&inner);
	bpf_local_irq_restore(&outer);
	return 0;
}

static __noinline int plus_one(int n)
{
	return n + 1;
}

/* Only the program's own end asks for it. */
SEC("syscall") ACCEPT int interrupts_and_a_function(void *ctx)
{
	unsigned long flags;
	int n;

	bpf_local_irq_save(&flags);
	n = plus_one(place[0]);
	bpf_local_irq_restore(&flags);
	return n;
}

SEC("syscall") REJECT("cannot restore irq state out of order, expected id=")
int interrupts_out_of_order(void *ctx)
{
	unsigned long outer, inner;

	bpf_local_irq_save(&outer);
	bpf_local_irq_save(&inner);
	bpf_local_irq_restore(&outer);
	bpf_local_irq_restore(&inner);
	return 0;
}

SEC("syscall")
REJECT("BPF_EXIT instruction in main prog cannot be used inside bpf_local_irq_save-ed region")
int interrupts_left_off(void *ctx)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	return 0;
}

SEC("syscall") REJECT("expected an initialized irq flag as arg#0")
int interrupts_never_saved(void *ctx)
{
	unsigned long flags = 0;

	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("syscall") REJECT("expected uninitialized irq flag as arg#0")
int interrupts_saved_twice(void *ctx)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	bpf_local_irq_save(&flags);
	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("syscall") REJECT("arg#0 doesn't point to an irq flag on stack")
int interrupts_not_on_stack(void *ctx)
{
	bpf_local_irq_save((void *)place);
	return 0;
}

SEC("syscall") REJECT("sleepable helper bpf_copy_from_user#148 in IRQ-disabled region")
int interrupts_helper_sleeps(void *ctx)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	bpf_copy_from_user(place, 4, NULL);
	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("syscall")
REJECT("kernel func bpf_lookup_user_key is sleepable within IRQ-disabled region")
int interrupts_kfunc_sleeps(void *ctx)
{
	unsigned long flags;
	struct bpf_key *key;

	bpf_local_irq_save(&flags);
	key = bpf_lookup_user_key(0, 0);
	bpf_local_irq_restore(&flags);
	if (key)
		bpf_key_put(key);
	return 0;
}

SEC("syscall") REJECT("expected an initialized irq flag as arg#0") NAKED
int interrupts_flag_overwritten(void)
{
	asm volatile("r1 = r10; r1 += -8; call %[save]; r1 = 0; *(u64 *)(r10 - 8) = r1;"
		     "r1 = r10; r1 += -8; call %[restore]; r0 = 0; exit;" ::[save] "i"(
			     bpf_local_irq_save),
		     [restore] "i"(bpf_local_irq_restore)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}

int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

SEC("tc") ACCEPT int interrupts_saved_anew_in_each_round(void *ctx)
{
	struct bpf_iter_num it;
	unsigned long flags;

	bpf_local_irq_save(&flags);
	bpf_iter_num_new(&it, 0, 100);
	while (bpf_iter_num_next(&it)) {
		bpf_local_irq_restore(&flags);
		bpf_local_irq_save(&flags);
	}
	bpf_iter_num_destroy(&it);
	bpf_local_irq_restore(&flags);
	return 0;
}

char _license[] SEC("license") = "GPL";
