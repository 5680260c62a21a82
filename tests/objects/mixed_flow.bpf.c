// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loops, callbacks, exceptions and functions, two or three of them together: what one of them
 * allows, another must not undo.
 */
#include "loops.h"
#include "verdict.h"
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define GLOBAL __attribute__((noinline, weak))
#define STATIC static __attribute__((noinline))

int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
void bpf_throw(u64 cookie) __ksym;
void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;
void bpf_preempt_disable(void) __ksym;
void bpf_preempt_enable(void) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct value {
	u64 number;
	struct bpf_spin_lock lock;
	int guarded;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, u32);
	__type(value, struct value);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, u32);
} programs SEC(".maps");

u64 table[16];

/* --- iterators and others --- */

SEC("tc") ACCEPT int index_of_an_iterator_in_may_goto(struct __sk_buff *skb)
{
	struct bpf_iter_num it;
	u64 sum = 0;
	int *i;

	bpf_iter_num_new(&it, 0, 16);
	while (can_loop) {
		i = bpf_iter_num_next(&it);
		if (!i)
			break;
		if (*i >= 0 && *i < 16)
			sum += table[*i];
	}
	bpf_iter_num_destroy(&it);
	return (int)sum;
}

SEC("tc") REJECT("Unreleased reference") int iterator_left_by_may_goto(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	while (bpf_iter_num_next(&it)) {
		if (!can_loop)
			return 1;
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") REJECT("Unreleased reference") int throws_inside_an_iterator(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	while (bpf_iter_num_next(&it))
		if (skb->len == 3)
			bpf_throw(0);
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") ACCEPT int throws_behind_an_iterator(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	while (bpf_iter_num_next(&it))
		table[0]++;
	bpf_iter_num_destroy(&it);
	if (skb->len == 3)
		bpf_throw(0);
	return 0;
}

STATIC int steps(struct bpf_iter_num *it)
{
	int *i = bpf_iter_num_next(it);

	return i ? *i : -1;
}

SEC("tc") ACCEPT int iterator_in_a_function(struct __sk_buff *skb)
{
	struct bpf_iter_num it;
	int sum = 0;

	bpf_iter_num_new(&it, 0, 16);
	for (int i = 0; i < 4; i++)
		sum += steps(&it);
	bpf_iter_num_destroy(&it);
	return sum;
}

STATIC void begins(struct bpf_iter_num *it)
{
	bpf_iter_num_new(it, 0, 4);
}

SEC("tc") REJECT("Unreleased reference") int iterator_begun_in_a_function(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	begins(&it);
	return 0;
}

SEC("tc") ACCEPT int iterator_begun_in_a_function_and_ended(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	begins(&it);
	bpf_iter_num_destroy(&it);
	return 0;
}

struct walk {
	struct bpf_iter_num *it;
	u64 sum;
};

STATIC int steps_in_callback(u32 round, struct walk *walk)
{
	int *i = bpf_iter_num_next(walk->it);

	walk->sum += i ? *i : 0;
	return 0;
}

SEC("tc") ACCEPT int iterator_in_a_callback(struct __sk_buff *skb)
{
	struct bpf_iter_num it;
	struct walk walk = {&it, 0};

	bpf_iter_num_new(&it, 0, 16);
	bpf_loop(4, steps_in_callback, &walk, 0);
	bpf_iter_num_destroy(&it);
	return (int)walk.sum;
}

STATIC int ends_in_callback(u32 round, struct walk *walk)
{
	bpf_iter_num_destroy(walk->it);
	return 1;
}

SEC("tc") REJECT("Unreleased reference") int iterator_ended_in_a_callback(struct __sk_buff *skb)
{
	struct bpf_iter_num it;
	struct walk walk = {&it, 0};

	bpf_iter_num_new(&it, 0, 16);
	bpf_loop(4, ends_in_callback, &walk, 0);
	return 0;
}

STATIC int own_iterator(u32 round, void *unused)
{
	struct bpf_iter_num it;
	int *i, sum = 0;

	bpf_iter_num_new(&it, 0, 3);
	while ((i = bpf_iter_num_next(&it)))
		sum += *i;
	bpf_iter_num_destroy(&it);
	return sum > 100;
}

SEC("tc") ACCEPT int callback_with_its_own_iterator(struct __sk_buff *skb)
{
	return bpf_loop(16, own_iterator, NULL, 0);
}

STATIC int left_iterator(u32 round, void *unused)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	return 0;
}

