// SPDX-License-Identifier: BSD-2-Clause
/* Frames of 9000 bytes, of which the first are in direct reach: 3520 of them. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "check.h"

#define LINEAR 3520
#define TOTAL  9000

long seen[64];
u8 bytes[4096];

extern int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer,
			      __u32 buffer__szk) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, __u32 offset, void *buffer,
				   __u32 buffer__szk) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym;
extern int bpf_xdp_pull_data(struct xdp_md *xdp, __u32 length) __ksym;

SEC("xdp.frags") int long_loads(struct xdp_md *xdp)
{
	seen[0] = bpf_xdp_get_buff_len(xdp);
	seen[1] = xdp->data_end - xdp->data;
	seen[2] = bpf_xdp_load_bytes(xdp, LINEAR - 8, bytes, 16);
	seen[3] = bpf_xdp_load_bytes(xdp, LINEAR + 4090, bytes + 16, 16);
	seen[4] = bpf_xdp_load_bytes(xdp, TOTAL - 8, bytes + 32, 8);
	seen[5] = bpf_xdp_load_bytes(xdp, TOTAL - 8, bytes + 48, 9);
	seen[6] = bpf_xdp_load_bytes(xdp, 0, bytes + 64, 2048);
	seen[7] = bpf_xdp_load_bytes(xdp, LINEAR, bytes + 64, 2048);
	seen[8] = bpf_xdp_load_bytes(xdp, 70000, bytes, 1);
	return 0;
}

SEC("xdp.frags") int long_stores(struct xdp_md *xdp)
{
	for (int i = 0; i < 64; i++)
		bytes[i] = 200 + i;
	seen[0] = bpf_xdp_store_bytes(xdp, LINEAR - 8, bytes, 16);
	seen[1] = bpf_xdp_store_bytes(xdp, LINEAR + 4090, bytes, 16);
	seen[2] = bpf_xdp_store_bytes(xdp, TOTAL - 8, bytes, 8);
	seen[3] = bpf_xdp_store_bytes(xdp, TOTAL - 8, bytes, 9);
	return 0;
}

SEC("xdp.frags") int long_tails(struct xdp_md *xdp)
{
	seen[0] = bpf_xdp_adjust_tail(xdp, 1);
	seen[1] = bpf_xdp_adjust_tail(xdp, 0);
	seen[2] = bpf_xdp_adjust_tail(xdp, -(TOTAL - 13));
	seen[3] = bpf_xdp_adjust_tail(xdp, -100);
	seen[4] = bpf_xdp_get_buff_len(xdp);
	seen[5] = bpf_xdp_adjust_tail(xdp, -2000);
	seen[6] = bpf_xdp_get_buff_len(xdp);
	seen[7] = xdp->data_end - xdp->data;
	return 0;
}

SEC("xdp.frags") int long_become_short(struct xdp_md *xdp)
{
	seen[0] = bpf_xdp_adjust_tail(xdp, -6000);
	seen[1] = bpf_xdp_get_buff_len(xdp);
	seen[2] = xdp->data_end - xdp->data;
	seen[3] = bpf_xdp_adjust_tail(xdp, 20);
	seen[4] = bpf_xdp_get_buff_len(xdp);
	return 0;
}

SEC("xdp.frags") int long_pulled(struct xdp_md *xdp)
{
	seen[0] = bpf_xdp_pull_data(xdp, 100);
	seen[1] = bpf_xdp_pull_data(xdp, TOTAL + 1);
	seen[2] = bpf_xdp_pull_data(xdp, LINEAR + 10);
	seen[3] = xdp->data_end - xdp->data;
	seen[4] = bpf_xdp_pull_data(xdp, LINEAR + 200);
	seen[5] = bpf_xdp_pull_data(xdp, LINEAR + 217);
	seen[6] = xdp->data_end - xdp->data;
	seen[7] = bpf_xdp_get_buff_len(xdp);
	seen[8] = bpf_xdp_load_bytes(xdp, LINEAR - 8, bytes, 300);
	return 0;
}

SEC("xdp.frags") int long_dynptrs(struct xdp_md *xdp)
{
	struct bpf_dynptr ptr;
	u8 *part, buffer[16] = {};

	bpf_dynptr_from_xdp(xdp, 0, &ptr);
	seen[0] = bpf_dynptr_size(&ptr);
	seen[1] = bpf_dynptr_read(bytes, 16, &ptr, LINEAR - 8, 0);
	seen[2] = bpf_dynptr_read(bytes + 16, 16, &ptr, LINEAR + 4090, 0);
	seen[3] = bpf_dynptr_write(&ptr, LINEAR - 4, bytes, 16, 0);
	seen[4] = bpf_dynptr_write(&ptr, TOTAL - 4, bytes, 5, 0);
	seen[5] = bpf_dynptr_write(&ptr, TOTAL - 4, bytes, 4, 1);
	part = bpf_dynptr_slice(&ptr, LINEAR - 8, buffer, sizeof(buffer));
	CHECK(part);
	seen[6] = part[0] | part[15] << 8;
	seen[7] = buffer[0] | buffer[15] << 8;
	part = bpf_dynptr_slice_rdwr(&ptr, LINEAR + 100, buffer, sizeof(buffer));
	CHECK(part);
	part[3] = 77;
	part = bpf_dynptr_slice_rdwr(&ptr, LINEAR + 4090, buffer, sizeof(buffer));
	CHECK(part);
	part[3] = 78;
	seen[8] = buffer[3];
	part = bpf_dynptr_slice(&ptr, TOTAL - 8, buffer, sizeof(buffer));
	CHECK(!part);
	return 0;
}

char _license[] SEC("license") = "GPL";
