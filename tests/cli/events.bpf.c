/* SPDX-License-Identifier: BSD-2-Clause */
/* One map of each kind that the command shows or reads in its own way. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct sample {
	__u32 number;
	char name[8];
};

const struct sample *sample_type __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} sample SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {[1] = &counters}};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} per_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4);
	__type(value, __u64);
} queue SEC(".maps");

const volatile __u32 verdict = XDP_PASS;
__u32 seen;

SEC("xdp")
int events(struct xdp_md *ctx)
{
	struct sample event = {.number = ++seen, .name = "packet"};

	bpf_printk("packet %d", event.number);
	bpf_perf_event_output(ctx, &sample, BPF_F_CURRENT_CPU, &event, sizeof(event));
	return verdict;
}

char LICENSE[] SEC("license") = "GPL";
