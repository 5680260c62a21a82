/* SPDX-License-Identifier: BSD-2-Clause */
/* The result is not one that the program type knows. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("cgroup_skb/ingress")
int filter(struct __sk_buff *skb)
{
	return (int)skb->len;
}

char LICENSE[] SEC("license") = "GPL";
