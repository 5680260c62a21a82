/* SPDX-License-Identifier: BSD-2-Clause */
/* A register is read that no instruction of the path has set. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int pick(struct xdp_md *ctx)
{
	asm volatile("call %[time]\n"
		     "r0 = r1\n"
		     :
		     : [time] "i"(BPF_FUNC_ktime_get_ns)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
