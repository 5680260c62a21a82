// SPDX-License-Identifier: BSD-2-Clause
/* bpf_throw() and what is called for it. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "verdict.h"

#define GLOBAL	       __attribute__((noinline, weak))
#define STATIC	       static __attribute__((noinline))
#define CALLBACK(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

extern void bpf_throw(__u64 cookie) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct locked {
	struct bpf_spin_lock lock;
	int number;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct locked);
} locks SEC(".maps");

SEC("tc") ACCEPT int throws(struct __sk_buff *skb)
{
	if (skb->len)
		bpf_throw(5);
	return 1;
}

SEC("tc") ACCEPT int nothing_comes_after(struct __sk_buff *skb)
{
	bpf_throw(0);
	return *(volatile int *)1;
}

SEC("tc") REJECT("R1 is not a scalar") NAKED int throws_its_context(void)
{
	asm volatile("call bpf_throw;"
		     "exit;");
}

/* --- what is held --- */

SEC("tc") REJECT("Unreleased reference id=") int holds_record(struct __sk_buff *skb)
{
	void *record = bpf_ringbuf_reserve(&ring, 8, 0);

	if (!record)
		return 0;
	if (skb->len)
		bpf_throw(0);
	bpf_ringbuf_discard(record, 0);
	return 1;
}

SEC("tc")
REJECT("function calls are not allowed while holding a lock")
int holds_lock(struct __sk_buff *skb)
{
	int key = 0;
	struct locked *value = bpf_map_lookup_elem(&locks, &key);

	if (!value)
		return 0;
	bpf_spin_lock(&value->lock);
	bpf_throw(0);
	return 1;
}

STATIC int static_throws(struct __sk_buff *skb)
{
	if (skb->len)
		bpf_throw(0);
	return 1;
}

SEC("tc") ACCEPT int static_may_throw(struct __sk_buff *skb)
{
	return static_throws(skb);
}

SEC("tc") REJECT("Unreleased reference id=") int caller_holds_record(struct __sk_buff *skb)
{
	void *record = bpf_ringbuf_reserve(&ring, 8, 0);

	if (!record)
		return 0;
	static_throws(skb);
	bpf_ringbuf_discard(record, 0);
	return 1;
}

GLOBAL int global_throws(struct __sk_buff *skb)
{
	if (skb->len)
		bpf_throw(77);
	return 1;
}

/* Linux does not look into global functions: what the caller holds is lost when they throw. */
SEC("tc") ACCEPT int caller_of_global_holds_record(struct __sk_buff *skb)
{
	void *record = bpf_ringbuf_reserve(&ring, 8, 0);

	if (!record)
		return 0;
	global_throws(skb);
	bpf_ringbuf_discard(record, 0);
	return 1;
}

/* --- callbacks of helpers --- */

STATIC int throws_in_loop(int round, void *context)
{
	bpf_throw(0);
	return 0;
}

SEC("tc")
REJECT("cannot be called from callback subprog 1") int loop_throws(struct __sk_buff *skb)
{
	bpf_loop(1, throws_in_loop, 0, 0);
	return 1;
}

STATIC int throws_below(struct __sk_buff *skb)
{
	bpf_throw(0);
	return 0;
}

STATIC int calls_thrower(int round, struct __sk_buff **skb)
{
	throws_below(*skb);
	return 0;
}

SEC("tc") REJECT("cannot be called from callback subprog") int also_below(struct __sk_buff *skb)
{
	if (skb->len)
		return throws_below(skb);
	bpf_loop(1, calls_thrower, &skb, 0);
	return 1;
}

/* --- the result --- */

SEC("cgroup_skb/ingress") ACCEPT int cookie_is_a_verdict(struct __sk_buff *skb)
{
	bpf_throw(skb->len & 1);
	return 1;
}

SEC("cgroup_skb/ingress")
REJECT("At program exit the register R1 has smin=77 smax=77 should have been in [0, 1]")
int cookie_is_no_verdict(struct __sk_buff *skb)
{
	bpf_throw(77);
	return 1;
}

STATIC int throws_77(struct __sk_buff *skb)
{
	bpf_throw(77);
	return 1;
}

SEC("cgroup_skb/ingress")
REJECT("At program exit the register R1 has smin=77 smax=77")
int static_throws_no_verdict(struct __sk_buff *skb)
{
	return throws_77(skb);
}

SEC("cgroup_skb/ingress") ACCEPT int global_throws_any(struct __sk_buff *skb)
{
	global_throws(skb);
	return 1;
}

/* --- the exception callback --- */

GLOBAL int gives_two(__u64 cookie)
{
	return cookie ? 1 : 2;
}

SEC("tc") ACCEPT CALLBACK(gives_two)
int has_callback(struct __sk_buff *skb)
{
	bpf_throw(3);
	return 1;
}

SEC("cgroup_skb/ingress")
REJECT("At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]")
CALLBACK(gives_two) int callback_gives_no_verdict(struct __sk_buff *skb)
{
	bpf_throw(77);
	return 1;
}

SEC("tc")
REJECT("cannot call exception cb directly")
CALLBACK(gives_two) int callback_is_called(struct __sk_buff *skb)
{
	gives_two(1);
	return 1;
}

GLOBAL int takes_two(int a, int b)
{
	return 1;
}

SEC("tc")
REJECT("exception cb only supports single integer argument")
CALLBACK(takes_two) int callback_takes_two(struct __sk_buff *skb)
{
	bpf_throw(3);
	return 1;
}

GLOBAL int throws_again(__u64 cookie)
{
	if (cookie)
		bpf_throw(1);
	return 1;
}

SEC("tc")
REJECT("cannot be called from callback subprog 1")
CALLBACK(throws_again) int callback_throws(struct __sk_buff *skb)
{
	bpf_throw(3);
	return 1;
}

GLOBAL int follows_cookie(__u64 cookie)
{
	return *(volatile int *)cookie;
}

SEC("tc")
REJECT("R1 invalid mem access 'scalar'")
CALLBACK(follows_cookie) int callback_follows_cookie(struct __sk_buff *skb)
{
	return 1;
}

STATIC int not_global(__u64 cookie)
{
	asm volatile("");
	return cookie ? 1 : 2;
}

SEC("tc")
REJECT("exception callback 'not_global' must have global linkage")
CALLBACK(not_global) int callback_is_static(struct __sk_buff *skb)
{
	if (skb->len)
		return not_global(1);
	bpf_throw(3);
	return 1;
}

SEC("tc")
REJECT("exception callback 'nowhere' could not be found in BTF")
CALLBACK(nowhere) int callback_is_nowhere(struct __sk_buff *skb)
{
	bpf_throw(3);
	return 1;
}

SEC("tc")
REJECT("multiple exception callback tags for main subprog")
CALLBACK(gives_two) CALLBACK(takes_two) int two_callbacks(struct __sk_buff *skb)
{
	bpf_throw(3);
	return 1;
}

char _license[] SEC("license") = "GPL";
