/* SPDX-License-Identifier: BSD-2-Clause */
/* The size argument of a helper may be 0. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("socket")
int copy(struct __sk_buff *skb)
{
	char buffer[64] = {};
	__u32 size = skb->len & 63;

	bpf_skb_load_bytes(skb, 0, buffer, size);
	return buffer[0];
}

char LICENSE[] SEC("license") = "GPL";
