// SPDX-License-Identifier: BSD-2-Clause
/* All packets go to the CPU of entry 1, by whose program one of three passes. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct bpf_cpumap_val);
} cpus SEC(".maps");

unsigned int seen;

SEC("xdp") int spread(struct xdp_md *ctx)
{
	return bpf_redirect_map(&cpus, 1, 0);
}

SEC("xdp/cpumap") int one_of_three(struct xdp_md *ctx)
{
	return seen++ % 3 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
