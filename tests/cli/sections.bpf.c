/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that are attached by their section: a tracepoint that counts one system call of one
 * process, and tc. */
#include <asm/unistd.h>
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

const volatile __u32 process = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} calls SEC(".maps");

static void count(void)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&calls, &key);

	if (value)
		__sync_fetch_and_add(value, 1);
}

SEC("raw_tp/sys_enter")
int on_getppid(struct bpf_raw_tracepoint_args *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == process && ctx->args[1] == __NR_getppid)
		count();
	return 0;
}

SEC("tc")
int on_packet(struct __sk_buff *skb)
{
	count();
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
