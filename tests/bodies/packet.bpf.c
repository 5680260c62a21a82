// SPDX-License-Identifier: BSD-2-Clause
/* What is kept beside a packet: its tunnel, its time. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "check.h"

long seen[64];
struct bpf_tunnel_key key, got;
u8 options[64];

static int set_and_get(struct __sk_buff *skb, u32 set_flags, u32 get_flags, int at)
{
	key.tunnel_id = 0x12345678;
	key.remote_ipv4 = 0x0a000001;
	key.tunnel_tos = 3;
	key.tunnel_ttl = 64;
	key.tunnel_ext = 0;
	key.local_ipv4 = 0x0a000002;
	seen[at] = bpf_skb_set_tunnel_key(skb, &key, sizeof(key), set_flags);
	seen[at + 1] = bpf_skb_get_tunnel_key(skb, &got, sizeof(got), get_flags);
	seen[at + 2] = ((u64 *)&got)[0];
	seen[at + 3] = ((u64 *)&got)[1];
	seen[at + 4] = ((u64 *)&got)[2];
	seen[at + 5] = ((u64 *)&got)[3];
	seen[at + 6] = ((u64 *)&got)[4];
	return 0;
}

SEC("tc") int tunnel_ipv4(struct __sk_buff *skb)
{
	return set_and_get(skb, 0, 0, 0) + set_and_get(skb, BPF_F_ZERO_CSUM_TX, 1 << 4, 7) +
	       set_and_get(skb, BPF_F_DONT_FRAGMENT | BPF_F_SEQ_NUMBER, 1 << 4, 14) +
	       set_and_get(skb, 1 << 4, 1 << 4, 21) + set_and_get(skb, 1 << 5, 0, 28) +
	       set_and_get(skb, 0, 1 << 5, 35) + set_and_get(skb, 0, BPF_F_TUNINFO_IPV6, 42);
}

SEC("tc") int tunnel_ipv6(struct __sk_buff *skb)
{
	for (int i = 0; i < 4; i++) {
		key.remote_ipv6[i] = i + 1;
		key.local_ipv6[i] = i + 10;
	}
	key.tunnel_label = 0x12345;
	seen[0] = bpf_skb_set_tunnel_key(skb, &key, sizeof(key), 0);
	seen[1] = bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_TUNINFO_IPV6);
	seen[2] = bpf_skb_get_tunnel_key(skb, &got, sizeof(got), BPF_F_TUNINFO_IPV6);
	seen[3] = bpf_skb_get_tunnel_key(skb, &got, 28, BPF_F_TUNINFO_IPV6);
	return 0;
}

SEC("tc") int tunnel_sizes(struct __sk_buff *skb)
{
	key.tunnel_id = 7;
	key.remote_ipv4 = 9;
	key.tunnel_tos = 1;
	key.tunnel_ttl = 2;
	seen[0] = bpf_skb_get_tunnel_key(skb, &got, sizeof(got), 0);
	seen[1] = bpf_skb_set_tunnel_key(skb, &key, 8, 0);
	seen[2] = bpf_skb_get_tunnel_key(skb, &got, 8, 0);
	seen[3] = bpf_skb_set_tunnel_key(skb, &key, 22, 0);
	seen[4] = bpf_skb_get_tunnel_key(skb, &got, 22, 0);
	seen[5] = bpf_skb_set_tunnel_key(skb, &key, 24, 0);
	seen[6] = bpf_skb_get_tunnel_key(skb, &got, 24, 0);
	seen[7] = bpf_skb_set_tunnel_key(skb, &key, 28, 0);
	seen[8] = bpf_skb_get_tunnel_key(skb, &got, 28, 0);
	seen[9] = bpf_skb_set_tunnel_key(skb, &key, 10, 0);
	seen[10] = bpf_skb_get_tunnel_key(skb, &got, 10, 0);
	key.tunnel_ext = 1;
	seen[11] = bpf_skb_set_tunnel_key(skb, &key, sizeof(key), 0);
	return 0;
}

SEC("tc") int tunnel_options(struct __sk_buff *skb)
{
	seen[0] = bpf_skb_set_tunnel_opt(skb, options, 8);
	seen[1] = bpf_skb_get_tunnel_opt(skb, options, 8);
	key.tunnel_id = 1;
	bpf_skb_set_tunnel_key(skb, &key, sizeof(key), 0);
	seen[2] = bpf_skb_get_tunnel_opt(skb, options, 8);
	options[0] = 1;
	options[11] = 2;
	seen[3] = bpf_skb_set_tunnel_opt(skb, options, 12);
	seen[4] = bpf_skb_set_tunnel_opt(skb, options, 10);
	seen[5] = bpf_skb_get_tunnel_opt(skb, options, 8);
	options[20] = 3;
	seen[6] = bpf_skb_get_tunnel_opt(skb, options, 32);
	bpf_skb_set_tunnel_key(skb, &key, sizeof(key), 0);
	seen[7] = bpf_skb_get_tunnel_opt(skb, options, 32);
	return 0;
}

SEC("tc") int time(struct __sk_buff *skb)
{
	seen[0] = bpf_skb_set_tstamp(skb, 1234, 1);
	seen[1] = skb->tstamp;
	seen[2] = bpf_skb_set_tstamp(skb, 0, 1);
	seen[3] = bpf_skb_set_tstamp(skb, 5678, 2);
	seen[4] = bpf_skb_set_tstamp(skb, 0, 2);
	seen[5] = bpf_skb_set_tstamp(skb, 0, 0);
	seen[6] = bpf_skb_set_tstamp(skb, 99, 0);
	seen[7] = bpf_skb_set_tstamp(skb, 1, 3);
	seen[8] = skb->tstamp;
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 4);
} events SEC(".maps");

struct bpf_perf_event_value value;

SEC("tc") int counters(struct __sk_buff *skb)
{
	seen[0] = bpf_perf_event_read(&events, 0);
	seen[1] = bpf_perf_event_read(&events, 2);
	seen[2] = bpf_perf_event_read(&events, 1ull << 32);
	seen[3] = bpf_perf_event_read_value(&events, 0, &value, sizeof(value));
	seen[4] = bpf_perf_event_read_value(&events, 2, &value, sizeof(value));
	seen[5] = bpf_perf_event_read_value(&events, 0, &value, 8);
	return 0;
}

SEC("tc") int copies(struct __sk_buff *skb)
{
	seen[0] = bpf_clone_redirect(skb, 1, 0);
	seen[1] = bpf_clone_redirect(skb, 1000000, 0);
	seen[2] = bpf_clone_redirect(skb, 1, 2);
	seen[3] = bpf_clone_redirect(skb, 1, BPF_F_INGRESS);
	return 0;
}

/* Nobody receives the packet of a test run. */
SEC("tc") int whose_it_is(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk || !(sk = bpf_sk_fullsock(sk)))
		return 0;
	seen[0] = bpf_sk_assign(skb, sk, 0);
	seen[1] = bpf_sk_assign(skb, sk, 1);
	return 0;
}

SEC("raw_tp") int without_a_link(void *ctx)
{
	seen[0] = bpf_get_attach_cookie(ctx);
	return 0;
}

struct bpf_pidns_info pids;

SEC("tc") int processes(struct __sk_buff *skb)
{
	seen[0] = bpf_get_ns_current_pid_tgid(0, 0, &pids, sizeof(pids));
	seen[1] = bpf_get_ns_current_pid_tgid(0, 0, &pids, 4);
	seen[2] = bpf_send_signal(1000);
	seen[3] = bpf_send_signal_thread(1000);
	return 0;
}

SEC("syscall") int descriptors(void *ctx)
{
	seen[0] = bpf_sys_close(1000000);
	return 0;
}

u64 branches[32];

SEC("tc") int absent(struct __sk_buff *skb)
{
	seen[0] = bpf_get_branch_snapshot(branches, sizeof(branches), 1);
	seen[1] = bpf_get_branch_snapshot(branches, sizeof(branches), 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
