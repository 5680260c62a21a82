// SPDX-License-Identifier: BSD-2-Clause
/* Inner maps are alike, and not the same. Locks of different maps. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "verdict.h"

#define CLOCK_MONOTONIC 1
#define private(name) SEC(".data." #name) __hidden __attribute__((aligned(8)))

int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym;
void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym;

struct value {
	struct bpf_timer timer;
	u64 number;
};

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct value);
} first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {&first, &second}};

SEC("tc") ACCEPT int timer_of_an_inner_map(void *ctx)
{
	u32 key = 0;
	void *map = bpf_map_lookup_elem(&outer, &key);
	struct value *value;

	if (!map)
		return 0;
	value = bpf_map_lookup_elem(map, &key);
	return value ? bpf_timer_init(&value->timer, map, CLOCK_MONOTONIC) : 0;
}

SEC("tc") REJECT("doesn't match map pointer in R2 map_uid=") int timer_of_another_look_up(void *ctx)
{
	u32 key = 0, other = 1;
	void *a = bpf_map_lookup_elem(&outer, &key), *b = bpf_map_lookup_elem(&outer, &other);
	struct value *value;

	if (!a || !b)
		return 0;
	value = bpf_map_lookup_elem(a, &key);
	return value ? bpf_timer_init(&value->timer, b, CLOCK_MONOTONIC) : 0;
}

private(a) struct bpf_res_spin_lock lock_a;
private(b) struct bpf_res_spin_lock lock_b;

SEC("tc") ACCEPT int locks_of_two_maps(void *ctx)
{
	if (bpf_res_spin_lock(&lock_a))
		return 0;
	if (!bpf_res_spin_lock(&lock_b))
		bpf_res_spin_unlock(&lock_b);
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

char _license[] SEC("license") = "GPL";