SEC("tc") REJECT("Unreleased reference") int callback_leaves_its_iterator(struct __sk_buff *skb)
{
	return bpf_loop(16, left_iterator, NULL, 0);
}

/* --- records in loops --- */

SEC("tc") ACCEPT int record_in_each_round(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	while (bpf_iter_num_next(&it)) {
		u64 *record = bpf_ringbuf_reserve(&ring, 8, 0);

		if (!record)
			continue;
		*record = skb->len;
		bpf_ringbuf_submit(record, 0);
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") REJECT("Unreleased reference") int record_in_some_rounds(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	while (bpf_iter_num_next(&it)) {
		u64 *record = bpf_ringbuf_reserve(&ring, 8, 0);

		if (!record || skb->len == 17)
			continue;
		bpf_ringbuf_discard(record, 0);
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") ACCEPT int record_around_a_loop(struct __sk_buff *skb)
{
	u64 *record = bpf_ringbuf_reserve(&ring, 64, 0);

	if (!record)
		return 0;
	for (u32 i = 0; i < 8 && can_loop; i++)
		record[i & 7] = i;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("tc")
REJECT("Unreleased reference") int record_passed_in_the_second_round(struct __sk_buff *skb)
{
	u64 *record = bpf_ringbuf_reserve(&ring, 64, 0);

	if (!record)
		return 0;
	for (u32 i = 0; i < 8 && can_loop; i++) {
		if (i == 1)
			bpf_ringbuf_submit(record, 0);
		record[0] = 1;
	}
	return 0;
}

/* --- locks and loops --- */

SEC("tc") ACCEPT int lock_in_each_round(struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	if (!value)
		return 0;
	for (u32 i = 0; i < 100 && can_loop; i++) {
		bpf_spin_lock(&value->lock);
		value->guarded += i;
		bpf_spin_unlock(&value->lock);
	}
	return 0;
}

SEC("tc") ACCEPT int loop_in_a_lock(struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	for (u32 i = 0; i < 100 && can_loop; i++)
		value->guarded += i;
	bpf_spin_unlock(&value->lock);
	return 0;
}

SEC("tc") ACCEPT int iterator_in_a_lock(struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);
	struct bpf_iter_num it;

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	bpf_iter_num_new(&it, 0, 16);
	while (bpf_iter_num_next(&it))
		value->guarded++;
	bpf_iter_num_destroy(&it);
	bpf_spin_unlock(&value->lock);
	return 0;
}

SEC("tc")
REJECT("function calls are not allowed while holding a lock") int helper_that_calls_back_in_a_lock(
	struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	bpf_loop(3, own_iterator, NULL, 0);
	bpf_spin_unlock(&value->lock);
	return 0;
}

STATIC void adds_under_lock(struct value *value)
{
	value->guarded++;
}

SEC("tc") ACCEPT int function_in_a_lock(struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	adds_under_lock(value);
	bpf_spin_unlock(&value->lock);
	return 0;
}

GLOBAL int adds_globally(int number)
{
	return number + 1;
}

SEC("tc")
REJECT("global function calls are not allowed while holding a lock,") int global_function_in_a_lock(
	struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	value->guarded = adds_globally(3);
	bpf_spin_unlock(&value->lock);
	return 0;
}

SEC("tc")
REJECT("function calls are not allowed while holding a lock") int tail_call_in_a_lock(
	struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&hash, &key);

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	bpf_tail_call(skb, &programs, 0);
	bpf_spin_unlock(&value->lock);
	return 0;
}

STATIC long locks_each(void *map, u32 *key, struct value *value, void *unused)
{
	bpf_spin_lock(&value->lock);
	value->guarded++;
	bpf_spin_unlock(&value->lock);
	return 0;
}

SEC("tc") ACCEPT int lock_of_each_element(struct __sk_buff *skb)
{
	return bpf_for_each_map_elem(&hash, locks_each, NULL, 0);
}

STATIC long locks_and_leaves(void *map, u32 *key, struct value *value, void *unused)
{
	bpf_spin_lock(&value->lock);
	return 0;
}

SEC("tc")
REJECT("function calls are not allowed while holding a lock") int lock_kept_of_each_element(
	struct __sk_buff *skb)
{
	return bpf_for_each_map_elem(&hash, locks_and_leaves, NULL, 0);
}

/* --- exceptions and others --- */

STATIC int throws_in_callback(u32 round, void *unused)
{
	if (round == 3)
		bpf_throw(0);
	return 0;
}

SEC("tc")
REJECT("cannot be called from callback subprog 1") int thrown_out_of_a_callback(
	struct __sk_buff *skb)
{
	return bpf_loop(16, throws_in_callback, NULL, 0);
}

SEC("tc")
REJECT("Unreleased reference") int thrown_out_of_a_callback_with_a_record(struct __sk_buff *skb)
{
	u64 *record = bpf_ringbuf_reserve(&ring, 8, 0);

	if (!record)
		return 0;
	bpf_loop(16, throws_in_callback, NULL, 0);
	bpf_ringbuf_discard(record, 0);
	return 0;
}

SEC("tc")
REJECT("bpf_throw cannot be used inside bpf_rcu_read_lock-ed region") int thrown_in_an_rcu_section(
	struct __sk_buff *skb)
{
	bpf_rcu_read_lock();
	if (skb->len == 3)
		bpf_throw(0);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("tc")
REJECT("bpf_throw cannot be used inside bpf_preempt_disable-ed region") int thrown_without_preemption(
	struct __sk_buff *skb)
{
	bpf_preempt_disable();
	if (skb->len == 3)
		bpf_throw(0);
	bpf_preempt_enable();
	return 0;
}

SEC("tc") ACCEPT int thrown_in_may_goto(struct __sk_buff *skb)
{
	for (u32 i = 0; can_loop; i++)
		if (i == skb->len)
			bpf_throw(i & 1);
	return 0;
}

GLOBAL int may_throw(int number)
{
	if (number == 3)
		bpf_throw(0);
	return number;
}

/* As in exception.bpf.c: nobody looks into global functions. */
SEC("tc") ACCEPT int thrown_by_a_function_in_an_iterator(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	while (bpf_iter_num_next(&it))
		table[1] += may_throw(skb->len);
	bpf_iter_num_destroy(&it);
	return 0;
}

/* --- functions and others --- */

GLOBAL int loops_globally(u32 times)
{
	int sum = 0;

	for (u32 i = 0; i < times && can_loop; i++)
		sum += i;
	return sum;
}

SEC("tc") ACCEPT int global_loop_in_an_iterator(struct __sk_buff *skb)
{
	struct bpf_iter_num it;
	int *i, sum = 0;

	bpf_iter_num_new(&it, 0, 100);
	while ((i = bpf_iter_num_next(&it)))
		sum += loops_globally(*i);
	bpf_iter_num_destroy(&it);
	return sum;
}

GLOBAL int result_is_unknown(void)
{
	return 3;
}

SEC("tc")
REJECT("R2 unbounded memory access, make sure to bounds check any such access") int global_result_as_index(
	struct __sk_buff *skb)
{
	return (int)table[(u32)result_is_unknown()];
}

SEC("tc") ACCEPT int global_result_as_masked_index(struct __sk_buff *skb)
{
	return (int)table[(u32)result_is_unknown() & 15];
}

GLOBAL int calls_back_inside(u32 times)
{
	return bpf_loop(times, own_iterator, NULL, 0);
}

SEC("tc") ACCEPT int callback_in_a_global_function(struct __sk_buff *skb)
{
	return calls_back_inside(skb->len);
}

STATIC int tail_calls(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &programs, 1);
	return 7;
}

SEC("tc") ACCEPT int tail_call_in_a_function(struct __sk_buff *skb)
{
	return tail_calls(skb);
}

/* What is called so returns to the caller of the function. */
SEC("tc") ACCEPT int tail_call_in_a_function_with_a_record(struct __sk_buff *skb)
{
	u64 *record = bpf_ringbuf_reserve(&ring, 8, 0);
	int ret;

	if (!record)
		return 0;
	ret = tail_calls(skb);
	bpf_ringbuf_discard(record, 0);
	return ret;
}

SEC("tc") REJECT("Unreleased reference") int tail_call_in_an_iterator(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 16);
	while (bpf_iter_num_next(&it))
		bpf_tail_call(skb, &programs, 0);
	bpf_iter_num_destroy(&it);
	return 0;
}

