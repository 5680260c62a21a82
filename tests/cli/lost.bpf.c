// SPDX-License-Identifier: BSD-2-Clause
/* Redirects to a port that there is not. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int lost(struct xdp_md *ctx)
{
	return bpf_redirect(60, 0);
}

char _license[] SEC("license") = "GPL";
