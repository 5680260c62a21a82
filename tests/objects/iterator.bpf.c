// SPDX-License-Identifier: BSD-2-Clause
/* Open-coded iterators. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "verdict.h"

int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned int flags) __ksym;
struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;
int bpf_iter_bits_new(struct bpf_iter_bits *it, const u64 *bits, u32 words) __ksym;
int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;
void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;

int values[16];
volatile int total;

SEC("socket") ACCEPT int numbers(void *ctx)
{
	struct bpf_iter_num it;
	int *number, sum = 0;

	bpf_iter_num_new(&it, 0, 1000000);
	while ((number = bpf_iter_num_next(&it)))
		sum += *number;
	bpf_iter_num_destroy(&it);
	return sum;
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, int);
} numbered SEC(".maps");

/* Linux takes keys for something that may be written. */
SEC("socket")
REJECT("R2 type=rdonly_mem expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem")
int number_as_key(void *ctx)
{
	struct bpf_iter_num it;
	int *number, found = 0;

	bpf_iter_num_new(&it, 0, 16);
	while ((number = bpf_iter_num_next(&it)))
		found += !!bpf_map_lookup_elem(&numbered, number);
	bpf_iter_num_destroy(&it);
	return found;
}

SEC("socket") ACCEPT int numbers_as_index(void *ctx)
{
	struct bpf_iter_num it;
	int *number, sum = 0;

	bpf_iter_num_new(&it, 0, 16);
	while ((number = bpf_iter_num_next(&it))) {
		unsigned int i = *number;

		if (i < 16)
			sum += values[i];
	}
	bpf_iter_num_destroy(&it);
	return sum;
}

SEC("socket") REJECT("invalid access to map value") int numbers_unchecked(void *ctx)
{
	struct bpf_iter_num it;
	int *number, sum = 0;

	bpf_iter_num_new(&it, 0, 16);
	while ((number = bpf_iter_num_next(&it)))
		sum += values[*number & 31];
	bpf_iter_num_destroy(&it);
	return sum;
}

SEC("socket") ACCEPT int nested(void *ctx)
{
	struct bpf_iter_num outer, inner;
	int *i, *j, sum = 0;

	bpf_iter_num_new(&outer, 0, 100);
	while ((i = bpf_iter_num_next(&outer))) {
		bpf_iter_num_new(&inner, 0, 100);
		while ((j = bpf_iter_num_next(&inner)))
			sum += *i ^ *j;
		bpf_iter_num_destroy(&inner);
	}
	bpf_iter_num_destroy(&outer);
	return sum;
}

SEC("socket") ACCEPT int leaves_early(void *ctx)
{
	struct bpf_iter_num it;
	int *number, found = -1;

	bpf_iter_num_new(&it, 0, 100);
	while ((number = bpf_iter_num_next(&it))) {
		if (bpf_get_prandom_u32() == *number) {
			found = *number;
			break;
		}
	}
	bpf_iter_num_destroy(&it);
	return found;
}

SEC("socket") REJECT("Unreleased reference") int never_destroyed(void *ctx)
{
	struct bpf_iter_num it;
	int *number, sum = 0;

	bpf_iter_num_new(&it, 0, 3);
	while ((number = bpf_iter_num_next(&it)))
		sum += *number;
	return sum;
}

SEC("socket") REJECT("expected an initialized iter_num as arg #0") int never_made(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_next(&it);
	return 0;
}

