/* SPDX-License-Identifier: BSD-2-Clause */
/* What skep can judge but not run. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 16);
	__uint(key_size, 4);
	__uint(value_size, 4);
} sockets SEC(".maps");

SEC("sk_skb/stream_verdict")
int sends_on(struct __sk_buff *ctx)
{
	if (ctx->len > 100)
		return bpf_sk_redirect_map(ctx, &sockets, 1, 0);
	return bpf_sk_redirect_map(ctx, &sockets, 0, 0);
}

char _license[] SEC("license") = "GPL";
