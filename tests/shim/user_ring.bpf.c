// SPDX-License-Identifier: BSD-2-Clause
/* Reads what user space sent. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/* Set by user space: after how many records to stop, and the helper's flags. */
__u64 stop_after, flags;
/* Shown to user space. */
__u64 records, sum, missing;
long inner, result;

static long refused(struct bpf_dynptr *record, void *context)
{
	return 0;
}

static long take(struct bpf_dynptr *record, void *context)
{
	__u64 number = 0, *data;

	inner = bpf_user_ringbuf_drain(&ring, refused, 0, 0);
	records++;
	if (bpf_dynptr_read(&number, sizeof(number), record, 0, 0))
		missing++;
	data = bpf_dynptr_data(record, 0, sizeof(*data));
	sum = sum * 31 + number + (data ? *data : 0) + *(__u64 *)context;
	return records == stop_after;
}

SEC("xdp") int drain(struct xdp_md *ctx)
{
	__u64 context = 5;

	result = bpf_user_ringbuf_drain(&ring, take, &context, flags);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
