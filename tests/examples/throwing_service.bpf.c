// SPDX-License-Identifier: BSD-2-Clause
/* examples/freplace the other way round: the service is interpreted, as it may throw. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

void bpf_throw(__u64 cookie) __ksym;

__attribute__((noinline)) int plugin(struct xdp_md *ctx)
{
	volatile int own = XDP_PASS;

	return own;
}

SEC("xdp")
int service(struct xdp_md *ctx)
{
	int verdict = plugin(ctx);

	if (verdict > XDP_REDIRECT)
		bpf_throw(XDP_ABORTED);
	return verdict;
}

char _license[] SEC("license") = "GPL";
