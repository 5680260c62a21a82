// SPDX-License-Identifier: BSD-2-Clause
/* Dynptrs of memory and of ring buffers. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "check.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u8[64]);
} array SEC(".maps");

char text[16] = "0123456789abcde";
u64 seen[8];
u8 copy[64];

SEC("syscall") int made_of_memory(void *ctx)
{
	struct bpf_dynptr ptr;
	u8 *bytes;

	CHECK(bpf_dynptr_from_mem(text, sizeof(text), 0, &ptr) == 0);
	CHECK(bpf_dynptr_read(copy, 4, &ptr, 2, 0) == 0);
	CHECK(copy[0] == '2' && copy[3] == '5');
	CHECK(bpf_dynptr_read(copy, 4, &ptr, 2, 1) == -EINVAL);
	CHECK(bpf_dynptr_read(copy, 4, &ptr, 12, 0) == 0);
	CHECK(bpf_dynptr_read(copy, 4, &ptr, 13, 0) == -E2BIG);
	CHECK(bpf_dynptr_read(copy, 0, &ptr, 16, 0) == 0);
	CHECK(bpf_dynptr_read(copy, 0, &ptr, 17, 0) == -E2BIG);
	CHECK(bpf_dynptr_read(copy, 17, &ptr, 0, 0) == -E2BIG);
	CHECK(bpf_dynptr_write(&ptr, 1, "xy", 2, 0) == 0);
	CHECK(text[1] == 'x' && text[2] == 'y' && text[3] == '3');
	CHECK(bpf_dynptr_write(&ptr, 1, "xy", 2, 1) == -EINVAL);
	CHECK(bpf_dynptr_write(&ptr, 15, "xy", 2, 0) == -E2BIG);
	bytes = bpf_dynptr_data(&ptr, 4, 12);
	CHECK(bytes);
	bytes[11] = '!';
	CHECK(text[15] == '!');
	CHECK(!bpf_dynptr_data(&ptr, 5, 12));
	return 0;
}

SEC("syscall") int moves_overlapping(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_from_mem(copy, sizeof(copy), 0, &ptr);
	for (int i = 0; i < 16; i++)
		copy[i] = i;
	CHECK(bpf_dynptr_write(&ptr, 2, copy, 8, 0) == 0);
	CHECK(bpf_dynptr_read(copy, 8, &ptr, 1, 0) == 0);
	return 0;
}

SEC("syscall") int null_after_an_error(void *ctx)
{
	struct bpf_dynptr ptr;
	u8 byte;

	CHECK(bpf_dynptr_from_mem(text, sizeof(text), 1, &ptr) == -EINVAL);
	CHECK(bpf_dynptr_read(&byte, 1, &ptr, 0, 0) == -EINVAL);
	CHECK(bpf_dynptr_write(&ptr, 0, &byte, 0, 0) == -EINVAL);
	CHECK(!bpf_dynptr_data(&ptr, 0, 1));
	return 0;
}

SEC("syscall") int of_a_record(void *ctx)
{
	struct bpf_dynptr ptr;
	u64 *record;
	u32 key = 0;
	u8 *value = bpf_map_lookup_elem(&array, &key);

	CHECK(value);
	seen[6] = bpf_ringbuf_reserve_dynptr(&ring, 24, 0, &ptr);
	record = bpf_dynptr_data(&ptr, 8, 8);
	if (record)
		*record = 0x1122334455667788;
	seen[0] = bpf_dynptr_write(&ptr, 16, text, 8, 0);
	seen[1] = bpf_dynptr_write(&ptr, 17, text, 8, 0);
	seen[2] = bpf_dynptr_read(value, 16, &ptr, 8, 0);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	CHECK(record);
	seen[3] = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	seen[4] = bpf_ringbuf_query(&ring, BPF_RB_PROD_POS);
	seen[5] = *(u64 *)value;
	return 0;
}

SEC("syscall") int no_room(void *ctx)
{
	struct bpf_dynptr ptr;

	seen[0] = bpf_ringbuf_reserve_dynptr(&ring, 4096, 0, &ptr);
	seen[1] = bpf_dynptr_write(&ptr, 0, text, 1, 0);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	seen[2] = bpf_ringbuf_reserve_dynptr(&ring, 8, 1, &ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	seen[3] = bpf_ringbuf_reserve_dynptr(&ring, 1 << 24, 0, &ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	seen[4] = bpf_ringbuf_reserve_dynptr(&ring, 1 << 24, 1, &ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	seen[5] = bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &ptr);
	bpf_ringbuf_discard_dynptr(&ptr, BPF_RB_NO_WAKEUP);
	seen[6] = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	return 0;
}

char _license[] SEC("license") = "GPL";
