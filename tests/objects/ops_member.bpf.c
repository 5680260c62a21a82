// SPDX-License-Identifier: BSD-2-Clause
/* Members of structures of functions: their arguments, what they may write, what they call. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "verdict.h"

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} sockets SEC(".maps");

/* A socket is a TCP socket here. */
SEC("struct_ops/ssthresh") ACCEPT __u32 BPF_PROG(ssthresh, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

SEC("struct_ops/cong_avoid") ACCEPT
void BPF_PROG(writes, struct sock *sk, __u32 ack, __u32 acked)
{
	struct tcp_sock *tcp = (void *)sk;

	tcp->snd_cwnd = 5;
	tcp->snd_ssthresh = 7;
	tcp->inet_conn.icsk_ca_priv[3] = 1;
}

SEC("struct_ops/init") REJECT("no write support to tcp_sock at off 1664")
void BPF_PROG(writes_another_member, struct sock *sk)
{
	((struct tcp_sock *)sk)->rcv_nxt = 1;
}

SEC("struct_ops/release") REJECT("no write support to tcp_sock at off 1496")
void BPF_PROG(writes_beyond, struct sock *sk)
{
	*(long *)&((struct tcp_sock *)sk)->snd_ssthresh = 1;
}

SEC("struct_ops/undo_cwnd") ACCEPT __u32 BPF_PROG(storage, struct sock *sk)
{
	__u64 *value = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	return value ? *value : 0;
}

SEC("struct_ops/cwnd_event") ACCEPT
void BPF_PROG(sends, struct sock *sk, enum tcp_ca_event event)
{
	if (event == CA_EVENT_LOSS)
		bpf_tcp_send_ack(sk, 0);
}

SEC("struct_ops/set_state") REJECT("R1 is of type socket but tcp_sock is expected")
void BPF_PROG(sends_on_another, struct sock *sk, __u8 state)
{
	bpf_tcp_send_ack((void *)sk->sk_socket, state);
}

SEC("struct_ops/pkts_acked")
ACCEPT void BPF_PROG(reads_sample, struct sock *sk, const struct ack_sample *sample)
{
	((struct tcp_sock *)sk)->app_limited = sample->rtt_us;
}

SEC("struct_ops/cong_control")
REJECT("only read is supported") void BPF_PROG(writes_sample, struct sock *sk, __u32 ack, int flag, const struct rate_sample *rs)
{
	((struct rate_sample *)rs)->delivered = 1;
}

SEC(".struct_ops") struct tcp_congestion_ops tcp_ops = {
	.ssthresh = (void *)ssthresh,
	.cong_avoid = (void *)writes,
	.init = (void *)writes_another_member,
	.release = (void *)writes_beyond,
	.undo_cwnd = (void *)storage,
	.cwnd_event = (void *)sends,
	.set_state = (void *)sends_on_another,
	.pkts_acked = (void *)reads_sample,
	.cong_control = (void *)writes_sample,
	.name = "members",
};

SEC("struct_ops/test_1") REJECT("R1 invalid mem access 'trusted_ptr_or_null_'")
int BPF_PROG(may_be_null, struct bpf_dummy_ops_state *state)
{
	return state->val;
}

SEC("struct_ops/test_2")
ACCEPT int BPF_PROG(numbers, struct bpf_dummy_ops_state *state, int a1, unsigned short a2, char a3)
{
	state->val = a1 + a2 + a3;
	return 0;
}

SEC("struct_ops.s/test_sleepable")
REJECT("write access at off 0 with size 8") int BPF_PROG(writes_beyond_structure, struct bpf_dummy_ops_state *state)
{
	*(long *)state = 3;
	return 0;
}

SEC(".struct_ops") struct bpf_dummy_ops dummy_ops = {
	.test_1 = (void *)may_be_null,
	.test_2 = (void *)numbers,
	.test_sleepable = (void *)writes_beyond_structure,
};

char _license[] SEC("license") = "GPL";
