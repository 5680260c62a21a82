/* SPDX-License-Identifier: BSD-2-Clause */
/* The size argument of a helper may be negative. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("socket")
int copy(struct __sk_buff *skb)
{
	char buffer[64] = {};
	long size = (long)bpf_get_prandom_u32() - 5;

	if (size > 64)
		return 0;
	bpf_skb_load_bytes(skb, 0, buffer, size);
	return buffer[0];
}

char LICENSE[] SEC("license") = "GPL";
