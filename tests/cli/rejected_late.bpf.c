/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong stands behind a loop of many rounds: Linux's log of it is long. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int late(struct xdp_md *ctx)
{
	char *data = (void *)(long)ctx->data;

	for (__u32 i = 0; i < 180000; i++)
		asm volatile("" : "+r"(i));
	return data[0];
}

char LICENSE[] SEC("license") = "GPL";
