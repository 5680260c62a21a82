/* SPDX-License-Identifier: BSD-2-Clause */
/* The context is read through a pointer that was moved. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int look(struct xdp_md *ctx)
{
	__u32 *field = (__u32 *)ctx;
	int i = 1;

	asm volatile("" : "+r"(i));
	return (int)field[i & 1];
}

char LICENSE[] SEC("license") = "GPL";
