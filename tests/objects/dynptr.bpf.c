// SPDX-License-Identifier: BSD-2-Clause
/* Dynptrs: made, read, written, sliced, cloned, ended. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "verdict.h"

int bpf_dynptr_from_skb(struct __sk_buff *skb, u64 flags, struct bpf_dynptr *out) __ksym;
int bpf_dynptr_from_xdp(struct xdp_md *xdp, u64 flags, struct bpf_dynptr *out) __ksym;
void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, u32 offset, void *buffer, u32 size) __ksym;
void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, u32 offset, void *buffer, u32 size) __ksym;
int bpf_dynptr_clone(const struct bpf_dynptr *ptr, struct bpf_dynptr *clone) __ksym;
int bpf_dynptr_adjust(const struct bpf_dynptr *ptr, u32 start, u32 end) __ksym;
u32 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ringbuf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64[4]);
} array SEC(".maps");

char data[32];
int out;

SEC("?raw_tp") ACCEPT int reserve_and_submit(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	bpf_dynptr_write(&ptr, 0, data, sizeof(data), 0);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

SEC("?raw_tp") REJECT("Unreleased reference") int never_submitted(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	return 0;
}

SEC("?raw_tp") REJECT("arg 1 is an unacquired reference") int submitted_twice(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

SEC("?raw_tp") REJECT("cannot overwrite referenced dynptr") int reserved_over(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

SEC("?raw_tp") ACCEPT int data_of_a_record(void *ctx)
{
	struct bpf_dynptr ptr;
	u64 *record;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	record = bpf_dynptr_data(&ptr, 0, 8);
	if (record)
		*record = 7;
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

SEC("?raw_tp") REJECT("invalid mem access 'mem_or_null'") int data_unchecked(void *ctx)
{
	struct bpf_dynptr ptr;
	u64 *record;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	record = bpf_dynptr_data(&ptr, 0, 8);
	*record = 7;
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

SEC("?raw_tp") REJECT("invalid access to memory, mem_size=8 off=8 size=8") int data_beyond(void *ctx)
{
	struct bpf_dynptr ptr;
	u64 *record;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	record = bpf_dynptr_data(&ptr, 0, 8);
	if (record)
		record[1] = 7;
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

SEC("?raw_tp") REJECT("invalid mem access 'scalar'") int data_after_the_end(void *ctx)
{
	struct bpf_dynptr ptr;
	u64 *record;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	record = bpf_dynptr_data(&ptr, 0, 8);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	if (record)
		*record = 7;
	return 0;
}

SEC("?raw_tp") ACCEPT int of_a_map_value(void *ctx)
{
	struct bpf_dynptr ptr;
	u32 key = 0;
	u64 *value = bpf_map_lookup_elem(&array, &key);

	if (!value)
		return 0;
	bpf_dynptr_from_mem(value, 32, 0, &ptr);
	bpf_dynptr_read(data, 8, &ptr, 0, 0);
	return 0;
}

SEC("?raw_tp") REJECT("Unsupported reg type fp for bpf_dynptr_from_mem data")
int of_the_stack(void *ctx)
{
	struct bpf_dynptr ptr;
	u64 bytes[2] = {};

	bpf_dynptr_from_mem(bytes, 16, 0, &ptr);
	return 0;
}

SEC("?raw_tp") REJECT("Expected an initialized dynptr as arg #2") int never_made(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_dynptr_read(data, 8, &ptr, 0, 0);
	return 0;
}

SEC("?raw_tp") REJECT("R3 type=map_value expected=fp, dynptr_ptr")
int not_on_the_stack(void *ctx)
{
	bpf_dynptr_read(data, 8, (void *)data, 0, 0);
	return 0;
}

SEC("?raw_tp") REJECT("Expected an initialized dynptr as arg #2") NAKED int half_overwritten(void)
{
	asm volatile("r1 = %[array] ll; r2 = r10; r2 += -4; *(u32 *)(r10 - 4) = 0; call %[lookup];"
		     "if r0 == 0 goto +13; r1 = r0; r2 = 8; r3 = 0; r4 = r10; r4 += -24; call %[make];"
		     "*(u64 *)(r10 - 16) = 0;"
		     "r1 = r10; r1 += -32; r2 = 8; r3 = r10; r3 += -24; call %[read_it]; r0 = 0; exit;"
		     ::[array] "i"(&array), [lookup] "i"(BPF_FUNC_map_lookup_elem),
		     [make] "i"(BPF_FUNC_dynptr_from_mem), [read_it] "i"(BPF_FUNC_dynptr_read)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}

SEC("?tc") ACCEPT int packet_slice(struct __sk_buff *ctx)
{
	struct bpf_dynptr ptr;
	u8 buffer[14];
	struct ethhdr *eth;

	if (bpf_dynptr_from_skb(ctx, 0, &ptr))
		return 0;
	eth = bpf_dynptr_slice(&ptr, 0, buffer, sizeof(buffer));
	return eth ? eth->h_proto : 0;
}

SEC("?tc") REJECT("cannot write into rdonly_mem") int packet_slice_written(struct __sk_buff *ctx)
{
	struct bpf_dynptr ptr;
	u8 buffer[14];
	struct ethhdr *eth;

	if (bpf_dynptr_from_skb(ctx, 0, &ptr))
		return 0;
	eth = bpf_dynptr_slice(&ptr, 0, buffer, sizeof(buffer));
	if (eth)
		eth->h_proto = 1;
	return 0;
}

SEC("?tc") ACCEPT int packet_slice_writable(struct __sk_buff *ctx)
{
	struct bpf_dynptr ptr;
	u8 buffer[14];
	struct ethhdr *eth;

	if (bpf_dynptr_from_skb(ctx, 0, &ptr))
		return 0;
	eth = bpf_dynptr_slice_rdwr(&ptr, 0, buffer, sizeof(buffer));
	if (eth)
		eth->h_proto = 1;
	return 0;
}

SEC("?cgroup_skb/ingress") REJECT("the prog does not allow writes to packet data")
int packet_slice_of_a_reader(struct __sk_buff *ctx)
{
	struct bpf_dynptr ptr;
	u8 buffer[14];

	if (bpf_dynptr_from_skb(ctx, 0, &ptr))
		return 0;
	return !!bpf_dynptr_slice_rdwr(&ptr, 0, buffer, sizeof(buffer));
}

SEC("?tc") REJECT("invalid mem access 'scalar'") int packet_slice_after_change(struct __sk_buff *ctx)
{
	struct bpf_dynptr ptr;
	u8 buffer[14];
	struct ethhdr *eth;

	if (bpf_dynptr_from_skb(ctx, 0, &ptr))
		return 0;
	eth = bpf_dynptr_slice(&ptr, 0, buffer, sizeof(buffer));
	if (!eth || bpf_skb_pull_data(ctx, 64))
		return 0;
	return eth->h_proto;
}

SEC("?tc") REJECT("invalid mem access 'scalar'") int packet_slice_after_write(struct __sk_buff *ctx)
{
	struct bpf_dynptr ptr;
	u8 buffer[14];
	struct ethhdr *eth;

	if (bpf_dynptr_from_skb(ctx, 0, &ptr))
		return 0;
	eth = bpf_dynptr_slice(&ptr, 0, buffer, sizeof(buffer));
	if (!eth)
		return 0;
	bpf_dynptr_write(&ptr, 0, data, 4, 0);
	return eth->h_proto;
}

SEC("?tc") REJECT("must be a known constant") int packet_slice_of_any_size(struct __sk_buff *ctx)
{
	struct bpf_dynptr ptr;
	u8 buffer[64];
	u32 size = ctx->len;

	if (size > sizeof(buffer) || bpf_dynptr_from_skb(ctx, 0, &ptr))
		return 0;
	return !!bpf_dynptr_slice(&ptr, 0, buffer, size);
}

SEC("?tc") ACCEPT int packet_slice_without_buffer(struct __sk_buff *ctx)
{
	struct bpf_dynptr ptr;
	struct ethhdr *eth;

	if (bpf_dynptr_from_skb(ctx, 0, &ptr))
		return 0;
	eth = bpf_dynptr_slice(&ptr, 0, NULL, sizeof(*eth));
	return eth ? eth->h_proto : 0;
}

SEC("?xdp") ACCEPT int clones(struct xdp_md *ctx)
{
	struct bpf_dynptr ptr, clone;
	u8 buffer[14];
	struct ethhdr *eth;

	if (bpf_dynptr_from_xdp(ctx, 0, &ptr) || bpf_dynptr_clone(&ptr, &clone))
		return XDP_PASS;
	bpf_dynptr_adjust(&clone, 14, bpf_dynptr_size(&clone));
	eth = bpf_dynptr_slice(&clone, 0, buffer, sizeof(buffer));
	if (eth)
		out = eth->h_proto;
	return XDP_PASS;
}

SEC("?raw_tp") REJECT("Expected an initialized dynptr as arg #2")
int a_clone_ends_with_its_origin(void *ctx)
{
	struct bpf_dynptr ptr, clone;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	bpf_dynptr_clone(&ptr, &clone);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	bpf_dynptr_read(data, 8, &clone, 0, 0);
	return 0;
}

SEC("?raw_tp") REJECT("cannot overwrite referenced dynptr")
int overwritten_while_a_clone_is_there(void *ctx)
{
	struct bpf_dynptr ptr, clone;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	bpf_dynptr_clone(&ptr, &clone);
	*(volatile char *)&ptr = 1;
	bpf_ringbuf_submit_dynptr(&clone, 0);
	return 0;
}

SEC("?xdp") ACCEPT int slice_stays_when_its_dynptr_is_overwritten(struct xdp_md *ctx)
{
	struct bpf_dynptr ptr;
	char *slice;

	if (bpf_dynptr_from_xdp(ctx, 0, &ptr))
		return XDP_PASS;
	slice = bpf_dynptr_slice(&ptr, 0, NULL, 8);
	*(volatile char *)&ptr = 1;
	return slice ? *slice : 0;
}

SEC("?raw_tp") REJECT("arg 1 is an unacquired reference") int another_kind(void *ctx)
{
	struct bpf_dynptr ptr;
	u32 key = 0;
	u64 *value = bpf_map_lookup_elem(&array, &key);

	if (!value)
		return 0;
	bpf_dynptr_from_mem(value, 32, 0, &ptr);
	bpf_ringbuf_submit_dynptr(&ptr, 0);
	return 0;
}

SEC("?raw_tp") REJECT("potential write to dynptr at off=-16 disallowed")
NAKED int a_helper_writes_over(void)
{
	asm volatile("r1 = %[ringbuf] ll; r2 = 8; r3 = 0; r4 = r10; r4 += -16; call %[reserve];"
		     "r1 = r10; r1 += -16; r2 = 16; call %[comm]; r1 = r10; r1 += -16; r2 = 0;"
		     "call %[discard]; r0 = 0; exit;"
		     ::[ringbuf] "i"(&ringbuf), [reserve] "i"(BPF_FUNC_ringbuf_reserve_dynptr),
		     [discard] "i"(BPF_FUNC_ringbuf_discard_dynptr),
		     [comm] "i"(BPF_FUNC_get_current_comm)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
}

static __noinline int takes_constant(const struct bpf_dynptr *ptr)
{
	return bpf_dynptr_read(data, 8, ptr, 0, 0);
}

SEC("?raw_tp") ACCEPT int passed_on(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	takes_constant(&ptr);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}

__attribute__((noinline, weak)) int reads_any(const struct bpf_dynptr *ptr)
{
	bpf_dynptr_read(data, 8, ptr, 0, 0);
	return bpf_dynptr_size(ptr);
}

SEC("?raw_tp") ACCEPT int passed_to_a_global_function(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	reads_any(&ptr);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}

__attribute__((noinline, weak)) int submits_any(struct bpf_dynptr *ptr)
{
	bpf_ringbuf_submit_dynptr(ptr, 0);
	return 0;
}

SEC("?raw_tp") REJECT("cannot release unowned const bpf_dynptr")
int submitted_by_a_global_function(void *ctx)
{
	struct bpf_dynptr ptr;

	bpf_ringbuf_reserve_dynptr(&ringbuf, 64, 0, &ptr);
	submits_any(&ptr);
	bpf_ringbuf_discard_dynptr(&ptr, 0);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} user_ringbuf SEC(".maps");

static long drain(struct bpf_dynptr *ptr, void *ctx)
{
	u64 *sample = bpf_dynptr_data(ptr, 0, 8);

	if (sample)
		out += *sample;
	return 0;
}

SEC("?raw_tp") ACCEPT int user_records(void *ctx)
{
	bpf_user_ringbuf_drain(&user_ringbuf, drain, NULL, 0);
	return 0;
}

static long drain_and_submit(struct bpf_dynptr *ptr, void *ctx)
{
	bpf_ringbuf_submit_dynptr(ptr, 0);
	return 0;
}

SEC("?raw_tp") REJECT("cannot release unowned const bpf_dynptr") int user_records_submitted(void *ctx)
{
	bpf_user_ringbuf_drain(&user_ringbuf, drain_and_submit, NULL, 0);
	return 0;
}

static long drain_over(struct bpf_dynptr *ptr, void *ctx)
{
	bpf_ringbuf_reserve_dynptr(&ringbuf, 8, 0, ptr);
	return 0;
}

SEC("?raw_tp") REJECT("Dynptr has to be an uninitialized dynptr") int user_records_reserved(void *ctx)
{
	bpf_user_ringbuf_drain(&user_ringbuf, drain_over, NULL, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
