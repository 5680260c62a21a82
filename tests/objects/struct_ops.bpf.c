// SPDX-License-Identifier: BSD-2-Clause
/*
 * Programs of kernel structures of functions, in all sections that a loader knows: each is verified
 * for its member, whichever of the others are chosen.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "verdict.h"

SEC("struct_ops/ssthresh") ACCEPT __u32 BPF_PROG(ssthresh, struct sock *sk)
{
	return 2;
}

SEC("?struct_ops.s/optional") ACCEPT __u32 BPF_PROG(optional, struct sock *sk)
{
	return 2;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops linked = {
	.ssthresh = (void *)ssthresh,
	.name = "linked",
};

SEC(".struct_ops")
struct tcp_congestion_ops plain = {
	.ssthresh = (void *)ssthresh,
	.name = "plain",
};

struct tcp_congestion_ops___newer {
	__u32 (*ssthresh)(struct sock *sk);
	void (*nobody_knows)(void);
	char name[16];
};

SEC("?.struct_ops.link")
struct tcp_congestion_ops___newer newer = {
	.ssthresh = (void *)optional,
	.name = "newer",
};

char _license[] SEC("license") = "GPL";
