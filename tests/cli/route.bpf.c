// SPDX-License-Identifier: BSD-2-Clause
/* Gives the device to which the routes send 10.1.2.3, or a thousand and why there is none. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int route(struct xdp_md *ctx)
{
	struct bpf_fib_lookup lookup = {
		.family = 2,
		.ifindex = 1,
		.ipv4_dst = __builtin_bswap32(0x0a010203),
	};
	long result = bpf_fib_lookup(ctx, &lookup, sizeof(lookup), BPF_FIB_LOOKUP_SKIP_NEIGH);

	return result ? 1000 + result : lookup.ifindex;
}

char _license[] SEC("license") = "GPL";
