/* SPDX-License-Identifier: BSD-2-Clause */
/* A 64-bit value is checked, but only a part of it is kept on the stack. */
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
	volatile __u16 kept[2];
	__u64 i;

	if (!c)
		return XDP_PASS;
	i = c->packets[0];
	if (i > 7)
		return XDP_PASS;
	kept[1] = i;
	c->packets[kept[1]]++;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