STATIC int deep_4(void)
{
	char place[120];

	__builtin_memset(place, 1, sizeof(place));
	asm volatile("" ::"r"(place) : "memory");
	return place[3];
}

STATIC int deep_3(void)
{
	char place[120];

	__builtin_memset(place, 1, sizeof(place));
	asm volatile("" ::"r"(place) : "memory");
	return deep_4() + place[3];
}

STATIC int deep_2(u32 round, void *unused)
{
	char place[120];

	__builtin_memset(place, 1, sizeof(place));
	asm volatile("" ::"r"(place) : "memory");
	return deep_3() + place[3] != 3;
}

SEC("tc") ACCEPT int stack_of_a_callback(struct __sk_buff *skb)
{
	return bpf_loop(4, deep_2, NULL, 0);
}

SEC("tc")
REJECT("combined stack size of") int stack_of_a_callback_is_added(struct __sk_buff *skb)
{
	char place[160];

	__builtin_memset(place, 1, sizeof(place));
	bpf_loop(4, deep_2, place, 0);
	return place[3];
}

/* --- bounds through loops --- */

STATIC int keeps_index(u32 round, u32 *index)
{
	if (*index < 15)
		(*index)++;
	return 0;
}

SEC("tc")
REJECT("R2 unbounded memory access, make sure to bounds check any such access") int index_kept_by_a_callback(
	struct __sk_buff *skb)
{
	u32 index = 0;

