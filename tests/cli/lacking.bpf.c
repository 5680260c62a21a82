/* SPDX-License-Identifier: BSD-2-Clause */
/* What skep can judge but not run. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym;

SEC("tc")
int casts(struct __sk_buff *skb)
{
	return !bpf_cast_to_kern_ctx(skb);
}

char _license[] SEC("license") = "GPL";
