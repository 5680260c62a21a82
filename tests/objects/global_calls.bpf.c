// SPDX-License-Identifier: BSD-2-Clause
/* Around the call of a global function: what is left behind it, and where it may be. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "verdict.h"

#define GLOBAL __attribute__((noinline, weak))
#define STATIC static __attribute__((noinline))

struct locked {
	struct bpf_spin_lock lock;
	int number;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct locked);
} locks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 4);
} programs SEC(".maps");

GLOBAL int plain(int number)
{
	return number;
}

/* --- which are verified --- */

GLOBAL int wrong(int *pointer)
{
	return *pointer;
}

SEC("tc") ACCEPT int dead_call(struct __sk_buff *skb)
{
	int number;

	asm volatile("%0 = 1;" : "=r"(number));
	return number == 2 ? wrong(0) : 0;
}

GLOBAL int calls_wrong(int number)
{
	return wrong(&number);
}

SEC("tc")
REJECT("R1 invalid mem access 'mem_or_null'") LOG_LEVEL(1)
	LOG("Validating wrong() func#2...") int called_by_global(struct __sk_buff *skb)
{
	return calls_wrong(1);
}

STATIC int static_calls_wrong(int number)
{
	return wrong(&number);
}

SEC("tc")
REJECT("R1 invalid mem access 'mem_or_null'") int called_by_static(struct __sk_buff *skb)
{
	return static_calls_wrong(skb->len);
}

SEC("tc")
ACCEPT LOG_LEVEL(2) LOG("Func#1 ('plain') is global and assumed valid.")
	LOG("Func#1 ('plain') is safe for any args that match its prototype") int log_of_both(
		struct __sk_buff *skb)
{
	return plain(1);
}

/* --- resources --- */

SEC("tc")
REJECT("global function calls are not allowed while holding a lock,") int call_under_lock(
	struct __sk_buff *skb)
{
	int key = 0;
	struct locked *value = bpf_map_lookup_elem(&locks, &key);

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	plain(1);
	bpf_spin_unlock(&value->lock);
	return 0;
}

GLOBAL int leaks_record(int number)
{
	void *record = bpf_ringbuf_reserve(&ring, 8, 0);

	if (record && number)
		bpf_ringbuf_discard(record, 0);
	return 0;
}

SEC("tc") REJECT("Unreleased reference id=") int global_leaks(struct __sk_buff *skb)
{
	return leaks_record(1);
}

SEC("tc") ACCEPT int reference_over_call(struct __sk_buff *skb)
{
	void *record = bpf_ringbuf_reserve(&ring, 8, 0);

	plain(1);
	if (record)
		bpf_ringbuf_discard(record, 0);
	return 0;
}

GLOBAL int keeps_lock(int number)
{
	int key = 0;
	struct locked *value = bpf_map_lookup_elem(&locks, &key);

	if (value)
		bpf_spin_lock(&value->lock);
	return 0;
}

SEC("tc")
REJECT("BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region")
int global_keeps_lock(struct __sk_buff *skb)
{
	return keeps_lock(1);
}

/* --- the packet --- */

#define OVER_CALL(call)                                       \
	int *data = (void *)(long)skb->data;                  \
                                                              \
	if ((void *)(data + 1) > (void *)(long)skb->data_end) \
		return 0;                                     \
	call;                                                 \
	return *data

GLOBAL int pulls(struct __sk_buff *skb)
{
	return bpf_skb_pull_data(skb, 0);
}

SEC("tc") REJECT("invalid mem access 'scalar'") int packet_pulled(struct __sk_buff *skb)
{
	OVER_CALL(pulls(skb));
}

GLOBAL int calls_pulls(struct __sk_buff *skb)
{
	return pulls(skb);
}

SEC("tc") REJECT("invalid mem access 'scalar'") int packet_pulled_below(struct __sk_buff *skb)
{
	OVER_CALL(calls_pulls(skb));
}

GLOBAL int pulls_in_dead_code(struct __sk_buff *skb)
{
	int number;

	asm volatile("%0 = 0;" : "=r"(number));
	if (number)
		bpf_skb_pull_data(skb, 0);
	return 0;
}

SEC("tc")
REJECT("invalid mem access 'scalar'") int packet_pulled_in_dead_code(struct __sk_buff *skb)
{
	OVER_CALL(pulls_in_dead_code(skb));
}

STATIC int pulls_once(int index, struct __sk_buff **skb)
{
	bpf_skb_pull_data(*skb, 0);
	return 0;
}

GLOBAL int pulls_in_callback(struct __sk_buff *skb)
{
	bpf_loop(1, pulls_once, &skb, 0);
	return 0;
}

SEC("tc")
REJECT("invalid mem access 'scalar'") int packet_pulled_in_callback(struct __sk_buff *skb)
{
	OVER_CALL(pulls_in_callback(skb));
}

GLOBAL int calls_program(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &programs, 0);
	return 0;
}

SEC("tc")
REJECT("invalid mem access 'scalar'") int packet_after_tail_call(struct __sk_buff *skb)
{
	OVER_CALL(calls_program(skb));
}

SEC("tc") ACCEPT int packet_over_plain_call(struct __sk_buff *skb)
{
	OVER_CALL(plain(1));
}

/* --- the caller's memory --- */

GLOBAL int changes(long *number)
{
	if (number)
		*number = 7;
	return 0;
}

SEC("tc") REJECT("invalid mem access 'scalar'") int number_is_unknown(struct __sk_buff *skb)
{
	volatile long number = 5;

	changes((long *)&number);
	if (number == 5)
		return 0;
	return *(volatile int *)1;
}

SEC("tc")
REJECT("invalid mem access 'scalar'") int spilled_pointer_is_lost(struct __sk_buff *skb)
{
	struct __sk_buff *volatile spilled[] = {skb};

	changes((long *)spilled);
	return spilled[0]->len;
}

/* --- where it may be called --- */

GLOBAL int sleeps(int number)
{
	char byte;

	bpf_copy_from_user(&byte, 1, 0);
	return 0;
}

SEC("iter/task")
REJECT("global functions that may sleep are not allowed in non-sleepable context,") int sleeps_where_it_must_not(
	struct bpf_iter__task *context)
{
	return sleeps(1);
}

SEC("iter.s/task") ACCEPT int sleeps_where_it_may(struct bpf_iter__task *context)
{
	return sleeps(1) * 0;
}

char _license[] SEC("license") = "GPL";
