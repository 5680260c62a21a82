// SPDX-License-Identifier: BSD-2-Clause
/* Timers and work queues in values. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "check.h"

int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym;
int bpf_wq_set_callback_impl(struct bpf_wq *wq, int (*callback)(void *map, int *key, void *value),
			     unsigned int flags, void *aux) __ksym;
int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;

#define CLOCK_REALTIME	 0
#define CLOCK_MONOTONIC	 1
#define CLOCK_BOOTTIME	 7
#define HOUR		 3600000000000ull

struct with_timer {
	long before;
	struct bpf_timer timer;
	long fired, key;
};

struct with_work {
	struct bpf_wq work;
	long done, key;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, u32);
	__type(value, struct with_timer);
} array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, u32);
	__type(value, struct with_timer);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, u32);
	__type(value, struct with_work);
} works SEC(".maps");

long seen[32];

static int on_time(void *map, u32 *key, struct with_timer *value)
{
	value->key = *key;
	__sync_fetch_and_add(&value->fired, 1);
	return 0;
}

static int on_time_again(void *map, u32 *key, struct with_timer *value)
{
	if (++value->fired < 5)
		bpf_timer_start(&value->timer, 1000, 0);
	value->key = bpf_timer_cancel(&value->timer);
	if (value->fired < 5)
		bpf_timer_start(&value->timer, 1000, 0);
	return 0;
}

SEC("tc") int answers(struct __sk_buff *skb)
{
	u32 key = 0;
	struct with_timer *value = bpf_map_lookup_elem(&array, &key);

	if (!value)
		return __LINE__;
	seen[0] = bpf_timer_set_callback(&value->timer, on_time);
	seen[1] = bpf_timer_start(&value->timer, 0, 0);
	seen[2] = bpf_timer_cancel(&value->timer);
	seen[3] = bpf_timer_init(&value->timer, &array, 2);
	seen[4] = bpf_timer_init(&value->timer, &array, 16);
	seen[5] = bpf_timer_init(&value->timer, &array, CLOCK_MONOTONIC);
	seen[6] = bpf_timer_init(&value->timer, &array, CLOCK_MONOTONIC);
	seen[7] = bpf_timer_start(&value->timer, HOUR, 0);
	seen[8] = bpf_timer_cancel(&value->timer);
	seen[9] = bpf_timer_set_callback(&value->timer, on_time);
	seen[10] = bpf_timer_start(&value->timer, HOUR, 4);
	seen[11] = bpf_timer_start(&value->timer, HOUR, 0);
	seen[12] = bpf_timer_start(&value->timer, 2 * HOUR, 0);
	seen[13] = bpf_timer_cancel(&value->timer);
	seen[14] = bpf_timer_cancel(&value->timer);
	seen[15] = bpf_timer_start(&value->timer, 0, 0);
	seen[16] = value->fired;
	return 0;
}

SEC("tc") int starts_in_an_array(struct __sk_buff *skb)
{
	u32 key = 3;
	struct with_timer *value = bpf_map_lookup_elem(&array, &key);

	if (!value)
		return __LINE__;
	seen[0] = bpf_timer_init(&value->timer, &array, CLOCK_BOOTTIME);
	seen[1] = bpf_timer_set_callback(&value->timer, on_time);
	seen[2] = bpf_timer_start(&value->timer, 100000, 0);
	return 0;
}

SEC("tc") int until_it_has_fired(struct __sk_buff *skb)
{
	u32 key = 3;
	struct with_timer *value = bpf_map_lookup_elem(&array, &key);

	if (!value || !value->fired)
		return __LINE__;
	seen[0] = value->fired;
	seen[1] = value->key;
	seen[2] = bpf_timer_cancel(&value->timer);
	return 0;
}

SEC("tc") int starts_in_a_hash(struct __sk_buff *skb)
{
	struct with_timer first = {.before = 5}, *value;
	u32 key = 77;

	bpf_map_update_elem(&hash, &key, &first, 0);
	value = bpf_map_lookup_elem(&hash, &key);
	if (!value)
		return __LINE__;
	seen[0] = bpf_timer_init(&value->timer, &hash, CLOCK_MONOTONIC);
	seen[1] = bpf_timer_set_callback(&value->timer, on_time_again);
	seen[2] = bpf_timer_start(&value->timer, bpf_ktime_get_ns() + 1000, 1);
	return 0;
}

SEC("tc") int until_it_has_fired_five_times(struct __sk_buff *skb)
{
	u32 key = 77;
	struct with_timer *value = bpf_map_lookup_elem(&hash, &key);

	if (!value || value->fired < 5)
		return __LINE__;
	seen[0] = value->fired;
	seen[1] = value->key;
	seen[2] = value->before;
	return 0;
}

SEC("tc") int goes_with_its_element(struct __sk_buff *skb)
{
	struct with_timer first = {}, *value;
	u32 key = 78;

	bpf_map_update_elem(&hash, &key, &first, 0);
	value = bpf_map_lookup_elem(&hash, &key);
	if (!value)
		return __LINE__;
	seen[0] = bpf_timer_init(&value->timer, &hash, CLOCK_REALTIME);
	seen[1] = bpf_timer_set_callback(&value->timer, on_time);
	seen[2] = bpf_timer_start(&value->timer, HOUR, 0);
	seen[3] = bpf_map_delete_elem(&hash, &key);
	bpf_map_update_elem(&hash, &key, &first, 0);
	value = bpf_map_lookup_elem(&hash, &key);
	if (!value)
		return __LINE__;
	seen[4] = bpf_timer_cancel(&value->timer);
	seen[5] = bpf_timer_init(&value->timer, &hash, CLOCK_REALTIME);
	return 0;
}

SEC("tc") int stays_with_a_value_that_changes(struct __sk_buff *skb)
{
	struct with_timer other = {.before = 9}, *value;
	u32 key = 5;

	value = bpf_map_lookup_elem(&array, &key);
	if (!value)
		return __LINE__;
	seen[0] = bpf_timer_init(&value->timer, &array, CLOCK_MONOTONIC);
	seen[1] = bpf_timer_set_callback(&value->timer, on_time);
	seen[2] = bpf_timer_start(&value->timer, HOUR, 0);
	seen[3] = bpf_map_update_elem(&array, &key, &other, 0);
	seen[4] = bpf_timer_cancel(&value->timer);
	seen[5] = value->before;
	return 0;
}

static int on_work(void *map, int *key, void *value)
{
	struct with_work *work = value;

	work->key = *key;
	__sync_fetch_and_add(&work->done, 1);
	return 0;
}

SEC("tc") int work(struct __sk_buff *skb)
{
	u32 key = 2;
	struct with_work *value = bpf_map_lookup_elem(&works, &key);

	if (!value)
		return __LINE__;
	seen[0] = bpf_wq_start(&value->work, 0);
	seen[1] = bpf_wq_set_callback_impl(&value->work, on_work, 0, 0);
	seen[2] = bpf_wq_init(&value->work, &works, 1);
	seen[3] = bpf_wq_init(&value->work, &works, 0);
	seen[4] = bpf_wq_init(&value->work, &works, 0);
	seen[5] = bpf_wq_start(&value->work, 0);
	seen[6] = bpf_wq_set_callback_impl(&value->work, on_work, 1, 0);
	seen[7] = bpf_wq_set_callback_impl(&value->work, on_work, 0, 0);
	seen[8] = bpf_wq_start(&value->work, 1);
	seen[9] = bpf_wq_start(&value->work, 0);
	return 0;
}

SEC("tc") int until_it_is_done(struct __sk_buff *skb)
{
	u32 key = 2;
	struct with_work *value = bpf_map_lookup_elem(&works, &key);

	if (!value || !value->done)
		return __LINE__;
	seen[0] = value->done;
	seen[1] = value->key;
	return 0;
}

char _license[] SEC("license") = "GPL";
