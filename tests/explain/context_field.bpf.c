/* SPDX-License-Identifier: BSD-2-Clause */
/* The context has no such field for programs of this type. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("socket")
int look(struct __sk_buff *skb)
{
	return (int)skb->tc_classid;
}

char LICENSE[] SEC("license") = "GPL";
