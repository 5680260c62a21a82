// SPDX-License-Identifier: BSD-2-Clause
/* Functions that a helper calls: any number of times, none included. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "verdict.h"

#define STATIC static __attribute__((noinline))

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, int);
	__type(value, long);
} hash SEC(".maps");

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

struct counts {
	int number;
	long sum;
};

#define UNKNOWN(array) asm volatile("" ::"r"(array))

/* --- how often --- */

STATIC int counts_up(int round, struct counts *counts)
{
	counts->number++;
	return 0;
}

SEC("tc") ACCEPT int counter_decides_nothing(struct __sk_buff *skb)
{
	struct counts counts = {};

	bpf_loop(1 << 20, counts_up, &counts, 0);
	return counts.number;
}

SEC("tc") REJECT("R1 type=ctx expected=scalar")
LINUX_REJECTS("verifier bug: backtracking misuse") int counts_up_to_an_address(struct __sk_buff *skb)
{
	struct counts counts = {};

	bpf_loop((long)skb, counts_up, &counts, 0);
	return counts.number;
}

SEC("tc") ACCEPT int counter_is_followed(struct __sk_buff *skb)
{
	int array[4] = {};
	struct counts counts = {};

	UNKNOWN(array);
	bpf_loop(100, counts_up, &counts, 0);
	return array[counts.number & 3];
}

STATIC int follows_null_at_three(int round, struct counts *counts)
{
	if (counts->sum == 3)
		return *(volatile int *)1;
	counts->sum++;
	return 0;
}

SEC("tc") ACCEPT int three_rounds_are_no_four(struct __sk_buff *skb)
{
	struct counts counts = {};

	bpf_loop(3, follows_null_at_three, &counts, 0);
	return 0;
}

SEC("tc") REJECT("R1 invalid mem access 'scalar'") int four_rounds(struct __sk_buff *skb)
{
	struct counts counts = {};

	bpf_loop(4, follows_null_at_three, &counts, 0);
	return 0;
}

STATIC int follows_null(int round, void *context)
{
	return *(volatile int *)1;
}

SEC("tc") ACCEPT int no_round(struct __sk_buff *skb)
{
	bpf_loop(0, follows_null, 0, 0);
	return 0;
}

STATIC int sets_sum(int round, struct counts *counts)
{
	counts->sum = 100;
	return 1;
}

SEC("tc") REJECT("invalid read from stack") int one_round_or_none(struct __sk_buff *skb)
{
	struct counts counts = {};
	int array[4] = {};

	UNKNOWN(array);
	bpf_loop(1, sets_sum, &counts, 0);
	return array[counts.sum];
}

STATIC int counts_to_eight(int round, struct counts *counts)
{
	if (counts->sum < 8)
		counts->sum++;
	return 0;
}

SEC("tc") ACCEPT int counter_keeps_its_bound(struct __sk_buff *skb)
{
	struct counts counts = {};
	char array[16] = {};

	UNKNOWN(array);
	bpf_loop(skb->len, counts_to_eight, &counts, 0);
	return array[counts.sum];
}

STATIC int sums(int round, struct counts *counts)
{
	counts->sum++;
	return 0;
}

STATIC int sums_in_loop(int round, struct counts *counts)
{
	bpf_loop(10, sums, counts, 0);
	return 0;
}

SEC("tc") ACCEPT int loop_in_loop(struct __sk_buff *skb)
{
	struct counts counts = {};

	bpf_loop(100, sums_in_loop, &counts, 0);
	return counts.sum;
}

STATIC int calls_itself(int round, struct counts *counts)
{
	bpf_loop(10, calls_itself, counts, 0);
	return 0;
}

SEC("tc") REJECT("the call stack of 9 frames is too deep") int recursion(struct __sk_buff *skb)
{
	struct counts counts = {};

	bpf_loop(100, calls_itself, &counts, 0);
	return 0;
}

SEC("tc") ACCEPT int called_by_both(struct __sk_buff *skb)
{
	struct counts counts = {};

	bpf_loop(100, counts_up, &counts, 0);
	return counts_up(3, &counts);
}

/* --- results --- */

STATIC int returns_two(int round, void *context)
{
	return 2;
}

SEC("tc")
REJECT("At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]")
int result_is_two(struct __sk_buff *skb)
{
	bpf_loop(1, returns_two, 0, 0);
	return 0;
}

