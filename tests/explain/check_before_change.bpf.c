/* SPDX-License-Identifier: BSD-2-Clause */
/* The value is changed after it was checked. */
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
	__u64 i;

	if (!c)
		return XDP_PASS;
	i = c->packets[0];
	if (i > 7)
		return XDP_PASS;
	i += c->packets[1];
	c->packets[i]++;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