SEC("socket") REJECT("expected an initialized iter_num as arg #0") int destroyed_twice(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_destroy(&it);
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("socket") REJECT("expected uninitialized iter_num as arg #0") int made_twice(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("socket") REJECT("cannot pass in iter at an offset=-8") int another_type(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_bits_destroy((void *)&it);
	return 0;
}

SEC("socket") REJECT("arg#0 expected pointer to an iterator on stack") int not_on_stack(void *ctx)
{
	bpf_iter_num_new((void *)values, 0, 3);
	return 0;
}

SEC("socket") REJECT("cannot pass in iter at an offset=-12") NAKED int misaligned(void)
{
	asm volatile("r1 = r10; r1 += -12; r2 = 0; r3 = 9; call %[new]; r0 = 0; exit;" ::[new] "i"(
			     bpf_iter_num_new)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}

SEC("socket") REJECT("invalid mem access 'scalar'") int the_end_is_not_checked(void *ctx)
{
	struct bpf_iter_num it;
	int sum = 0;

	bpf_iter_num_new(&it, 0, 3);
	sum += *bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	return sum;
}

SEC("socket") REJECT("Unreleased reference") NAKED int overwritten(void)
{
	asm volatile("r1 = r10; r1 += -8; r2 = 0; r3 = 9; call %[new]; r1 = 0;"
		     "*(u64 *)(r10 - 8) = r1; r0 = 0; exit;" ::[new] "i"(bpf_iter_num_new)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}

SEC("socket") REJECT("invalid read from stack") NAKED int looked_into(void)
{
	asm volatile("r1 = r10; r1 += -8; r2 = 0; r3 = 9; call %[new];"
		     "r0 = *(u64 *)(r10 - 8); exit;" ::[new] "i"(bpf_iter_num_new)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}

SEC("socket") ACCEPT int bits(void *ctx)
{
	struct bpf_iter_bits it;
	u64 set = 0x55;
	int *bit, sum = 0;

	bpf_iter_bits_new(&it, &set, 1);
	while ((bit = bpf_iter_bits_next(&it)))
		sum += *bit;
	bpf_iter_bits_destroy(&it);
	return sum;
}

SEC("syscall") ACCEPT int tasks(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *task;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, 0);
	while ((task = bpf_iter_task_next(&it)))
		total += task->pid;
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall")
REJECT("kernel func bpf_iter_task_new requires RCU critical section protection")
int tasks_unprotected(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *task;

	bpf_iter_task_new(&it, NULL, 0);
	while ((task = bpf_iter_task_next(&it)))
		total += task->pid;
	bpf_iter_task_destroy(&it);
	return 0;
}

SEC("syscall") REJECT("expected an RCU CS when using bpf_iter_task_next")
int tasks_after_the_section(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *task;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, 0);
	bpf_rcu_read_unlock();
	while ((task = bpf_iter_task_next(&it)))
		total += task->pid;
	bpf_iter_task_destroy(&it);
	return 0;
}

/* The compiler asks for i == 16, and what is known of i is lost before that. */
SEC("socket") REJECT("invalid access to map value") int counts_beside(void *ctx)
{
	struct bpf_iter_num it;
	int *number;
	u32 i = 0;

	bpf_iter_num_new(&it, 0, 100);
	while ((number = bpf_iter_num_next(&it))) {
		if (i >= 16)
			break;
		values[i] = *number;
		i++;
	}
	bpf_iter_num_destroy(&it);
	return i;
}

SEC("socket") ACCEPT int looks_up_in_the_loop(void *ctx)
{
	struct bpf_iter_num it;
	int *number, *value = values, sum = 0;

	bpf_iter_num_new(&it, 0, 100);
	while ((number = bpf_iter_num_next(&it))) {
		sum += *value;
		value = &values[*number & 15];
	}
	bpf_iter_num_destroy(&it);
	return sum;
}

SEC("socket") REJECT("invalid mem access 'scalar'") int element_after_destroy(void *ctx)
{
	struct bpf_iter_num it;
	int *number;

	bpf_iter_num_new(&it, 0, 16);
	number = bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	return number ? *number : 0;
}

SEC("syscall") REJECT("expected an RCU CS when using bpf_iter_task_next")
int tasks_in_a_section_each(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *task;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, 0);
	while ((task = bpf_iter_task_next(&it))) {
		total += task->pid;
		bpf_rcu_read_unlock();
		bpf_rcu_read_lock();
	}
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall") REJECT("expected an RCU CS when using bpf_iter_task_destroy")
int tasks_destroyed_in_another_section(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *task;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, 0);
	while ((task = bpf_iter_task_next(&it))) {
		bpf_rcu_read_unlock();
		bpf_rcu_read_lock();
		break;
	}
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall") REJECT("nested rcu read lock")
int tasks_with_a_section_inside(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *task;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, NULL, 0);
	while ((task = bpf_iter_task_next(&it))) {
		bpf_rcu_read_lock();
		total += task->pid;
		bpf_rcu_read_unlock();
	}
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	return 0;
}

char _license[] SEC("license") = "GPL";
