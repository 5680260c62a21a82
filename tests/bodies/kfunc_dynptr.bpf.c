// SPDX-License-Identifier: BSD-2-Clause
/* Kernel functions on dynptrs, of memory and of packets. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "check.h"

int bpf_dynptr_from_skb(struct __sk_buff *skb, u64 flags, struct bpf_dynptr *out) __ksym;
int bpf_dynptr_from_skb_meta(struct __sk_buff *skb, u64 flags, struct bpf_dynptr *out) __ksym;
int bpf_dynptr_from_xdp(struct xdp_md *xdp, u64 flags, struct bpf_dynptr *out) __ksym;
void *bpf_dynptr_slice(const struct bpf_dynptr *p, u32 offset, void *buffer, u32 size) __ksym;
void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, u32 offset, void *buffer, u32 size) __ksym;
int bpf_dynptr_adjust(const struct bpf_dynptr *p, u32 start, u32 end) __ksym;
bool bpf_dynptr_is_null(const struct bpf_dynptr *p) __ksym;
bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *p) __ksym;
u32 bpf_dynptr_size(const struct bpf_dynptr *p) __ksym;
int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone) __ksym;
int bpf_dynptr_copy(struct bpf_dynptr *to, u32 to_offset, struct bpf_dynptr *from, u32 from_offset,
		    u32 size) __ksym;
int bpf_dynptr_memset(struct bpf_dynptr *p, u32 offset, u32 size, u8 value) __ksym;
int bpf_probe_read_kernel_dynptr(struct bpf_dynptr *p, u32 offset, u32 size, const void *from) __ksym;
int bpf_probe_read_kernel_str_dynptr(struct bpf_dynptr *p, u32 offset, u32 size, const void *from) __ksym;

int bpf_probe_read_user_dynptr(struct bpf_dynptr *p, u32 offset, u32 size, const void *from) __ksym;
int bpf_probe_read_user_str_dynptr(struct bpf_dynptr *p, u32 offset, u32 size, const void *from) __ksym;
int bpf_copy_from_user_dynptr(struct bpf_dynptr *p, u32 offset, u32 size, const void *from) __ksym;
int bpf_copy_from_user_str_dynptr(struct bpf_dynptr *p, u32 offset, u32 size, const void *from) __ksym;
int bpf_copy_from_user_str(void *to, u32 size, const void *from, u64 flags) __ksym;
int bpf_xdp_pull_data(struct xdp_md *xdp, u32 bytes) __ksym;

char text[16] = "0123456789abcde", other[32];
long seen[32];

SEC("tc") int adjusted(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr, clone;
	char *bytes;

	bpf_dynptr_from_mem(text, sizeof(text), 0, &ptr);
	CHECK(bpf_dynptr_size(&ptr) == 16);
	CHECK(bpf_dynptr_clone(&ptr, &clone) == 0);
	CHECK(bpf_dynptr_adjust(&ptr, 2, 1) == -EINVAL);
	CHECK(bpf_dynptr_adjust(&ptr, 0, 17) == -ERANGE);
	CHECK(bpf_dynptr_adjust(&ptr, 2, 12) == 0);
	CHECK(bpf_dynptr_size(&ptr) == 10 && bpf_dynptr_size(&clone) == 16);
	CHECK(bpf_dynptr_adjust(&ptr, 1, 11) == -ERANGE);
	CHECK(bpf_dynptr_adjust(&ptr, 1, 10) == 0);
	bytes = bpf_dynptr_data(&ptr, 0, 1);
	CHECK(bytes && *bytes == '3');
	CHECK(bpf_dynptr_read(other, 9, &ptr, 0, 0) == 0 && other[8] == 'b');
	CHECK(bpf_dynptr_read(other, 10, &ptr, 0, 0) == -E2BIG);
	bytes = bpf_dynptr_slice(&ptr, 8, 0, 1);
	CHECK(bytes && *bytes == 'b');
	CHECK(!bpf_dynptr_slice(&ptr, 9, 0, 1));
	bytes = bpf_dynptr_slice_rdwr(&ptr, 0, 0, 4);
	CHECK(bytes);
	bytes[3] = '*';
	CHECK(text[6] == '*');
	CHECK(bpf_dynptr_adjust(&ptr, 9, 9) == 0 && bpf_dynptr_size(&ptr) == 0);
	CHECK(!bpf_dynptr_is_null(&ptr) && !bpf_dynptr_is_rdonly(&ptr));
	return 0;
}

SEC("syscall") int null(void *ctx)
{
	struct bpf_dynptr ptr, clone;

	bpf_dynptr_from_mem(text, sizeof(text), 1, &ptr);
	CHECK(bpf_dynptr_is_null(&ptr));
	CHECK(!bpf_dynptr_is_rdonly(&ptr));
	seen[0] = bpf_dynptr_size(&ptr);
	seen[1] = bpf_dynptr_adjust(&ptr, 0, 0);
	seen[2] = bpf_dynptr_clone(&ptr, &clone);
	seen[3] = bpf_dynptr_is_null(&clone);
	seen[4] = !bpf_dynptr_slice(&ptr, 0, 0, 1);
	seen[5] = bpf_dynptr_memset(&ptr, 0, 0, 1);
	seen[6] = bpf_dynptr_memset(&ptr, 0, 1, 1);
	seen[7] = bpf_dynptr_copy(&ptr, 0, &clone, 0, 1);
	seen[8] = bpf_probe_read_kernel_dynptr(&ptr, 0, 1, text);
	seen[9] = bpf_probe_read_kernel_dynptr(&ptr, 1, 1, text);
	seen[10] = bpf_probe_read_kernel_str_dynptr(&ptr, 0, 1, text);
	seen[11] = bpf_dynptr_copy(&ptr, 0, &clone, 0, 0);
	bpf_dynptr_from_mem(text, sizeof(text), 0, &clone);
	seen[12] = bpf_dynptr_copy(&ptr, 0, &clone, 0, 1);
	seen[13] = bpf_dynptr_copy(&clone, 0, &ptr, 0, 1);
	seen[14] = bpf_dynptr_copy(&clone, 0, &ptr, 0, 0);
	return 0;
}

SEC("syscall") int copied(void *ctx)
{
	struct bpf_dynptr from, to;

	bpf_dynptr_from_mem(text, sizeof(text), 0, &from);
	bpf_dynptr_from_mem(other, sizeof(other), 0, &to);
	CHECK(bpf_dynptr_memset(&to, 0, 32, '.') == 0);
	CHECK(bpf_dynptr_memset(&to, 1, 32, '.') == -E2BIG);
	CHECK(bpf_dynptr_memset(&to, 33, 0, '.') == -E2BIG);
	CHECK(bpf_dynptr_copy(&to, 4, &from, 8, 8) == 0);
	CHECK(bpf_dynptr_copy(&to, 28, &from, 8, 8) == -E2BIG);
	CHECK(bpf_dynptr_copy(&to, 0, &from, 9, 8) == -E2BIG);
	CHECK(bpf_probe_read_kernel_dynptr(&to, 16, 4, text) == 0);
	CHECK(bpf_probe_read_kernel_dynptr(&to, 29, 4, text) == -E2BIG);
	CHECK(bpf_probe_read_kernel_str_dynptr(&to, 20, 8, text) > 0);
	seen[0] = bpf_probe_read_kernel_str_dynptr(&to, 20, 3, text);
	seen[1] = bpf_probe_read_kernel_str_dynptr(&to, 31, 3, text);
	seen[2] = bpf_probe_read_kernel_str_dynptr(&to, 20, 0, text);
	return 0;
}

SEC("syscall") int of_user_space(u64 *ctx)
{
	const void *text = (void *)ctx[0];
	struct bpf_dynptr ptr;

	bpf_dynptr_from_mem(other, sizeof(other), 0, &ptr);
	seen[0] = bpf_probe_read_user_dynptr(&ptr, 0, 4, text);
	seen[1] = bpf_probe_read_user_dynptr(&ptr, 30, 4, text);
	seen[2] = bpf_probe_read_user_dynptr(&ptr, 4, 4, (void *)8);
	seen[3] = bpf_probe_read_user_str_dynptr(&ptr, 8, 4, text);
	seen[4] = bpf_probe_read_user_str_dynptr(&ptr, 8, 24, text);
	seen[5] = bpf_probe_read_user_str_dynptr(&ptr, 9, 24, text);
	seen[6] = bpf_probe_read_user_str_dynptr(&ptr, 0, 24, (void *)8);
	seen[7] = ((u64 *)other)[0];
	seen[8] = ((u64 *)other)[1];
	return 0;
}

SEC("syscall") int of_user_space_by_faults(u64 *ctx)
{
	const void *text = (void *)ctx[0];
	struct bpf_dynptr ptr;

	bpf_dynptr_from_mem(other, sizeof(other), 0, &ptr);
	seen[0] = bpf_copy_from_user_dynptr(&ptr, 0, 4, text);
	seen[1] = bpf_copy_from_user_dynptr(&ptr, 30, 4, text);
	seen[2] = bpf_copy_from_user_dynptr(&ptr, 4, 4, (void *)8);
	seen[3] = bpf_copy_from_user_str_dynptr(&ptr, 8, 4, text);
	seen[4] = bpf_copy_from_user_str_dynptr(&ptr, 8, 24, text);
	seen[5] = bpf_copy_from_user_str_dynptr(&ptr, 0, 4, (void *)8);
	seen[6] = ((u64 *)other)[0];
	seen[7] = bpf_copy_from_user_str(other, 8, text, 0);
	seen[8] = ((u64 *)other)[0];
	seen[9] = bpf_copy_from_user_str(other, 32, text, 0);
	seen[10] = ((u64 *)other)[3];
	seen[11] = bpf_copy_from_user_str(other, 32, text, 1);
	seen[12] = bpf_copy_from_user_str(other, 32, text, 2);
	seen[13] = bpf_copy_from_user_str(other, 32, (void *)8, 0);
	seen[14] = ((u64 *)other)[0];
	seen[15] = bpf_copy_from_user_str(other, 0, text, 0);
	return 0;
}

SEC("tc") int packet(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	u8 buffer[8] = {}, *bytes;

	CHECK(bpf_dynptr_from_skb(skb, 1, &ptr) == -EINVAL);
	CHECK(bpf_dynptr_is_null(&ptr));
	CHECK(bpf_dynptr_from_skb(skb, 0, &ptr) == 0);
	CHECK(bpf_dynptr_size(&ptr) == skb->len);
	CHECK(!bpf_dynptr_is_rdonly(&ptr));
	bytes = bpf_dynptr_slice(&ptr, 20, buffer, sizeof(buffer));
	CHECK(bytes && bytes[0] == 20 && bytes[7] == 27);
	CHECK(!bpf_dynptr_slice(&ptr, 57, buffer, sizeof(buffer)));
	bytes = bpf_dynptr_slice_rdwr(&ptr, 30, buffer, sizeof(buffer));
	CHECK(bytes);
	bytes[0] = 0xee;
	if (bytes == buffer)
		bpf_dynptr_write(&ptr, 30, buffer, sizeof(buffer), 0);
	CHECK(bpf_dynptr_write(&ptr, 40, "abc", 3, 0) == 0);
	CHECK(bpf_dynptr_write(&ptr, 62, "abc", 3, 0) == -E2BIG);
	seen[0] = bpf_dynptr_write(&ptr, 40, "abc", 3, 1 << 9);
	CHECK(bpf_dynptr_adjust(&ptr, 40, 64) == 0);
	CHECK(bpf_dynptr_read(buffer, 3, &ptr, 1, 0) == 0 && buffer[0] == 'b');
	CHECK(bpf_dynptr_write(&ptr, 1, "z", 1, BPF_F_RECOMPUTE_CSUM) == 0);
	CHECK(!bpf_dynptr_data(&ptr, 0, 1));
	CHECK(bpf_dynptr_memset(&ptr, 10, 4, 0x55) == 0);
	return 0;
}

SEC("tc") int packet_that_shrinks(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	u8 buffer[8] = {};

	CHECK(bpf_dynptr_from_skb(skb, 0, &ptr) == 0);
	CHECK(bpf_skb_change_tail(skb, 40, 0) == 0);
	seen[0] = bpf_dynptr_size(&ptr);
	seen[1] = bpf_dynptr_read(buffer, 8, &ptr, 50, 0);
	seen[2] = bpf_dynptr_write(&ptr, 50, buffer, 8, 0);
	seen[3] = !bpf_dynptr_slice(&ptr, 50, buffer, 8);
	seen[4] = bpf_dynptr_memset(&ptr, 50, 8, 0);
	return 0;
}

SEC("tc") int metadata(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	CHECK(bpf_dynptr_from_skb_meta(skb, 1, &ptr) == -EINVAL);
	CHECK(bpf_dynptr_from_skb_meta(skb, 0, &ptr) == 0);
	seen[0] = bpf_dynptr_size(&ptr);
	seen[1] = bpf_dynptr_write(&ptr, 0, "a", 1, 0);
	seen[2] = bpf_dynptr_write(&ptr, 0, "a", 0, 0);
	return 0;
}

SEC("cgroup_skb/ingress") int read_only(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	u8 buffer[4], *bytes;

	if (bpf_dynptr_from_skb(skb, 0, &ptr))
		return 1;
	seen[0] = bpf_dynptr_size(&ptr);
	seen[1] = bpf_dynptr_is_rdonly(&ptr);
	seen[2] = bpf_dynptr_write(&ptr, 0, buffer, 1, 0);
	seen[3] = bpf_dynptr_memset(&ptr, 0, 1, 0);
	bytes = bpf_dynptr_slice(&ptr, 4, buffer, 4);
	seen[4] = bytes ? *bytes : -1;
	return 0;
}

SEC("xdp") int frame(struct xdp_md *xdp)
{
	struct bpf_dynptr ptr;
	u8 buffer[8] = {}, *bytes;

	CHECK(bpf_xdp_pull_data(xdp, 64) == 0);
	CHECK(bpf_xdp_pull_data(xdp, 65) == -EINVAL);
	CHECK(bpf_dynptr_from_xdp(xdp, 1, &ptr) == -EINVAL);
	CHECK(bpf_dynptr_from_xdp(xdp, 0, &ptr) == 0);
	CHECK(bpf_dynptr_size(&ptr) == 64);
	bytes = bpf_dynptr_slice_rdwr(&ptr, 20, buffer, sizeof(buffer));
	CHECK(bytes && bytes[0] == 20);
	bytes[0] = 0xee;
	CHECK(bpf_dynptr_write(&ptr, 40, "abc", 3, 1) == -EINVAL);
	CHECK(bpf_dynptr_write(&ptr, 40, "abc", 3, 0) == 0);
	CHECK(bpf_dynptr_read(buffer, 3, &ptr, 62, 0) == -E2BIG);
	CHECK(bpf_dynptr_read(buffer, 3, &ptr, 40, 0) == 0 && buffer[2] == 'c');
	CHECK(bpf_xdp_adjust_tail(xdp, -20) == 0);
	seen[0] = bpf_dynptr_read(buffer, 3, &ptr, 50, 0);
	seen[1] = bpf_dynptr_write(&ptr, 50, "abc", 3, 0);
	seen[2] = !bpf_dynptr_slice(&ptr, 50, buffer, 8);
	return 0;
}

char _license[] SEC("license") = "GPL";