STATIC int returns_round(int round, void *context)
{
	return round;
}

SEC("tc")
REJECT("At callback return the register R0 has smin=0 smax=4294967295")
int result_is_any_number(struct __sk_buff *skb)
{
	bpf_loop(1, returns_round, 0, 0);
	return 0;
}

STATIC int returns_context(int round, void *context)
{
	long result;

	asm volatile("%0 = %1;" : "=r"(result) : "r"(context));
	return result;
}

SEC("tc")
REJECT("cannot return stack pointer to the caller")
int result_is_an_address(struct __sk_buff *skb)
{
	struct counts counts = {};

	bpf_loop(1, returns_context, &counts, 0);
	return 0;
}

STATIC int calls_program(int round, struct __sk_buff **skb)
{
	bpf_tail_call(*skb, &programs, 0);
	return 0;
}

SEC("tc")
REJECT("At callback return the register R0 has unknown scalar value")
LINUX_REJECTS("") int tail_call(struct __sk_buff *skb)
{
	bpf_loop(1, calls_program, &skb, 0);
	return 0;
}

/* --- what they leave behind --- */

struct record {
	void *memory;
};

STATIC int reserves(int round, struct record *record)
{
	bpf_ringbuf_reserve(&ring, 8, 0);
	return 0;
}

SEC("tc") REJECT("Unreleased reference id=") int leaks_record(struct __sk_buff *skb)
{
	struct record record;

	bpf_loop(1, reserves, &record, 0);
	return 0;
}

STATIC int releases(int round, struct record *record)
{
	bpf_ringbuf_discard(record->memory, 0);
	return 0;
}

SEC("tc") REJECT("Unreleased reference id=") int may_not_be_released(struct __sk_buff *skb)
{
	struct record record = {bpf_ringbuf_reserve(&ring, 8, 0)};

	if (record.memory)
		bpf_loop(1, releases, &record, 0);
	return 0;
}

SEC("tc")
REJECT("R1 type=scalar expected=ringbuf_mem") int may_be_released_twice(struct __sk_buff *skb)
{
	struct record record = {bpf_ringbuf_reserve(&ring, 8, 0)};

	if (!record.memory)
		return 0;
	bpf_loop(1, releases, &record, 0);
	bpf_ringbuf_discard(record.memory, 0);
	return 0;
}

STATIC int writes(int round, struct record *record)
{
	*(long *)record->memory = round;
	return 0;
}

SEC("tc") ACCEPT int uses_record(struct __sk_buff *skb)
{
	struct record record = {bpf_ringbuf_reserve(&ring, 8, 0)};

	if (!record.memory)
		return 0;
	bpf_loop(1, writes, &record, 0);
	bpf_ringbuf_discard(record.memory, 0);
	return 0;
}

STATIC int clears(int round, struct record *record)
{
	record->memory = 0;
	return 0;
}

SEC("tc") REJECT("R1 invalid mem access 'scalar'") int pointer_is_lost(struct __sk_buff *skb)
{
	struct record record = {skb};

	bpf_loop(10, clears, &record, 0);
	return ((struct __sk_buff *)record.memory)->len;
}

STATIC int pulls(int round, struct __sk_buff **skb)
{
	bpf_skb_pull_data(*skb, 0);
	return 0;
}

SEC("tc") REJECT("invalid mem access 'scalar'") int packet_is_lost(struct __sk_buff *skb)
{
	int *data = (void *)(long)skb->data;

	if ((void *)(data + 1) > (void *)(long)skb->data_end)
		return 0;
	bpf_loop(1, pulls, &skb, 0);
	return *data;
}

STATIC int gives_its_stack(int round, char **pointer)
{
	char local = 1;

	*pointer = &local;
	return 0;
}

SEC("tc")
REJECT("cannot spill pointers to stack into stack frame of the caller")
int address_of_its_stack(struct __sk_buff *skb)
{
	char *pointer = 0;

	bpf_loop(10, gives_its_stack, &pointer, 0);
	return 0;
}

STATIC int takes_lock(int round, void *context)
{
	int key = 0;
	struct locked *value = bpf_map_lookup_elem(&locks, &key);

	if (value)
		bpf_spin_lock(&value->lock);
	return 0;
}

SEC("tc")
REJECT("function calls are not allowed while holding a lock")
int keeps_lock(struct __sk_buff *skb)
{
	bpf_loop(1, takes_lock, 0, 0);
	return 0;
}

