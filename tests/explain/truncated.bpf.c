/* SPDX-License-Identifier: BSD-2-Clause */
/* A difference that may be negative becomes a large u32. */
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
	__u32 key = 3, i = ctx->rx_queue_index;
	struct counters *c = bpf_map_lookup_elem(&counts, &key);

	if (!c || i > 7)
		return XDP_PASS;
	i -= 2;
	asm volatile("" : "+r"(i));
	c->packets[i]++;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
