/* SPDX-License-Identifier: BSD-2-Clause */
/* Assembly that no path leads to. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int jump(struct xdp_md *ctx)
{
	asm volatile("goto +1\n"
		     "r1 = 0\n"
		     "r2 = 0\n"
		     :
		     :
		     : "r1", "r2");
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
