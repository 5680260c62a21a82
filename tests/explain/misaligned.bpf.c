/* SPDX-License-Identifier: BSD-2-Clause */
/* An atomic operation at an address that is not aligned. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct counters {
	__u64 packets[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct counters);
} counts SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 key = 3;
	struct counters *c = bpf_map_lookup_elem(&counts, &key);

	if (!c)
		return XDP_PASS;
	__sync_fetch_and_add((__u64 *)((char *)c + 4), 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