SEC("tc") REJECT("R3 type=ctx expected=fp") int context_is_no_stack(struct __sk_buff *skb)
{
	bpf_loop(1, returns_two, skb, 0);
	return 0;
}

STATIC int reads_callee_saved(int round, void *context)
{
	asm volatile("r6 = r9;" ::: "r6");
	return 0;
}

SEC("tc") REJECT("R9 !read_ok") int has_registers_of_its_own(struct __sk_buff *skb)
{
	bpf_loop(1, reads_callee_saved, 0, 0);
	return 0;
}

/* --- elements of maps --- */

STATIC long adds(void *map, int *key, long *value, struct counts *counts)
{
	counts->sum += *key + *value;
	*value = 1;
	return 0;
}

SEC("tc") ACCEPT int for_each(struct __sk_buff *skb)
{
	struct counts counts = {};

	bpf_for_each_map_elem(&hash, adds, &counts, 0);
	return counts.sum;
}

STATIC long changes_key(void *map, int *key, long *value, void *context)
{
	*key = 1;
	return 0;
}

SEC("tc") REJECT("write to change key R2 not allowed") int key_is_changed(struct __sk_buff *skb)
{
	bpf_for_each_map_elem(&hash, changes_key, 0, 0);
	return 0;
}

STATIC long deletes(void *map, int *key, long *value, void *context)
{
	bpf_map_delete_elem(map, key);
	return 0;
}

SEC("tc") ACCEPT int element_is_deleted(struct __sk_buff *skb)
{
	bpf_for_each_map_elem(&hash, deletes, 0, 0);
	return 0;
}

STATIC long reads_beyond(void *map, int *key, volatile long *value, void *context)
{
	return value[1] & 0;
}

SEC("tc")
REJECT("invalid access to map value, value_size=8 off=8 size=8")
int beyond_the_element(struct __sk_buff *skb)
{
	bpf_for_each_map_elem(&hash, reads_beyond, 0, 0);
	return 0;
}

/* --- timers --- */

struct timed {
	struct bpf_timer timer;
	int number;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, int);
	__type(value, struct timed);
} timers SEC(".maps");

#define WITH_TIMER(callback)                                      \
	int key = 0;                                              \
	struct timed *value = bpf_map_lookup_elem(&timers, &key); \
                                                                  \
	if (value)                                                \
		bpf_timer_set_callback(&value->timer, callback);  \
	return 0

STATIC int counts_ticks(void *map, int *key, struct timed *value)
{
	value->number += *key;
	return 0;
}

SEC("tc") ACCEPT int timer(struct __sk_buff *skb)
{
	WITH_TIMER(counts_ticks);
}

STATIC int tick_returns_one(void *map, int *key, struct timed *value)
{
	return 1;
}

SEC("tc")
REJECT("At async callback return the register R0 has smin=1 smax=1 should have been in [0, 0]")
int result_of_tick(struct __sk_buff *skb)
{
	WITH_TIMER(tick_returns_one);
}

STATIC int starts_again(void *map, int *key, struct timed *value)
{
	bpf_timer_set_callback(&value->timer, starts_again);
	return 0;
}

SEC("tc") ACCEPT int timer_starts_itself(struct __sk_buff *skb)
{
	WITH_TIMER(starts_again);
}

STATIC int tick_reserves(void *map, int *key, struct timed *value)
{
	bpf_ringbuf_reserve(&ring, 8, 0);
	return 0;
}

SEC("tc") REJECT("Unreleased reference id=") int tick_leaks(struct __sk_buff *skb)
{
	WITH_TIMER(tick_reserves);
}

STATIC int tick_uses_timer(void *map, int *key, struct timed *value)
{
	return *(volatile int *)&value->timer & 0;
}

SEC("tc")
REJECT("bpf_timer cannot be accessed directly by load/store") int tick_reads_timer(
	struct __sk_buff *skb)
{
	WITH_TIMER(tick_uses_timer);
}

/* What is called back is verified with what it gets, which a global function is not. */
__attribute__((noinline)) long global_round(unsigned int round, void *context)
{
	return 0;
}

SEC("tc") REJECT("callback function not static") int calls_back_global(struct __sk_buff *skb)
{
	bpf_loop(4, global_round, skb, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
