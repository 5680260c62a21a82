// SPDX-License-Identifier: BSD-2-Clause
/* What a libbpf skeleton can hold: every kind of global data, subprograms, maps of maps,
 * buffers. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct event {
	__u32 number;
	char text[12];
};

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {&first, &second}};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, struct event);
} pinned SEC(".maps");

const volatile __u32 step = 1; /* .rodata */
__u32 total = 100;	       /* .data */
__u32 runs;		       /* .bss */
extern int LINUX_KERNEL_VERSION __kconfig;
int kernel_version;

static __noinline __u32 add(__u32 a, __u32 b)
{
	return a + b;
}

static void count_in_inner(__u32 which)
{
	__u32 key = 1;
	__u64 *value;
	void *map = bpf_map_lookup_elem(&outer, &which);

	if (!map)
		return;
	value = bpf_map_lookup_elem(map, &key);
	if (value)
		*value += 1;
}

SEC("xdp")
int globals(struct xdp_md *ctx)
{
	runs++;
	total = add(total, step);
	kernel_version = LINUX_KERNEL_VERSION;
	count_in_inner(0);
	count_in_inner(1);
	count_in_inner(1);
	return XDP_PASS;
}

SEC("xdp")
int to_ring(struct xdp_md *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);

	if (!event)
		return XDP_ABORTED;
	event->number = ++runs;
	__builtin_memcpy(event->text, "by ring", 8);
	bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
}

SEC("xdp")
int to_perf(struct xdp_md *ctx)
{
	struct event event = {.number = ++runs, .text = "by perf"};

	return bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &event, sizeof(event))
		       ? XDP_ABORTED
		       : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