	bpf_loop(20, keeps_index, &index, 0);
	return (int)table[index];
}

SEC("tc") ACCEPT int index_kept_by_a_callback_and_checked(struct __sk_buff *skb)
{
	u32 index = 0;

	bpf_loop(20, keeps_index, &index, 0);
	return index < 16 ? (int)table[index] : 0;
}

SEC("tc") ACCEPT int index_of_may_goto_checked_inside(struct __sk_buff *skb)
{
	u64 sum = 0;

	for (u32 i = 0; can_loop; i++) {
		if (i >= 16)
			break;
		sum += table[i];
	}
	return (int)sum;
}

SEC("tc")
REJECT("invalid access to map value, value_size=128 off=128 size=8") int pointer_moved_by_may_goto(
	struct __sk_buff *skb)
{
	u64 *at = table, sum = 0;

	while (can_loop) {
		barrier_var(at);
		sum += *at++;
	}
	return (int)sum;
}

SEC("tc")
REJECT("invalid access to map value, value_size=128 off=128 size=8") int pointer_moved_by_an_iterator(
	struct __sk_buff *skb)
{
	struct bpf_iter_num it;
	u64 *at = table, sum = 0;

	bpf_iter_num_new(&it, 0, 16);
	while (bpf_iter_num_next(&it)) {
		sum += *at;
		at++;
		barrier_var(at);
	}
	bpf_iter_num_destroy(&it);
	return (int)sum;
}

char _license[] SEC("license") = "GPL";
