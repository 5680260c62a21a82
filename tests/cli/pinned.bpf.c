// SPDX-License-Identifier: BSD-2-Clause
/* Counts in a map that is pinned by its name. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 16);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} runs SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 key = 1;
	__u64 one = 1, *runs_so_far = bpf_map_lookup_elem(&runs, &key);

	if (runs_so_far)
		__sync_fetch_and_add(runs_so_far, 1);
	else
		bpf_map_update_elem(&runs, &key, &one, BPF_ANY);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
