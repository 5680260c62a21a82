// SPDX-License-Identifier: BSD-2-Clause
/*
 * Branches before, inside and behind loops of unknown length. Each leaves another number behind: where
 * these decide nothing, all paths are one, else there are more than a verification may walk.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "loops.h"
#include "verdict.h"

#define STATIC static __attribute__((noinline))

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, int);
	__type(value, long);
} hash SEC(".maps");

int array[64];
long sink;

/* --- before --- */

STATIC int adds_round(__u32 round, long *sum)
{
	*sum += round;
	return 0;
}

STATIC int counts(__u32 round, void *context)
{
	sink += round;
	return 0;
}

STATIC int counts_element(void *map, int *key, long *value, void *context)
{
	*value += 1;
	return 0;
}

SEC("tc") ACCEPT int before_callback(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0;

	BRANCHES_16
	bpf_loop(100, counts, NULL, 0);
	sink = mask;
	return 0;
}

SEC("tc") ACCEPT int before_callback_that_adds(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0;
	long sum;

	BRANCHES_16
	sum = mask;
	bpf_loop(100, adds_round, &sum, 0);
	sink = sum;
	return 0;
}

SEC("tc") ACCEPT int before_elements(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0;

	BRANCHES_16
	bpf_for_each_map_elem(&hash, counts_element, NULL, 0);
	sink = mask;
	return 0;
}

SEC("tc") ACCEPT int before_may_goto(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0;

	BRANCHES_16
	for (int i = 0; can_loop; i++)
		sink += i;
	sink = mask;
	return 0;
}

SEC("tc") ACCEPT int before_iterator(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0;
	struct bpf_iter_num it;

	BRANCHES_16
	bpf_iter_num_new(&it, 0, 10);
	while (bpf_iter_num_next(&it))
		sink++;
	bpf_iter_num_destroy(&it);
	sink = mask;
	return 0;
}

SEC("tc") ACCEPT int before_nested_iterators(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0;
	struct bpf_iter_num outer, inner;

	BRANCHES_16
	bpf_iter_num_new(&outer, 0, 64);
	while (bpf_iter_num_next(&outer)) {
		bpf_iter_num_new(&inner, 0, 10);
		while (bpf_iter_num_next(&inner))
			mask++;
		bpf_iter_num_destroy(&inner);
	}
	bpf_iter_num_destroy(&outer);
	sink = mask;
	return 0;
}

/* --- inside --- */

STATIC int branches(__u32 round, struct __sk_buff **skb)
{
	__u64 what = (*skb)->len, mask = 0;

	BRANCHES_16
	sink += mask;
	return 0;
}

SEC("tc") ACCEPT int in_callback(struct __sk_buff *skb)
{
	bpf_loop(100, branches, &skb, 0);
	return 0;
}

STATIC int branches_into(__u32 round, __u64 *sum)
{
	__u64 what = round, mask = *sum;

	BRANCHES_16
	*sum = mask;
	return 0;
}

SEC("tc") ACCEPT int in_callback_that_adds(struct __sk_buff *skb)
{
	__u64 sum = 0;

	bpf_loop(100, branches_into, &sum, 0);
	sink = sum;
	return 0;
}

SEC("tc") ACCEPT int in_iterator(struct __sk_buff *skb)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 10);
	while (bpf_iter_num_next(&it)) {
		__u64 what = skb->len, mask = 0;

		BRANCHES_8
		sink += mask;
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

/* Linux walks every path that is inside a loop. */
SEC("tc") ACCEPT LINUX_REJECTS("BPF program is too large")
int in_nested_iterators(struct __sk_buff *skb)
{
	struct bpf_iter_num outer, inner;

	bpf_iter_num_new(&outer, 0, 10);
	while (bpf_iter_num_next(&outer)) {
		__u64 what = skb->len, mask = 0;

		BRANCHES_16
		bpf_iter_num_new(&inner, 0, 10);
		while (bpf_iter_num_next(&inner))
			mask++;
		bpf_iter_num_destroy(&inner);
		sink += mask;
	}
	bpf_iter_num_destroy(&outer);
	return 0;
}

SEC("tc") ACCEPT int in_may_goto(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0;

	for (int i = 0; can_loop; i++) {
		BRANCHES_8
		sink += i;
	}
	sink = mask;
	return 0;
}

/* --- what the loop decides by --- */

SEC("tc") ACCEPT int index_is_checked(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0;
	struct bpf_iter_num it;
	int *next;

	BRANCHES_16
	bpf_iter_num_new(&it, 0, 64);
	while ((next = bpf_iter_num_next(&it))) {
		int i = *next;

		if (i >= 0 && i < 64)
			array[i] += mask;
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") ACCEPT int index_is_bounded(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0;
	struct bpf_iter_num it;
	__u32 i = 0;

	BRANCHES_16
	bpf_iter_num_new(&it, 0, 64);
	while (bpf_iter_num_next(&it))
		if (i < 64)
			array[i++] += mask;
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") REJECT("invalid access to map value") int index_grows(struct __sk_buff *skb)
{
	__u64 what = skb->len, mask = 0;
	struct bpf_iter_num it;
	__u32 i = 0;

	BRANCHES_16
	bpf_iter_num_new(&it, 0, 64);
	while (bpf_iter_num_next(&it))
		array[i++] += mask;
	bpf_iter_num_destroy(&it);
	return 0;
}

/* The branch that relies on `i` is walked after the round that changed it was taken as alike. */
SEC("tc") REJECT("invalid access to map value") int index_matters_later(struct __sk_buff *skb)
{
	struct bpf_iter_num it;
	__u64 i = 0;

	bpf_iter_num_new(&it, 0, 64);
	while (bpf_iter_num_next(&it)) {
		asm volatile("if %1 & 1 goto +4;"
			     "r1 = %2 ll;"
			     "r1 += %0;"
			     "*(u8 *)(r1 + 0) = 1;"
			     "%0 += 200;"
			     : "+r"(i)
			     : "r"((__u64)bpf_get_prandom_u32()), "i"(array)
			     : "r1", "memory");
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("tc") REJECT("unbounded memory access") int index_matters_in_callback(struct __sk_buff *skb)
{
	long sum = 0;

	bpf_loop(100, adds_round, &sum, 0);
	array[sum] = 1;
	return 0;
}

char _license[] SEC("license") = "GPL";
