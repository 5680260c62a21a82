// SPDX-License-Identifier: BSD-2-Clause
/* A service that counts packets by the verdict of a function, which other programs may replace.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

long verdicts[8];

/* What stands in for a plug-in. The volatile keeps the compiler from knowing its result. */
__attribute__((noinline)) int plugin(struct xdp_md *ctx)
{
	volatile int own = XDP_PASS;

	return own;
}

SEC("xdp")
int service(struct xdp_md *ctx)
{
	int verdict = plugin(ctx);

	__sync_fetch_and_add(&verdicts[verdict & 7], 1);
	return verdict;
}

char _license[] SEC("license") = "GPL";
