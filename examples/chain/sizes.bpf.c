// SPDX-License-Identifier: BSD-2-Clause
/* tc behind them: counts packets by the size that XDP noted, and drops what has no note. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} sizes SEC(".maps");

SEC("tc") int count_sizes(struct __sk_buff *skb)
{
	__u32 *note = (void *)(long)skb->data_meta;
	__u64 one = 1, *count;

	if ((void *)(note + 1) > (void *)(long)skb->data)
		return TC_ACT_SHOT;
	count = bpf_map_lookup_elem(&sizes, note);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&sizes, note, &one, BPF_NOEXIST);
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
