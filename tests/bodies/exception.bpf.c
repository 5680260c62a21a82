// SPDX-License-Identifier: BSD-2-Clause
/* Exceptions: from where they are thrown, and what becomes of the result. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "check.h"

void bpf_throw(u64 cookie) __ksym;

#define __exception_cb(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

long seen[16];

__noinline int ends_well(u64 cookie)
{
	seen[1] = cookie;
	seen[2]++;
	return 0;
}

static __noinline int inner(struct __sk_buff *skb, int depth)
{
	volatile char room[64];

	room[depth & 63] = 1;
	if (skb->len > 10)
		bpf_throw(depth);
	return room[0];
}

static __noinline int outer(struct __sk_buff *skb)
{
	seen[0] = 1;
	seen[3] = inner(skb, 33) + 1;
	return 1;
}

SEC("tc") int default_gives_0(struct __sk_buff *skb)
{
	if (skb->len > 10)
		bpf_throw(0);
	return __LINE__;
}

SEC("tc") __exception_cb(ends_well) int from_the_program(struct __sk_buff *skb)
{
	if (skb->len > 10)
		bpf_throw(7);
	return __LINE__;
}

SEC("tc") __exception_cb(ends_well) int from_a_subprogram(struct __sk_buff *skb)
{
	outer(skb);
	return __LINE__;
}

SEC("tc") __exception_cb(ends_well) int behind_saved_registers(struct __sk_buff *skb)
{
	int sum = 0;

	for (int i = 0; i < 3; i++)
		sum += outer(skb) + skb->len;
	return sum;
}

char _license[] SEC("license") = "GPL";
