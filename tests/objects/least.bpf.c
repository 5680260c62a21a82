// SPDX-License-Identifier: BSD-2-Clause
/* Whether a program can be loaded at all, and the means of the tests themselves. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "verdict.h"

SEC("socket")
ACCEPT UNPRIVILEGED_ACCEPTS CAP_BPF_ACCEPTS int least(void *ctx)
{
	return 0;
}

SEC("socket")
REJECT("R9 !read_ok") UNPRIVILEGED_REJECTS("R9 !read_ok") NAKED int reads_nothing(void)
{
	asm volatile("r0 = r9; exit;");
}

SEC("socket")
ACCEPT UNPRIVILEGED_REJECTS("R0 leaks addr as return value") CAP_BPF_REJECTS("R0 leaks addr")
NAKED int returns_its_context(void)
{
	asm volatile("r0 = r1; exit;");
}

/* A packet is aligned to its 2 bytes in front only. */
SEC("tc")
REJECT("misaligned packet access") FLAGS("strict-alignment")
int reads_unaligned(struct __sk_buff *skb)
{
	const char *data = (void *)(long)skb->data;

	return data + 4 <= (char *)(long)skb->data_end ? *(volatile int *)data : 0;
}

SEC("socket")
ACCEPT LOG_LEVEL(2) LOG("(b7) r0 = 7") LOG("processed 2 insns") NAKED int has_a_log(void)
{
	asm volatile("r0 = 7; exit;");
}

char _license[] SEC("license") = "GPL";
