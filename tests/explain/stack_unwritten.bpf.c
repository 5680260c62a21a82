/* SPDX-License-Identifier: BSD-2-Clause */
/* A key that is only partly written goes to a helper (without CAP_PERFMON it must be whole). */
/* options: --rights=bpf */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct key {
	__u32 address;
	__u32 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct key);
	__type(value, __u64);
} flows SEC(".maps");

SEC("socket")
int look(struct __sk_buff *skb)
{
	struct key key;

	key.address = skb->len;
	return bpf_map_delete_elem(&flows, &key) ? 1 : 0;
}

char LICENSE[] SEC("license") = "GPL";
