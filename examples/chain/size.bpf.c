// SPDX-License-Identifier: BSD-2-Clause
/* The second one: leaves the packet's size in its metadata. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define XDP_RUN_CONFIG(function) _##function SEC(".xdp_run_config")

struct {
	__uint(priority, 20);
	__uint(XDP_PASS, 1);
} XDP_RUN_CONFIG(note_size);

SEC("xdp") int note_size(struct xdp_md *ctx)
{
	__u32 size = ctx->data_end - ctx->data, *note;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*note)))
		return XDP_PASS;
	note = (void *)(long)ctx->data_meta;
	if ((void *)(note + 1) > (void *)(long)ctx->data)
		return XDP_ABORTED;
	*note = size;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
