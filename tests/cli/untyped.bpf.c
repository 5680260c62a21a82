/* SPDX-License-Identifier: BSD-2-Clause */
/* A map whose keys and values have no types. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 8);
} plain SEC(".maps");

SEC("xdp") int untyped(struct xdp_md *ctx)
{
	__u32 key = 1;
	__u64 *value = bpf_map_lookup_elem(&plain, &key);

	if (value)
		*value = 0x0102030405;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
