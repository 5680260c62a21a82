/* SPDX-License-Identifier: BSD-2-Clause */
/* The helper is for programs of other types. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int mark(struct xdp_md *ctx)
{
	__u32 mark = 1;

	bpf_skb_store_bytes((void *)ctx, 0, &mark, sizeof(mark), 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
