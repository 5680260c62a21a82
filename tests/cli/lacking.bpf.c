/* SPDX-License-Identifier: BSD-2-Clause */
/* What skep can judge but not run. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__uint(key_size, 4);
	__uint(value_size, 8 * 16);
} stacks SEC(".maps");

SEC("perf_event")
int keeps_stacks(struct bpf_perf_event_data *ctx)
{
	return bpf_get_stackid(ctx, &stacks, 0) + bpf_get_stackid(ctx, &stacks, 1);
}

char _license[] SEC("license") = "GPL";
